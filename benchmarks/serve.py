"""The service over HTTP: with a store that has seen a survey, and beside the same work without it.

    python -m benchmarks.serve [--json] [--smoke] [--seconds S] [--objects N] [--store FILE] [--part stored|stateless]

`stored`: `serve_apps.alerts` with a first-detection and a temporal model, once with a store of a million objects and,
as the baseline, once with an empty one, side by side in one cluster. Alerts come in bodies of `TOGETHER`, as
`skystamp stream` sends them; 40 % are of known objects. Closed loops of more and more clients find the load that each
can sustain, by turns; open loops then send that much to the large one, and twice as much. Every request has to end as
200, 408, 429, 503 or 504, and every alert that was answered 200 has to be in the store, or the benchmark fails.

`stateless`: no store, from 1, 16 and 64 clients at once, one packet a request, and containers of 64 packets from 4
clients. Baselines, in this process before the service starts: `in_process`, one container through `classify.packets`,
and `one_by_one`, the same packets each on its own, what one would write first.

Models are untrained, of the published architecture (21 pixels, 4 views), and cost what trained ones cost. All share the
machine's cores, the clients too. `--store FILE` keeps the filled store for the next run.
"""

import argparse
import http.client
import json
import os
import socket
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import cycle, islice
from pathlib import Path

import numpy as np

from benchmarks import _stored

HOST = "127.0.0.1"
PACKETS = 64
LOADS = {"1_client": (1, 1), "16_clients": (16, 1), "64_clients": (64, 1), "containers_of_64": (4, PACKETS)}


@dataclass(frozen=True)
class Load:
    """What a load of requests gave."""

    rate: float  # alerts a second
    p50_ms: float
    p99_ms: float


def main() -> None:
    """Print the tables, or with --json one object of `ratios` and `figures`."""
    parser = argparse.ArgumentParser(description="The service over HTTP, with a large store and without one.")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--smoke", action="store_true", help="20,000 objects and short loads: two minutes in all")
    parser.add_argument("--seconds", type=float, help="length of each load")
    parser.add_argument("--objects", type=int, help="that the store holds beforehand")
    parser.add_argument("--store", type=Path, help="a SQLite file to fill and keep, or one filled before")
    parser.add_argument("--part", choices=("stored", "stateless"), help="one of the two alone")
    parser.add_argument("--bundle", type=Path, help="a bundle's folder instead of an untrained first-detection model")
    arguments = parser.parse_args()
    seconds = arguments.seconds or (3.0 if arguments.smoke else 20.0)
    objects = arguments.objects or (20_000 if arguments.smoke else 1_000_000)
    ratios: dict[str, float] = {}
    figures: dict[str, float] = {"load_average": os.getloadavg()[0]}
    with tempfile.TemporaryDirectory(prefix="skystamp-bench-") as folder:
        bundle_folder = arguments.bundle or make_bundle(Path(folder) / "bundle")
        if arguments.part != "stateless":
            stored = _stored.Settings(Path(folder), bundle_folder, arguments.store, objects, seconds)
            _add(ratios, figures, *_stored.run(stored, told=not arguments.json))
        if arguments.part != "stored" and not arguments.smoke:
            _add(ratios, figures, *stateless(bundle_folder, min(seconds, 8.0), told=not arguments.json))
    if arguments.json:
        print(json.dumps({"ratios": ratios, "figures": figures}))


def _add(ratios: dict[str, float], figures: dict[str, float], *new: dict[str, float]) -> None:
    ratios.update(new[0])
    figures.update(new[1])


def stateless(bundle_folder: Path, seconds: float, *, told: bool) -> tuple[dict[str, float], dict[str, float]]:
    """Return ratios and figures of the service without a store; print them if they are to be told."""
    packets = make_packets()
    baselines = measure_baselines(packets, bundle_folder, seconds / 2)
    with service(bundle_folder) as port:
        loads = {name: measure(port, packets, *load, seconds) for name, load in LOADS.items()}
    return report(baselines, loads, told=told)


def make_packets() -> list[bytes]:
    """Return `PACKETS` simulated packets of the usual mix."""
    from skystamp import synthetic

    records = (synthetic.simulate_object(7, index).records[0] for index in range(PACKETS))
    return [synthetic.write_packet(record) for record in records]


def make_bundle(folder: Path) -> Path:
    """Write a bundle with an untrained model and return its folder."""
    from skystamp import bundle, inputs, routing, taxonomy
    from skystamp.models.stamp import StampConfig, build

    rng = np.random.default_rng(0)
    example = inputs.Raw(rng.normal(100, 10, (8, 63, 63, 3)).astype(np.float32), rng.uniform(0, 20, (8, 26)))
    spec = inputs.fitted(inputs.InputSpec(), example.metadata)
    names = {"name": routing.FIRST_DETECTION, "classes": taxonomy.FIRST_DETECTION}
    return bundle.save(folder, build(StampConfig()), **names, spec=spec, example=example, about={}, card="untrained")


def measure_baselines(packets: Sequence[bytes], folder: Path, seconds: float) -> dict[str, float]:
    """Return alerts a second of `classify.packets` in this process, a container at a time and a packet at a time."""
    from skystamp import bundle, classify

    model = classify.Model("first-detection", "0", bundle.load(folder))
    whole = container(packets)
    return {
        "in_process": _rate(lambda: len(list(classify.packets(whole, model))), seconds),
        "one_by_one": _rate(lambda: sum(len(list(classify.packets(packet, model))) for packet in packets), seconds),
    }


def container(packets: Sequence[bytes]) -> bytes:
    """Return one container with the records of all packets."""
    import io

    from skystamp import avro, synthetic

    records = [item.record for packet in packets for item in avro.read(packet, history=True)]
    out = io.BytesIO()
    avro.write(out, records, synthetic.schema(), codec="null")
    return out.getvalue()


def _rate(run, seconds: float) -> float:
    run()
    done, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        done += run()
    return done / (time.perf_counter() - start)


@contextmanager
def service(folder: Path) -> Iterator[int]:
    """Hold the service, on a Ray of its own, and give its port."""
    from skystamp.cluster import environment

    environment.apply(local=True)
    import ray
    from ray import serve

    from serve_apps.alerts import Args, build

    port = _free_port()
    ray.init(address="local", include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    try:
        serve.start(http_options={"host": HOST, "port": port}, logging_config={"enable_access_log": False})
        args = Args(models={"first-detection": str(folder)}, tracking_uri="sqlite:///unused.db", threads=os.cpu_count())
        serve.run(build(args), name="alerts")
        yield port
        serve.shutdown()
    finally:
        ray.shutdown()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def measure(port: int, packets: Sequence[bytes], clients: int, together: int, seconds: float) -> Load:
    """Return what `clients` that send `together` packets a request get in so many seconds, after one of warming."""
    bodies = list(packets) if together == 1 else [container(packets)]
    send = lambda start, length: _client(port, bodies, start, length)  # noqa: E731
    with ThreadPoolExecutor(clients) as pool:
        list(pool.map(send, range(clients), [1.0] * clients))
        begin = time.perf_counter()
        latencies = np.concatenate(list(pool.map(send, range(clients), [seconds] * clients)))
        elapsed = time.perf_counter() - begin
    p50, p99 = np.percentile(latencies, (50, 99)) * 1e3
    return Load(len(latencies) * together / elapsed, float(p50), float(p99))


def _client(port: int, bodies: Sequence[bytes], start: int, seconds: float) -> list[float]:
    latencies = []
    connection = http.client.HTTPConnection(HOST, port, timeout=120)
    end = time.perf_counter() + seconds
    for body in islice(cycle(bodies), start % len(bodies), None):
        begin = time.perf_counter()
        if begin > end:
            break
        connection.request("POST", "/v1/classify", body, {"Content-Type": "application/avro"})
        answer = connection.getresponse()
        if answer.status != http.client.OK:
            raise RuntimeError(f"the service should answer 200. Received: {answer.status} {answer.read()[:300]!r}")
        answer.read()
        latencies.append(time.perf_counter() - begin)
    connection.close()
    return latencies


def report(
    baselines: dict[str, float], loads: dict[str, Load], *, told: bool
) -> tuple[dict[str, float], dict[str, float]]:
    """Return ratios and figures, and print them as a table if they are to be told."""
    ratios = {f"{name}_over_one_by_one": load.rate / baselines["one_by_one"] for name, load in loads.items()}
    ratios |= {f"{name}_over_in_process": load.rate / baselines["in_process"] for name, load in loads.items()}
    figures = {f"{name}_alerts_per_s": rate for name, rate in baselines.items()}
    figures |= {f"{name}_alerts_per_s": load.rate for name, load in loads.items()}
    figures |= {f"{name}_p50_ms": load.p50_ms for name, load in loads.items()}
    figures |= {f"{name}_p99_ms": load.p99_ms for name, load in loads.items()}
    if told:
        print(f"{'load':20}{'alerts/s':>10}{'p50 ms':>10}{'p99 ms':>10}{'of in-process':>15}{'of one by one':>15}")
        for name, load in loads.items():
            shares = f"{ratios[f'{name}_over_in_process']:15.2f}{ratios[f'{name}_over_one_by_one']:15.2f}"
            print(f"{name:20}{load.rate:10.0f}{load.p50_ms:10.1f}{load.p99_ms:10.1f}{shares}")
        for name, rate in baselines.items():
            print(f"{name:20}{rate:10.0f}")
    return ratios, figures


if __name__ == "__main__":
    main()
