"""feeds: how far a partition is answered for."""

from hypothesis import given
from hypothesis import strategies as st

from skystamp.errors import Reason, Reject
from skystamp.sources.feeds import Message, Partition, Progress


@given(st.lists(st.integers(1, 3), min_size=1, max_size=30), st.data())
def test_nothing_is_safe_before_all_that_was_read_before_it_is_answered(gaps: list[int], data: st.DataObject) -> None:
    positions = [sum(gaps[: i + 1]) for i in range(len(gaps))]
    order = data.draw(st.permutations(positions))
    progress = Progress()
    for position in positions:
        progress.read(position)

    for i, position in enumerate(order):
        progress.answered(position)

        first_open = next((p for p in positions if p not in order[: i + 1]), positions[-1] + 1)
        assert (progress.safe or 0) <= first_open
        assert not set(positions) & set(range(progress.safe or 0, first_open))

    assert progress.safe == positions[-1] + 1


def test_a_message_that_was_read_after_others_were_answered_is_open() -> None:
    progress = Progress()
    progress.read(5)
    progress.answered(5)
    progress.read(6)

    assert (progress.safe, progress.last) == (6, 6)


def test_a_message_has_the_size_of_its_bytes() -> None:
    assert Message(b"12345", Partition("a"), 0).size == 5
    assert Message(Reject(Reason.NOT_AVRO, "x"), Partition("a"), 0).size == 0
    assert str(Partition("alerts", 3)) == "alerts[3]"
