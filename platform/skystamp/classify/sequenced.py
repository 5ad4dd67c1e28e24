"""Alerts with their objects' other alerts -> outcomes: each alert is answered for its object's sequence as of it.

    alerts ── inputs.collect ──> Raw ── by object ── sequences.select ──> accepted detections, up to each alert
                │ Reject                                  │
                └──> Rejection                            └── routing.route ──> model, n ── bundle.predict ──> outcome

An alert's outcome depends on the detections of its object that are not later than it, and on nothing else: not on the
order in which they are given, nor on repetitions, nor on what comes later. An archive and a live stream are answered
alike; live, the alerts are an object's stored history and what just came.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Float64

from skystamp import inputs, routing, taxonomy
from skystamp.alert import Alert
from skystamp.avro import Decoded
from skystamp.classify.asof import AsOf, as_of
from skystamp.classify.outcomes import (
    BOGUS_TWICE,
    NO_CATALOGUE,
    NO_WISE_MATCH,
    NOT_FIRST_DETECTION,
    TOO_CLOSE,
    Classification,
    Model,
    Outcome,
    Rejection,
    RuleOutcome,
    flags_of,
    reject_outcome,
    rules_of,
)
from skystamp.classify.single import alerts as read_alerts
from skystamp.crossmatch import COLUMNS
from skystamp.errors import Reject, UsageError
from skystamp.inputs import InputSpec, Raw, RawSequences, SequenceSpec


@runtime_checkable
class Matcher(Protocol):
    """What finds the source of a catalogue nearest to a position; `crossmatch.Catalogue` does."""

    def match(
        self, ra: Float64[np.ndarray, " position"], dec: Float64[np.ndarray, " position"]
    ) -> Float64[np.ndarray, "position column"]:
        """Return `crossmatch.COLUMNS` of the match of each position, NaN where there is none."""
        ...


@dataclass(frozen=True, slots=True)
class Models:
    """The models that answer, by the names of `routing.MODEL_FOR`, and the catalogue that temporal models read.

    Without a catalogue its inputs are missing, which each classification says by `NO_CATALOGUE`.
    """

    by_name: Mapping[str, Model]
    catalogue: Matcher | None = None

    def __post_init__(self) -> None:
        """Refuse a choice of models that could not answer every alert."""
        if routing.FIRST_DETECTION not in self.by_name:
            raise UsageError(f"a {routing.FIRST_DETECTION} model should be given. Received: {sorted(self.by_name)}")
        for name, model in self.by_name.items():
            require_detections(name, model)

    @property
    def side(self) -> int:
        """Pixels of a whole stamp."""
        return self.by_name[routing.FIRST_DETECTION].bundle.spec.side

    @property
    def crop(self) -> int:
        """Pixels that are enough for every model, and share their centre with what each reads.

        Of an even crop of an odd stamp one more is kept: the centre of the centre has to be that of the whole.
        """
        largest = max(model.bundle.spec.crop for model in self.by_name.values())
        return largest + (self.side - largest) % 2


def require_detections(name: str, model: Model) -> Model:
    """Return the model if it reads as many detections as its name in `routing.MODEL_FOR` says.

    Raises
    ------
    UsageError
        If it does not, or there is no such name.
    """
    expected = {each: n for n, each in routing.MODEL_FOR.items()}
    spec = model.bundle.spec
    reads = spec.detections if isinstance(spec, SequenceSpec) else 1
    if expected.get(name) != reads:
        wanted = f"a model named {name} should read {expected.get(name, 'nothing: no such name')} detections"
        raise UsageError(f"{wanted}. Received: one that reads {reads}")
    return model


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model says of one sequence of detections, and what is to be said of its inputs."""

    probabilities: dict[str, float]  # of the model's classes, in its order
    version: str
    flags: tuple[str, ...] = ()
    spread: dict[str, float] | None = None  # as of `Classification`

    @property
    def label(self) -> str:
        """The most probable class."""
        return max(self.probabilities, key=self.probabilities.__getitem__)


Read = tuple[int, ...]
"""The detections that a model reads, as indices of alerts and of rows of `Raw`."""

Answers = Mapping[tuple[str, Read], Answer]
"""By the model's name and what it read."""


def history_records(items: Sequence[Decoded | Reject], models: Models) -> list[Outcome]:
    """Return the outcome of each record, or of the fault in its place, in order, as `histories` does."""
    found = read_alerts(items)
    outcomes = iter(histories([alert for alert in found if isinstance(alert, Alert)], models))
    return [item if isinstance(item, Rejection) else next(outcomes) for item in found]


def histories(alerts: Sequence[Alert], models: Models, *, wanted: Sequence[int] | None = None) -> list[Outcome]:
    """Return the outcome of each alert as of that alert, in order.

    Parameters
    ----------
    alerts : sequence of Alert
        All that is known of each object, in any order; alerts may come more than once.
    models : Models
        For one survey.
    wanted : sequence of int, optional
        Indices of those alerts whose outcomes are asked for; the others are history. By default all.

    Notes
    -----
    An alert that is nearer than six hours to an accepted one adds nothing: it is answered by the sequence before it,
    flagged `TOO_CLOSE`. Where the first two accepted detections are both bogus to the first-detection model, the rule
    `BOGUS_TWICE` says bogus (DESIGN, "Bogus with two detections").
    """
    raw, kept, rejects = inputs.collect(alerts, side=models.side, crop=models.crop)
    seen = [alerts[i] for i in kept]
    rows = {i: row for row, i in enumerate(kept)}
    indices = range(len(alerts)) if wanted is None else wanted
    chosen = as_of(seen)
    answers = ask(questions([chosen[rows[i]] for i in indices if i in rows], models.by_name), seen, raw, models)
    return [
        reject_outcome(rejects[i], alerts[i])
        if i in rejects
        else classification(alerts[i], chosen[rows[i]], seen, answers, models.by_name)
        for i in indices
    ]


def questions(wanted: Iterable[AsOf], served: Collection[str]) -> dict[str, list[Read]]:
    """Return what each model is to be asked, each sequence once, for its answer and for the rule `BOGUS_TWICE`."""
    asked: dict[str, set[Read]] = {}
    for one in wanted:
        route = one.route(served)
        asked.setdefault(route.model, set()).add(one.accepted[: route.detections])
        if one.count > 1:
            asked.setdefault(routing.FIRST_DETECTION, set()).update((row,) for row in one.accepted[:2])
    return {name: sorted(chosen) for name, chosen in asked.items()}


def ask(asked: Mapping[str, Sequence[Read]], seen: Sequence[Alert], raw: Raw, models: Models) -> Answers:
    """Return each model's answers; `raw` are the inputs of the alerts `seen`."""
    found: dict[tuple[str, Read], Answer] = {}
    for name, members in asked.items():
        answers = answered(models.by_name[name], members, seen, raw, models.catalogue)
        found.update(zip(((name, each) for each in members), answers, strict=True))
    return found


def answered(
    model: Model, reads: Sequence[Read], seen: Sequence[Alert], raw: Raw, catalogue: Matcher | None
) -> list[Answer]:
    """Return one model's answer to each of `reads`; of the alerts `seen` only position and time are looked at."""
    spec, members = model.bundle.spec, np.array(reads, np.int64)
    flags: list[tuple[str, ...]] = [()] * len(members)
    if isinstance(spec, InputSpec):
        said = model.bundle.predict_with_spread(raw.take(members[:, 0]))
    else:
        wise, flags = crossmatched([seen[row] for row in members[:, 0].tolist()], spec, catalogue)
        mjd = np.array([alert.mjd for alert in seen])
        said = model.bundle.predict_with_spread(RawSequences.gathered(raw, mjd, members, wise))
    return [
        Answer(probabilities, model.version, flagged, spread)
        for (probabilities, spread), flagged in zip(said.named(model.bundle.classes), flags, strict=True)
    ]


def crossmatched(
    first: Sequence[Alert], spec: SequenceSpec, catalogue: Matcher | None
) -> tuple[Float64[np.ndarray, "sequence column"], list[tuple[str, ...]]]:
    """Return the match of each sequence's first detection, and what is to be said of it."""
    if not spec.reads_wise:
        return np.full((len(first), len(COLUMNS)), np.nan), [()] * len(first)
    if catalogue is None:
        return np.full((len(first), len(COLUMNS)), np.nan), [(NO_CATALOGUE,)] * len(first)
    wise = catalogue.match(np.array([alert.ra for alert in first]), np.array([alert.dec for alert in first]))
    return wise, [(NO_WISE_MATCH,) if unmatched else () for unmatched in np.isnan(wise[:, 0]).tolist()]


def classification(
    alert: Alert, as_of: AsOf, seen: Sequence[Alert], answers: Answers, served: Collection[str]
) -> Classification:
    """Return the classification of an alert, from the answers to its `questions`."""
    answer = answers[as_of.route(served).model, as_of.read(served)]
    return classified(alert, as_of, seen[as_of.accepted[0]], answer, _bogus_twice(as_of, seen, answers), served)


def classified(
    alert: Alert, as_of: AsOf, first: Alert, answer: Answer, twice: RuleOutcome | None, served: Collection[str]
) -> Classification:
    """Return the classification of an alert that one answer gives; `first` is the first accepted detection."""
    route = as_of.route(served)
    own = [flag for flag in flags_of(alert) if flag != NOT_FIRST_DETECTION]
    begins_later = NOT_FIRST_DETECTION in flags_of(first)
    said = (
        *own,
        *((NOT_FIRST_DETECTION,) if begins_later else ()),
        *(() if as_of.place else (TOO_CLOSE,)),
        *route.flags,
        *as_of.flags,
        *answer.flags,
    )
    return Classification(
        survey=alert.survey,
        object_id=alert.object_id,
        alert_id=alert.alert_id,
        mjd=alert.mjd,
        n_detections=route.detections,
        probabilities=answer.probabilities,
        model=route.model,
        model_version=answer.version,
        flags=said,
        rules=(*rules_of(alert), *((twice,) if twice else ())),
        spread=answer.spread,
    )


def _bogus_twice(as_of: AsOf, seen: Sequence[Alert], answers: Answers) -> RuleOutcome | None:
    """Return bogus if the first-detection model says so of the first accepted detection and of the second."""
    if as_of.count < 2:
        return None
    found = [answers[routing.FIRST_DETECTION, (row,)] for row in as_of.accepted[:2]]
    if any(each.label != taxonomy.BOGUS for each in found):
        return None
    alerts = " and ".join(str(seen[row].alert_id) for row in as_of.accepted[:2])
    detail = f"{routing.FIRST_DETECTION} {found[0].version} says bogus of {alerts}"
    return RuleOutcome(BOGUS_TWICE, taxonomy.BOGUS, detail)
