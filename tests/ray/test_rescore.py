"""cluster.rescore on Ray: actors score pages, and after a kill only what remains."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from skystamp import live
from skystamp.classify import Models
from skystamp.cluster import environment, rescore
from skystamp.cluster.rescore import Job
from skystamp.errors import BundleError
from skystamp.store import open_store
from tests import faking, storing
from tests.storing import BY_NAME, MODELS, NOW

pytestmark = [pytest.mark.filterwarnings("ignore::ResourceWarning"), pytest.mark.timeout(300)]

OBJECTS = 60
PAGE = 2
VERSION = "8"


def load() -> Models:
    return Models({"first-detection": faking.model(version=VERSION)})


def load_slowly() -> Models:
    """Return a model that takes a while over each page, so that a kill finds it at work."""
    made = faking.model(version=VERSION)
    predict = made.bundle.predict_inputs

    def slowly(arrays):
        time.sleep(0.3)
        return predict(arrays)

    bundle = type(made.bundle)(made.bundle.classes, made.bundle.spec, made.bundle.about, slowly)
    return Models({"first-detection": type(made)(made.name, made.version, bundle)})


def load_broken() -> Models:
    raise BundleError("the bundle should be whole. Received: half of one")


def killed(url: str) -> None:
    """Rescore slowly, on a cluster of its own, until this process is killed."""
    environment.apply(local=True)
    rescore.rescore(job_of(url), load_slowly, workers=1, clock=time.time, page=PAGE)


def job_of(url: str) -> Job:
    return Job(url, "first-detection", VERSION, tuple(BY_NAME))


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Return a store with one alert of each of sixty objects."""
    url = f"sqlite:///{tmp_path / 'store.db'}"
    store = open_store(url)
    alerts = [storing.alert(number, 0.0, f"ZTF20aaaaa{number:02}") for number in range(OBJECTS)]
    live.answer(store, MODELS, storing.arriving(alerts), now=NOW)
    store.close()
    return url


def scored_at(url: str) -> dict[int, float]:
    """Return when each alert was scored by the new version."""
    store = open_store(url)
    keys = [("ztf", storing.alert(number, 0.0).alert_id) for number in range(OBJECTS)]
    found = store.outcomes(keys)
    store.close()
    return {key[1]: each.created for key in keys for each in found[key] if each.classification.model_version == VERSION}


def until(true, seconds: float = 90.0) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_actors_score_what_is_not_scored(cluster: None, url: str) -> None:
    told: list[int] = []

    done = rescore.rescore(
        job_of(url), load, workers=2, clock=time.time, page=PAGE, told=lambda scored, _: told.append(scored)
    )

    assert (done.scored, done.left, done.finished, done.workers) == (OBJECTS, 0, True, 2)
    assert len(scored_at(url)) == OBJECTS
    assert told == list(range(PAGE, OBJECTS + 1, PAGE))


def test_a_fault_of_a_worker_is_told_in_its_own_sentence(cluster: None, url: str) -> None:
    with pytest.raises(BundleError, match=r"^the bundle should be whole. Received: half of one$"):
        rescore.rescore(job_of(url), load_broken, workers=1, clock=time.time)


def test_after_a_kill_only_what_remains_is_scored(cluster: None, url: str) -> None:
    code = f"from tests.ray.test_rescore import killed; killed({url!r})"
    process = subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[2])
    try:
        until(lambda: len(scored_at(url)) >= 4 * PAGE)
    finally:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    until(lambda: len(scored_at(url)) == (time.sleep(2) or len(scored_at(url))))  # its actors have ended too
    before = scored_at(url)

    again = rescore.rescore(job_of(url), load, workers=1, clock=time.time, page=PAGE)

    after = scored_at(url)
    assert 0 < len(before) < OBJECTS
    assert again.scored == OBJECTS - len(before)
    assert len(after) == OBJECTS
    assert {alert: after[alert] for alert in before} == before
