"""The model that an alias names, kept current: a change of the alias changes what answers, between two batches.

A new version is loaded beside the old one, in a thread, and takes its place when it has reproduced its example. One
that does not load leaves the old one in its place; `problem` and the log say so.

    Following   there is always a model: none at the start is an error
    Perhaps     there may be none: an alias that appears is taken up, one that goes is let go
"""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

from skystamp.classify import Model
from skystamp.errors import SkystampError

log = logging.getLogger("ray.serve.skystamp")

Load = Callable[[], Model]
"""Gives the model as the registry has it now."""

Named = Callable[[], str | None]
"""Gives the version that the registry names now, or None if it names none."""


class Watch:
    """Looks again and again in a thread, says what is wrong once, in the log and in `problem`, and goes on.

    Parameters
    ----------
    look : callable
        What is done each time.
    every_s : float
        Seconds between two looks; 0 for none.
    told : callable
        Gives the beginning of the sentence that the log gets.
    at_once : bool
        Whether the first look comes before the first pause, and even if there is no other.
    """

    def __init__(
        self, look: Callable[[], None], every_s: float, told: Callable[[], str], *, at_once: bool = False
    ) -> None:
        self._look, self._every_s, self._told, self._at_once = look, every_s, told, at_once
        self.problem: str | None = None
        self._ended = threading.Event()
        if every_s or at_once:
            threading.Thread(target=self._run, name="following", daemon=True).start()

    def end(self) -> None:
        """End the thread."""
        self._ended.set()

    def _run(self) -> None:
        with ThreadPoolExecutor(1, "look") as looker:
            if self._at_once:
                self._try(looker)
            while self._every_s and not self._ended.wait(self._every_s):
                self._try(looker)

    def _try(self, looker: ThreadPoolExecutor) -> None:
        error = looker.submit(self._look).exception()  # whatever is wrong with the registry, we go on answering
        problem = None if error is None else f"{type(error).__name__}: {error}"[:500]
        if problem and problem != self.problem:
            log.error("%s, for %s", self._told(), problem)
        self.problem = problem


class Following:
    """Holds the model that answers, in `model`; a class because it holds a thread.

    Parameters
    ----------
    load : callable
    named : callable
    every_s : float
        Seconds between two looks at the registry; 0 for a model that never changes.
    before : callable, optional
        Gives the model that answered last, None if that is not known: it answers where `load` fails at the start, so
        that a process that is started anew does as one that was not. Without it, what `load` raises is raised here.
    taken : callable, optional
        Told each version that answers, for `before` to know it.
    """

    def __init__(
        self,
        load: Load,
        named: Named,
        every_s: float,
        *,
        before: Callable[[], Model | None] | None = None,
        taken: Callable[[str], None] | None = None,
    ) -> None:
        self._load, self._named, self._taken, self._noted = load, named, taken, ""
        self._set(self._first(before))
        self._watch = Watch(self.look, every_s, self._stays)

    @property
    def problem(self) -> str | None:
        """Why a newer version does not answer instead."""
        return self._watch.problem

    def end(self) -> None:
        """End the thread that looks."""
        self._watch.end()

    def look(self) -> None:
        """Look once, and take the version that is named now if it is another and loads."""
        version = self._named()
        if version is None:
            raise LookupError(f"the registry names no version of {self.model.name}")
        if version != self.model.version:
            self._set(self._load())
            log.warning("model %s: version %s answers from now on", self.model.name, self.model.version)
        if self._taken and self._noted != self.model.version:
            self._noted = self.model.version  # before, so that a registry that can not be written is told once
            self._taken(self.model.version)

    def _first(self, before: Callable[[], Model | None] | None) -> Model:
        try:
            return self._load()
        except SkystampError as error:
            last = before() if before else None
            if last is None:
                raise
            log.warning("model %s: version %s answers, which did last, for %s", last.name, last.version, error)
            return last

    def _set(self, model: Model) -> None:
        self.model, self.loaded = model, datetime.now(UTC)

    def _stays(self) -> str:
        return f"model {self.model.name}: version {self.model.version} stays"


class Perhaps:
    """Holds the model that an alias names, or None, in `model`; making one never fails and waits for nothing.

    Parameters
    ----------
    name : str
        For the log.
    load, named : callable
    every_s : float
        Seconds between two looks at the registry; 0 for one look alone.
    """

    def __init__(self, name: str, load: Load, named: Named, every_s: float) -> None:
        self._name, self._load, self._named = name, load, named
        self.model: Model | None = None
        self.loaded: datetime | None = None
        self._watch = Watch(self.look, every_s, self._stays, at_once=True)

    @property
    def problem(self) -> str | None:
        """Why what the alias names is not held."""
        return self._watch.problem

    def end(self) -> None:
        """End the thread that looks."""
        self._watch.end()

    def look(self) -> None:
        """Look once: take up the version that is named now, or let go of the one that no longer is."""
        version = self._named()
        if version is None:
            if self.model is not None:
                log.warning("%s: version %s is let go", self._name, self.model.version)
            self.model = self.loaded = None
        elif self.model is None or version != self.model.version:
            self.model = self._load()
            self.loaded = datetime.now(UTC)
            log.warning("%s: version %s is taken up", self._name, self.model.version)

    def _stays(self) -> str:
        return f"{self._name}: {'none' if self.model is None else 'version ' + self.model.version} stays"
