"""One training's answers, and three trainings'."""

import pytest

from skystamp.evaluation import Judged
from tests.judging import judged


@pytest.fixture
def one() -> Judged:
    return judged()


@pytest.fixture
def three() -> Judged:
    return judged(3)
