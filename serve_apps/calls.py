"""A call of one deployment by another, made again where that is safe."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from ray.exceptions import RayActorError

from serve_apps import measures

log = logging.getLogger("ray.serve")

_AGAIN_S = (0.1, 0.5, 2.0)  # before a call whose replica died is made again


async def call(remote: Callable[..., Any], *values: Any) -> Any:
    """Return the answer of a deployment's method, asked again if the replica that had the question died.

    Only for methods that change nothing. A caller who gives up, as after a time-out, takes the question back.
    """
    for pause_s in _AGAIN_S:
        try:
            return await _answer(remote(*values))
        except RayActorError as error:
            log.warning("a replica died with a question, which is asked again: %s", type(error).__name__)
            measures.count(measures.REPEATED)
            await asyncio.sleep(pause_s)
    return await _answer(remote(*values))


async def _answer(response: Any) -> Any:
    try:
        return await response
    except asyncio.CancelledError:
        if hasattr(response, "cancel"):
            response.cancel()  # or the replica would work on for nobody
        raise
