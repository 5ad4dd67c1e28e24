"""The model that an alias names, kept current: a change of the alias changes what answers, between two batches.

A new version is loaded beside the old one, in a thread, and takes its place when it has reproduced its example. One
that does not load leaves the old one in its place; `problem` and the log say so.
"""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from skystamp.classify import Model

log = logging.getLogger("ray.serve.skystamp")


class Following:
    """Holds the model that answers, in `model`; a class because it holds a thread.

    Parameters
    ----------
    load : callable
        Gives the model as the registry has it now; what it raises at the start is raised here.
    named : callable
        Gives the version that the registry names now, or None if it names none.
    every_s : float
        Seconds between two looks at the registry; 0 for a model that never changes.
    """

    def __init__(self, load: Callable[[], Model], named: Callable[[], str | None], every_s: float) -> None:
        self._load, self._named = load, named
        self.problem: str | None = None
        self._ended = threading.Event()
        self._set(load())
        if every_s:
            threading.Thread(target=self._watch, args=(every_s,), name="following", daemon=True).start()

    def end(self) -> None:
        """End the thread that looks."""
        self._ended.set()

    def look(self) -> None:
        """Look once, and take the version that is named now if it is another and loads."""
        version = self._named()
        if version is None:
            raise LookupError(f"the registry names no version of {self.model.name}; version {self.model.version} stays")
        if version != self.model.version:
            self._set(self._load())
            log.warning("model %s: version %s answers from now on", self.model.name, self.model.version)

    def _set(self, model: Model) -> None:
        self.model, self.loaded = model, datetime.now(UTC)

    def _watch(self, every_s: float) -> None:
        with ThreadPoolExecutor(1, "look") as looker:
            while not self._ended.wait(every_s):
                error = looker.submit(self.look).exception()  # whatever is wrong with the registry, we go on answering
                self._report(None if error is None else f"{type(error).__name__}: {error}"[:500])

    def _report(self, problem: str | None) -> None:
        if problem and problem != self.problem:
            log.error("model %s: version %s stays, for %s", self.model.name, self.model.version, problem)
        self.problem = problem
