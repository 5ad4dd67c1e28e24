"""What the service measures, under which names, and how a deployment tells of it: Prometheus through Ray's exporter.

    count, level, observe ── a process's own metrics ── Ray's agent of the node (every 10 s) ── http://NODE:PORT/metrics

Ray puts ``ray_`` before each name and its own tags beside ours (WorkerId: the replica's process). The ending says the
kind and the unit: ``_total`` counts up, ``_seconds`` and ``_bytes`` with buckets are histograms, the rest goes up and
down. Tags have few values: classes, models, reasons, stages, never an alert's or an object's id, which are in the logs.
What is counted is what was answered: a packet that is sent twice counts twice, though the store knows it once.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from ray.util import metrics

from serve_apps import logs
from skystamp.classify import Classification, Outcome

_LATER = {429, 503, 504}

FAST_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper edges in seconds: from a network's step to the service's time-out."""

ALERTS = (1, 2, 4, 8, 16, 32, 64, 128, 256)
"""Upper edges of how many alerts pass a model together."""

STAGES = ("read_body", "unpack", "wait", "read", "locks", "plan", "ask", "settle", "record", "request")
"""Parts of a request, in order: its bytes come in; gzip and frames; its way to the router and back, which holds the
next six: packets to alerts; until no other packet of its objects is on its way; histories; the models; outcomes;
the store's writing. ``request`` is all of it."""


@dataclass(frozen=True, slots=True)
class Measure:
    """One metric: its name before Ray's ``ray_``, what it says, its tags, and the buckets of a histogram."""

    name: str
    text: str
    tags: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()

    @property
    def exported(self) -> str:
        """The name that Prometheus sees."""
        return f"ray_{self.name}"


SHEDDING = (408, 429, 503, 504)
"""Statuses that tell a client to come later."""

REQUESTS = Measure("skystamp_requests_total", "Requests to classify that were answered, by status.", ("status",))
SHED = Measure("skystamp_shed_total", "Requests that were told to come later, by the code of the answer.", ("reason",))
BODY_BYTES = Measure("skystamp_body_bytes_total", "Bytes of the bodies that came in, as they travelled.")
PACKETS = Measure("skystamp_packets_total", "Packets of bodies that were read, whatever became of them.")
OUTCOMES = Measure("skystamp_outcomes_total", "Classifications that were answered.", ("class", "model", "version"))
FLAGS = Measure("skystamp_flags_total", "Flags and rules of the classifications that were answered.", ("flag",))
REJECTIONS = Measure("skystamp_rejections_total", "Rejections that were answered, by reason.", ("reason",))
STAGE_SECONDS = Measure("skystamp_stage_seconds", "Time of a part of a request.", ("stage",), FAST_S)
MODEL_SECONDS = Measure(
    "skystamp_model_seconds", "Time of a model's answer to a batch, inputs and network.", ("model",), FAST_S
)
MODEL_ALERTS = Measure("skystamp_model_batch_alerts", "Alerts or sequences of a model's batch.", ("model",), ALERTS)
QUEUE = Measure(
    "skystamp_queue_depth", "What waits or is worked on: bodies, of a model's queue alerts or questions.", ("queue",)
)
REPEATED = Measure("skystamp_calls_repeated_total", "Calls made again because the replica that had them died.")
STORE_ERRORS = Measure(
    "skystamp_store_errors_total",
    "Writings that failed: outdated (another was quicker, tried again), unavailable (answered 503).",
    ("kind",),
)
SHADOW_SKIPPED = Measure(
    "skystamp_shadow_skipped_total",
    "Alerts that a model's challenger did not score though it was their turn: queue_full, or its call failed.",
    ("model", "reason"),
)
SHADOW_OUTCOMES = Measure("skystamp_shadow_outcomes_total", "Alerts that a model's challenger scored.", ("model",))
MODEL_INFO = Measure("skystamp_model_info", "1 for the version that a model answers with.", ("model", "version"))
MODEL_PROBLEM = Measure(
    "skystamp_model_problem", "1 while the version that the alias names can not take its place.", ("model",)
)

MEASURES = (
    *(REQUESTS, SHED, BODY_BYTES, PACKETS, OUTCOMES, FLAGS, REJECTIONS, STAGE_SECONDS, MODEL_SECONDS),
    *(MODEL_ALERTS, QUEUE, REPEATED, STORE_ERRORS, SHADOW_SKIPPED, SHADOW_OUTCOMES, MODEL_INFO, MODEL_PROBLEM),
)


def count(measure: Measure, value: float = 1, **tags: str) -> None:
    """Add to a counter; nothing for 0."""
    if value > 0:
        _made(measure).inc(value, tags)


def level(measure: Measure, value: float, **tags: str) -> None:
    """Set what goes up and down."""
    _made(measure).set(value, tags)


def observe(measure: Measure, value: float, **tags: str) -> None:
    """Add one observation to a histogram."""
    _made(measure).observe(value, tags)


@contextmanager
def stage(name: str) -> Iterator[None]:
    """Measure how long a part of a request takes, also one that fails; `name` is of `STAGES`."""
    begun = time.perf_counter()
    try:
        yield
    finally:
        observe(STAGE_SECONDS, time.perf_counter() - begun, stage=name)


@contextmanager
def held(queue: str, items: int = 1) -> Iterator[None]:
    """Count items as waiting or worked on in a queue of this process for as long as this lasts."""
    _hold(queue, items)
    try:
        yield
    finally:
        _hold(queue, -items)


def received(size: int) -> None:
    """Count the bytes of a body that came in."""
    count(BODY_BYTES, size)


def answered(status: int, code: str) -> None:
    """Count an answered request by its status, and by its code if it is to come later; a refusal gets its log line."""
    count(REQUESTS, status=str(status))
    if status in _LATER:
        count(SHED, reason=code)
    if code:
        logs.refused(status, code)


def outcomes(found: Iterable[Outcome]) -> None:
    """Count the outcomes of an answer."""
    told = Counter(one for outcome in found for one in _counted(outcome))
    for (measure, tags), number in told.items():
        count(measure, number, **dict(tags))


@contextmanager
def batch(model: str, alerts: int) -> Iterator[None]:
    """Measure a model's answer to a batch."""
    observe(MODEL_ALERTS, alerts, model=model)
    begun = time.perf_counter()
    try:
        yield
    finally:
        observe(MODEL_SECONDS, time.perf_counter() - begun, model=model)


def serving(model: str, version: str, *, problem: bool) -> None:
    """Tell which version a model answers with now; the one before it, in this process, no longer does."""
    before = _versions().get(model)
    if before not in (None, version):
        level(MODEL_INFO, 0, model=model, version=before)
    _versions()[model] = version
    level(MODEL_INFO, 1, model=model, version=version)
    level(MODEL_PROBLEM, problem, model=model)


def _hold(queue: str, change: int) -> None:
    _depths()[queue] += change
    level(QUEUE, _depths()[queue], queue=queue)


def _counted(outcome: Outcome) -> Iterator[tuple[Measure, tuple[tuple[str, str], ...]]]:
    if not isinstance(outcome, Classification):
        yield REJECTIONS, (("reason", outcome.reason.value),)
        return
    yield OUTCOMES, (("class", outcome.label), ("model", outcome.model), ("version", outcome.model_version))
    for flag in (*outcome.flags, *(rule.rule for rule in outcome.rules)):
        yield FLAGS, (("flag", flag),)


@cache
def _made(measure: Measure) -> Any:
    """Return Ray's metric, made when a process first needs it: importing this file touches no cluster."""
    return _maker(measure)(measure.name, description=measure.text, tag_keys=measure.tags)


def _maker(measure: Measure) -> Callable[..., Any]:
    if measure.name.endswith("_total"):
        return metrics.Counter
    return partial(metrics.Histogram, boundaries=list(measure.buckets)) if measure.buckets else metrics.Gauge


@cache
def _depths() -> Counter[str]:
    return Counter()


@cache
def _versions() -> dict[str, str]:
    return {}
