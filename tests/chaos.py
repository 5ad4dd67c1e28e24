"""Packets from a real broker, through real streams and a real service into a real store, while all of it is killed.

    python -m tests.chaos [--packets N] [--kills N] [--database sqlite|postgresql] [--seed N]

Killed with SIGKILL, in an order drawn from the seed, are `skystamp stream` itself, replicas of every deployment, the
proxy, Serve's controller, the raylet of a worker with all that runs on it, and, with `--heads`, all of the head node;
PostgreSQL is stopped midway, both fast and at once. What has to hold when every stream has ended by itself:

- the store has exactly one outcome of each packet, and each row as an ordered run of `live.answer` leaves it;
- each poison packet is one rejection with its bytes;
- every offset is committed, and the output topic has each outcome at least once.
"""

import argparse
import io
import json
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import fastavro

from skystamp import bundle, live
from skystamp.classify import Model, Models
from skystamp.errors import StoreUnavailable
from skystamp.store import Store, open_store
from tests import brokers, bundles, clusters, contents, nights, postgres
from tests.brokers import Broker
from tests.clusters import Cluster, Service
from tests.nights import Night

MODELS = ("first-detection", "temporal-2")
PARTITIONS = 4
TOPIC, OUT, GROUP = "alerts", "outcomes", "chaos"
KINDS = ("stream", "router", "first-detection", "controller", "worker", "temporal-2", "ingress", "proxy")
SERVER_KINDS = ("postgresql, fast", "postgresql, at once")
HEAD = "head"


@dataclass(frozen=True)
class Plan:
    """How much, and what is killed, in this order, as the packets come in."""

    packets: int
    kills: tuple[str, ...]
    seed: int
    database: str = "sqlite"
    simulated: int = 24
    streams: int = 2
    workers: int = 2


@dataclass
class Told:
    """What came of it."""

    packets: int
    seconds: float = 0.0
    kills: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    published: int = 0


class Streams:
    """`skystamp stream` processes of one group, each started again when it was killed."""

    def __init__(self, count: int, folder: Path, broker: Broker, port: int) -> None:
        (folder / "kafka.conf").write_text(brokers.SETTINGS)
        self._log = folder / "stream.log"
        self._command = [
            *(sys.executable, "-c", "from skystamp.cli import app; app()", "stream", "--until-end"),
            *("--source", broker.url(TOPIC, GROUP), "--out", broker.url(OUT), "--service", f"http://127.0.0.1:{port}"),
            *("--kafka-settings", str(folder / "kafka.conf"), "--batch", "16", "--in-flight", "2", "--timeout", "40"),
        ]
        self._running = [self._started() for _ in range(count)]

    def _started(self) -> "subprocess.Popen[bytes]":
        with self._log.open("ab") as out:
            return subprocess.Popen(self._command, stdout=out, stderr=out)

    def ended(self) -> bool:
        """Whether all have ended by themselves; one that failed is a fault."""
        statuses = [process.poll() for process in self._running]
        if any(status not in (None, 0) for status in statuses):
            raise RuntimeError(f"streams should end with 0. Received: {statuses}\n{self._log.read_text()[-4000:]}")
        return all(status == 0 for status in statuses)

    def kill(self, rng: random.Random) -> bool:
        """Kill one that runs and start another; return whether there was one."""
        alive = [i for i, process in enumerate(self._running) if process.poll() is None]
        if alive:
            i = rng.choice(alive)
            self._running[i].kill()
            self._running[i].wait()
            self._running[i] = self._started()
        return bool(alive)

    def end(self) -> None:
        """End those that run."""
        for process in self._running:
            process.kill()
            process.wait()


@dataclass
class Scene:
    """Everything that can be killed."""

    cluster: Cluster
    streams: Streams
    server: postgres.Server | None
    rng: random.Random

    def kill(self, kind: str) -> bool:
        """Kill one of a kind and see to it that it comes again; return whether there was one."""
        if kind == "stream":
            return self.streams.kill(self.rng)
        if kind in SERVER_KINDS:
            return self._restart("fast" if kind == SERVER_KINDS[0] else "immediate")
        if kind == HEAD:
            return self._kill_head()
        if kind == "worker":
            return self._kill_worker()
        pids = self.cluster.pids(kind)
        if pids:
            clusters.end(self.rng.choice(pids))
        return bool(pids)

    def _restart(self, mode: str) -> bool:
        if self.server is None:
            return False
        self.server.stop(mode)
        time.sleep(1)
        self.server.start()
        return True

    def _kill_head(self) -> bool:
        if self.cluster.head is None:
            return False
        self.cluster.head.kill()
        self.cluster.start_head()
        return True

    def _kill_worker(self) -> bool:
        joined = [worker for worker in self.cluster.workers if worker.is_up()]
        if joined:
            worker = self.rng.choice(joined)
            self.cluster.workers.remove(worker)
            worker.kill_raylet()
            self.cluster.start_worker()
        return bool(joined)


def drawn(count: int, rng: random.Random, database: str, heads: int = 0) -> tuple[str, ...]:
    """Return so many kinds to kill, each about as often, in an order of their own."""
    kinds = KINDS + (SERVER_KINDS if database == "postgresql" else ())
    chosen = [kinds[i % len(kinds)] for i in range(count - heads)] + [HEAD] * heads
    rng.shuffle(chosen)
    return tuple(chosen)


def run(plan: Plan, folder: Path, tell: Callable[[str], object] = lambda _: None) -> Told:
    """Return what came of a plan; its files lie in `folder`."""
    rng, told = random.Random(plan.seed), Told(plan.packets)
    night = nights.night(nights.simulated(plan.simulated), plan.packets, rng)
    folders = bundles.make(folder / "bundles", MODELS)
    with ExitStack() as stack:
        url, server = stack.enter_context(_database(plan.database, folder))
        store = open_store(url)
        stack.callback(store.close)
        broker = stack.enter_context(brokers.running(folder))
        for topic in (TOPIC, OUT):
            broker.create(topic, PARTITIONS)
        broker.produce(TOPIC, night.sent, PARTITIONS)
        cluster = stack.enter_context(clusters.running(plan.workers))
        service = Service({name: str(path) for name, path in folders.items()}, url, clusters.free_port())
        cluster.deploy(service)
        tell("the service is up")
        began = time.monotonic()
        streams = Streams(plan.streams, folder, broker, service.port)
        stack.callback(streams.end)
        _kill(plan, Scene(cluster, streams, server, rng), store, told, tell)
        told.seconds = time.monotonic() - began
        tell("the streams have ended")
        told.faults = _faults(night, store, broker, told)
        told.faults += contents.differences(contents.contents(store), _ordered(folder, night, folders))
    return told


def _kill(plan: Plan, scene: Scene, store: Store, told: Told, tell: Callable[[str], object]) -> None:
    """Kill what is to be killed as the packets come in, and come back when the streams have ended."""
    waiting, due, progress = list(plan.kills), 0.0, 0
    last, quiet_s = time.monotonic(), 300.0
    while not scene.streams.ended():
        scene.cluster.tend()
        now = _stored(store, progress)
        if now > progress:
            last, progress = time.monotonic(), now
        if time.monotonic() - last > quiet_s:
            raise TimeoutError(f"packets should be stored. Received: none in {quiet_s} s after {progress}")
        if waiting and progress >= due:
            kind = waiting.pop(0)
            killed = scene.kill(kind)
            told.kills[kind] += killed
            waiting += [] if killed else [kind]
            tell(f"{progress} stored, killed {kind}" if killed else f"{progress} stored, no {kind} to kill")
            left = plan.packets * 0.9 - progress
            due = progress + scene.rng.uniform(0.2, 1.8) * left / (len(waiting) + 1) if left > 0 else 0.0
        time.sleep(0.1)


def _stored(store: Store, before: int) -> int:
    try:
        return store.status().rows["outcomes"]
    except StoreUnavailable:  # it restarts
        return before


def _faults(night: Night, store: Store, broker: Broker, told: Told) -> list[str]:
    """Return what is wrong with the offsets, the outcomes' number and the output topic."""
    faults = []
    committed = broker.committed(TOPIC, GROUP, PARTITIONS)
    if sum(committed) != len(night.sent):
        faults.append(f"all {len(night.sent)} offsets should be committed. Received: {committed}")
    rows = store.status().rows
    wanted = {"outcomes": told.packets, "detections": told.packets, "rejected_packets": len(set(night.poison))}
    faults += [f"{rows[name]} {name} instead of {count}" for name, count in wanted.items() if rows[name] != count]
    messages = broker.messages(OUT, 10 * len(night.sent), PARTITIONS)
    published = [one for m in messages for one in fastavro.reader(io.BytesIO(m.value() or b""))]
    told.published = len(published)
    missing = told.packets - len({one["candid"] for one in published if one["outcome"] == "classification"})
    return faults + ([f"{missing} packets have no outcome in the topic"] if missing else [])


def _ordered(folder: Path, night: Night, folders: dict[str, Path]) -> dict[str, contents.Rows]:
    """Return what a store holds after one thread answered all packets in order."""
    from skystamp import tracking

    versions = {name: tracking.load(str(path), "sqlite://").version for name, path in folders.items()}
    models = Models({name: Model(name, versions[name], bundle.load(path)) for name, path in folders.items()})
    store = open_store(f"sqlite:///{folder / 'ordered.db'}")
    packets = [*night.ordered, *night.poison]
    for start in range(0, len(packets), 64):
        arrivals = [one for packet in packets[start : start + 64] for one in live.arrivals(packet)]
        live.answer(store, models, arrivals, now=0.0)
    found = contents.contents(store)
    store.close()
    return found


@contextmanager
def _database(kind: str, folder: Path) -> Iterator[tuple[str, postgres.Server | None]]:
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'store.db'}", None
        return
    with tempfile.TemporaryDirectory(prefix="sky-pg-") as place:
        Path(place).chmod(0o755)
        with postgres.running(Path(place) / "server") as server:
            yield server.make_database("chaos"), server


def main() -> None:
    """Run the long form, and print what came of it as one JSON object; exit status 1 if anything is lost or doubled."""
    parser = argparse.ArgumentParser(description="Kill everything, lose nothing.")
    parser.add_argument("--packets", type=int, default=10_000)
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--heads", type=int, default=2, help="of the kills, the whole head node")
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="postgresql")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--simulated", type=int, default=60, help="objects whose cutouts the packets have")
    arguments = parser.parse_args()
    kills = drawn(arguments.kills, random.Random(arguments.seed), arguments.database, arguments.heads)
    plan = Plan(arguments.packets, kills, arguments.seed, arguments.database, arguments.simulated, streams=3)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="sky-chaos-") as folder:
        told = run(plan, Path(folder), lambda what: print(f"{time.monotonic() - began:7.1f} s  {what}", flush=True))
    print(json.dumps({**told.__dict__, "faults": told.faults[:50], "faults_in_all": len(told.faults)}, indent=1))
    sys.exit(bool(told.faults))


if __name__ == "__main__":
    main()
