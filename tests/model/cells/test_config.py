"""Options that no cell could be built by are refused with what they should be."""

import pytest

from skystamp.models.cells.config import NAMES, CellConfig


@pytest.mark.parametrize(
    "wrong",
    [{"units": 0}, {"depth": 0}, {"taps": 0}, {"window": 1}, {"heads": 0}, {"dropout": 1.0}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_impossible_options_are_refused(wrong):
    name, value = next(iter(wrong.items()))

    with pytest.raises(ValueError, match=f"Received: .*{name}.*{value}"):
        CellConfig(**wrong)


def test_options_are_known_by_name():
    assert NAMES == ("units", "depth", "taps", "window", "heads", "dropout")
