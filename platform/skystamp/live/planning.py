"""Arrivals and the store -> a plan: what is new, what a late packet changes, and what each model is to be asked.

    arrivals ── decode ──> good alerts ┐
    store.index of their objects ──────┴─> rows: stored detections, then new ones ── classify.as_of ──> AsOf of each row
                                                                   │
      wanted = new rows + stored rows whose AsOf has changed + repeated ones that the served version has not scored
                                                                   │
    store.alerts of what models read for these ──> seen, raw ── classify.questions ──> Plan.questions

A repeated packet that was scored costs two queries and no model. Nothing here writes.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from skystamp import classify, inputs, routing
from skystamp.alert import Alert
from skystamp.classify import AsOf, Classification, Models, Read
from skystamp.errors import Reject
from skystamp.inputs import Raw
from skystamp.live.arriving import Arrival
from skystamp.live.dropped import DroppedCutouts, without
from skystamp.store import AlertKey, Detection, History, ObjectKey, Store, StoredOutcome


@dataclass(frozen=True, slots=True)
class Served:
    """The models that answer: their versions by name, and the stamps that are enough for all of them (pixels)."""

    versions: Mapping[str, str]
    side: int
    crop: int

    @classmethod
    def of(cls, models: Models) -> "Served":
        """Return what these models are."""
        versions = {name: model.version for name, model in models.by_name.items()}
        return cls(versions, models.side, models.crop)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be asked and, once answered, written.

    Attributes
    ----------
    served : Served
    arrivals : tuple of Arrival
    rejects : mapping of int to Reject
        Of arrivals whose cutouts do not decode, by their place in `arrivals`.
    histories : mapping of ObjectKey to History
        As the store had them.
    rows : list
        All detections of these objects, stored ones first, then new ones (`Alert`).
    chosen : list of AsOf
        What each row is answered for.
    changed : list of int
        Stored rows whose sequence is another than before.
    wanted : mapping of int to AsOf
        Rows that models are asked for; its indices are those of `seen`.
    alerts : mapping of int to Alert
        Of the rows that are wanted.
    standing : mapping of int to Classification
        Outcomes of rows that need no model; those in `kept` are to be written.
    kept : frozenset of int
    seen, raw : list of Alert, Raw
        What models read.
    """

    served: Served
    arrivals: tuple[Arrival, ...]
    rejects: Mapping[int, Reject]
    histories: Mapping[ObjectKey, History]
    rows: Sequence[Detection | Alert]
    chosen: Sequence[AsOf]
    changed: Sequence[int]
    wanted: Mapping[int, AsOf]
    alerts: Mapping[int, Alert]
    standing: Mapping[int, Classification]
    kept: frozenset[int]
    seen: Sequence[Alert]
    raw: Raw

    @property
    def questions(self) -> dict[str, list[Read]]:
        """What each model is to be asked: detections, as indices of `seen` and rows of `raw`."""
        return classify.questions(self.wanted.values(), self.served.versions)


def plan(store: Store, arrivals: Sequence[Arrival], served: Served) -> Plan:
    """Return what is to be done about packets that came."""
    came = [i for i, one in enumerate(arrivals) if isinstance(one.item, Alert)]
    alerts = [one.item for one in arrivals if isinstance(one.item, Alert)]
    raw, good, rejects = inputs.collect(alerts, side=served.side, crop=served.crop)
    decoded = _Decoded([alerts[i] for i in good], raw)
    return _plan(store, served, tuple(arrivals), {came[i]: reject for i, reject in rejects.items()}, decoded)


def plan_stored(
    store: Store, keys: Mapping[AlertKey, ObjectKey], served: Served, *, model: str, shadow: bool = False
) -> Plan:
    """Return what is to be done so that those of the stored alerts that `model` answers are scored by it.

    With `shadow` a challenger's score counts as one.
    """
    decoded = _Decoded([], inputs.collect([], side=served.side, crop=served.crop)[0])
    return _plan(store, served, (), {}, decoded, keys, model, shadow=shadow)


@dataclass(frozen=True, slots=True)
class _Decoded:
    """Alerts and their inputs, row by row; `first` is where each number first came."""

    alerts: Sequence[Alert]
    raw: Raw

    @property
    def first(self) -> dict[AlertKey, int]:
        return {_key(one): i for i, one in reversed(list(enumerate(self.alerts)))}


@dataclass(frozen=True, slots=True)
class _Known:
    """All detections of the objects in question: stored ones, then new ones, which are these of the decoded alerts."""

    histories: Mapping[ObjectKey, History]
    rows: Sequence[Detection | Alert]
    new: Sequence[int]
    chosen: Sequence[AsOf]
    before: Sequence[AsOf]

    @property
    def stored(self) -> int:
        """How many are stored."""
        return len(self.before)

    @property
    def changed(self) -> list[int]:
        """Stored ones that are answered for another sequence now."""
        return [row for row, old in enumerate(self.before) if _says(old) != _says(self.chosen[row])]


def _plan(
    store: Store,
    served: Served,
    arrivals: tuple[Arrival, ...],
    rejects: Mapping[int, Reject],
    decoded: _Decoded,
    asked: Mapping[AlertKey, ObjectKey] | None = None,
    model: str = "",
    *,
    shadow: bool = False,
) -> Plan:
    names = {key: (key[0], decoded.alerts[i].object_id) for key, i in decoded.first.items()}
    keys = {**names, **store.objects_of(list(names)), **(asked or {})}
    known = _known(store, keys, decoded)
    changed = known.changed
    scored = _scored(store, known, keys, set(changed), served, shadow=shadow)
    again = [row for row in _rows_of(known, keys) if row not in scored]
    wanted = list(dict.fromkeys([*range(known.stored, len(known.rows)), *changed, *again]))
    if model:
        wanted = [row for row in wanted if known.chosen[row].route(served.versions).model == model]
    found = _fetch(store, known, wanted, served, decoded, _own(known, again, decoded))
    lacking = [row for row in wanted if not found.has(_needed(known.chosen[row], served.versions))]
    facts = DroppedCutouts(known.rows, known.chosen, known.before, found.alerts, found.at, served.versions)
    standing, alone = without(store, facts, lacking, changed)
    if model:  # what stands in for it where cutouts are dropped is no score of this model
        alone = {row: one for row, one in alone.items() if one.route(served.versions).model == model}
    places = [found.at.get(row, -1) for row in range(len(known.rows))]
    ready = {row: known.chosen[row].moved(places) for row in wanted if row not in set(lacking)}
    return Plan(
        served=served,
        arrivals=arrivals,
        rejects=rejects,
        histories=known.histories,
        rows=known.rows,
        chosen=known.chosen,
        changed=changed,
        wanted={**ready, **alone},
        alerts=found.alerts,
        standing={**scored, **standing},
        kept=frozenset(standing),
        seen=found.seen,
        raw=found.raw,
    )


def _known(store: Store, keys: Mapping[AlertKey, ObjectKey], decoded: _Decoded) -> _Known:
    histories = store.index(list(dict.fromkeys(keys.values())))
    stored = [one for history in histories.values() for one in history.detections]
    there = {one.key for one in stored}
    new = sorted(i for key, i in decoded.first.items() if key not in there)
    rows: list[Detection | Alert] = [*stored, *(decoded.alerts[i] for i in new)]
    return _Known(histories, rows, new, classify.as_of(rows), classify.as_of(stored))


def _rows_of(known: _Known, keys: Collection[AlertKey]) -> list[int]:
    """Return the stored rows with these keys, in the keys' order."""
    row_of = {_key(one): row for row, one in enumerate(known.rows[: known.stored])}
    return [row_of[key] for key in keys if key in row_of]


def _own(known: _Known, again: Sequence[int], decoded: _Decoded) -> dict[int, int]:
    """Return the rows that came just now, new or again, with their place among the decoded alerts."""
    first = decoded.first
    repeated = {row: first[_key(known.rows[row])] for row in again if _key(known.rows[row]) in first}
    return {known.stored + k: i for k, i in enumerate(known.new)} | repeated


@dataclass(frozen=True, slots=True)
class _Found:
    """What was fetched: alerts by row, and those that decode with their inputs; `at` is a row's place among these."""

    alerts: dict[int, Alert]
    at: dict[int, int]
    seen: list[Alert]
    raw: Raw

    def has(self, rows: Sequence[int]) -> bool:
        """Return whether models can read all of these rows."""
        return all(row in self.at for row in rows)


def _fetch(
    store: Store, known: _Known, wanted: Sequence[int], served: Served, decoded: _Decoded, own: Mapping[int, int]
) -> _Found:
    """Return the alerts that are wanted or read for these; of stored ones that are not read, no cutouts are fetched."""
    read = dict.fromkeys(each for row in wanted for each in _needed(known.chosen[row], served.versions))
    fetched = _stored(store, known, [row for row in read if row not in own], with_cutouts=True)
    named = _stored(store, known, [row for row in wanted if row not in own and row not in read], with_cutouts=False)
    whole = [row for row, one in fetched.items() if one.cutouts]
    raw, kept, _ = inputs.collect([fetched[row] for row in whole], side=served.side, crop=served.crop)
    mine = {row: decoded.alerts[i] for row, i in own.items()}
    at = {row: i for i, row in enumerate([*mine, *(whole[i] for i in kept)])}
    alerts = {**fetched, **named, **mine}
    return _Found(alerts, at, [alerts[row] for row in at], _joined(decoded.raw.take(list(own.values())), raw))


def _stored(store: Store, known: _Known, rows: Sequence[int], *, with_cutouts: bool) -> dict[int, Alert]:
    keys = {row: _key(known.rows[row]) for row in rows}
    found = store.alerts(list(keys.values()), with_cutouts=with_cutouts) if keys else {}
    return {row: found[key] for row, key in keys.items()}


def _needed(one: AsOf, served: Collection[str]) -> tuple[int, ...]:
    """Return the rows whose cutouts the models read: the sequence, and what the rule `BOGUS_TWICE` looks at."""
    return one.accepted[: max(one.route(served).detections, min(one.count, 2))]


def _scored(
    store: Store,
    known: _Known,
    keys: Collection[AlertKey],
    changed: Collection[int],
    served: Served,
    *,
    shadow: bool,
) -> dict[int, Classification]:
    """Return the stored outcomes of repeated alerts, whose sequence is as it was, by the versions that are served."""
    repeated = [row for row in _rows_of(known, keys) if row not in changed]
    stored = store.outcomes([_key(known.rows[row]) for row in repeated]) if repeated else {}
    found = {}
    for row in repeated:
        name = known.chosen[row].route(served.versions).model
        for outcome in stored[_key(known.rows[row])]:
            if _is_by(outcome, name, served.versions[name]) and (shadow or not outcome.shadow):
                found[row] = outcome.classification
    return found


def _is_by(outcome: StoredOutcome, model: str, version: str) -> bool:
    return (outcome.classification.model, outcome.classification.model_version) == (model, version)


def _says(one: AsOf) -> tuple[tuple[int, ...], bool, bool]:
    """Return all of it that an outcome depends on."""
    return one.accepted, one.count > routing.LONGEST, one.place > 0


def _joined(one: Raw, other: Raw) -> Raw:
    return Raw(np.concatenate([one.stamps, other.stamps]), np.concatenate([one.metadata, other.metadata]))


def _key(one: Detection | Alert) -> AlertKey:
    return one.survey, one.alert_id
