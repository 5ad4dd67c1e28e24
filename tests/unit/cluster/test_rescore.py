"""cluster.rescore in this process: what a version has not scored is scored, once, whatever stops it."""

import dataclasses
from pathlib import Path
from threading import Event

import pytest

from skystamp import live
from skystamp.classify import Models
from skystamp.cluster import rescore
from skystamp.cluster.rescore import Job
from skystamp.errors import StoreUnavailable, UsageError
from skystamp.store import open_store
from tests import faking, storing
from tests.storing import BY_NAME, MODELS, NOW

OBJECTS = 5
NAMES = tuple(BY_NAME)


def load() -> Models:
    newer = {"first-detection": faking.model(version="8"), "temporal-2": faking.temporal(2, version="8")}
    return Models({**newer})


def clock() -> float:
    return NOW + 1


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """Return the job of a new first-detection version, of a store with five objects of three nights."""
    url = f"sqlite:///{tmp_path / 'store.db'}"
    store = open_store(url)
    for number in range(OBJECTS):
        alerts = storing.nightly(3, f"ZTF20aaaaaa{number}", first=10 * number)
        live.answer(store, MODELS, storing.arriving(alerts), now=NOW)
    store.close()
    return Job(url, "first-detection", "8", NAMES)


def run(job: Job, **options) -> rescore.Rescored:
    return rescore.rescore(job, load, **{"workers": 0, "clock": clock, "page": 2, **options})


def versions(job: Job) -> dict[str, int]:
    store = open_store(job.url)
    found = dict(store.status().outcomes)
    store.close()
    return found


def test_what_the_version_has_not_scored_is_counted_and_scored_and_nothing_else(job):
    assert rescore.waiting(job) == OBJECTS

    done = run(job)

    assert (done.scored, done.left, done.finished, done.workers) == (OBJECTS, 0, True, 0)
    assert rescore.waiting(job) == 0
    assert sum(versions(job).values()) == 4 * OBJECTS


def test_a_second_run_finds_nothing(job):
    run(job)

    assert run(job).scored == 0


def test_a_run_that_is_stopped_leaves_the_rest_to_the_next(job):
    stop = Event()
    told = []

    def after_a_page(scored: int, left: int) -> None:
        told.append((scored, left))
        stop.set()

    first = run(job, stop=stop, told=after_a_page)
    second = run(job)

    assert (first.scored, first.finished, told) == (2, False, [(2, 0)])
    assert (second.scored, second.finished) == (OBJECTS - 2, True)


def test_only_alerts_that_the_model_answers_for_among_all_that_are_served(job):
    done = run(dataclasses.replace(job, name="temporal-2"))

    assert done.scored == OBJECTS


def test_scores_in_shadow_change_no_answer(job):
    run(dataclasses.replace(job, shadow=True))

    store = open_store(job.url)
    (key,) = store.objects_of([("ztf", storing.alert(0, 0.0).alert_id)])
    stored = store.outcomes([key])[key]
    store.close()
    assert [(each.classification.model_version, each.shadow) for each in stored] == [("7", False), ("8", True)]
    assert rescore.waiting(dataclasses.replace(job, shadow=True)) == 0
    assert rescore.waiting(job) == OBJECTS


def test_alerts_without_cutouts_are_left_and_told(job):
    store = open_store(job.url)
    assert store.drop_cutouts(storing.alert(0, 0.5).mjd) == OBJECTS
    store.close()

    done = run(job)

    assert (done.scored, done.left) == (0, OBJECTS)


def test_a_model_that_is_not_among_the_served_is_refused(job):
    with pytest.raises(UsageError, match="one that is served"):
        run(dataclasses.replace(job, name="temporal-9"))


def test_a_store_that_is_away_for_a_while_is_waited_for(job, monkeypatch):
    monkeypatch.setattr(rescore, "PAUSES_S", (0.0, 0.0))
    faults = [StoreUnavailable("away"), StoreUnavailable("away")]

    def loading() -> Models:
        if faults:
            raise faults.pop()
        return load()

    worker = rescore.Worker(job, loading, clock)

    assert worker.score([(("ztf", storing.alert(0, 0.0).alert_id), ("ztf", "ZTF20aaaaaa0"))]) == 1


def test_one_that_stays_away_is_told(job, monkeypatch):
    monkeypatch.setattr(rescore, "PAUSES_S", (0.0,))

    def loading() -> Models:
        raise StoreUnavailable("away")

    with pytest.raises(StoreUnavailable, match="away"):
        rescore.rescore(job, loading, workers=0, clock=clock)


@pytest.mark.parametrize(("count", "any_workers"), [(1, False), (rescore.SMALL, False), (10**6, True)])
def test_few_alerts_are_not_worth_a_cluster(count, any_workers):
    assert bool(rescore.default_workers(count)) == any_workers
