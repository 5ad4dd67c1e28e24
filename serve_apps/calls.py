"""A call of one deployment by another, made again where that is safe."""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from ray.exceptions import RayActorError

log = logging.getLogger("ray.serve")

_AGAIN_S = (0.1, 0.5, 2.0)  # before a call whose replica died is made again


async def call(remote: Callable[..., Any], *values: Any) -> Any:
    """Return the answer of a deployment's method, asked again if the replica that had the question died.

    Only for methods that change nothing.
    """
    for pause_s in _AGAIN_S:
        try:
            return await remote(*values)
        except RayActorError as error:
            log.warning("a replica died with a question, which is asked again: %s", type(error).__name__)
            await asyncio.sleep(pause_s)
    return await remote(*values)
