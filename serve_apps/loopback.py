"""Replicas of a cluster on loopback, kept on loopback."""

import ray
from ray.serve._private import replica

_LOOPBACK = "127.0.0.1"
_bind = replica.add_port_to_grpc_server


def keep_on_loopback() -> None:
    """Let the replica of this process listen on loopback alone, if its node does.

    Ray 2.60 gives each replica a port for other deployments, which unpickles what it is sent, and binds it to every
    interface; there is no setting for it. Called in a deployment's constructor, before the port is bound.
    """
    if ray.util.get_node_ip_address() == _LOOPBACK:
        replica.add_port_to_grpc_server = _bind_loopback


def _bind_loopback(server: object, address: str) -> int:
    return _bind(server, address.replace("[::]", _LOOPBACK))
