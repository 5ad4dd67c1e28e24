"""journal: positions are there whole or not at all, whatever a crash leaves."""

from pathlib import Path

import pytest

from skystamp.errors import UsageError
from skystamp.stream.journal import FINISHED, Journal


def test_positions_are_there_after_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "state"
    journal = Journal(path)
    journal.save({("a", 10): 3, ("b", 5): 1})
    journal.save({("a", 10): 7, ("c", 0): FINISHED})
    journal.close()

    again = Journal(path)

    assert [again.position("a", 10), again.position("b", 5), again.position("c", 0)] == [7, 1, FINISHED]
    assert again.position("new", 1) == 0
    again.close()


def test_a_file_whose_size_changed_is_another(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "state")

    journal.save({("a", 10): FINISHED})

    assert journal.position("a", 11) == 0
    journal.close()


@pytest.mark.parametrize("cut", range(1, 60, 7))
def test_a_line_that_a_crash_cut_short_does_not_count(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "state"
    journal = Journal(path)
    journal.save({("a", 10): 3})
    before = len(path.read_bytes())
    journal.save({("a", 10): 4})
    journal.close()
    last_line = path.read_bytes()[before:]
    path.write_bytes(path.read_bytes()[: before + cut])

    again = Journal(path)

    assert again.position("a", 10) == (4 if cut >= len(last_line) else 3)
    again.close()


def test_a_file_that_a_crash_cut_short_is_written_on(tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.write_text('{"format": 1}\n{"file": "a", "size": 10, "posi')
    journal = Journal(path)
    journal.save({("a", 10): 5})
    journal.close()

    again = Journal(path)

    assert again.position("a", 10) == 5
    again.close()


def test_lines_of_the_same_file_do_not_pile_up_over_restarts(tmp_path: Path) -> None:
    path = tmp_path / "state"
    journal = Journal(path)
    for position in range(100):
        journal.save({("a", 10): position})
    journal.close()

    Journal(path).close()

    assert len(path.read_text().splitlines()) == 2


def test_a_state_file_belongs_to_one_stream(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "state")

    with pytest.raises(UsageError, match="should belong to one stream"):
        Journal(tmp_path / "state")

    journal.close()


@pytest.mark.parametrize("text", ["hello\n", "[]\n", '{"format": 7}\n', '{"format": 1}\n{"file": 1}\n'])
def test_another_file_is_not_overwritten(tmp_path: Path, text: str) -> None:
    path = tmp_path / "state"
    path.write_text(text)

    with pytest.raises(UsageError, match="the state file should be"):
        Journal(path)

    assert path.read_text() == text
