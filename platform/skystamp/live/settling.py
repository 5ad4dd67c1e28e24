"""Answers -> the outcome of each arrival, and the batch that makes the store say the same."""

import hashlib
from collections import defaultdict

from skystamp import classify
from skystamp.alert import Alert
from skystamp.avro import Content
from skystamp.classify import Answers, Classification, Outcome
from skystamp.live.planning import Plan
from skystamp.store import AlertKey, Batch, Change, Detection, ObjectKey, Rejected


def settle(plan: Plan, answers: Answers, *, shadow: bool = False) -> tuple[list[Outcome], Batch]:
    """Return the outcome of each arrival, in order, and what is to be recorded before it is answered.

    Parameters
    ----------
    plan : Plan
    answers : mapping
        To ``plan.questions``, as `classify.ask` gives them.
    shadow : bool
        Whether these are a challenger's: scores that are kept and never answered.
    """
    made = {
        row: classify.classification(plan.alerts[row], as_of, plan.seen, answers, plan.served.versions)
        for row, as_of in plan.wanted.items()
    }
    written = {**made, **{row: plan.standing[row] for row in plan.kept}}
    outcomes = _outcomes(plan, {**plan.standing, **made})
    return outcomes, _batch(plan, written, outcomes, shadow=shadow)


def _outcomes(plan: Plan, known: dict[int, Classification]) -> list[Outcome]:
    row_of = {(one.survey, one.alert_id): row for row, one in enumerate(plan.rows)}
    found: list[Outcome] = []
    for i, arrival in enumerate(plan.arrivals):
        item = arrival.item
        if isinstance(item, classify.Rejection):
            found.append(item)
        elif i in plan.rejects:
            found.append(classify.reject_outcome(plan.rejects[i], item))
        else:
            found.append(known[row_of[item.survey, item.alert_id]])
    return found


def _batch(plan: Plan, written: dict[int, Classification], outcomes: list[Outcome], *, shadow: bool) -> Batch:
    stored = [one for one in plan.rows if isinstance(one, Detection)]
    placed = [_placed(plan, row) for row in range(len(plan.rows))]
    moved = [now for now, before in zip(placed, stored, strict=False) if now != before]
    new = [(one, placed[row]) for row, one in enumerate(plan.rows) if not isinstance(one, Detection)]
    # Of a stored row that can not be answered anew, because its cutouts are gone, the outcomes stay.
    superseded = [stored[row].key for row in plan.changed if row in written]
    touched = {(one.survey, one.object_id) for one in [*moved, *(one for _, one in new)]}
    touched |= {(one.survey, one.object_id) for one in written.values()}
    return Batch(
        objects=_changes(plan, placed, touched, {} if shadow else written),
        new=new,
        contents=_contents(plan, [one for one, _ in new]),
        moved=moved,
        superseded=superseded,
        outcomes=list(written.values()),
        shadow=shadow,
        rejections=_rejected(plan, outcomes),
    )


def _contents(plan: Plan, new: list[Alert]) -> dict[AlertKey, Content]:
    """Return the bytes that new alerts came in, of those that came in packets."""
    of = {id(one.item): one.content for one in plan.arrivals}
    found = {(one.survey, one.alert_id): of.get(id(one)) for one in new}
    return {key: content for key, content in found.items() if content is not None}


def _placed(plan: Plan, row: int) -> Detection:
    """Return a row with its place among all detections that are known now."""
    one, as_of = plan.rows[row], plan.chosen[row]
    place = (as_of.place, as_of.left_out, as_of.count)
    return Detection(one.survey, one.object_id, one.alert_id, one.mjd, one.ra, one.dec, *place)


def _changes(
    plan: Plan, placed: list[Detection], touched: set[ObjectKey], written: dict[int, Classification]
) -> list[Change]:
    members: defaultdict[ObjectKey, list[int]] = defaultdict(list)
    for row, one in enumerate(placed):
        members[one.survey, one.object_id].append(row)
    changes = []
    for key in sorted(touched):
        last = max(members[key], key=lambda row: (placed[row].mjd, placed[row].alert_id))
        detections = tuple(placed[row] for row in members[key])
        seen = plan.histories[key].revision if key in plan.histories else 0
        changes.append(Change(*key, seen, detections, written.get(last)))
    return changes


def _rejected(plan: Plan, outcomes: list[Outcome]) -> list[Rejected]:
    digests: dict[int, str] = {}
    found = []
    for arrival, outcome in zip(plan.arrivals, outcomes, strict=True):
        if isinstance(outcome, classify.Rejection):
            packet = arrival.packet  # the same object for all records of a container
            if id(packet) not in digests:
                digests[id(packet)] = hashlib.sha256(packet).hexdigest()
            found.append(Rejected(outcome, digests[id(packet)], arrival.position, packet))
    return found
