"""Detections -> sequences: which detections of an object count, in which order, and why the others do not.

    sort by (time, alert number) ── repeated alert number? ─> left out: duplicate
                                └── nearer than 6 hours to the last accepted one? ─> left out: too_close
                                └── accepted: place 1, 2, 3, ...

The rule looks back only, so a sequence never changes when a later detection comes, and it does not depend on the order
in which packets arrive. The same function makes training data, scores archives and serves live alerts (Neira, Estevez
and Forster 2024, Section III; our reading of it in docs/decisions/0011).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from jaxtyping import Float64, Int64

MIN_GAP_HOURS = 6.0
LONGEST = 5  # detections that any temporal model reads


class LeftOut(StrEnum):
    """Why a detection is not part of its object's sequence."""

    DUPLICATE = "duplicate"
    TOO_CLOSE = "too_close"


@dataclass(frozen=True, slots=True)
class Selection:
    """One object's sequence, by the indices of its detections.

    Attributes
    ----------
    accepted : int64 (accepted,)
        In time order.
    left_out : mapping of int to LeftOut
        Every other index, with the reason.
    """

    accepted: Int64[np.ndarray, " accepted"]
    left_out: Mapping[int, LeftOut]


def select(
    mjd: Float64[np.ndarray, " detection"],
    alert_ids: Int64[np.ndarray, " detection"],
    *,
    min_gap_hours: float = MIN_GAP_HOURS,
) -> Selection:
    """Return which detections of one object make its sequence.

    Parameters
    ----------
    mjd : float64 (detection,)
        Days, finite, in any order.
    alert_ids : int64 (detection,)
        The survey's numbers of the detections. Of those with one number the earliest alone counts; detections of one
        instant are taken in the order of their numbers.
    min_gap_hours : float
        A detection nearer than this to the last accepted one is left out.
    """
    accepted: list[int] = []
    left_out: dict[int, LeftOut] = {}
    seen: set[int] = set()
    for i in np.lexsort((alert_ids, mjd)).tolist():
        number = int(alert_ids[i])
        if number in seen:
            left_out[i] = LeftOut.DUPLICATE
        elif accepted and (mjd[i] - mjd[accepted[-1]]) * 24.0 < min_gap_hours:
            left_out[i] = LeftOut.TOO_CLOSE
        else:
            accepted.append(i)
        seen.add(number)
    return Selection(np.array(accepted, np.int64), left_out)


def places(
    object_ids: Sequence[str],
    mjd: Float64[np.ndarray, " detection"],
    alert_ids: Int64[np.ndarray, " detection"],
    *,
    min_gap_hours: float = MIN_GAP_HOURS,
) -> tuple[Int64[np.ndarray, " detection"], list[str]]:
    """Return each detection's place in the sequence of its object, and why it has none.

    Returns
    -------
    place : int64 (detection,)
        1, 2, 3, ... of an accepted detection, 0 of one that is left out.
    left_out : list of str
        The value of a `LeftOut`, or ``""`` of an accepted detection.
    """
    place = np.zeros(len(mjd), np.int64)
    reasons = [""] * len(mjd)
    for members in grouped(object_ids).values():
        chosen = select(mjd[members], alert_ids[members], min_gap_hours=min_gap_hours)
        place[members[chosen.accepted]] = np.arange(1, len(chosen.accepted) + 1)
        for i, reason in chosen.left_out.items():
            reasons[members[i]] = reason.value
    return place, reasons


def grouped(keys: Sequence[str]) -> dict[str, Int64[np.ndarray, " member"]]:
    """Return the indices of each key's members, keys in the order in which they first come."""
    found: dict[str, list[int]] = {}
    for i, key in enumerate(keys):
        found.setdefault(key, []).append(i)
    return {key: np.array(members, np.int64) for key, members in found.items()}


def differences(mjd: Float64[np.ndarray, "*sequence detection"]) -> Float64[np.ndarray, "*sequence detection"]:
    """Return the days since the accepted detection before, 0 for the first, of sequences in time order."""
    return np.diff(mjd, axis=-1, prepend=mjd[..., :1])
