"""Lists for people: candidates with their filters, labels, counts."""

import pytest

from skystamp import live
from skystamp.store import Batch, CandidateFilter, Change, Label, browsing
from skystamp.store import engine as engines
from tests.storing import MODELS, NOW, alert, arriving, batch_of, score


@pytest.fixture
def filled(store):
    """Six objects: SN 0.9, 0.6, 0.8 but negative, 0.7 but a known asteroid, AGN 0.95; and SN 0.85 of two nights."""
    rows = [
        (alert(0, 0.0, "ZTF20a"), 0.9),
        (alert(1, 1.0, "ZTF20b"), 0.6),
        (alert(2, 2.0, "ZTF20c", isdiffpos="f"), 0.8),
        (alert(3, 3.0, "ZTF20d", ssdistnr=1.0, ssnamenr="42", ssmagnr=19.0), 0.7),
        (alert(4, 4.0, "ZTF20e"), 0.05),
    ]
    for one, p in rows:
        store.record(batch_of(one, p=p), now=NOW)
    store.record(batch_of(alert(5, 5.0, "ZTF20f"), alert(6, 6.0, "ZTF20f"), p=0.85), now=NOW)
    return store


def names(store, **chosen):
    return [one.object_id for one in store.candidates(CandidateFilter(**chosen))]


def test_candidates_come_most_probable_first_without_negative_and_known_ones(filled):
    assert names(filled) == ["ZTF20a", "ZTF20f", "ZTF20b"]


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({"negative": True, "solar_system": True}, ["ZTF20a", "ZTF20f", "ZTF20c", "ZTF20d", "ZTF20b"]),
        ({"min_probability": 0.8}, ["ZTF20a", "ZTF20f"]),
        ({"min_detections": 2}, ["ZTF20f"]),
        ({"first_mjd": (59000.5, 59001.5)}, ["ZTF20b"]),
        ({"newest_first": True}, ["ZTF20f", "ZTF20b", "ZTF20a"]),
        ({"limit": 1, "offset": 1}, ["ZTF20f"]),
        ({"label": "AGN"}, ["ZTF20e"]),
    ],
    ids=str,
)
def test_filters(filled, chosen, expected):
    assert names(filled, **chosen) == expected


def test_one_candidate_says_what_its_last_outcome_said(filled):
    found = filled.candidate("ztf", "ZTF20d")

    assert (found.label, found.probabilities["SN"], found.model, found.is_solar_system) == (
        "SN",
        0.7,
        "first-detection",
        True,
    )
    assert filled.candidate("ztf", "nobody") is None


def test_counts_tell_models_reasons_and_shadows(store):
    live.answer(store, MODELS, [*arriving([alert(0, 0.0)]), *live.arrivals(b"nothing")], now=NOW)
    store.record(shadow_of(alert(0, 0.0)), now=NOW)

    found = store.status()

    assert found.outcomes == {"first-detection 7": 1, "first-detection 8 (shadow)": 1}
    assert found.rejections == {"not_avro": 1}
    assert (found.rows["objects"], found.rows["rejected_packets"]) == (1, 1)


def test_labels_stand_until_they_are_withdrawn_and_are_kept(store):
    first, second = (Label("ztf", "ZTF20a", "SN", who, NOW, "hunter") for who in ("ada", "bob"))
    store.add_labels([first, second])
    store.add_labels([first])

    store.withdraw_label(first, now=NOW + 1)

    assert store.labels() == [second]
    assert [one.withdrawn for one in store.labels(withdrawn=True)] == [NOW + 1, None]


def test_counting_an_empty_store(store):
    with engines.reading(store.engine) as connection:
        assert set(browsing.counts(connection).values()) == {0}


def shadow_of(one):
    history = Change("ztf", one.object_id, 1, batch_of(one).objects[0].detections)
    return Batch([history], outcomes=[score(one, "8")], shadow=True)


def test_names_are_found_by_their_beginning_alone(filled):
    assert [one.object_id for one in filled.named(["ztf"], "ZTF20")] == [f"ZTF20{letter}" for letter in "abcdef"]
    assert [one.object_id for one in filled.named(["ztf"], "ZTF20c")] == ["ZTF20c"]
    assert filled.named(["ztf"], "TF20") == filled.named(["lsst"], "ZTF20") == filled.named(["ztf"], "ZTF20%") == []


def test_the_newest_object_of_a_class_is_known(filled):
    assert filled.newest("SN") == pytest.approx(59005.0)
    assert filled.newest("VS") is None


def test_twice_bogus_objects_are_listed_on_demand_by_the_class_that_the_model_says(filled):
    with engines.writing(filled.engine) as connection:
        twice = {"label": "bogus", "p_label": 0.0, "is_bogus_twice": True}
        table = browsing._objects
        connection.execute(table.update().where(table.c.object_id == "ZTF20f").values(twice))

    assert names(filled) == ["ZTF20a", "ZTF20b"]
    assert names(filled, bogus_twice=True) == ["ZTF20a", "ZTF20f", "ZTF20b"]
    assert names(filled, bogus_twice=True, newest_first=True) == ["ZTF20f", "ZTF20b", "ZTF20a"]
    assert names(filled, bogus_twice=True, first_mjd=(59000.0, 59001.5)) == ["ZTF20a", "ZTF20b"]
    assert names(filled, label="bogus") == []
    assert names(filled, label="bogus", bogus_twice=True) == ["ZTF20f"]
    assert names(filled, label="AGN", bogus_twice=True) == ["ZTF20e"]
