"""Stop the service and cut nothing: `python -m serve_apps.stop`, on a machine of its cluster.

    each ingress replica refuses what is new (503, Retry-After) ── until none has a request in hand ── serve.shutdown

Serve's own shutdown ends its HTTP proxies at once, with whatever answers were on their way through them.
"""

import argparse
import os
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # Ray reads its settings when it is imported, and `main` makes them
    from ray.serve.handle import DeploymentHandle

POLL_S = 0.2
LAST_ANSWERS_S = 1.0  # for the proxies to send what they were given
CALL_S = 10.0


class UnreachableError(RuntimeError):
    """There is no such application that could be told to stop."""


def stop(app: str = "alerts", *, patience_s: float = 90.0) -> int:
    """Return how many requests were still in hand when the service was shut down: 0, or patience was at its end.

    Raises
    ------
    UnreachableError
        If the application does not run, or does not answer; nothing is shut down then.
    """
    from ray import serve

    handle = _handle(app)
    until = time.monotonic() + patience_s
    while True:
        held = _held(handle)
        if not held or time.monotonic() > until:
            break
        time.sleep(POLL_S)
    time.sleep(LAST_ANSWERS_S)
    serve.shutdown()
    return held


def _handle(app: str) -> "DeploymentHandle":
    from ray import serve
    from ray.exceptions import RayActorError
    from ray.serve.exceptions import RayServeException

    try:
        return serve.get_app_handle(app)
    except RayServeException as error:
        raise UnreachableError(str(error)) from error
    except RayActorError as error:
        raise UnreachableError("Serve has been shut down") from error


def _held(handle: "DeploymentHandle") -> int:
    """Return how many requests are in hand of all replicas; 1 where one died, so that its successor is told."""
    from ray.exceptions import RayActorError
    from ray.serve.exceptions import RayServeException

    try:
        return sum(handle.broadcast("drain").results(timeout_s=CALL_S))
    except RayActorError:
        return 1
    except (RayServeException, TimeoutError) as error:
        raise UnreachableError(f"it does not answer: {error or type(error).__name__}") from error


def main() -> None:
    """Read the command line and the environment, and stop."""
    from skystamp.cluster import environment

    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--app", default="alerts", help="name of the application in its YAML file")
    parser.add_argument("--patience", type=float, default=90.0, help="seconds for what is in hand")
    parser.add_argument("--address", default=os.environ.get("RAY_ADDRESS", "auto"), help="of the Ray cluster")
    given = parser.parse_args()
    environment.apply(local=True)
    import ray

    ray.init(address=given.address, log_to_driver=False, logging_level="WARNING")
    try:
        held = stop(given.app, patience_s=given.patience)
    except UnreachableError as error:
        raise SystemExit(f"serve_apps.stop: {error}") from error
    print("stopped" if not held else f"stopped; {held} requests were not answered in {given.patience:g} s")


if __name__ == "__main__":
    main()
