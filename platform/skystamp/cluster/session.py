"""A Ray cluster for the length of a `with`: the one that is connected, one at an address, or a small one started here.

Importing this imports Ray: entry points apply `environment` first.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import ray

from skystamp.cluster.environment import ENVIRONMENT, LOCAL_ENVIRONMENT

__all__ = ["BLOCK_BYTES", "ENVIRONMENT", "LOCAL_ENVIRONMENT", "connected", "streaming"]

BLOCK_BYTES = 1 << 24  # of one block between two stages; Ray's own 128 MiB fill a small object store


@contextmanager
def connected(address: str | None = None, *, cpus: int | None = None) -> Iterator[None]:
    """Hold a connection to Ray: the process's own where there is one, else to `address`, else to a new local cluster.

    Parameters
    ----------
    address : str, optional
        As `ray.init` takes it; None starts a cluster on this machine, which ends with the `with`.
    cpus : int, optional
        Of the new cluster; all cores by default.
    """
    if ray.is_initialized():
        yield
        return
    started: dict[str, Any] = {"num_cpus": cpus or os.cpu_count(), "include_dashboard": False} if not address else {}
    ray.init(address=address or "local", logging_level="WARNING", **started)
    try:
        yield
    finally:
        ray.shutdown()


@contextmanager
def streaming(*, ordered: bool = False, block_bytes: int = BLOCK_BYTES) -> Iterator[None]:
    """Set how Ray Data runs: small blocks, a progress bar, results in the order of the input if asked for."""
    import ray.data

    context = ray.data.DataContext.get_current()
    before = (context.target_max_block_size, context.execution_options.preserve_order, context.enable_progress_bars)
    context.target_max_block_size = block_bytes
    context.execution_options.preserve_order = ordered
    context.enable_progress_bars = True
    try:
        yield
    finally:
        context.target_max_block_size, context.execution_options.preserve_order = before[:2]
        context.enable_progress_bars = before[2]
