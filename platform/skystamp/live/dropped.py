"""What is answered where retention has dropped cutouts that a model would read.

In this order:

1. what the same version of the same model said of the same detections before, as stored: the answer has not changed;
2. the first-detection model on the detection alone, if its own cutouts are there, flagged `CUTOUTS_DROPPED`;
3. for a stored one whose sequence a very late packet has changed: its outcome as it stands, flagged so.

A stored one of which nothing is asked but a new version's score stays without it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from skystamp import classify
from skystamp.alert import Alert
from skystamp.classify import (
    BOGUS_TWICE,
    CUTOUTS_DROPPED,
    NO_CATALOGUE,
    NO_WISE_MATCH,
    Answer,
    AsOf,
    Classification,
)
from skystamp.store import Detection, Store, StoredOutcome


@dataclass(frozen=True, slots=True)
class DroppedCutouts:
    """What is known of the rows of a plan: `before` are what stored rows were answered for, `at` has their cutouts."""

    rows: Sequence[Detection | Alert]
    chosen: Sequence[AsOf]
    before: Sequence[AsOf]
    alerts: Mapping[int, Alert]
    at: Mapping[int, int]
    versions: Mapping[str, str]


def without(
    store: Store, known: DroppedCutouts, lacking: Sequence[int], changed: Sequence[int]
) -> tuple[dict[int, Classification], dict[int, AsOf]]:
    """Return outcomes that need no model, and what the others are answered for, of rows that lack cutouts."""
    objects = {row: (known.rows[row].survey, known.rows[row].object_id) for row in lacking}
    stored = store.outcomes_of_objects(list(dict.fromkeys(objects.values()))) if lacking else {}
    row_of = {(one.survey, one.alert_id): row for row, one in enumerate(known.rows)}
    standing: dict[int, Classification] = {}
    alone: dict[int, AsOf] = {}
    for row in lacking:
        outcomes = stored[objects[row]]
        said = [one for one in outcomes if _is_same(one, row, known, row_of)]
        if said:
            standing[row] = _repeated(said[-1].classification, row, known)
        elif row in known.at:
            place = known.chosen[row].place
            alone[row] = AsOf((known.at[row],), 1, place, known.chosen[row].left_out, (CUTOUTS_DROPPED,))
        elif row in changed:
            standing.update(_as_it_stands(row, outcomes, known))
    return standing, alone


def _is_same(stored: StoredOutcome, row: int, known: DroppedCutouts, row_of: Mapping[tuple[str, int], int]) -> bool:
    """Return whether an outcome was made by the model that is to answer, from the detections that it is to read."""
    one, as_of = stored.classification, known.chosen[row]
    route = as_of.route(known.versions)
    if (one.model, one.model_version) != (route.model, known.versions[route.model]) or CUTOUTS_DROPPED in one.flags:
        return False
    before = known.before[row_of[one.survey, one.alert_id]]
    needed = max(route.detections, min(as_of.count, 2))
    same = before.accepted[:needed] == as_of.accepted[:needed]
    return same and one.n_detections == route.detections and min(before.count, 2) == min(as_of.count, 2)


def _repeated(said: Classification, row: int, known: DroppedCutouts) -> Classification:
    as_of, versions = known.chosen[row], known.versions
    of_catalogue = tuple(flag for flag in said.flags if flag in (NO_CATALOGUE, NO_WISE_MATCH))
    answer = Answer(said.probabilities, said.model_version, of_catalogue, said.spread)
    twice = next((rule for rule in said.rules if rule.rule == BOGUS_TWICE), None)
    first = known.alerts[as_of.accepted[0]]
    return classify.classified(known.alerts[row], as_of, first, answer, twice, versions)


def _as_it_stands(row: int, outcomes: Sequence[StoredOutcome], known: DroppedCutouts) -> dict[int, Classification]:
    number = known.rows[row].alert_id
    own = [one for one in outcomes if one.classification.alert_id == number and not one.shadow]
    if not own:
        return {}
    newest = max(own, key=lambda one: one.created).classification
    flags = tuple(dict.fromkeys((*newest.flags, CUTOUTS_DROPPED)))
    return {row: replace(newest, flags=flags)}
