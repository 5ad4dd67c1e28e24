"""Each reason not to report, by its code, and which of them a person may pass."""

from dataclasses import replace

import pytest

from skystamp.errors import UsageError
from skystamp.store import Report, ReportState
from skystamp.tns import OVERRIDABLE, Guard, People, Transient, guards
from tests.unit.tns.making import made, point

CONFIRMED = People(confirm=2, differ=0, required=2)


def codes(subject=None, people=CONFIRMED, near=(), reports=()):
    return [one.guard.value for one in guards.objections(subject or made(), people, near, reports)]


def past(state):
    return Report("ztf", "ZTF20aaaaaaa", "https://tns.example/api", {}, "ada", 1.0, state)


def test_nothing_speaks_against_a_confirmed_new_supernova():
    assert codes() == []


@pytest.mark.parametrize(
    ("subject", "code"),
    [
        pytest.param(made(point(), point(1, is_negative=True)), "negative", id="one negative of two"),
        pytest.param(made(is_known=True), "known_object", id="asteroid"),
        pytest.param(made(is_bogus_twice=True), "bogus_twice", id="twice bogus"),
        pytest.param(made(label="AGN"), "other_class", id="AGN"),
    ],
)
def test_what_the_object_is_speaks_against_it(subject, code):
    assert codes(subject) == [code]


def test_nothing_positive_is_no_discovery():
    assert codes(made(point(is_negative=True))) == ["no_discovery", "negative"]


@pytest.mark.parametrize(
    ("people", "code"),
    [
        (People(0, 0, 2), "unconfirmed"),
        (People(1, 0, 2), "unconfirmed"),
        (People(0, 2, 2), "unconfirmed"),
        (People(2, 2, 2), "unconfirmed"),
        (People(2, 1, 2), "disputed"),
        (People(2, 0, 3), "unconfirmed"),
    ],
)
def test_people_have_to_confirm_it(people, code):
    assert codes(people=people) == [code]


def test_one_is_enough_where_one_is_required():
    assert codes(people=People(1, 0, 1)) == []


@pytest.mark.parametrize("state", [ReportState.SENT, ReportState.UNKNOWN, ReportState.ACCEPTED, ReportState.POSTED])
def test_a_report_that_is_out_forbids_another(state):
    assert codes(reports=[past(ReportState.REJECTED), past(state)]) == ["reported"]


@pytest.mark.parametrize("state", [ReportState.BUILT, ReportState.REJECTED])
def test_a_report_that_came_to_nothing_does_not(state):
    assert codes(reports=[past(state)]) == []


def test_tns_has_to_be_asked():
    assert codes(near=None) == ["tns_unasked"]


@pytest.mark.parametrize(
    ("found", "code"),
    [
        (Transient("AT 2020abc", 4.9), ["on_tns"]),
        (Transient("SN 2020abc", 1.0, ("ATLAS20abc",), "SN Ia"), ["on_tns"]),
        (Transient("AT 2020abc", 5.1), []),
        (Transient("AT 2020abc", 90.0, ("ztf20AAAAAAA",)), ["reported"]),
        (Transient("AT 2020abc", 1.0, ("ATLAS20abc", "ZTF20aaaaaaa")), ["reported"]),
    ],
)
def test_what_tns_knows_near_it_or_under_our_name_speaks_against_it(found, code):
    assert codes(near=[found]) == code


def test_name_kind_and_distance_are_told():
    (one,) = guards.objections(made(), CONFIRMED, [Transient("SN 2020abc", 1.04, ("ATLAS20abc",), "SN Ia")], [])

    assert one.sentence == "TNS has SN 2020abc (SN Ia; ATLAS20abc) 1.0 arcsec away"


def test_what_a_person_may_not_pass_is_what_is_wrong_for_sure():
    assert {Guard.NEGATIVE, Guard.REPORTED, Guard.UNCONFIRMED, Guard.TNS_UNASKED, Guard.NO_DISCOVERY} == set(
        Guard
    ) - OVERRIDABLE


def test_what_is_passed_by_name_and_reason_no_longer_stands():
    found = guards.objections(replace(made(), is_known=True), People(2, 1, 2), [], [])

    assert [one.guard.value for one in guards.standing(found, {"disputed": "he looked at another"})] == ["known_object"]


@pytest.mark.parametrize(
    ("overrides", "said"),
    [
        ({"negative": "it is fine"}, "Received: negative"),
        ({"none": "why"}, "Received: none"),
        ({"disputed": " "}, "its reason"),
    ],
)
def test_wrong_overrides_are_told(overrides, said):
    with pytest.raises(UsageError, match=said):
        guards.standing([], overrides)
