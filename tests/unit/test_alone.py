"""The unit tests' own fence holds."""

import socket

import pytest


@pytest.mark.parametrize("name", ["tensorflow", "keras", "jax"])
def test_heavy_library_is_not_imported(name):
    with pytest.raises(ImportError, match="tests/model"):
        __import__(name)


def test_connection_beyond_this_machine_is_refused():
    with socket.socket() as one, pytest.raises(OSError, match="beyond this machine"):
        one.connect(("192.0.2.1", 80))


def test_connection_to_this_machine_is_possible():
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket() as client:
        client.connect(server.getsockname())


def test_ray_does_not_start():
    import ray

    with pytest.raises((RuntimeError, ConnectionError, ValueError)):
        ray.init()
