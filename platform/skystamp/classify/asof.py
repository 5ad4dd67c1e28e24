"""Detections of objects -> what each is answered for: the accepted detections of its object up to it.

    detections (any order, repeated or not) ── by object ── sequences.select ──> accepted ──> AsOf of each detection

Only names, numbers and times are read, so that live most detections need not be fetched: the store has them by object,
and only those that a model reads come with their cutouts.
"""

from bisect import bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np
from jaxtyping import Int64

from skystamp import routing, sequences
from skystamp.routing import Route


@runtime_checkable
class Detected(Protocol):
    """What a sequence is made of; an `Alert` is one."""

    @property
    def survey(self) -> str:
        """The survey's name."""

    @property
    def object_id(self) -> str:
        """The survey's name of the object."""

    @property
    def alert_id(self) -> int:
        """The survey's number of the detection."""

    @property
    def mjd(self) -> float:
        """Days, UTC."""


@dataclass(frozen=True, slots=True)
class AsOf:
    """What one detection is answered for.

    Attributes
    ----------
    accepted : tuple of int
        The first accepted detections of its object up to it, as many as any model reads: their indices.
    count : int
        How many are accepted up to it.
    place : int
        Its own among them, from 1; 0 if it is left out.
    left_out : str
        Why, the value of a `sequences.LeftOut`; empty if it is accepted.
    flags : tuple of str
        What is to be said of the choice beyond what the route says.
    """

    accepted: tuple[int, ...]
    count: int
    place: int
    left_out: str = ""
    flags: tuple[str, ...] = ()

    def route(self, served: Collection[str]) -> Route:
        """Return which of the models that are served answers."""
        return routing.route(self.count, served)

    def read(self, served: Collection[str]) -> tuple[int, ...]:
        """Return the detections that the model reads."""
        return self.accepted[: self.route(served).detections]

    def moved(self, to: Sequence[int]) -> "AsOf":
        """Return the same with each index i as to[i]."""
        return replace(self, accepted=tuple(to[i] for i in self.accepted))


def as_of(detections: Sequence[Detected]) -> list[AsOf]:
    """Return what each detection is answered for, in order."""
    found: dict[int, AsOf] = {}
    for members in sequences.grouped([f"{one.survey} {one.object_id}" for one in detections]).values():
        found.update(_of_object(members, detections))
    return [found[i] for i in range(len(detections))]


def _of_object(members: Int64[np.ndarray, " member"], detections: Sequence[Detected]) -> dict[int, AsOf]:
    mjd = np.array([detections[i].mjd for i in members], np.float64)
    numbers = np.array([detections[i].alert_id for i in members], np.int64)
    chosen = sequences.select(mjd, numbers)
    accepted = members[chosen.accepted].tolist()
    keys = [(detections[i].mjd, detections[i].alert_id) for i in accepted]
    places = {detections[i].alert_id: place for place, i in enumerate(accepted, 1)}
    found = {}
    for k, i in enumerate(members.tolist()):
        reason = chosen.left_out.get(k)
        place = places.get(detections[i].alert_id, 0)  # a repeated one has that of the first
        count = place or bisect_right(keys, (detections[i].mjd, detections[i].alert_id))
        found[i] = AsOf(tuple(accepted[: min(count, routing.LONGEST)]), count, place, "" if place else str(reason))
    return found
