"""What people say becomes one verdict."""

import pytest

from skystamp.hunter import vetting
from skystamp.hunter.vetting import verdict
from skystamp.store import Label


def labels(*said: str) -> list[Label]:
    """Return labels from texts such as "ada SN", in the order in which they were given."""
    return [
        Label("ztf", "ZTF23aaa", each.split()[1], each.split()[0], float(i), vetting.SOURCE)
        for i, each in enumerate(said)
    ]


@pytest.mark.parametrize(
    ("said", "state", "label"),
    [
        pytest.param([], "open", "", id="nobody"),
        pytest.param(["ada SN"], "possible", "SN", id="one person"),
        pytest.param(["ada SN", "ada SN"], "possible", "SN", id="the same person twice"),
        pytest.param(["ada SN", "bea SN"], "confirmed", "SN", id="two people"),
        pytest.param(["ada bogus"], "bogus", "bogus", id="bogus by one"),
        pytest.param(["ada bogus", "bea bogus"], "confirmed", "bogus", id="bogus by two"),
        pytest.param(["ada SN", "bea bogus"], "disputed", "SN", id="one against one"),
        pytest.param(["ada SN", "bea SN", "cyd bogus"], "confirmed", "SN", id="two against one"),
        pytest.param(["ada SN", "bea SN", "cyd VS", "dan VS"], "disputed", "SN", id="two against two"),
        pytest.param(["ada SN", "bea SN", "bea bogus"], "disputed", "SN", id="one changed their mind"),
    ],
)
def test_verdicts(said, state, label):
    found = verdict(labels(*said))

    assert (found.state, found.label) == (state, label)


def test_more_people_may_be_required():
    assert verdict(labels("ada SN", "bea SN"), required=3).state == "possible"


def test_ones_own_word_is_found():
    found = verdict(labels("ada SN", "bea bogus"))

    assert found.of("bea").label == "bogus"
    assert found.of("eve") is None


@pytest.mark.parametrize(
    ("said", "states"),
    [
        ([], {"all", "open"}),
        (["ada SN"], {"all", "possible"}),
        (["ada bogus"], {"all", "bogus"}),
        (["ada bogus", "bea bogus"], {"all", "bogus"}),
        (["ada SN", "bea SN"], {"all", "confirmed"}),
        (["ada SN", "bea VS"], {"all", "disputed"}),
    ],
    ids=str,
)
def test_each_verdict_is_of_one_state_of_the_filter(said, states):
    found = verdict(labels(*said))

    assert {
        s for s in ("all", "open", "possible", "confirmed", "bogus", "disputed") if vetting.matches(found, s)
    } == states
