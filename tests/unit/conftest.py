"""Unit tests are quick and alone: none starts a cluster, imports TensorFlow or Keras, or talks beyond this machine."""

import builtins
import ipaddress
import socket
import sys
from typing import Any

import pytest

_HEAVY = frozenset(("tensorflow", "keras", "jax"))
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
