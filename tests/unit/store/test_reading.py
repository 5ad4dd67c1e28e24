"""What the live path asks is one query, however many it asks for."""

import pytest
import sqlalchemy as sa

from skystamp import live
from skystamp.store import dialects, reading
from skystamp.store import engine as engines
from tests.storing import MODELS, NOW, alert, arriving, nightly


@pytest.fixture
def filled(store):
    alerts = [*nightly(3), *nightly(2, "ZTF20bbbbbbb", first=10)]
    live.answer(store, MODELS, arriving(alerts), now=NOW)
    return store, alerts


def test_the_index_has_all_detections_in_time_order_with_their_places(filled):
    store, alerts = filled

    found = store.index([("ztf", "ZTF20aaaaaaa"), ("ztf", "ZTF20bbbbbbb"), ("ztf", "unknown")])

    assert [one.alert_id for one in found["ztf", "ZTF20aaaaaaa"].detections] == [one.alert_id for one in alerts[:3]]
    assert [(one.place, one.count) for one in found["ztf", "ZTF20bbbbbbb"].detections] == [(1, 1), (2, 2)]
    assert (found["ztf", "unknown"].revision, found["ztf", "unknown"].detections) == (0, ())


def test_one_left_out_says_why(store):
    live.answer(store, MODELS, arriving([alert(0, 0.0), alert(1, 0.1), alert(2, 1.0)]), now=NOW)

    found = store.index([("ztf", "ZTF20aaaaaaa")])["ztf", "ZTF20aaaaaaa"].detections

    assert [(one.place, one.left_out, one.count) for one in found] == [(1, "", 1), (0, "too_close", 1), (2, "", 2)]


def test_the_number_of_queries_does_not_grow_with_what_is_asked(filled):
    store, alerts = filled
    keys = [("ztf", one.alert_id) for one in alerts]
    objects = [("ztf", one.object_id) for one in alerts]

    def queries(ask, *asked):
        said = []

        def note(_connection, _cursor, statement, *_):
            said.append(statement)

        sa.event.listen(store.engine, "before_cursor_execute", note)
        ask(*asked)
        sa.event.remove(store.engine, "before_cursor_execute", note)
        return sum("FROM" in statement for statement in said)

    assert queries(store.index, objects) == 2
    assert queries(store.alerts, keys) == 1
    assert queries(store.outcomes, keys) == 1


def test_alerts_may_come_without_their_cutouts(filled):
    store, alerts = filled
    key = ("ztf", alerts[0].alert_id)

    assert store.alerts([key], with_cutouts=False)[key].cutouts == {}
    assert store.alerts([key])[key].cutouts == alerts[0].cutouts
    assert store.alerts([("ztf", 1), ("lsst", alerts[0].alert_id)]) == {}


def test_more_keys_than_a_statement_takes_are_asked_in_parts(filled, monkeypatch):
    store, alerts = filled
    monkeypatch.setattr(dialects, "AT_ONCE", 2)
    monkeypatch.setattr(dialects.parts, "__defaults__", (2,))

    assert len(store.alerts([("ztf", one.alert_id) for one in alerts])) == 5


def test_what_a_version_has_not_scored_comes_in_pages(filled):
    store, alerts = filled

    pages = list(store.unscored("first-detection", "8", page=2))
    deep = list(store.unscored("temporal-3", "9", counts=(3, None)))

    assert [len(page) for page in pages] == [2, 2, 1]
    assert [key for page in pages for key, _ in page] == sorted(("ztf", one.alert_id) for one in alerts)
    assert deep == [[(("ztf", alerts[2].alert_id), ("ztf", alerts[2].object_id))]]
    assert list(store.unscored("first-detection", "7", counts=(1, 1))) == []


def test_outcomes_of_an_object_come_in_time_order(filled):
    store, alerts = filled

    found = store.outcomes_of_objects([("ztf", "ZTF20aaaaaaa")])["ztf", "ZTF20aaaaaaa"]

    assert [one.classification.alert_id for one in found] == [one.alert_id for one in alerts[:3]]
    assert [one.classification.model for one in found] == ["first-detection", "temporal-2", "temporal-3"]


def test_an_unknown_source_was_never_read(store):
    with engines.reading(store.engine) as connection:
        assert reading.offset(connection, "folder", "") is None
