"""A `Subject`, what people say, what TNS knows and what we reported -> every reason not to report it, by code.

Pure: each guard is a question to values. Some can be passed by name, with a reason, which is recorded: those where a
person may know better than a rule. Others never: a negative difference is no new supernova, a report that is out can
not be sent again, and two people are not outvoted by one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from skystamp import taxonomy
from skystamp.errors import UsageError
from skystamp.store import Report, ReportState
from skystamp.tns import codes
from skystamp.tns.subject import Subject

RADIUS = 5.0  # arcsec about the object in which another transient is the same one


class Guard(StrEnum):
    """Why something is not reported; the codes are stable."""

    NO_DISCOVERY = "no_discovery"
    NEGATIVE = "negative"
    UNCONFIRMED = "unconfirmed"
    DISPUTED = "disputed"
    OTHER_CLASS = "other_class"
    BOGUS_TWICE = "bogus_twice"
    KNOWN_OBJECT = "known_object"
    ON_TNS = "on_tns"
    REPORTED = "reported"
    TNS_UNASKED = "tns_unasked"


OVERRIDABLE = frozenset((Guard.DISPUTED, Guard.OTHER_CLASS, Guard.BOGUS_TWICE, Guard.KNOWN_OBJECT, Guard.ON_TNS))
"""Those that a person may pass by name, with a reason."""


@dataclass(frozen=True, slots=True)
class People:
    """What people say of an object: how many confirm a supernova, say something else, and have to confirm it."""

    confirm: int
    differ: int
    required: int


@dataclass(frozen=True, slots=True)
class Transient:
    """What TNS knows near an object; `distance` is in arcsec, `kind` "" for one that nobody has classified."""

    name: str
    distance: float
    internal_names: tuple[str, ...] = ()
    kind: str = ""


@dataclass(frozen=True, slots=True)
class Objection:
    """A guard that does not let a report pass, and the sentence for people."""

    guard: Guard
    sentence: str

    @property
    def overridable(self) -> bool:
        """Whether a person may pass it by name."""
        return self.guard in OVERRIDABLE


def objections(
    subject: Subject, people: People, near: Sequence[Transient] | None, reports: Sequence[Report]
) -> list[Objection]:
    """Return what speaks against a report, in the order of `Guard`.

    Parameters
    ----------
    subject : Subject
    people : People
    near : sequence of Transient or None
        What TNS knows within `RADIUS`, or under the object's internal name; None if it was not asked.
    reports : sequence of Report
        Of this object, at the address that the next one would go to.
    """
    found = [*_of_object(subject), *_of_people(people), *_of_model(subject), *_of_reports(reports)]
    found += _of_tns(subject, near)
    order = list(Guard)
    return sorted((Objection(*one) for one in found), key=lambda one: order.index(one.guard))


def standing(found: Sequence[Objection], overrides: Mapping[str, str]) -> list[Objection]:
    """Return the objections that stand when some are passed by name, each with a reason.

    Raises
    ------
    UsageError
        If a name is none of a guard that may be passed, or comes without a reason.
    """
    allowed = {guard.value for guard in OVERRIDABLE}
    if wrong := sorted(set(overrides) - allowed):
        raise UsageError(f"an override should be of {', '.join(sorted(allowed))}. Received: {', '.join(wrong)}")
    if any(not why.strip() for why in overrides.values()):
        raise UsageError("an override should come with its reason")
    return [one for one in found if one.guard.value not in overrides]


_Found = list[tuple[Guard, str]]


def _of_object(subject: Subject) -> _Found:
    found: _Found = []
    if subject.discovery is None:
        found.append((Guard.NO_DISCOVERY, "it has no positive detection with a magnitude"))
    if negative := sum(one.is_negative for one in subject.points):
        many = "detection is" if negative == 1 else "detections are"
        found.append((Guard.NEGATIVE, f"{negative} of its {many} fainter than the template"))
    if subject.is_known:
        found.append((Guard.KNOWN_OBJECT, "a packet names a known solar-system object near it"))
    return found


def _of_people(people: People) -> _Found:
    found: _Found = []
    if people.confirm < people.required or people.confirm <= people.differ:
        said = f"{people.confirm} of {people.required} people who are needed say supernova"
        found.append((Guard.UNCONFIRMED, f"{said}, {people.differ} something else"))
    elif people.differ:
        found.append((Guard.DISPUTED, f"{people.differ} of {people.differ + people.confirm} people differ"))
    return found


def _of_model(subject: Subject) -> _Found:
    if subject.is_bogus_twice:
        return [(Guard.BOGUS_TWICE, "the first-detection model says bogus of its first two detections")]
    if subject.label != taxonomy.SN:
        said = f"{subject.model} {subject.model_version} says {subject.label} of it"
        return [(Guard.OTHER_CLASS, said)]
    return []


def _of_reports(reports: Sequence[Report]) -> _Found:
    live = [one for one in reports if one.state not in (ReportState.BUILT, ReportState.REJECTED)]
    return [(Guard.REPORTED, f"we reported it already: {one.tns_name or one.state.value}") for one in live[-1:]]


def _of_tns(subject: Subject, near: Sequence[Transient] | None) -> _Found:
    if near is None:
        return [(Guard.TNS_UNASKED, "TNS was not asked whether it is known there")]
    own = codes.internal_name(subject.survey, subject.object_id).casefold()
    found: _Found = []
    for one in near:
        kind = one.kind or "not classified"
        if own in (name.casefold() for name in one.internal_names):
            said = f"TNS has it under our name for it: {one.name} ({kind}), {one.distance:.1f} arcsec away"
            found.append((Guard.REPORTED, said))
        elif one.distance <= RADIUS:
            names = ", ".join(one.internal_names) or "no internal name"
            found.append((Guard.ON_TNS, f"TNS has {one.name} ({kind}; {names}) {one.distance:.1f} arcsec away"))
    return found
