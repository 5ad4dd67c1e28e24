"""Lists of objects: whatever the filters, the same as going through all objects by hand, on both databases."""

from itertools import product

import pytest

from skystamp.store import Batch, Change, Detection, ObjectFilter, Scorer, listing, scorers
from skystamp.store import engine as engines
from tests.storing import NOW, alert, batch_of, score

SEVEN, EIGHT = Scorer("first-detection", "7"), Scorer("first-detection", "8")


@pytest.fixture
def filled(store):
    """Twelve objects of one or two nights, SN or AGN, some negative; the first two scored by a challenger too."""
    for i in range(12):
        name, days = f"ZTF20{chr(97 + i)}", float(i % 5)
        known = [alert(3 * i, days, name, isdiffpos="tf"[i % 2], ra=10.0 * i, dec=-80.0 + 15 * i)]
        known += [alert(3 * i + 1, days + i, name, ra=10.0 * i, dec=-80.0 + 15 * i)] if i % 3 == 0 else []
        store.record(batch_of(*known, p=(7 * i % 12) / 12), now=NOW)
    challenged = [alert(3 * i, float(i % 5), f"ZTF20{chr(97 + i)}") for i in range(2)]
    store.record(Batch(outcomes=[score(one, "8", 0.9) for one in challenged], shadow=True), now=NOW)
    return store


def names(store, **chosen):
    return [one.object_id for one in store.listed(ObjectFilter("ztf", **chosen))]


FILTERS = [
    {},
    {"label": "SN"},
    {"label": "AGN", "min_probability": 0.7},
    {"first_mjd": (59001.0, 59003.0)},
    {"last_mjd": (59004.0, None), "n_detections": (2.0, None)},
    {"label": "SN", "first_mjd": (None, 59002.0), "version": "7"},
]
ORDERS = [
    *((None, False), (None, True), ("probability", True), ("first_mjd", True), ("first_mjd", False)),
    *(("last_mjd", True), ("n_detections", True), ("delta_mjd", False), ("label", True), ("model", False)),
]


def test_a_list_is_what_going_through_all_objects_finds(filled, monkeypatch):
    everything = filled.listed(ObjectFilter("ztf"))
    for large in (50_000, 1):  # whether classes and windows count as large, by which other indexes lead
        monkeypatch.setattr(listing, "_LARGE", large)
        monkeypatch.setattr(listing.browsing, "_MANY", large)
        for chosen, (order, descending) in product(FILTERS, ORDERS):
            expected = [one for one in everything if _fits(one, chosen)]
            by_name = sorted(expected, key=lambda one: one.object_id, reverse=descending and order is None)
            expected = sorted(by_name, key=lambda one: getattr(one, order or "object_id"), reverse=descending)

            found = filled.listed(ObjectFilter("ztf", **chosen, order=order, descending=descending, limit=4, offset=1))

            assert found == expected[1:5], (chosen, order)


def test_a_count_is_of_all_pages(filled):
    everything = filled.listed(ObjectFilter("ztf"))

    for chosen in FILTERS:
        expected = len([one for one in everything if _fits(one, chosen)])
        assert filled.count_listed(ObjectFilter("ztf", **chosen, limit=1)) == expected


def test_names_and_places_keep_their_order_and_unknown_ones_are_left_out(filled):
    assert names(filled, names=("ZTF20c", "nothing", "ZTF20a")) == ["ZTF20c", "ZTF20a"]
    assert names(filled, names=()) == []
    assert names(filled, prefix="ZTF20", limit=2) == ["ZTF20a", "ZTF20b"]
    assert names(filled, prefix="ztf") == []
    assert names(filled, names=("ZTF20c", "ZTF20a"), order="object_id", limit=1) == ["ZTF20a"]
    assert filled.count_listed(ObjectFilter("ztf", names=())) == 0
    assert names(filled, place=(12.0, -65.0, 5.0)) == ["ZTF20b"]
    assert set(names(filled, place=(0.0, -89.0, 24.5))) == {"ZTF20a", "ZTF20b"}
    assert names(filled, place=(12.0, -65.0, 5.0), names=("ZTF20a",)) == []
    assert filled.listed(ObjectFilter("lsst")) == []
    assert filled.listed(ObjectFilter("lsst", label="SN", order="probability")) == []
    assert filled.count_listed(ObjectFilter("lsst", label="SN")) == 0


def test_a_version_is_listed_by_its_newest_answers_a_challengers_too(filled):
    eight = filled.listed(ObjectFilter("ztf", by=(EIGHT,), label="SN", order="probability"))
    seven = filled.listed(ObjectFilter("ztf", by=(SEVEN,)))

    assert [(one.object_id, one.model_version, one.probability) for one in eight] == [
        ("ZTF20a", "8", 0.9),
        ("ZTF20b", "8", 0.9),
    ]
    assert len(seven) == 12
    assert {one.object_id: one.alert_id for one in seven} == {
        one.object_id: one.alert_id for one in filled.listed(ObjectFilter("ztf"))
    }
    assert filled.count_listed(ObjectFilter("ztf", by=(EIGHT,))) == 2


def test_a_ranking_counts_the_classes_before(filled):
    everything = filled.listed(ObjectFilter("ztf"))
    for label, ranking in product(("AGN", "VS", "bogus"), (1, 2, 3, 4, 5)):
        found = filled.listed(ObjectFilter("ztf", label=label, ranking=ranking))

        assert [one.object_id for one in found] == [
            one.object_id for one in everything if _place(one, label) == ranking
        ]
        assert all(one.label == label and one.probability == one.probabilities[label] for one in found)


def test_versions_that_have_scores_are_told_with_their_classes(filled):
    with engines.reading(filled.engine) as connection:
        found = scorers.scorers(connection)

    assert [(one.model, one.version) for one in found] == [("first-detection", "7"), ("first-detection", "8")]
    assert found[0].classes == ("AGN", "SN", "VS", "asteroid", "bogus")
    assert filled.scorers() == found


def test_an_object_without_an_answer_is_listed_without_one(store):
    one = alert(1, 0.0, "ZTF20z")
    placed = Detection("ztf", "ZTF20z", one.alert_id, one.mjd, one.ra, one.dec, 1, "", 1)
    store.record(Batch([Change("ztf", "ZTF20z", 0, [placed])], [(one, placed)]), now=NOW)

    (found,) = store.listed(ObjectFilter("ztf"))

    assert (found.label, found.model, found.probability, found.probabilities) == (None, None, None, {})


def _fits(one, chosen):
    spans = {name: chosen[name] for name in ("first_mjd", "last_mjd", "n_detections") if name in chosen}
    inside = all(
        (low is None or getattr(one, name) >= low) and (high is None or getattr(one, name) <= high)
        for name, (low, high) in spans.items()
    )
    named = chosen.get("label") in (None, one.label) and chosen.get("version") in (None, one.model_version)
    return inside and named and one.probability >= chosen.get("min_probability", 0.0)


def _place(one, label):
    if one.label == label:
        return 1
    order = list(one.probabilities)
    rest = sorted((name for name in order if name != one.label), key=lambda name: -one.probabilities[name])
    return 2 + rest.index(label)
