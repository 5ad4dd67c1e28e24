"""cli.faults: one sentence and status 2, for the faults that have one; others stay loud."""

import pytest
import typer

from skystamp.cli.faults import STATUS, told
from skystamp.errors import DatasetError


@pytest.mark.parametrize("fault", [DatasetError("the table should have rows"), FileNotFoundError("no such file")])
def test_a_fault_is_one_sentence_and_status_two(fault: Exception, capsys: pytest.CaptureFixture[str]) -> None:
    def command() -> None:
        raise fault

    with pytest.raises(typer.Exit) as stopped:
        told(command)()

    assert stopped.value.exit_code == STATUS == 2
    assert capsys.readouterr().err == f"skystamp: {fault}\n"


def test_an_error_of_the_program_is_not_hidden() -> None:
    def command() -> None:
        raise KeyError("a defect")

    with pytest.raises(KeyError):
        told(command)()
