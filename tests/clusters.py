"""A Ray cluster whose every process can be killed: a head that computes nothing, workers, and the service on them.

    head    gcs, raylet, Serve's controller, the proxy that speaks HTTP      what it knows lies on the disk (RocksDB)
    worker  raylet, replicas                                                 any number

The test's own process takes no part in it, so that nothing it loses is the test's. A head that was killed and is
started again finds the workers, and Serve's controller what it had deployed.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from skystamp.cluster import environment
from tests.node import UP

ROOT = Path(__file__).parents[1]
PATIENCE_S = 240.0
TRIES = 3
TITLES = {
    "router": "ray::ServeReplica:alerts:Router",
    "ingress": "ray::ServeReplica:alerts:Ingress",
    "first-detection": "ray::ServeReplica:alerts:first-detection",
    "temporal-2": "ray::ServeReplica:alerts:temporal-2",
    "proxy": "ray::ProxyActor",
    "controller": "ray::ServeController",
}
"""What each kind of process calls itself."""


@dataclass(frozen=True)
class Service:
    """What is served: bundles' folders by name, the store, and how many replicas of each deployment."""

    models: dict[str, str]
    store: str
    port: int
    replicas: dict[str, int] = field(default_factory=lambda: {"Router": 2})


@dataclass
class Node:
    """The process `tests.node` of one node; all others of the node descend from it."""

    process: "subprocess.Popen[bytes]"
    log: Path

    def is_up(self) -> bool:
        """Return whether it has joined the cluster."""
        return self.process.poll() is None and f"{UP}\n" in self.log.read_text()

    def has_begun(self) -> bool:
        """Return whether it has joined, or has given up, as on a machine that does much else."""
        return self.process.poll() is not None or self.is_up()

    def kill(self) -> int:
        """Kill everything of this node, as a loss of power would; return how many processes that were."""
        pids = [self.process.pid, *descendants(self.process.pid)]
        for pid in pids:
            end(pid)
        self.process.wait()
        return len(pids)

    def kill_raylet(self) -> int:
        """Kill the raylet alone: its workers end by themselves; return how many raylets that were, 0 or 1."""
        raylets = [pid for pid in descendants(self.process.pid) if b"/raylet/raylet" in command(pid)]
        for pid in raylets:
            end(pid)
        end(self.process.pid)  # which has done its part
        self.process.wait()
        return len(raylets)


class Cluster:
    """Nodes on loopback, each begun by a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.head: Node | None = None
        self.workers: list[Node] = []
        self._count = 0

    def start_head(self) -> None:
        """Start the head, or start it again: what it knew before it was killed is on the disk."""
        for _ in range(TRIES):
            self.head = self._started("head")
            until(self.head.has_begun, "the head", PATIENCE_S)
            if self.head.is_up():
                return
            self.head.kill()
        raise RuntimeError(f"the head should start. Received:\n{self.head.log.read_text()[-2000:]}")

    def start_worker(self) -> None:
        """Start a worker; it joins when it is up."""
        self.workers.append(self._started("worker"))

    def tend(self) -> None:
        """Start a worker in the place of each that could not join, as whatever keeps machines going does."""
        for worker in [worker for worker in self.workers if worker.process.poll() is not None]:
            self.workers.remove(worker)
            self.start_worker()

    def joined(self) -> bool:
        """Return whether all workers have joined; those that gave up are started again."""
        self.tend()
        return all(worker.is_up() for worker in self.workers)

    def deploy(self, service: Service) -> None:
        """Bring the service up and come back when it answers."""
        arguments = [str(self.port), json.dumps(service.__dict__)]
        deploying = [sys.executable, "-m", "tests.deploying", *arguments]
        log = self.folder / "deploying.log"
        with log.open("ab") as out:
            done = subprocess.run(
                deploying, cwd=ROOT, env=self.environment, stdout=out, stderr=out, timeout=PATIENCE_S, check=False
            )
        if done.returncode:
            raise RuntimeError(f"the service should be deployed. Received:\n{log.read_text()[-4000:]}")
        until(lambda: is_ready(service.port), "the service", PATIENCE_S)

    def pids(self, kind: str) -> list[int]:
        """Return the processes of a kind, one of `TITLES`, on all nodes."""
        nodes = [*([self.head] if self.head else []), *self.workers]
        each = (descendants(node.process.pid) for node in nodes)
        return [pid for some in each for pid in some if command(pid).startswith(TITLES[kind].encode())]

    def end(self) -> None:
        """End all of it."""
        for node in [*self.workers, *([self.head] if self.head else [])]:
            node.kill()
        for path in Path("/proc").glob("[0-9]*/cmdline"):  # what a node left behind that was killed in parts
            if str(self.folder).encode() in command(int(path.parent.name)):
                end(int(path.parent.name))

    @property
    def environment(self) -> dict[str, str]:
        """The environment of every process of the cluster."""
        return {
            **os.environ,
            **environment.LOCAL_ENVIRONMENT,
            "RAY_raylet_start_wait_time_s": "180",  # of a machine that does much else
            "RAY_agent_register_timeout_ms": "180000",
            "RAY_gcs_storage": "rocksdb",
            "RAY_gcs_storage_path": str(self.folder / "gcs"),
            "RAY_health_check_period_ms": "1000",
            "RAY_health_check_failure_threshold": "3",
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "platform")]),
            "PYTHONWARNINGS": "ignore",
        }

    def _started(self, kind: str) -> Node:
        self._count += 1
        begun = [sys.executable, "-m", "tests.node", kind, str(self.port), str(self.folder / "ray"), str(self._count)]
        log = self.folder / f"{kind}{self._count}.log"
        with log.open("ab") as out:
            return Node(subprocess.Popen(begun, cwd=ROOT, env=self.environment, stdout=out, stderr=out), log)


@contextmanager
def running(workers: int = 2) -> Iterator[Cluster]:
    """Hold a cluster for as long as this lasts; its folder is short, because sockets lie in it, and goes with it."""
    folder = Path(tempfile.mkdtemp(prefix="sky-", dir="/tmp"))
    (folder / "gcs").mkdir()
    cluster = Cluster(folder)
    try:
        cluster.start_head()
        for _ in range(workers):
            cluster.start_worker()
            until(cluster.joined, "a worker", PATIENCE_S)
        yield cluster
    finally:
        cluster.end()
        shutil.rmtree(folder, ignore_errors=True)


def until(true: Callable[[], bool], what: str, seconds: float) -> None:
    """Wait for something."""
    last = time.monotonic() + seconds
    while not true():
        if time.monotonic() > last:
            raise TimeoutError(f"{what} should be there in {seconds} s")
        time.sleep(0.1)


def is_ready(port: int) -> bool:
    """Return whether the service on a port says that it can classify."""
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=10).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


def free_port() -> int:
    """Return a port that nobody has just now."""
    with socket.create_server(("127.0.0.1", 0)) as one:
        return int(one.getsockname()[1])


def descendants(pid: int) -> list[int]:
    """Return the processes that descend from one, its children first."""
    found, parents = [], {pid}
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        children.setdefault(parent, []).append(int(stat.parent.name))
    while parents:
        parents = {child for parent in parents for child in children.get(parent, ())}
        found += sorted(parents)
    return found


def command(pid: int) -> bytes:
    """Return what a process calls itself; nothing for one that has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def end(pid: int) -> None:
    """Kill a process that may have ended already."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
