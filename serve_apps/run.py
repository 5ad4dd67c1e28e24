"""Run the service until it is told to stop, and then cut nothing: `python -m serve_apps.run serve_apps/local.yaml`.

    serve run FILE ── SIGTERM, SIGINT (Ctrl-C) ── serve_apps.stop: refuse what is new, finish what is in hand ── the end

`serve run` by itself ends its HTTP proxy at once, with the answers that are on their way through it; so does a second
signal. Exit status 0: everything in hand was answered; 1: patience was at its end before, or no application answered.
"""

import argparse
import os
import signal
from dataclasses import dataclass, field
from threading import Event, Thread

from serve_apps.stop import UnreachableError, stop


@dataclass(slots=True)
class Stopping:
    """What a signal begins; a class because the signals' handler and the thread that drains share it."""

    app: str
    patience_s: float
    told: Event = field(default_factory=Event)
    status: int = 0

    def on_signal(self, *_: object) -> None:
        """Begin to stop; at the second signal, or when that is done, end what runs in the main thread."""
        if self.told.is_set():
            raise KeyboardInterrupt
        self.status = 1
        self.told.set()

    def drain(self) -> None:
        """Wait for the first signal, let the service finish what it has, and give the second signal."""
        self.told.wait()
        print("stopping: what is in hand is finished, what is new is refused", flush=True)
        try:
            self.status = 1 if stop(self.app, patience_s=self.patience_s) else 0
        except UnreachableError as error:
            print(f"stopping at once: {error}", flush=True)
        finally:
            os.kill(os.getpid(), signal.SIGINT)


def main() -> None:
    """Read the command line and the environment, and run."""
    from skystamp.cluster import environment

    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("file", help="Serve's settings, as serve_apps/local.yaml")
    parser.add_argument("--app", default="alerts", help="name of the application that takes packets")
    parser.add_argument("--patience", type=float, default=90.0, help="seconds for what is in hand")
    parser.add_argument("--address", default=os.environ.get("RAY_ADDRESS"), help="of the Ray cluster; or one is made")
    given = parser.parse_args()
    environment.apply(local=True)
    import ray
    from ray.serve import scripts

    ray.init(address=given.address, namespace="serve")  # which takes SIGTERM for itself
    stopping = Stopping(given.app, given.patience)
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, stopping.on_signal)
    Thread(target=stopping.drain, daemon=True).start()
    try:
        scripts.cli.main(["run", given.file], standalone_mode=False)
    except SystemExit:  # of Serve, when it has shut down
        raise SystemExit(stopping.status) from None


if __name__ == "__main__":
    main()
