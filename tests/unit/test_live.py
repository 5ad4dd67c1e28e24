"""Packets in any order, repeated, batched, from several writers: the store ends as if they had come once, in order."""

import dataclasses
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skystamp import live
from skystamp.classify import Classification, Models, Rejection
from skystamp.errors import Reason, StoreUnavailable
from skystamp.live import Arrival
from skystamp.store import Outdated, open_store
from tests import faking, making, storing
from tests.storing import BY_NAME, MODELS, NOW, alert, arriving, content, expected, nightly


def answer(store, alerts, models=MODELS, now=NOW):
    return live.answer(store, models, arriving(alerts), now=now)


def outcomes_of(store, one):
    return [each.classification for each in store.outcomes([(one.survey, one.alert_id)])[one.survey, one.alert_id]]


def keys_of(alerts):
    return {(one.survey, one.alert_id): (one.survey, one.object_id) for one in alerts}


def test_a_first_packet_is_answered_and_stored(store):
    (one,) = nightly(1)

    (outcome,) = answer(store, [one])

    assert outcome == expected([one])[one.alert_id]
    assert outcomes_of(store, one) == [outcome]
    assert storing.same(store.alerts([("ztf", one.alert_id)])["ztf", one.alert_id], one)


def test_packets_one_by_one_are_answered_as_the_whole_archive(store):
    alerts = nightly(7)

    outcomes = [answer(store, [one])[0] for one in alerts]

    assert [one.model for one in outcomes] == [one.model for one in expected(alerts).values()]
    assert all(close(one, expected(alerts)[one.alert_id]) for one in outcomes)


def test_the_same_packet_twice_changes_nothing(store):
    alerts = nightly(3)
    first = answer(store, alerts)
    before = content(store, without=())

    again = answer(store, [*alerts, alerts[1]], now=NOW + 1)

    assert again == [*first, first[1]]
    assert content(store, without=()) == before
    assert store.outcomes([("ztf", alerts[0].alert_id)])["ztf", alerts[0].alert_id][0].created == NOW


def test_a_late_packet_changes_the_outcomes_after_it_and_what_was_said_before_is_kept(store):
    early, late = nightly(2)
    said = answer(store, [late])[0]

    answer(store, [early], now=NOW + 1)

    assert said.model == "first-detection"
    assert [one.model for one in outcomes_of(store, early)] == ["first-detection"]
    assert [one.model for one in outcomes_of(store, late)] == ["temporal-2"]
    (old,) = store.superseded([("ztf", early.object_id)])["ztf", early.object_id]
    assert old.classification == said


def test_an_objects_row_follows_its_last_detection(store):
    alerts = nightly(3)
    answer(store, [alerts[2]])
    answer(store, [alerts[0], alerts[1]])

    row = store.candidate("ztf", alerts[0].object_id)

    assert (row.alert_id, row.model, row.n_detections, row.n_accepted) == (alerts[2].alert_id, "temporal-3", 3, 3)
    assert (row.first_mjd, row.last_mjd) == (alerts[0].mjd, alerts[2].mjd)
    (latest,) = outcomes_of(store, alerts[2])
    assert (row.label, dict(row.probabilities)) == (latest.label, latest.probabilities)


def test_an_undecodable_packet_is_a_stored_rejection_and_takes_no_part(store):
    alerts = nightly(3)
    spoiled = dataclasses.replace(alerts[1], cutouts={**alerts[1].cutouts, "science": b"no gzip"})

    outcomes = answer(store, [alerts[0], spoiled, alerts[2]])

    assert isinstance(outcomes[1], Rejection)
    assert outcomes[2].n_detections == 2
    (rejected,) = store.rejections()
    assert rejected.rejection == outcomes[1]
    assert rejected.packet == arriving([spoiled])[0].packet


def test_a_damaged_copy_of_a_stored_packet_is_a_rejection_whichever_came_first(store):
    (one,) = nightly(1)
    damaged = dataclasses.replace(one, cutouts={**one.cutouts, "science": b"no gzip"})

    later = [answer(store, [each])[0] for each in (one, damaged)]

    assert isinstance(later[0], Classification)
    assert isinstance(later[1], Rejection)


def test_bytes_that_are_no_packet_are_rejected_and_kept(store):
    packet = making.packet()[:3000]
    arrivals = [*live.arrivals(b"nothing"), *live.arrivals(packet), *live.arrivals(making.packet())]

    outcomes = live.answer(store, MODELS, arrivals, now=NOW)
    live.answer(store, MODELS, arrivals, now=NOW + 1)

    assert [getattr(one, "reason", None) for one in outcomes] == [Reason.NOT_AVRO, Reason.TRUNCATED_AVRO, None]
    assert {one.packet for one in store.rejections()} == {b"nothing", packet}


def test_records_of_one_container_are_rejected_each_by_its_position(store):
    records = [making.record(0), making.record(1, {"ra": 400.0}), making.record(2, {"dec": 95.0})]
    arrivals = live.arrivals(making.packet(*records))

    outcomes = live.answer(store, MODELS, arrivals, now=NOW)

    assert [isinstance(one, Rejection) for one in outcomes] == [False, True, True]
    assert sorted(one.position for one in store.rejections()) == [1, 2]
    assert len({one.digest for one in store.rejections()}) == 1


def test_text_that_a_database_does_not_take_is_stored_all_the_same(store):
    one = alert(0, 0.0, ssdistnr=1.0, ssnamenr="2026\0XY", ssmagnr=19.0)
    bad = Arrival(Rejection(Reason.BAD_FIELD, "ra\0\ud800", "ztf", "a\0b"), b"x")

    live.answer(store, MODELS, [*arriving([one]), bad], now=NOW)

    assert store.alerts([("ztf", one.alert_id)])["ztf", one.alert_id].solar_system.name == "2026\ufffdXY"
    assert store.rejections()[0].rejection.object_id == "a\ufffdb"


def test_one_number_under_two_objects_belongs_to_the_first_that_came(store):
    (one,) = nightly(1)
    other = dataclasses.replace(one, object_id="ZTF20bbbbbbb")
    first = answer(store, [one])

    assert answer(store, [other]) == first
    assert store.index([("ztf", "ZTF20bbbbbbb")])["ztf", "ZTF20bbbbbbb"].detections == ()


def test_a_new_version_adds_a_score_and_the_old_one_stays(store):
    (one,) = nightly(1)
    (old,) = answer(store, [one])
    newer = Models({**BY_NAME, "first-detection": faking.model(version="8")})

    (new,) = answer(store, [one], newer, NOW + 1)

    assert [each.model_version for each in outcomes_of(store, one)] == ["7", "8"]
    assert (old.model_version, new.model_version) == ("7", "8")
    assert store.candidate("ztf", one.object_id).model_version == "8"


def test_rescoring_does_what_the_version_has_not_scored_and_only_that(store):
    alerts = nightly(3)
    answer(store, alerts)
    newer = Models({**BY_NAME, "first-detection": faking.model(version="8")})
    (page,) = store.unscored("first-detection", "8", counts=(1, 1))

    done = live.rescore(store, newer, "first-detection", dict(page), now=NOW)

    assert done == 1
    assert live.rescore(store, newer, "first-detection", keys_of(alerts), now=NOW) == 0
    assert [one.model_version for one in outcomes_of(store, alerts[0])] == ["7", "8"]
    assert list(store.unscored("first-detection", "8", counts=(1, 1))) == []
    assert store.candidate("ztf", alerts[0].object_id).model == "temporal-3"


def test_rescoring_leaves_alone_what_only_another_model_could_answer_because_cutouts_are_dropped(store):
    alerts = nightly(2)
    answer(store, alerts)
    store.drop_cutouts(alerts[1].mjd)
    before = content(store)
    newer = Models({**BY_NAME, "temporal-2": faking.temporal(2, version="8")})

    done = live.rescore(store, newer, "temporal-2", keys_of(alerts), now=NOW)

    assert done == 0
    assert content(store) == before


def test_rescoring_with_one_model_keeps_to_what_is_routed_to_it_among_all_that_are_served(store):
    alerts = nightly(4)
    answer(store, alerts)
    newer = Models({"first-detection": BY_NAME["first-detection"], "temporal-2": faking.temporal(2, version="8")})
    served = live.Served({**live.Served.of(MODELS).versions, "temporal-2": "8"}, newer.side, newer.crop)

    done = live.rescore(store, newer, "temporal-2", keys_of(alerts), now=NOW, served=served)

    assert done == 1
    assert [one.model_version for one in outcomes_of(store, alerts[1])] == ["3", "8"]
    assert len(outcomes_of(store, alerts[2])) == 1


def test_a_challengers_score_is_kept_in_the_shadow_until_it_is_promoted(store):
    (one,) = nightly(1)
    (answered,) = answer(store, [one])
    challenged = Models({**BY_NAME, "first-detection": faking.model(version="8")})

    live.rescore(store, challenged, "first-detection", keys_of([one]), now=NOW, shadow=True)

    stored = store.outcomes([("ztf", one.alert_id)])["ztf", one.alert_id]
    assert [(each.classification.model_version, each.shadow) for each in stored] == [("7", False), ("8", True)]
    assert store.candidate("ztf", one.object_id).model_version == "7"
    assert answer(store, [one]) == [answered]
    (promoted,) = answer(store, [one], challenged)
    assert promoted.model_version == "8"
    assert not any(each.shadow for each in store.outcomes([("ztf", one.alert_id)])["ztf", one.alert_id])


def test_beyond_five_detections_dropped_cutouts_do_not_matter(store):
    alerts = nightly(7)
    answer(store, alerts[:6])
    assert store.drop_cutouts(alerts[5].mjd) == 5

    (outcome,) = answer(store, [alerts[6]])

    assert close(outcome, expected(alerts)[alerts[6].alert_id])


def test_dropped_cutouts_that_a_model_needs_leave_the_first_detection_model_and_are_said(store):
    alerts = nightly(3)
    answer(store, alerts[:2])
    store.drop_cutouts(alerts[1].mjd)

    (outcome,) = answer(store, [alerts[2]])

    assert (outcome.model, outcome.n_detections) == ("first-detection", 1)
    assert "cutouts_dropped" in outcome.flags
    assert outcomes_of(store, alerts[2]) == [outcome]


def test_a_packet_that_comes_later_than_cutouts_are_kept_leaves_scores_as_they_stand_and_says_so(store):
    alerts = nightly(3)
    answer(store, alerts[1:])
    before = outcomes_of(store, alerts[2])[0]
    store.drop_cutouts(alerts[2].mjd + 1)

    (outcome,) = answer(store, [alerts[0]])

    assert outcome.model == "first-detection"
    (after,) = outcomes_of(store, alerts[2])
    assert after == dataclasses.replace(before, flags=(*before.flags, "cutouts_dropped"))
    assert [one.place for one in history(store, alerts[0]).detections] == [1, 2, 3]


def test_who_is_overtaken_writes_nothing_and_begins_again(store):
    alerts = nightly(2)
    served = live.Served.of(MODELS)
    slow = live.plan(store, arriving([alerts[1]]), served)
    answer(store, [alerts[0]])

    _, batch = live.settle(slow, live.answering.asked(slow, MODELS))

    with pytest.raises(Outdated):
        store.record(batch, now=NOW)
    assert store.outcomes([("ztf", alerts[1].alert_id)])["ztf", alerts[1].alert_id] == []
    assert answer(store, [alerts[1]])[0].model == "temporal-2"


def test_objects_that_never_rest_are_given_up_on_at_last(store, monkeypatch):
    def overtaken(*_args, **_kwargs):
        raise Outdated

    monkeypatch.setattr("skystamp.store.writing.write", overtaken)

    with pytest.raises(StoreUnavailable, match="less often"):
        answer(store, nightly(1))


def test_nothing_in_gives_nothing_out(store):
    assert answer(store, []) == []


HOURS = st.lists(st.integers(0, 60), min_size=1, max_size=7, unique=True)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(HOURS, min_size=1, max_size=2), st.integers(1, 4), st.randoms(use_true_random=False))
def test_order_repetition_and_batching_do_not_matter(tmp_path_factory, objects, size, random):
    alerts = [
        alert(20 * k + i, h / 24, f"ZTF20aaaaaa{k}") for k, hours in enumerate(objects) for i, h in enumerate(hours)
    ]
    damaged = dataclasses.replace(alerts[0], cutouts={**alerts[0].cutouts, "science": b"no gzip"})
    packets = arriving([*alerts, damaged])
    came = [*packets, *random.choices(packets, k=3)]
    random.shuffle(came)
    folder = tmp_path_factory.mktemp("order")

    ordered = run(folder / "ordered.db", sorted(packets, key=lambda one: (one.item.mjd, one.packet)), 1)
    anyhow = run(folder / "anyhow.db", came, size)

    assert anyhow == ordered


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(HOURS, st.randoms(use_true_random=False))
def test_two_writers_at_once_end_where_one_does(tmp_path_factory, hours, random):
    alerts = [alert(i, h / 24) for i, h in enumerate(hours)] + nightly(3, "ZTF20bbbbbbb", first=50)
    folder = tmp_path_factory.mktemp("writers")

    ordered = run(folder / "ordered.db", arriving(sorted(alerts, key=lambda one: one.mjd)), 1)
    both = run_two(f"sqlite:///{folder}/two.db", arriving(alerts), random)

    assert both == ordered


@pytest.mark.parametrize("seed", range(4))
def test_two_writers_at_once_end_where_one_does_on_postgresql(server, tmp_path, seed):
    import random

    draw = random.Random(seed)
    alerts = [alert(i, h / 24) for i, h in enumerate(draw.sample(range(60), 7))] + nightly(3, "ZTF20bbbbbbb", first=50)

    ordered = run(tmp_path / "ordered.db", arriving(sorted(alerts, key=lambda one: one.mjd)), 1)
    both = run_two(server.make_database(f"writers{seed}"), arriving(alerts), draw)

    assert both == ordered


def run(path, packets, size):
    store = open_store(f"sqlite:///{path}")
    for start in range(0, len(packets), size):
        live.answer(store, MODELS, packets[start : start + size], now=NOW)
    found = content(store)
    store.close()
    return found


def run_two(url, packets, random):
    """Return what a store holds after two threads gave it all packets, each in an order of its own."""
    store = open_store(url)

    def work(order):
        for start in range(0, len(order), 2):
            live.answer(store, MODELS, order[start : start + 2], now=NOW)

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(work, [random.sample(packets, len(packets)) for _ in range(2)]))
    found = content(store)
    store.close()
    return found


def history(store, one):
    return store.index([(one.survey, one.object_id)])[one.survey, one.object_id]


def close(one, other):
    """Return whether two outcomes agree but for the last bits that a batch of another size may change."""
    alike = dataclasses.replace(one, probabilities=other.probabilities) == other
    return alike and all(abs(one.probabilities[name] - other.probabilities[name]) < 1e-6 for name in one.probabilities)
