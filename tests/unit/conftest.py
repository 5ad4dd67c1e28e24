"""Unit tests are quick and alone: none starts a cluster, imports TensorFlow or Keras, or talks beyond this machine."""

import builtins
import contextlib
import ipaddress
import itertools
import socket
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from skystamp.store import Store, open_store
from tests import postgres

_HEAVY = frozenset(("tensorflow", "keras", "jax"))
_databases = itertools.count()
_import, _connect = builtins.__import__, socket.socket.connect


def _light_import(name: str, *args: Any, **kwargs: Any) -> Any:
    level = args[3] if len(args) > 3 else kwargs.get("level", 0)
    if level == 0 and name.partition(".")[0] in _HEAVY:
        raise ImportError(f"a unit test should not import {name}: its place is tests/model")
    return _import(name, *args, **kwargs)


def _local_connect(self: socket.socket, address: Any) -> None:
    if self.family in (socket.AF_INET, socket.AF_INET6) and not _is_loopback(address[0]):
        raise OSError(f"a unit test should open no connection beyond this machine. Received: {address}")
    _connect(self, address)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _no_cluster(*_args: Any, **_kwargs: Any) -> None:
    raise RuntimeError("a unit test should not start Ray: its place is tests/ray")


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builtins, "__import__", _light_import)
    monkeypatch.setattr(socket.socket, "connect", _local_connect)
    if "ray" in sys.modules:
        monkeypatch.setattr(sys.modules["ray"], "init", _no_cluster)
    else:
        monkeypatch.setenv("RAY_ADDRESS", "a-unit-test-should-not-start-ray")


@pytest.fixture(scope="session")
def server() -> Iterator[postgres.Server]:
    """A PostgreSQL server; the test is skipped where none is installed."""
    if postgres.binaries() is None:
        pytest.skip(postgres.MISSING)
    # Not in pytest's own folder, which only we may enter: the server runs as another user.
    with tempfile.TemporaryDirectory(prefix="skystamp-postgres-") as folder:
        Path(folder).chmod(0o755)
        with postgres.running(Path(folder) / "server") as made:
            yield made


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database, once of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/store.db"
        return
    made: postgres.Server = request.getfixturevalue("server")
    name = f"test{next(_databases)}"
    yield made.make_database(name)
    made.drop_database(name)


@pytest.fixture
def opening() -> Iterator[Callable[..., Store]]:
    """`opening(url, ...)`: a store that is closed at the end of the test."""
    with contextlib.ExitStack() as stack:

        def made(*args: Any, **options: Any) -> Store:
            opened = open_store(*args, **options)
            stack.callback(opened.close)
            return opened

        yield made


@pytest.fixture
def store(store_url: str, opening: Callable[..., Store]) -> Store:
    """An empty store, once of each kind."""
    return opening(store_url)
