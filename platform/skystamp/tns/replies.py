"""TNS's JSON -> what it means: names found, an object, a receipt, and what became of a report.

    get/search             [{objname, prefix}] in `data`, or in `data.reply` as older servers have it
    get/object             radeg, decdeg, internal_names, object_type in `data`, or in `data.reply`
    set/bulk-report        data.report_id: a receipt, and nothing is posted yet
    get/bulk-report-reply  data.feedback.at_report[0]: 100 a new object, 101 one more report of a known one, each with
                           `objname`; messages otherwise; nothing but our own report while it is worked on

The word of the feedback counts, not the status 200 before it. Whatever TNS says is somebody's text: short, of printable
characters, and escaped where it is shown.
"""

import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from skystamp.tns.guards import Transient

LONGEST = 300  # characters of what TNS says

_NEW, _KNOWN = "100", "101"
_IDENTICAL = "identical at report"
_OURS = ("at_rep", "internal_ids")  # parts of the feedback that are our own words
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,39}")

Json = Mapping[str, Any]


class Malformed(Exception):  # noqa: N818  a word on an answer, told as one of the client's errors
    """An answer that is none of TNS's kind."""


class Became(StrEnum):
    """What became of a report."""

    PENDING = "pending"
    POSTED = "posted"
    REJECTED = "rejected"
    IDENTICAL = "identical"  # it was there already


@dataclass(frozen=True, slots=True)
class Feedback:
    """What became of a report, under which name, and TNS's words."""

    became: Became
    name: str = ""
    said: str = ""


def parsed(text: str) -> Json:
    """Return an answer's JSON object.

    Raises
    ------
    Malformed
        If it is none.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Malformed(f"no JSON: {short(text)!r}") from error
    if not isinstance(found, dict):
        raise Malformed(f"no JSON object: {short(text)!r}")
    return found


def names(body: Json) -> list[str]:
    """Return the names that a search found."""
    found = body.get("data")
    if isinstance(found, Mapping):
        found = found.get("reply", [])
    if not isinstance(found, Sequence) or isinstance(found, str):
        raise Malformed(f"no list of objects: {short(body)}")
    return [_name(one.get("objname")) for one in found if isinstance(one, Mapping)]


def transient(body: Json, ra: float, dec: float) -> Transient:
    """Return an object and its distance (arcsec) from a place (deg)."""
    found = body.get("data")
    found = found.get("reply", found) if isinstance(found, Mapping) else found
    if not isinstance(found, Mapping):
        raise Malformed(f"no object: {short(body)}")
    place = [_number(found.get(name)) for name in ("radeg", "decdeg")]
    kind = found.get("object_type")
    label = kind.get("name") if isinstance(kind, Mapping) else None
    own = str(found.get("internal_names") or "").split(",")
    return Transient(
        name=f"{_name(found.get('name_prefix') or 'AT')} {_name(found.get('objname'))}",
        distance=distance((ra, dec), (place[0], place[1])),
        internal_names=tuple(short(one.strip()) for one in own if one.strip())[:20],
        kind=short(label or ""),
    )


def receipt(body: Json) -> str:
    """Return the number under which TNS took a report, "" if it took none."""
    data = body.get("data")
    found = data.get("report_id") if isinstance(data, Mapping) else None
    if isinstance(found, bool) or not isinstance(found, (str, int)):
        return ""
    return str(found) if re.fullmatch(r"[A-Za-z0-9_-]{1,40}", str(found)) else ""


def feedback(body: Json) -> Feedback:
    """Return what became of a report, by the feedback of an answer."""
    found = _of_report(body)
    words = list(dict.fromkeys(_messages(found)))
    said = short("; ".join(words))
    for code in (_NEW, _KNOWN):
        if isinstance(found.get(code), Mapping):
            return Feedback(Became.POSTED, _name(found[code].get("objname")), said)
    if _IDENTICAL in said.lower():
        return Feedback(Became.IDENTICAL, said=said)
    return Feedback(Became.REJECTED if words else Became.PENDING, said=said)


def distance(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Return how far two places (ra, dec; deg) are from one another, arcsec; NaN where a place is not known."""
    ra, dec, ra_other, dec_other = (math.radians(value) for value in (*one, *other))
    half = math.sin((dec - dec_other) / 2) ** 2
    half += math.cos(dec) * math.cos(dec_other) * math.sin((ra - ra_other) / 2) ** 2
    return math.degrees(2 * math.asin(min(math.sqrt(half), 1.0))) * 3600.0


def short(said: Any) -> str:
    """Return somebody's words as one short line of printable characters."""
    text = said if isinstance(said, str) else json.dumps(said, default=str)
    line = "".join(one if one.isprintable() else " " for one in text[: 4 * LONGEST])
    line = " ".join(line.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"


def _of_report(body: Json) -> Json:
    """Return the feedback on the one report that was sent, without what it repeats of ours; empty if there is none."""
    data = body.get("data")
    found: Any = data.get("feedback") if isinstance(data, Mapping) else None
    found = found.get("at_report", found) if isinstance(found, Mapping) else found
    if isinstance(found, Sequence) and not isinstance(found, str):
        found = found[0] if found else {}
    if isinstance(found, Mapping) and isinstance(found.get("0"), Mapping):
        found = found["0"]
    return {name: one for name, one in found.items() if name not in _OURS} if isinstance(found, Mapping) else {}


def _messages(value: Any, depth: int = 0) -> Iterator[str]:
    """Yield the messages of a feedback, each with the field that it is of."""
    if depth > 20:
        return
    if isinstance(value, Mapping):
        if isinstance(value.get("message"), str):
            yield short(value["message"])
        for name, one in value.items():
            for said in _messages(one, depth + 1):
                yield said if str(name).isdigit() or name == "message" else f"{short(str(name))}: {said}"
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for one in value:
            yield from _messages(one, depth + 1)


def _name(value: Any) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value.strip()):
        raise Malformed(f"no name of an object: {short(value)}")
    return value.strip()


def _number(value: Any) -> float:
    try:
        found = float(value)
    except (TypeError, ValueError):
        return math.nan
    return found if math.isfinite(found) else math.nan
