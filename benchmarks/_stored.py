"""The service with a store of a million objects beside the same with an empty one: how much, how fast, how large.

Sustained is what a closed loop of clients gets, the best of several numbers of clients; 1x and 2x are open loops of so
many times three quarters of that, with the latency and what became of every request.
"""

import os
import re
import resource
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import sqlalchemy as sa

from benchmarks import _loads, _prefilled
from benchmarks._loads import Result, Target
from benchmarks._prefilled import Load
from skystamp.store import Store, engine, open_store, tables

CLIENTS = (1, 4, 16)
ROUNDS = 3
TOGETHER = 16  # packets of a request
SIMULATED = 64  # distinct packets
SUSTAINABLE = 0.75  # of the best rate of a closed loop: what an open one can send without its queue growing
WAITING = 32  # requests with a body in hand; more are told to come later
LARGE, NEW, EMPTY = "million", "million_new", "empty"
"""Loads: 40 % of known objects on the large store; of new objects alone on the large store and on the empty one."""
LOADS = (f"{LARGE}_at_1x", f"{EMPTY}_at_1x", f"{LARGE}_at_2x")
NEW_NUMBERS = 10**12 + 10**8 // 2  # from the first number of one load to that of the other on the same store


@dataclass(frozen=True)
class Settings:
    """Where things lie, and how large and how long."""

    folder: Path
    bundle: Path
    store: Path | None
    objects: int
    seconds: float


def run(settings: Settings, *, told: bool) -> tuple[dict[str, float], dict[str, float]]:
    """Return ratios and figures; print them if they are to be told."""
    records = _prefilled.simulated(8 if settings.objects < 100_000 else SIMULATED)
    urls = {
        LARGE: f"sqlite:///{settings.store or settings.folder / 'million.db'}",
        EMPTY: f"sqlite:///{settings.folder / 'empty.db'}",
    }
    stores = {name: open_store(url) for name, url in urls.items()}
    _prefilled.prefill(stores[LARGE], settings.objects, records)
    first = _prefilled.newest(stores[LARGE]) + 1
    known = min(settings.objects, _prefilled.KNOWN)
    with _services(settings, urls) as port:
        targets = {
            LARGE: Target(port, Load(records, known, first), TOGETHER, f"/{LARGE}"),
            NEW: Target(port, Load(records, known, first + NEW_NUMBERS, 0.0), TOGETHER, f"/{LARGE}"),
            EMPTY: Target(port, Load(records, known, first, 0.0), TOGETHER, f"/{EMPTY}"),
        }
        found, cpu_ms = _measured(settings, targets)
        processes = {f"memory_mb_{kind}": one.memory_mb for kind, one in _processes().items()}
    for name, result in found.items():
        _check(stores[EMPTY if name.startswith(EMPTY) else LARGE], result)
    for store in stores.values():
        store.close()
    return _report(found, {**processes, **cpu_ms}, settings, told=told)


def _measured(settings: Settings, targets: dict[str, Target]) -> tuple[dict[str, Result], dict[str, float]]:
    """Return the results of all loads, closed loops by turns, then open ones; and the CPU time of an alert at 1x."""
    for target in targets.values():
        _loads.closed(target, max(CLIENTS), settings.seconds / 2)  # of warming
    found: dict[str, Result] = {}
    for round_ in range(ROUNDS):
        for clients in CLIENTS:
            for name, target in targets.items():
                found[f"{name}_{clients}_{round_}"] = _loads.closed(target, clients, settings.seconds / ROUNDS)
    rate = SUSTAINABLE * _sustained(found, LARGE)
    before = _processes()
    found[f"{LARGE}_at_1x"] = _loads.open_loop(targets[LARGE], rate, settings.seconds)
    after, alerts = _processes(), max(len(found[f"{LARGE}_at_1x"].answered), 1)
    cpu = {kind: (one.cpu_s - before[kind].cpu_s) / alerts * 1e3 for kind, one in after.items() if kind in before}
    found[f"{EMPTY}_at_1x"] = _loads.open_loop(targets[EMPTY], rate, settings.seconds)
    found[f"{LARGE}_at_2x"] = _loads.open_loop(targets[LARGE], 2 * rate, settings.seconds)
    return found, {f"cpu_ms_per_alert_{kind}": value for kind, value in cpu.items()}


def _sustained(found: dict[str, Result], name: str) -> float:
    """Return the alerts a second of the best number of clients, the median of the rounds."""
    return max(median(found[f"{name}_{clients}_{i}"].rate for i in range(ROUNDS)) for clients in CLIENTS)


def _check(store: Store, result: Result) -> None:
    """Raise if an alert that was answered 200 is not in the store."""
    answered, there = result.answered, 0
    table = tables.outcomes
    with engine.reading(store.engine) as connection:
        for start in range(0, len(answered), 5_000):
            chosen = table.c.alert_id.in_(answered[start : start + 5_000])
            query = sa.select(sa.func.count()).select_from(table).where(table.c.survey == "ztf", chosen)
            there += int(connection.execute(query).scalar_one())
    if there != len(answered):
        raise AssertionError(f"all {len(answered)} alerts that were answered should be stored. Received: {there}")


def _report(
    found: dict[str, Result], processes: dict[str, float], settings: Settings, *, told: bool
) -> tuple[dict[str, float], dict[str, float]]:
    best = {name: _sustained(found, name) for name in (LARGE, NEW, EMPTY)}
    ratios = {f"sustained_{name}_over_empty": best[name] / best[EMPTY] for name in (LARGE, NEW)}
    once, empty, twice = (found[name] for name in LOADS)
    ratios |= {f"p{p}_million_over_empty": once.latency_ms(p) / empty.latency_ms(p) for p in (50, 99)}
    ratios["answered_at_2x_over_1x"] = twice.rate / once.rate
    figures = {f"{name}_sustained_alerts_per_s": rate for name, rate in best.items()} | {"objects": settings.objects}
    for name in LOADS:
        result = found[name]
        shed = sum(count for status, count in result.statuses.items() if status != 200)
        figures |= {f"{name}_alerts_per_s": result.rate, f"{name}_requests": len(result.requests)}
        figures |= {f"{name}_p{p}_ms": result.latency_ms(p) for p in (50, 99)} | {f"{name}_shed_requests": shed}
    figures |= processes
    if told:
        _tell(ratios, figures, processes)
    return ratios, figures


def _tell(ratios: dict[str, float], figures: dict[str, float], processes: dict[str, float]) -> None:
    print(f"{figures['objects']:.0f} objects beforehand, bodies of {TOGETHER}; load average {os.getloadavg()[0]:.1f}")
    print(f"{'':24}{'alerts/s':>10}{'p50 ms':>10}{'p99 ms':>10}{'requests':>10}{'shed':>8}")
    for name in (LARGE, NEW, EMPTY):
        print(f"{name + ', closed':24}{figures[f'{name}_sustained_alerts_per_s']:10.0f}")
    for name in LOADS:
        keys = ("alerts_per_s", "p50_ms", "p99_ms", "requests")
        numbers = "".join(f"{figures[f'{name}_{key}']:10.0f}" for key in keys)
        print(f"{name:24}{numbers}{figures[f'{name}_shed_requests']:8.0f}")
    for name, value in {**ratios, **processes}.items():
        print(f"{name:44}{value:10.2f}")


@contextmanager
def _services(settings: Settings, urls: dict[str, str]) -> Iterator[int]:
    """Hold one service a store, on a Ray of their own, each at the route of its name; give their port."""
    from skystamp.cluster import environment

    environment.apply(local=True)
    import ray
    from ray import serve

    from serve_apps.alerts import Args, build

    models = {"first-detection": str(settings.bundle), "temporal-2": str(_temporal(settings.folder / "temporal-2"))}
    with socket.create_server((_loads.HOST, 0)) as probe:
        port = int(probe.getsockname()[1])
    ray.init(address="local", num_cpus=8, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    try:
        serve.start(http_options={"host": _loads.HOST, "port": port}, logging_config={"enable_access_log": False})
        for name, url in urls.items():
            arguments = Args(
                models=models,
                store=url,
                tracking_uri="sqlite:///unused.db",
                threads=os.cpu_count() or 1,
                max_waiting_requests=WAITING,
            )
            serve.run(build(arguments), name=name, route_prefix=f"/{name}")
        yield port
        serve.shutdown()
    finally:
        ray.shutdown()


def _temporal(folder: Path) -> Path:
    """Write a bundle with an untrained model of two detections and return its folder."""
    from skystamp import bundle, metadata, taxonomy
    from skystamp.inputs import RawSequences, SequenceSpec
    from skystamp.models.temporal import TemporalConfig, build

    rng = np.random.default_rng(0)
    raw = RawSequences(
        rng.normal(100, 10, (4, 2, 63, 63, 3)).astype(np.float32),
        rng.uniform(0, 20, (4, 2, len(metadata.FEATURES))),
        59000.0 + np.cumsum(np.ones((4, 2)), 1),
        rng.uniform(8, 16, (4, 5)),
    )
    said: dict[str, Any] = {"name": "temporal-2", "classes": taxonomy.TEMPORAL, "about": {}, "card": "untrained"}
    network = build(TemporalConfig(2, cell="conv1d", window=2))
    return bundle.save(folder, network, spec=SequenceSpec(2).fitted(raw), example=raw, **said)


@dataclass(frozen=True)
class Process:
    """What a kind of process holds, and how long it has worked."""

    memory_mb: float
    cpu_s: float


def _processes() -> dict[str, Process]:
    """Return the processes that serve the large store, by kind; the largest of a kind."""
    found: dict[str, Process] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            kind = _kind((folder / "cmdline").read_bytes().split(b"\0")[0].decode(errors="replace"))
            if kind:
                fields = (folder / "stat").read_text().rpartition(")")[2].split()
                pages, ticks = int(fields[21]), int(fields[11]) + int(fields[12])
                memory_mb = pages * resource.getpagesize() / 1e6
                one = Process(memory_mb, ticks / os.sysconf("SC_CLK_TCK"))
                found[kind] = max(found.get(kind, one), one, key=lambda each: each.memory_mb)
        except (FileNotFoundError, ProcessLookupError):
            continue
    return dict(sorted(found.items()))


def _kind(title: str) -> str:
    found = re.match(rf"ray::(?:ServeReplica:{LARGE}:([\w-]+)|(ProxyActor|ServeController))", title)
    return (found[1] or found[2]).lower() if found else ""
