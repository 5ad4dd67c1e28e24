"""What Prometheus would scrape of the running service, and the lines of its log."""

import json
import re
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx
import numpy as np
import pytest
from prometheus_client import CollectorRegistry, Counter, start_http_server
from prometheus_client.parser import text_string_to_metric_families

from skystamp import bundle, metadata, taxonomy
from skystamp.inputs import InputSpec, Raw
from skystamp.request_ids import is_fit
from skystamp.stream import measured
from tests import making, prometheus

pytestmark = [
    pytest.mark.usefixtures("cluster"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of Serve and Starlette among themselves
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore:.*Any type hint is inferred as AnyType:UserWarning"),
    pytest.mark.timeout(300),
]

REQUEST = "night-7:part.1"
OBJECTS = {"ZTF20seen1", "ZTF20seen2"}


Samples = dict[tuple[str, tuple[tuple[str, str], ...]], float]


class Seen(NamedTuple):
    """What was sent and answered, what the service then told when scraped, and the folder of the logs."""

    bytes: int
    answers: list[httpx.Response]
    samples: Samples
    logs: Path
    port: int

    def value(self, name: str, **tags: str) -> float:
        """Return the sum of a metric's samples over all that has these tags; 0 where there is none."""
        return sum(
            value
            for (found, labels), value in self.samples.items()
            if found == name and tags.items() <= dict(labels).items()
        )


@pytest.fixture(scope="module")
def seen(cluster: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seen]:
    from ray import serve
    from ray.serve.schema import LoggingConfig

    from serve_apps.alerts import Args, build

    root = tmp_path_factory.mktemp("measures")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log = LoggingConfig(encoding="JSON", logs_dir=str(root / "logs"), enable_access_log=False)
    serve.start(http_options={"host": "127.0.0.1", "port": port}, logging_config=log)
    before = scraped()  # of the modules that had this cluster before
    args = Args(
        models={"first-detection": str(first_detection(root / "model"))}, store=f"sqlite:///{root / 'store.db'}"
    )
    serve.run(build(args), name="alerts", logging_config=log)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
        answers, size = send(client)
    yield Seen(size, answers, added(before), root / "logs", port)
    serve.shutdown()


def first_detection(folder: Path) -> Path:
    from skystamp.models import stamp

    rng = np.random.default_rng(0)
    raw = Raw(rng.normal(100, 10, (4, 63, 63, 3)).astype(np.float32), rng.uniform(0, 20, (4, len(metadata.FEATURES))))
    network, spec = stamp.build(stamp.StampConfig(k=1), seed=1), InputSpec().fitted(raw)
    classes = taxonomy.FIRST_DETECTION
    return bundle.save(
        folder, network, name="first-detection", spec=spec, classes=classes, example=raw, about={}, card="# toy"
    )


def send(client: httpx.Client) -> tuple[list[httpx.Response], int]:
    good = [making.record(i, {"jd": 2459000.5 + i}, objectId=f"ZTF20seen{1 + i % 2}") for i in range(3)]
    bad = {**making.record(9, objectId="ZTF20seen2"), "cutoutScience": None}
    bodies = [making.packet(*good[:2]), making.packet(good[2], bad)]
    headers = {"content-type": "application/avro"}
    answers = [
        client.post("/v1/classify", content=bodies[0], headers=headers),
        client.post("/v1/classify", content=bodies[1], headers={**headers, "x-request-id": REQUEST}),
        client.post("/v1/classify", content=b"{}", headers={"content-type": "application/json"}),
    ]
    return answers, sum(map(len, bodies))


def exporter() -> str:
    """Return the address of this node's exporter."""
    import ray

    node = next(node for node in ray.nodes() if node["Alive"])
    return f"{node['NodeManagerAddress']}:{node['MetricsExportPort']}"


def scraped() -> Samples:
    """Return the samples of this node's exporter, which goes on counting for processes that have ended."""
    return {
        (sample.name, tuple(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(httpx.get(f"http://{exporter()}/metrics", timeout=10).text)
        for sample in family.samples
        if sample.name.startswith("ray_skystamp")
    }


def added(before: Samples) -> Samples:
    """Return the samples of processes that had none before, when their newest are there."""
    ended = {dict(labels)["WorkerId"] for _, labels in before}
    until = time.monotonic() + 90
    while True:
        found = {key: value for key, value in scraped().items() if dict(key[1])["WorkerId"] not in ended}
        if _is_all_told(found) or time.monotonic() > until:
            return found
        time.sleep(1)


def _is_all_told(samples: Samples) -> bool:
    """Return whether each process has reported since its last request; each does so for itself, every ten seconds."""
    told = Seen(0, [], samples, Path(), 0)
    counts = {
        "ray_skystamp_packets_total": 4,  # the router
        "ray_skystamp_requests_total": 3,  # the ingress
        "ray_skystamp_model_seconds_count": 2,  # the model
        "ray_skystamp_model_info": 1,
    }
    arrived = all(told.value(name) >= count for name, count in counts.items())
    return arrived and told.value("ray_skystamp_queue_depth") == 0


def test_every_packet_and_outcome_is_counted(seen: Seen):
    assert [answer.status_code for answer in seen.answers] == [200, 200, 415]

    assert seen.value("ray_skystamp_packets_total") == 4
    assert seen.value("ray_skystamp_outcomes_total", model="first-detection") == 3
    assert seen.value("ray_skystamp_rejections_total", reason="missing_cutout") == 1
    assert seen.value("ray_skystamp_body_bytes_total") == seen.bytes
    assert seen.value("ray_skystamp_requests_total", status="200") == 2
    assert seen.value("ray_skystamp_requests_total", status="415") == 1
    assert seen.value("ray_skystamp_shed_total") == 0


def test_classes_are_those_that_were_answered(seen: Seen):
    classes = [one["class"] for answer in seen.answers[:2] for one in answer.json()["outcomes"] if "class" in one]

    for label in set(classes):
        assert seen.value("ray_skystamp_outcomes_total", **{"class": label}) == classes.count(label)


def test_each_stage_of_each_request_is_timed(seen: Seen):
    from serve_apps.measures import STAGES

    counts = {stage: seen.value("ray_skystamp_stage_seconds_count", stage=stage) for stage in STAGES}

    assert counts == {stage: 3 if stage == "request" else 2 for stage in STAGES}
    assert seen.value("ray_skystamp_model_batch_alerts_sum", model="first-detection") == 3
    assert (
        0
        < seen.value("ray_skystamp_stage_seconds_sum", stage="ask")
        < seen.value("ray_skystamp_stage_seconds_sum", stage="request")
    )


def test_levels_tell_what_is_served_and_what_waits(seen: Seen):
    version = seen.answers[0].json()["outcomes"][0]["model"]["version"]

    assert seen.value("ray_skystamp_model_info", model="first-detection", version=version) == 1
    assert seen.value("ray_skystamp_model_problem") == 0
    assert seen.value("ray_skystamp_queue_depth") == 0
    queues = {dict(labels)["queue"] for name, labels in seen.samples if name == "ray_skystamp_queue_depth"}
    assert queues == {"ingress", "router", "first-detection"}


def test_all_names_and_tags_are_defined_and_none_is_an_id(seen: Seen):
    from serve_apps.measures import MEASURES

    tags = {one.exported: set(one.tags) for one in MEASURES}
    of_ray = {"Component", "NodeAddress", "SessionName", "Version", "WorkerId", "JobId", "le"}
    for name, labels in seen.samples:
        base = next(known for known in tags if name in {known, *(known + end for end in ("_bucket", "_sum", "_count"))})
        own = {tag for tag, _ in labels} - of_ray - {tag for tag, _ in labels if tag.startswith("otel_")}
        assert own == tags[base]
        assert not OBJECTS & {value for _, value in labels}


def test_a_rejection_has_one_line_with_its_ids_and_its_request(seen: Seen):
    assert seen.answers[1].headers["x-request-id"] == REQUEST
    assert seen.answers[0].headers["x-request-id"] not in ("", REQUEST)

    lines = [json.loads(line) for path in seen.logs.rglob("*.log") for line in path.read_text().splitlines()]
    (told,) = [line for line in lines if line["message"].startswith("rejected")]

    assert (told["reason"], told["survey"], told["object_id"]) == ("missing_cutout", "ztf", "ZTF20seen2")
    assert told["alert_id"] == making.record(9)["candid"]
    assert told["request_id"] == REQUEST
    own = seen.answers[2].headers["x-request-id"]
    (refused,) = [line for line in lines if line["message"].startswith("refused") and line["request_id"] == own]
    assert refused["status"] == 415


UNSPEAKABLE = {
    "long": b"a" * 10_000,
    "line-separator": "a\u2028ERROR all is lost".encode(),
    "next-line": b"a\xc2\x85ERROR",
    "letters": "é".encode(),
    "no-text": b"\xff\xfe",
    "spaces": b"a ERROR b",
}


@pytest.mark.parametrize("name", UNSPEAKABLE)
def test_a_client_writes_nothing_of_its_own_into_the_log(seen: Seen, name: str):
    head, body = asked(seen.port, UNSPEAKABLE[name])

    assert head.startswith("HTTP/1.1 415"), head
    (given,) = re.findall(r"^x-request-id: (.*)\r$", head, re.MULTILINE)
    assert is_fit(given)
    assert json.loads(body)["error"]["code"]
    texts = [path.read_text() for path in seen.logs.rglob("*.log")]
    assert any(given in text for text in texts)
    assert not any(UNSPEAKABLE[name].decode(errors="replace") in text for text in texts)
    assert not any(re.search("[\u2028\x85]|a{200}", text) for text in texts)


@pytest.mark.parametrize("sent", [b"a\nERROR all is lost", b"a\r\n ERROR", b"a\rb", b"a\x00b"])
def test_a_line_can_not_even_be_sent(seen: Seen, sent: bytes):
    head, _ = asked(seen.port, sent)

    assert head.startswith("HTTP/1.1 400"), head


def asked(port: int, request_id: bytes) -> tuple[str, str]:
    """Return head and body of what is answered to a request of this id that is refused, and so has a line."""
    lines = [b"POST /v1/classify HTTP/1.1", b"Host: 127.0.0.1", b"Connection: close", b"Content-Type: application/json"]
    request = b"\r\n".join([*lines, b"Content-Length: 2", b"X-Request-ID: " + request_id, b"", b"{}"])
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(request)
        told = b"".join(iter(lambda: connection.recv(1 << 16), b""))
    head, _, body = told.decode("latin-1").partition("\r\n\r\n")
    return head + "\r\n", body


# Measures of what this service was not brought to do.
QUIET = {
    *("ray_skystamp_shed_total", "ray_skystamp_calls_repeated_total", "ray_skystamp_store_errors_total"),
    *("ray_skystamp_shadow_skipped_total", "ray_skystamp_shadow_outcomes_total"),
}


@pytest.mark.skipif(not prometheus.is_installed(), reason=prometheus.MISSING)
def test_every_expression_of_the_dashboard_has_data_in_a_real_prometheus(seen: Seen, tmp_path: Path):
    told = measured.Statistics()
    line = {"packets": 4, "classes": {"SN": 3}, "rejections": {"wrong_shape": 1}, "lag": {"alerts[0]": 7}}
    told({**line, "on_their_way": 1, "requests": 2, "retries": 1, "split": 1, "memory_mb": 90})
    with (
        measured.exposed(told, 0) as stream,
        quiet() as others,
        prometheus.running(tmp_path, [exporter(), f"127.0.0.1:{stream}", f"127.0.0.1:{others}"]) as server,
    ):
        until = time.monotonic() + 60
        while min(server.scraped() or [0]) < 3 or len(server.scraped()) < 3:
            assert time.monotonic() < until, server.scraped()
            time.sleep(0.5)
        asked = {one.replace("$__rate_interval", "1m"): one for one in prometheus.expressions()}
        empty = [one for one in asked if not server.query(one)]
        served = server.query('ray_serve_num_http_error_requests_total{application="alerts",error_code="415"}')
        packets = server.query(f'sum(ray_skystamp_packets_total{{instance="{exporter()}"}})')

    assert len(asked) >= 30
    assert empty == []
    assert served  # what the service refuses is among what Serve's proxy counts
    assert float(packets[0]["value"][1]) >= 4
    assert not {name for name, _ in seen.samples} & QUIET


@contextmanager
def quiet() -> Iterator[int]:
    """Answer Prometheus with the measures that nothing here has moved, as Ray would tell them; give the port."""
    from serve_apps.measures import MEASURES

    registry = CollectorRegistry()
    for one in MEASURES:
        if one.exported in QUIET:
            made = Counter(one.exported, one.text, one.tags, registry=registry)
            (made.labels(*("x" for _ in one.tags)) if one.tags else made).inc()
    server, thread = start_http_server(0, addr="127.0.0.1", registry=registry)
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
