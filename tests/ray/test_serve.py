"""serve_apps: the application on the shared cluster, asked over real HTTP on loopback."""

import gzip
import json
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest

from skystamp import api, bundle, classify, frames, inputs, metadata, taxonomy, tracking
from skystamp.classify import Model
from skystamp.errors import Reason, Reject
from skystamp.inputs import InputSpec, Raw
from tests import making

pytestmark = [
    pytest.mark.usefixtures("cluster"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of Serve, Starlette and MLflow among themselves
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore:.*Any type hint is inferred as AnyType:UserWarning"),
    pytest.mark.timeout(420),
]

NAME = "first-detection"
HEADERS = {"content-type": "application/avro"}
MAX_BODY = 3_000_000


def _save(folder: Path, seed: int) -> Path:
    from skystamp.models.stamp import StampConfig, build

    rng = np.random.default_rng(0)
    raw = Raw(rng.normal(100, 10, (4, 63, 63, 3)).astype(np.float32), rng.uniform(0, 1, (4, len(metadata.FEATURES))))
    spec = inputs.fitted(InputSpec(), raw.metadata)
    classes = taxonomy.FIRST_DETECTION
    network = build(StampConfig(), seed=seed)
    return bundle.save(folder, network, name=NAME, spec=spec, classes=classes, example=raw, about={}, card="# toy")


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a registry with two versions, the first of them champion."""
    folder = tmp_path_factory.mktemp("serve")
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    tracker = tracking.open_tracker(NAME, uri)
    for seed in (0, 1):
        run = tracker.start("training")
        model = tracker.log_bundle(run, _save(folder / str(seed), seed))
        tracking.propose(NAME, tracking.register(model, NAME, uri, run=run), uri)
    return uri


@pytest.fixture(scope="module")
def service(cluster: None, uri: str) -> Iterator[httpx.Client]:
    from ray import serve

    from serve_apps.alerts import Args, build

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    serve.start(http_options={"host": "127.0.0.1", "port": port})
    serve.run(build(Args(tracking_uri=uri, follow_s=1.0, max_body_bytes=MAX_BODY, max_packets=50)), name="alerts")
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        yield client
    serve.shutdown()


def post(service: httpx.Client, body: bytes, **headers: str) -> httpx.Response:
    return service.post("/v1/classify", content=body, headers={**HEADERS, **headers})


def expected(body: bytes, uri: str, version: str = "1") -> Any:
    loaded = tracking.load(f"{NAME}/{version}", uri)
    return json.loads(api.answer_json(list(classify.packets(body, Model(NAME, version, loaded.bundle)))))


def close(answer: Any, other: Any) -> bool:
    """Return whether answers are the same, probabilities to the rounding that batches of other sizes bring."""

    def without(outcome: Any) -> Any:
        return {name: value for name, value in outcome.items() if name != "probabilities"}

    pairs = list(zip(answer["outcomes"], other["outcomes"], strict=True))
    return all(
        without(one) == without(two)
        and one.get("probabilities", {}) == pytest.approx(two.get("probabilities", {}), abs=1e-5)
        for one, two in pairs
    )


def test_a_container_is_answered_packet_by_packet_in_order_as_the_library_answers(
    service: httpx.Client, uri: str
) -> None:
    bad = making.record(2, cutoutTemplate=None)
    body = making.packet(making.record(1), bad, *(making.record(i) for i in range(3, 9)), codec="deflate")

    response = post(service, body)

    assert response.status_code == 200
    assert response.json()["counts"] == {"packets": 8, "classifications": 7, "rejections": 1}
    assert close(response.json(), expected(body, uri))


def test_gzip_is_the_same_body(service: httpx.Client) -> None:
    body = making.packet(making.record(1))

    assert close(post(service, gzip.compress(body), **{"content-encoding": "gzip"}).json(), post(service, body).json())


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"", {}, 400),
        (b"junk", {}, 400),
        (b"\x1f\x8bjunk", {"content-encoding": "gzip"}, 400),
        (b"{}", {"content-type": "application/json"}, 415),
        (bytes(MAX_BODY + 1), {}, 413),
    ],
    ids=["empty", "junk", "bad-gzip", "json", "too-large"],
)
def test_a_body_that_is_no_container_is_refused_with_one_sentence(
    service: httpx.Client, body: bytes, headers: dict[str, str], status: int
) -> None:
    response = post(service, body, **headers)

    assert response.status_code == status
    assert set(response.json()["error"]) == {"code", "message"}


def test_too_many_packets_are_refused(service: httpx.Client) -> None:
    body = making.packet(*([making.record(1)] * 51), codec="deflate")

    response = post(service, body)

    assert (response.status_code, response.json()["error"]["code"]) == (413, "too_many_packets")


def test_frames_are_answered_one_by_one_and_poison_costs_its_neighbours_nothing(
    service: httpx.Client, uri: str
) -> None:
    good, many = making.packet(making.record(1)), making.packet(making.record(2), making.record(3))
    told = Reject(Reason.DAMAGED_ARCHIVE, "it ends early")
    body = frames.pack([good, b"junk", b"", many, told, good[:300]])

    response = post(service, body, **{"content-type": frames.CONTENT_TYPE})

    answer = response.json()
    assert response.status_code == 200, response.text
    assert answer["containers"] == [1, 1, 1, 2, 1, 1]
    assert [outcome.get("reason") for outcome in answer["outcomes"]] == [
        *(None, "not_avro", "not_avro", None, None, "damaged_archive", "truncated_avro")
    ]
    assert close({"outcomes": answer["outcomes"][:1]}, expected(good, uri))
    assert close({"outcomes": answer["outcomes"][3:5]}, expected(many, uri))


@pytest.mark.parametrize(
    ("items", "cut", "status", "code"),
    [([b"x"] * 51, 0, 413, "too_many_packets"), ([b"xx"], 1, 400, "bad_frames")],
    ids=["too-many", "cut"],
)
def test_frames_over_the_limits_or_cut_are_refused(
    service: httpx.Client, items: list[bytes], cut: int, status: int, code: str
) -> None:
    body = frames.pack(items)

    response = post(service, body[: len(body) - cut], **{"content-type": frames.CONTENT_TYPE})

    assert (response.status_code, response.json()["error"]["code"]) == (status, code)


def test_clients_at_once_get_each_their_own_answers(service: httpx.Client) -> None:
    bodies = [making.packet(making.record(i)) for i in range(24)]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda body: post(service, body).json(), bodies))

    numbers = [answer["outcomes"][0]["alert_id"] for answer in answers]
    assert numbers == [making.record(i)["candid"] for i in range(24)]


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/v1/models", "/openapi.json", "/docs", "/"])
def test_the_other_routes_answer(service: httpx.Client, path: str) -> None:
    assert service.get(path).status_code == 200


def test_an_unknown_route_is_a_sentence(service: httpx.Client) -> None:
    response = service.get("/nowhere")

    assert (response.status_code, response.json()["error"]["code"]) == (404, "not_found")


def test_mutated_bodies_are_never_a_fault_of_the_service(service: httpx.Client) -> None:
    rng = np.random.default_rng(5)
    body = making.packet(making.record(1), making.record(2))

    statuses = {post(service, _mutated(body, rng)).status_code for _ in range(150)}

    assert statuses <= {200, 400, 413, 415}
    assert 200 in statuses


def _mutated(body: bytes, rng: np.random.Generator) -> bytes:
    data = bytearray(body)
    if rng.random() < 0.3:
        return bytes(data[: rng.integers(1, len(data))])
    for _ in range(rng.integers(1, 8)):
        data[rng.integers(0, 2000 if rng.random() < 0.5 else len(data))] ^= 1 << int(rng.integers(0, 8))
    return bytes(data)


def test_a_moved_alias_changes_the_model_without_a_failed_request(service: httpx.Client, uri: str) -> None:
    body = making.packet(making.record(1))
    statuses = set()

    tracking.set_alias(NAME, "champion", "2", uri)
    deadline = time.monotonic() + 60
    while _version(service) != "2" and time.monotonic() < deadline:
        statuses.add(post(service, body).status_code)

    assert statuses <= {200}
    assert close(post(service, body).json(), expected(body, uri, version="2"))


def _version(service: httpx.Client) -> str:
    return str(service.get("/readyz").json()["models"][0]["version"])


@pytest.mark.real
def test_real_packets_get_the_outcomes_that_the_library_gives(
    service: httpx.Client, uri: str, real_alerts: Path
) -> None:
    from skystamp import client, sources

    (found,) = sources.find([real_alerts / "ztf" / "astrolabsoftware-fink-utils.avro"]).sources
    body = Path(found.url).read_bytes()
    version = _version(service)

    outcomes = list(client.classify_files(str(service.base_url).rstrip("/"), [Path(found.url)]))

    assert close({"outcomes": outcomes}, expected(body, uri, version))
