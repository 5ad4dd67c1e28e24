"""serve_apps with a store: histories across requests, each alert by the model for its number, nothing twice."""

import json
import os
import random
import signal
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from skystamp import api, bundle, classify, frames, live, surveys
from skystamp.classify import Model, Models
from skystamp.store import open_store
from tests import bundles, contents, making

pytestmark = [
    pytest.mark.usefixtures("cluster"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of Serve and Starlette among themselves
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore:.*Any type hint is inferred as AnyType:UserWarning"),
    pytest.mark.timeout(420),
]

JD = 2459000.5
OBJECTS, NIGHTS = 6, 4


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return the bundles of a first-detection model and of temporal ones of two and three, all untrained."""
    return bundles.make(tmp_path_factory.mktemp("bundles"))


@pytest.fixture(scope="module")
def store_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return where the service remembers."""
    return f"sqlite:///{tmp_path_factory.mktemp('store') / 'store.db'}"


@pytest.fixture(scope="module")
def service(cluster: None, folders: dict[str, Path], store_url: str) -> Iterator[httpx.Client]:
    """Run the service, with two routers that write to one store."""
    from ray import serve

    from serve_apps import alerts

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    arguments = alerts.Args(models={name: str(folder) for name, folder in folders.items()}, store=store_url)
    serve.start(http_options={"host": "127.0.0.1", "port": port})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(alerts, "Router", alerts.Router.options(num_replicas=2, ray_actor_options={"num_cpus": 0.1}))
        application = alerts.build(arguments)
    serve.run(application, name="alerts")
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        client.headers["content-type"] = "application/avro"
        yield client
    serve.shutdown()


def night(object_number: int, number: int, prefix: str = "live") -> dict[str, Any]:
    candid = 10_000 * sum(map(ord, prefix)) + 100 * object_number + number
    made = making.record(
        number,
        {"jd": JD + number + object_number / 10, "magpsf": 17.0 + number},
        objectId=f"ZTF20{prefix}{object_number}",
    )
    made["candid"] = made["candidate"]["candid"] = candid
    return made


def post(service: httpx.Client, *records: dict[str, Any], query: str = "") -> list[dict[str, Any]]:
    response = service.post(f"/v1/classify{query}", content=making.packet(*records))
    assert response.status_code == 200, response.text
    return response.json()["outcomes"]


def expected(folders: dict[str, Path], records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what the library answers when it is given all of it at once, in order."""
    alerts = [surveys.read(record, "ztf.alert") for record in records]
    return json.loads(api.answer_json(classify.histories(alerts, loaded(folders))))["outcomes"]


def loaded(folders: dict[str, Path]) -> Models:
    return Models({name: Model(name, _version(folder), bundle.load(folder)) for name, folder in folders.items()})


def _version(folder: Path) -> str:
    from skystamp import tracking

    return tracking.load(str(folder), "sqlite://").version


def by_alert(outcomes: list[dict[str, Any]]) -> dict[int, dict[str, Any]]:
    return {outcome["alert_id"]: outcome for outcome in outcomes}


def same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    rest = [{name: value for name, value in each.items() if name != "probabilities"} for each in (one, other)]
    return rest[0] == rest[1] and one["probabilities"] == pytest.approx(other["probabilities"], abs=1e-5)


def test_each_night_is_answered_with_the_nights_before_it(service, folders):
    records = [[night(i, n) for i in range(OBJECTS)] for n in range(NIGHTS)]

    answered = [outcome for part in records for outcome in post(service, *part)]

    wanted = expected(folders, [record for part in records for record in part])
    assert all(same(one, other) for one, other in zip(answered, wanted, strict=True))
    assert [outcome["model"]["name"] for outcome in answered[::OBJECTS]] == [
        "first-detection",
        "temporal-2",
        "temporal-3",
        "temporal-3",
    ]


def test_a_packet_sent_again_gets_the_answer_it_had(service, folders):
    records = [night(0, n, "again") for n in range(3)]
    first = [post(service, record)[0] for record in records]

    again = [post(service, record)[0] for record in records]

    assert all(same(one, other) for one, other in zip(first, again, strict=True))


def test_a_late_packet_changes_what_is_answered_for_those_after_it(service, folders):
    records = [night(0, n, "late") for n in range(3)]
    post(service, records[1], records[2])

    post(service, records[0])

    again = post(service, *records)
    wanted = expected(folders, records)
    assert all(same(one, other) for one, other in zip(again, wanted, strict=True))


def test_packets_of_one_object_at_once_in_any_order_end_as_the_ordered_ones(service, folders):
    records = [night(i, n, "race") for n in range(NIGHTS) for i in range(3)]
    shuffled = [*records, *records[:4]]
    random.Random(4).shuffle(shuffled)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda record: post(service, record), shuffled))

    wanted = expected(folders, records)
    assert all(same(one, other) for one, other in zip(post(service, *records), wanted, strict=True))


@pytest.mark.parametrize("seed", range(5))
def test_any_order_repetition_and_concurrency_leave_the_store_as_one_thread_in_order_does(
    service, folders, store_url, tmp_path, seed
):
    """Several clients at once send bodies of several packets to two routers, late and damaged ones among them."""
    rng = random.Random(seed)
    packets = _any_packets(f"ZTF20any{seed}", 10**12 + 100 * seed, rng)
    sent = [*packets, *rng.choices(packets, k=6)]
    rng.shuffle(sent)
    bodies = []
    while sent:
        size = rng.randint(1, 5)
        bodies, sent = [*bodies, frames.pack(sent[:size])], sent[size:]

    with ThreadPoolExecutor(6) as clients:
        answers = list(clients.map(lambda body: _post_frames(service, body), bodies))

    assert [response.status_code for response in answers] == [200] * len(bodies)
    ordered = open_store(f"sqlite:///{tmp_path / 'ordered.db'}")
    models = loaded(folders)
    for packet in packets:
        live.answer(ordered, models, live.arrivals(packet), now=0.0)
    wanted = contents.contents(ordered)
    store = open_store(store_url)
    found = contents.contents(store, objects=f"ZTF20any{seed}")
    assert contents.differences(found, wanted) == []
    assert len(wanted["outcomes"]) + len(wanted["rejections"]) == len(packets)
    for each in (ordered, store):
        each.close()


def _any_packets(name: str, first: int, rng: random.Random) -> list[bytes]:
    """Return the packets of three objects with up to seven detections, some too close, in order of time."""
    records = []
    for i in range(3):
        for hours in rng.sample(range(90), rng.randint(1, 7)):
            record = making.record(len(records), {"jd": JD + hours / 24 + i / 100}, objectId=f"{name}{i}")
            record["candid"] = record["candidate"]["candid"] = first + len(records)
            records.append(record)
    rng.choice(records)["cutoutTemplate"] = None
    records.sort(key=lambda record: record["candidate"]["jd"])
    return [making.packet(record) for record in records]


def _post_frames(service: httpx.Client, body: bytes) -> httpx.Response:
    return service.post("/v1/classify", content=body, headers={"content-type": frames.CONTENT_TYPE})


def test_a_whole_sequence_may_be_asked_without_being_remembered(service, folders):
    records = [night(0, n, "ask") for n in range(3)]

    asked = post(service, *records, query="?store=false")

    assert all(same(one, other) for one, other in zip(asked, expected(folders, records), strict=True))
    (alone,) = post(service, records[2], query="?store=false")
    assert alone["model"]["name"] == "first-detection"
    (stored,) = post(service, records[2])
    assert stored["n_detections"] == 1


def test_a_damaged_packet_is_rejected_in_its_place_and_takes_no_part(service):
    good, bad = night(0, 0, "bad"), {**night(0, 1, "bad"), "cutoutScience": None}

    outcomes = post(service, good, bad, night(0, 2, "bad"))

    assert [outcome["outcome"] for outcome in outcomes] == ["classification", "rejection", "classification"]
    assert outcomes[2]["n_detections"] == 2


@pytest.mark.parametrize("deployment", ["Router", "temporal-2"])
def test_a_killed_replica_loses_nothing(service, folders, deployment):
    name = f"kill{deployment[0]}"
    records = [night(i, n, name) for n in range(3) for i in range(4)]
    sent: list[dict[str, Any]] = []

    def kill() -> None:
        time.sleep(0.5)
        pids = _pids(deployment)
        assert pids, f"no process of {deployment}"
        for pid in pids:
            os.kill(pid, signal.SIGKILL)

    with ThreadPoolExecutor(2) as pool:
        killing = pool.submit(kill)
        for record in records:
            sent += _until_answered(service, record)
        killing.result()

    again = post(service, *records)
    assert all(same(one, other) for one, other in zip(again, expected(folders, records), strict=True))
    assert len(by_alert(sent)) == len(records)


def _until_answered(service: httpx.Client, record: dict[str, Any]) -> list[dict[str, Any]]:
    until = time.monotonic() + 90
    while True:
        response = service.post("/v1/classify", content=making.packet(record))
        if response.status_code == 200:
            return response.json()["outcomes"]
        assert response.status_code in (500, 503, 504), response.text
        assert time.monotonic() < until, response.text
        time.sleep(0.5)


def _pids(deployment: str) -> list[int]:
    """Return the processes of a deployment's replicas, of this test's own cluster alone."""
    titles = {int(path.parent.name): path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline")}
    return [
        pid for pid, title in titles.items() if f"ServeReplica:alerts:{deployment}".encode() in title and _is_ours(pid)
    ]


def _is_ours(pid: int) -> bool:
    while pid > 1 and pid != os.getpid():
        pid = int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    return pid == os.getpid()
