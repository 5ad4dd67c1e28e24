"""What is listed, in what order, and why something is not."""

from dataclasses import replace

import pytest

from skystamp.hunter import vetting
from skystamp.hunter.listing import listing
from skystamp.hunter.query import Query
from skystamp.store import Label
from tests.hunting import HOSTILE, NOW


def names(store, **changes):
    return [row.candidate.object_id for row in listing(store, replace(Query(), **changes), now=NOW).rows]


def test_what_is_kept_out_is_not_listed(store):
    assert sorted(names(store)) == [HOSTILE, "ZTF23aaa", "ZTF23bbb"]


def test_what_is_kept_out_is_shown_on_demand_with_the_reason(store):
    found = listing(store, Query(hidden=True), now=NOW)

    reasons = {row.candidate.object_id: row.hidden for row in found.rows}
    assert reasons["ZTF23negative"] == ("fainter than the template",)
    assert reasons["ZTF23asteroid"] == ("known solar-system object",)
    assert reasons["ZTF23aaa"] == ()


def test_a_twice_bogus_object_is_shown_among_the_class_that_its_model_says(store):
    (one,) = store.named(["ztf"], "ZTF23twice")
    most = max(one.probabilities, key=one.probabilities.get)
    assert one.is_bogus_twice

    assert "ZTF23twice" not in names(store, label=most)
    assert "ZTF23twice" not in names(store, label="bogus")
    assert "ZTF23twice" in names(store, label=most, hidden=True)
    assert "ZTF23twice" in names(store, label="bogus", hidden=True)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"sort": "date"}, [HOSTILE, "ZTF23bbb", "ZTF23aaa"]),
        ({"sort": "date", "ascending": True}, ["ZTF23aaa", "ZTF23bbb", HOSTILE]),
        ({"sort": "object"}, [HOSTILE, "ZTF23aaa", "ZTF23bbb"]),
        ({"sort": "object", "ascending": True}, ["ZTF23bbb", "ZTF23aaa", HOSTILE]),
        ({"minimum": 0.95}, []),
        ({"hours": 24 * 60, "sort": "object"}, [HOSTILE, "ZTF23aaa", "ZTF23bbb", "ZTF23old"]),
        ({"number": 1, "sort": "date"}, [HOSTILE]),
    ],
    ids=str,
)
def test_orders_and_filters(store, changes, expected):
    assert names(store, **changes) == expected


def test_a_search_looks_at_names_alone(store):
    assert names(store, search="ZTF23n", minimum=1.0, label="VS") == ["ZTF23negative"]
    assert names(store, search="ZTF23") == [
        "ZTF23aaa",
        "ZTF23asteroid",
        "ZTF23bbb",
        "ZTF23negative",
        "ZTF23old",
        "ZTF23twice",
    ]
    assert names(store, search="ztf23") == []
    assert names(store, search='"><scr') == [HOSTILE]


def test_verdicts_are_listed_and_filtered(store):
    store.vote(Label("ztf", "ZTF23aaa", "SN", "ada", NOW, vetting.SOURCE))
    store.vote(Label("ztf", "ZTF23bbb", "bogus", "ada", NOW, vetting.SOURCE))

    assert names(store, state="possible") == ["ZTF23aaa"]
    assert names(store, state="bogus") == ["ZTF23bbb"]
    assert names(store, state="open") == [HOSTILE]
    assert names(store, sort="state")[-1] == HOSTILE


def test_an_empty_list_says_when_there_was_something(store):
    found = listing(store, Query(hours=1), now=NOW + 40 * 86400)

    assert not found.rows
    assert found.newest == pytest.approx(40587 + NOW / 86400 - 0.1)
    assert str(found.last_week[1]) == "2023-11-14"
    assert listing(store, Query(label="satellite"), now=NOW).newest is None
