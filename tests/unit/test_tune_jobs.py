"""tune_jobs: what the arguments say."""

import pytest

from tune_jobs import first_detection, train_one


@pytest.mark.parametrize(
    ("text", "expected"),
    [("batch=32", ("batch", 32)), ("theta=0.1", ("theta", 0.1)), ("features=none", ("features", "none"))],
)
def test_a_setting_is_json_or_a_word(text: str, expected: tuple[str, object]) -> None:
    assert train_one._setting(text) == expected


def test_the_papers_space_is_the_papers() -> None:
    sizes = {name: len(values) for name, values in first_detection.PAPER.items()}

    assert sizes == {"learning_rate": 5, "beta": 5, "batch": 3, "crop": 3, "dropout": 3, "kernel": 3}
    first = {name: values[0] for name, values in first_detection.PAPER.items()}
    assert first == {"learning_rate": 1e-3, "beta": 0.5, "batch": 64, "crop": 21, "dropout": 0.5, "kernel": 5}


def test_smoke_is_small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["first_detection", "--data", "x", "--smoke"])

    arguments = first_detection._arguments()

    assert (arguments.trials, arguments.seeds, arguments.max_iterations) == (2, 1, 40)
