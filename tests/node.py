"""One Ray node until it is killed: `python -m tests.node head|worker GCS_PORT FOLDER NUMBER`.

`ray start` refuses workers where `RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER=0` keeps Ray on loopback; Ray's own
`cluster_utils` starts nodes as here.
"""

import signal
import sys

UP = "is up"
STORE_BYTES = 100_000_000  # of shared memory a node; what travels is small
CORES = 8  # imagined ones, of a worker


def main(kind: str, gcs_port: str, folder: str, number: str) -> None:
    """Start the node's processes and wait."""
    from ray._private.node import Node
    from ray._private.parameter import RayParams

    both = {
        "node_ip_address": "127.0.0.1",
        "object_store_memory": STORE_BYTES,
        "min_worker_port": 0,
        "max_worker_port": 0,
        "dashboard_agent_listen_port": None,
        "include_log_monitor": False,
        # Of their own: two nodes that start together on one machine would choose the same.
        "plasma_store_socket_name": f"{folder}/plasma{number}",
        "raylet_socket_name": f"{folder}/raylet{number}",
    }
    if kind == "head":
        own = {"num_cpus": 0, "gcs_server_port": int(gcs_port), "temp_dir": folder, "include_dashboard": False}
        own["no_monitor"] = True
    else:
        own = {"num_cpus": CORES, "gcs_address": f"127.0.0.1:{gcs_port}", "node_manager_port": 0}
    Node(RayParams(**both, **own), head=kind == "head", shutdown_at_exit=False, spawn_reaper=False)
    print(f"{kind} {UP}", flush=True)
    signal.pause()


if __name__ == "__main__":
    main(*sys.argv[1:])
