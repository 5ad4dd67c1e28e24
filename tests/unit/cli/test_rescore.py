"""`skystamp rescore` as a process that is told to stop in the middle: what it did is not done again."""

import json
import os
import signal
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from skystamp import live
from skystamp.classify import Model, Models
from skystamp.cli import app
from skystamp.cluster import rescore
from skystamp.cluster.rescore import Job
from skystamp.store import open_store
from tests import faking, storing
from tests.storing import BY_NAME, MODELS, NOW

ROOT = Path(__file__).parents[3]
OBJECTS, PAGE, VERSION = 16, 2, "8"


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Return a store with one alert of each of sixteen objects, scored by an older version."""
    url = f"sqlite:///{tmp_path / 'store.db'}"
    store = open_store(url)
    alerts = [storing.alert(number, 0.0, f"ZTF20aaaaa{number:02}") for number in range(OBJECTS)]
    live.answer(store, MODELS, storing.arriving(alerts), now=NOW)
    store.close()
    return url


def job_of(url: str) -> Job:
    return Job(url, "first-detection", VERSION, tuple(BY_NAME))


def fast_model() -> Models:
    return Models({"first-detection": faking.model(version=VERSION)})


def slow_model() -> Models:
    """Return a model that takes a while over each page, so that a signal finds it at work."""
    made = faking.model(version=VERSION)
    predict = made.bundle.predict_inputs

    def slowly(arrays: Any) -> Any:
        time.sleep(0.4)
        return predict(arrays)

    bundle = type(made.bundle)(made.bundle.classes, made.bundle.spec, made.bundle.about, slowly)
    return Models({"first-detection": Model(made.name, made.version, bundle)})


def main(url: str) -> None:
    """Run the command with another model in the registry's place."""
    import_module("skystamp.cli.rescore")._job = lambda *_, **__: (job_of(url), slow_model)  # type: ignore[attr-defined]
    options = ["rescore", "--model", "first-detection@champion", "--tracking-uri", "sqlite://", "--json"]
    app([*options, "--page", str(PAGE), "--workers", "0", "--store", url])


def started(url: str) -> "subprocess.Popen[str]":
    code = f"from tests.unit.cli.test_rescore import main; main({url!r})"
    run = [sys.executable, "-W", "ignore", "-c", code]
    return subprocess.Popen(run, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)


def scored(url: str) -> list[tuple[int, float]]:
    """Return the alerts that the version has scored, with when, as often as that is stored."""
    store = open_store(url)
    keys = [("ztf", storing.alert(number, 0.0).alert_id) for number in range(OBJECTS)]
    found = store.outcomes(keys)
    store.close()
    each = [(key[1], one) for key in keys for one in found[key]]
    return [(alert, one.created) for alert, one in each if one.classification.model_version == VERSION]


@pytest.mark.parametrize("told", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_one_that_is_told_to_stop_finishes_its_page_and_the_next_does_the_rest(url: str, told: signal.Signals) -> None:
    with started(url) as first:
        until = time.monotonic() + 60
        while len(scored(url)) < 2 * PAGE:
            assert first.poll() is None
            assert time.monotonic() < until
            time.sleep(0.05)
        os.kill(first.pid, told)
        said = json.loads(first.communicate(timeout=30)[0])[0]
    before = scored(url)
    rest = rescore.rescore(job_of(url), fast_model, workers=0, clock=time.time, page=PAGE)
    after = scored(url)

    assert (first.returncode, said["finished"]) == (1, False)
    assert 2 * PAGE <= len(before) == said["scored"] < OBJECTS
    assert len(before) % PAGE == 0
    assert (rest.scored, rest.finished) == (OBJECTS - len(before), True)
    assert len(after) == len(dict(after)) == OBJECTS
    assert set(before) <= set(after)
