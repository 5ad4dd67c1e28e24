"""The registry under a running service: champions that change under load, bundles that do not load, challengers."""

import os
import shutil
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from skystamp import bundle, metadata, taxonomy, tracking
from skystamp.inputs import InputSpec, Raw, RawSequences, SequenceSpec
from skystamp.store import open_store
from tests import making
from tests.ray.test_live import _pids

pytestmark = [
    pytest.mark.usefixtures("cluster"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of Serve, Starlette and MLflow among themselves
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore:.*Any type hint is inferred as AnyType:UserWarning"),
    pytest.mark.timeout(540),
]

FIRST, SECOND = "first-detection", "temporal-2"
FOLLOW_S = 1.0
SLOW_S = 120.0  # to load a network on a machine with other work
BROKEN, OF_ANOTHER_KIND = "3", "4"  # versions of temporal-2
JD = 2459000.5


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("choice")


@pytest.fixture(scope="module")
def uri(folder: Path) -> str:
    """Return a registry with two versions of both models, and two of temporal-2 that can not be served."""
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    made = {name: [saved(folder / f"{name}-{seed}", name, seed) for seed in (1, 2)] for name in (FIRST, SECOND)}
    broken = shutil.copytree(made[SECOND][0], folder / "broken")
    (broken / "model.keras").write_bytes(b"half of a model")
    for name, folders in {FIRST: made[FIRST], SECOND: [*made[SECOND], broken, made[FIRST][0]]}.items():
        tracker = tracking.open_tracker(name, uri)
        for each in folders:
            run = tracker.start("training")
            tracking.register(tracker.log_bundle(run, each), name, uri, run=run)
        tracking.set_alias(name, "champion", "1", uri)
    return uri


def saved(folder: Path, name: str, seed: int) -> Path:
    from skystamp.models import stamp, temporal

    rng = np.random.default_rng(0)
    stamps = rng.normal(100, 10, (4, 2, 63, 63, 3)).astype(np.float32)
    numbers = rng.uniform(0, 20, (4, 2, len(metadata.FEATURES)))
    if name == FIRST:
        raw: Any = Raw(stamps[:, 0], numbers[:, 0])
        network, spec, classes = stamp.build(stamp.StampConfig(k=1), seed=seed), InputSpec(), taxonomy.FIRST_DETECTION
    else:
        raw = RawSequences(stamps, numbers, 59000.0 + np.cumsum(np.ones((4, 2)), 1), rng.uniform(8, 16, (4, 5)))
        config = temporal.TemporalConfig(2, side=21, crop=21, k=1, cell="conv1d", window=2, units=8)
        network, spec, classes = temporal.build(config, seed=seed), SequenceSpec(2, crop=21), taxonomy.TEMPORAL
    fitted = spec.fitted(raw)
    return bundle.save(folder, network, name=name, spec=fitted, classes=classes, example=raw, about={}, card="# toy")


@pytest.fixture(scope="module")
def store(folder: Path) -> str:
    return f"sqlite:///{folder / 'store.db'}"


class Replicated:
    """The models' deployment as `build` uses it, with two replicas of temporal-2."""

    def __init__(self, deployment: Any) -> None:
        self._deployment = deployment

    def options(self, *, name: str) -> Any:
        replicas = 2 if name == SECOND else 1
        return self._deployment.options(name=name, num_replicas=replicas, ray_actor_options={"num_cpus": 0.25})


@pytest.fixture(scope="module")
def service(cluster: None, uri: str, store: str) -> Iterator[httpx.Client]:
    """Return a service with two replicas of temporal-2, which scores every alert in shadow too."""
    from ray import serve

    from serve_apps import alerts

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    served = {name: f"{name}@champion" for name in (FIRST, SECOND)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(alerts, "ModelServer", Replicated(alerts.ModelServer))
        args = alerts.Args(models=served, tracking_uri=uri, store=store, follow_s=FOLLOW_S, shadow=1.0, threads=1)
        serve.start(http_options={"host": "127.0.0.1", "port": port})
        serve.run(alerts.build(args), name="alerts")
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        client.headers["content-type"] = "application/avro"
        yield client
    serve.shutdown()


def nights(number: int) -> list[dict[str, Any]]:
    """Return the packets of two nights of a new object."""
    made = []
    for night in (0, 1):
        one = making.record(number % 7, {"jd": JD + night, "magpsf": 18.0 + night}, objectId=f"ZTF20choice{number}")
        one["candid"] = one["candidate"]["candid"] = 10 * number + night
        made.append(one)
    return made


def ask(service: httpx.Client, number: int) -> dict[str, str]:
    """Return the version of each model that answers the two nights of a new object, asked one after the other."""
    found = {}
    for one in nights(number):
        response = service.post("/v1/classify", content=making.packet(one))
        assert response.status_code == 200, response.text
        (outcome,) = response.json()["outcomes"]
        found[outcome["model"]["name"]] = outcome["model"]["version"]
    assert set(found) == {FIRST, SECOND}
    return found


def ready(service: httpx.Client, kind: str, name: str) -> dict[str, Any]:
    told = service.get("/readyz").json()
    found: dict[str, Any] = next((each for each in told.get(kind, []) if each["name"] == name), {})
    return found or {"version": None, "problem": "not ready"}


def until(true: Callable[[], bool], seconds: float = SLOW_S) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.3)


class Load:
    """Clients that ask until they are told to stop, what they were answered, and what went wrong."""

    def __init__(self, service: httpx.Client, clients: int = 4) -> None:
        self.answers: list[tuple[float, dict[str, str]]] = []
        self.faults: list[str] = []
        self._service, self._stop = service, threading.Event()
        self._threads = [threading.Thread(target=self._run, args=(10_000 * (i + 1),)) for i in range(clients)]

    def __enter__(self) -> "Load":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _run(self, number: int) -> None:
        while not self._stop.is_set():
            number += 1
            try:
                self.answers.append((time.monotonic(), ask(self._service, number)))
            except (AssertionError, httpx.HTTPError) as error:
                self.faults.append(repr(error))


def test_champions_change_under_load_without_one_failed_request(service: httpx.Client, uri: str) -> None:
    with Load(service) as load:
        until(lambda: len(load.answers) >= 20)
        before = len(load.answers)
        for name in (FIRST, SECOND):
            tracking.set_alias(name, "champion", "2", uri)
        until(lambda: all(found == {FIRST: "2", SECOND: "2"} for _, found in load.answers[-40:]))
        until(lambda: len(load.answers) >= before + 80)

    assert load.faults == []
    assert load.answers[0][1] == {FIRST: "1", SECOND: "1"}
    assert all(found == {FIRST: "2", SECOND: "2"} for _, found in load.answers[-20:])


@pytest.mark.parametrize(
    ("version", "sentence"),
    [(BROKEN, "should be a whole bundle"), (OF_ANOTHER_KIND, "should read 2 detections")],
    ids=["broken", "of-another-kind"],
)
def test_a_version_that_can_not_be_served_leaves_the_old_one_and_says_so(
    service: httpx.Client, uri: str, version: str, sentence: str
) -> None:
    tracking.set_alias(FIRST, "champion", "2", uri)
    tracking.set_alias(SECOND, "champion", version, uri)
    until(lambda: sentence in (ready(service, "models", SECOND)["problem"] or ""))

    versions = [ask(service, 100_000 + 100 * int(version) + number)[SECOND] for number in range(5)]

    assert set(versions) == {"2"}
    tracking.set_alias(SECOND, "champion", "2", uri)
    until(lambda: ready(service, "models", SECOND)["problem"] is None)


@pytest.mark.slow
def test_replicas_that_start_while_the_champion_is_broken_serve_the_version_that_answered_last(
    service: httpx.Client, uri: str
) -> None:
    until(lambda: tracking.model_tags(SECOND, uri).get("answering_champion") == "2")
    tracking.set_alias(SECOND, "champion", BROKEN, uri)
    until(lambda: ready(service, "models", SECOND)["problem"] is not None)

    killed = _pids(SECOND)
    for pid in killed:
        os.kill(pid, signal.SIGKILL)

    until(lambda: not set(killed) & set(_pids(SECOND)) and _answers(service, 150_000), 3 * SLOW_S)
    assert {ask(service, 160_000 + number)[SECOND] for number in range(5)} == {"2"}
    tracking.set_alias(SECOND, "champion", "2", uri)
    until(lambda: ready(service, "models", SECOND)["problem"] is None)


def _answers(service: httpx.Client, number: int) -> bool:
    try:
        return all(
            service.post("/v1/classify", content=making.packet(one)).status_code == 200 for one in nights(number)
        )
    except httpx.TimeoutException:
        return False


def test_a_challenger_scores_in_shadow_is_never_answered_and_is_let_go(
    service: httpx.Client, uri: str, store: str
) -> None:
    numbers = range(200_000, 200_006)
    assert ready(service, "challengers", SECOND)["version"] is None
    for name in (FIRST, SECOND):
        tracking.set_alias(name, "challenger", "1", uri)
    until(lambda: all(ready(service, "challengers", name)["version"] == "1" for name in (FIRST, SECOND)))
    time.sleep(FOLLOW_S + 0.5)  # the router has forgotten that there was none

    answered = [ask(service, number) for number in numbers]

    assert all(found == {FIRST: "2", SECOND: "2"} for found in answered)
    keys = [("ztf", one["candid"]) for number in numbers for one in nights(number)]
    opened = open_store(store)
    until(lambda: sum(each.shadow for found in opened.outcomes(keys).values() for each in found) == len(keys))
    stored = opened.outcomes(keys)
    opened.close()
    for found in stored.values():
        said = {(each.shadow, each.classification.model_version) for each in found}
        assert said == {(False, "2"), (True, "1")}
        assert len({each.classification.model for each in found}) == 1
    tracking.drop_alias(SECOND, "challenger", uri)
    until(lambda: ready(service, "challengers", SECOND)["version"] is None)


def test_a_challenger_that_does_not_load_is_told_and_changes_no_answer(service: httpx.Client, uri: str) -> None:
    tracking.set_alias(SECOND, "champion", "2", uri)
    tracking.set_alias(SECOND, "challenger", BROKEN, uri)
    until(lambda: "should be a whole bundle" in (ready(service, "challengers", SECOND)["problem"] or ""))

    assert ask(service, 300_000)[SECOND] == "2"
    assert ready(service, "models", SECOND)["problem"] is None
