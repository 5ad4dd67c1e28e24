"""Every spelling of the sign of a difference becomes one boolean."""

import pytest

from skystamp import polarity
from skystamp.errors import Reason, Reject


@pytest.mark.parametrize("value", ["t", "T", "true", "True", " t ", "1", 1, 1.0, "+1", True, "1.0"], ids=repr)
def test_positive_spellings(value):
    assert polarity.is_negative(value) is False


@pytest.mark.parametrize("value", ["f", "F", "false", "False", "0", 0, 0.0, "-1", -1, -1.0, False], ids=repr)
def test_negative_spellings(value):
    assert polarity.is_negative(value) is True


@pytest.mark.parametrize("value", [None, "", "yes", "2", 2, 0.5, "nan", b"t", "t" * 10_000], ids=lambda v: repr(v)[:12])
def test_anything_else_is_a_bad_field(value):
    with pytest.raises(Reject) as caught:
        polarity.is_negative(value)

    assert caught.value.reason is Reason.BAD_FIELD
    assert len(caught.value.detail) < 250


def test_model_input_is_one_for_positive_and_zero_for_negative():
    assert polarity.feature(negative=False) == 1.0
    assert polarity.feature(negative=True) == 0.0
