"""A real PostgreSQL server for tests: started from the installed binaries in a temporary folder, on loopback alone."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

PATIENCE_S = 30.0
MISSING = "no PostgreSQL server: install Debian's package `postgresql`"


@dataclass(frozen=True)
class Server:
    """A running server; `restart` and `kill` are for tests of what a client makes of it."""

    folder: Path
    binaries: Path
    port: int

    def url(self, database: str = "postgres") -> str:
        """Return the URL of a database."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def make_database(self, name: str) -> str:
        """Make an empty database and return its URL."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return self.url(name)

    def drop_database(self, name: str) -> None:
        """Drop a database, whoever is connected."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(f'DROP DATABASE "{name}" WITH (FORCE)')

    def start(self) -> None:
        """Start the server and wait until it answers; after a kill, until the last of its old processes is gone too."""
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1 -c fsync=off -c jit=off"
        log = self.folder / "log"
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                self._run("pg_ctl", "-D", str(self.data), "-o", options, "-l", str(log), "-w", "-t", "60", "start")
            except RuntimeError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)
            else:
                return

    def stop(self, mode: str = "fast") -> None:
        """Stop the server, ending all connections."""
        self._run("pg_ctl", "-D", str(self.data), "-m", mode, "-w", "stop")

    def kill(self) -> None:
        """End the server's processes at once, as a loss of power would."""
        os.kill(int((self.data / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)

    @contextlib.contextmanager
    def standing_still(self) -> Iterator[None]:
        """Let none of the server's processes do anything for as long as this lasts; its connections stay open."""
        first = int((self.data / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{first}/task/{first}/children")
        pids: list[int] = []
        os.kill(first, signal.SIGSTOP)  # it first: so that it makes no more of them
        try:
            pids = [int(pid) for pid in children.read_text().split()]
            for pid in pids:
                os.kill(pid, signal.SIGSTOP)
            yield
        finally:
            for pid in (*pids, first):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    @property
    def data(self) -> Path:
        """The server's own folder."""
        return self.folder / "data"

    def _run(self, name: str, *arguments: str) -> None:
        done = subprocess.run(
            [*_as_user(), str(self.binaries / name), *arguments],
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            timeout=120,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"{name} should succeed. Received: {done.stderr}")


def binaries() -> Path | None:
    """Return the folder of the newest server's programs, None where there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    on_path = shutil.which("pg_ctl")
    return Path(on_path).resolve().parent if on_path else None


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Server]:
    """Yield a server whose data lie in a new folder, and stop it at the end."""
    place = binaries()
    if place is None:
        raise RuntimeError(MISSING)
    folder.mkdir(parents=True)
    if _as_user():
        shutil.chown(folder, "postgres")
    server = Server(folder, place, _free_port())
    server._run("initdb", "-D", str(server.data), "-U", "postgres", "-A", "trust", "-N", "-E", "UTF8", "--locale=C")
    server.start()
    try:
        yield server
    finally:
        if (server.data / "postmaster.pid").exists():
            server.stop("immediate")


def _as_user() -> list[str]:
    """Return what runs a program as the user postgres: the server refuses to be root."""
    return ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return one.getsockname()[1]
