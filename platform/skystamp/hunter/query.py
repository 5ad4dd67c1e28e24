"""The page's URL <-> `Query`: what is listed, how it is sorted and what is open, all of it shareable as a link.

    ?class=SN&p=0.5&hours=48&n=100&sort=score        or  from=2026-11-20&until=2026-11-21  in place of hours

A value that can not be is left out and told (`ignored`), so that an old link still opens.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from skystamp import taxonomy

NUMBERS = (10, 50, 100, 200, 400, 1000)
HOURS = (12, 24, 48, 72, 168)
SORTS = ("score", "date", "object", "observations", "model", "state")
STATES = ("all", "open", "possible", "confirmed", "bogus", "disputed")
STRETCHES = ("asinh", "linear", "source", "full")
LONGEST_NAME = 64

_MJD_OF_EPOCH = 40_587.0
_DAY_S = 86_400.0
_NAMES = {
    "label": "class",
    "minimum": "p",
    "number": "n",
    "begin": "from",
    "end": "until",
    "search": "q",
    "opened": "o",
    "ascending": "up",
}


@dataclass(frozen=True, slots=True)
class Query:
    """What the page shows; `begin` and `end` are whole days (UTC), both included, and go before `hours`."""

    label: str = taxonomy.SN
    minimum: float = 0.0
    number: int = 100
    hours: int = 24
    begin: date | None = None
    end: date | None = None
    search: str = ""
    sort: str = "score"
    ascending: bool = False
    state: str = "all"
    hidden: bool = False
    stretch: str = STRETCHES[0]
    opened: str = ""
    ignored: tuple[str, ...] = ()

    def window(self, now: float) -> tuple[float, float]:
        """Return from when until when (MJD) objects were first seen; `now` is the Unix time in s."""
        today = mjd_of(now)
        if self.begin is None and self.end is None:
            return today - self.hours / 24, today
        begin = mjd_of_date(self.begin) if self.begin else 0.0
        return begin, mjd_of_date(self.end) + 1 if self.end else today

    def url(self, **changes: Any) -> str:
        """Return the part of the URL after the path, "?" included, with some values changed; defaults are left out."""
        wanted, default = replace(self, **changes, ignored=()), Query()
        values = {
            _NAMES.get(f.name, f.name): _text(getattr(wanted, f.name))
            for f in fields(Query)
            if getattr(wanted, f.name) != getattr(default, f.name)
        }
        return f"?{urlencode(values)}" if values else "?"


def read(values: Mapping[str, str]) -> Query:
    """Return the query of a URL's values."""
    found: dict[str, Any] = {}
    ignored = []
    for name, understand in _READERS.items():
        given = values.get(_NAMES.get(name, name), "")
        if given == "":
            continue
        try:
            found[name] = understand(given)
        except ValueError:
            ignored.append(f"{_NAMES.get(name, name)}={given[:40]}")
    if found.get("begin") and found.get("end") and found["begin"] > found["end"]:
        found["begin"], found["end"] = found["end"], found["begin"]
    return Query(**found, ignored=tuple(ignored))


def mjd_of(unix_s: float) -> float:
    """Return a Unix time as MJD."""
    return _MJD_OF_EPOCH + unix_s / _DAY_S


def mjd_of_date(day: date) -> float:
    """Return the MJD at which a day begins."""
    return float((day - date(1970, 1, 1)).days) + _MJD_OF_EPOCH


def moment(mjd: float) -> datetime:
    """Return an MJD as a date and time, UTC; the ends of the calendar for what lies beyond it."""
    days = min(max(mjd, -678_575.0), 2_973_483.0) - _MJD_OF_EPOCH
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=days)


def _one_of(*choices: str) -> Callable[[str], str]:
    def understand(given: str) -> str:
        if given not in choices:
            raise ValueError
        return given

    return understand


def _whole(low: int, high: int) -> Callable[[str], int]:
    def understand(given: str) -> int:
        value = int(given)
        if not low <= value <= high:
            raise ValueError
        return value

    return understand


def _probability(given: str) -> float:
    value = float(given)
    if not 0 <= value <= 1:
        raise ValueError
    return value


def _name(given: str) -> str:
    return given.strip()[: LONGEST_NAME + 16]


def _flag(given: str) -> bool:
    return _one_of("0", "1")(given) == "1"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return f"{value:g}" if isinstance(value, float) else str(value)


_READERS: dict[str, Callable[[str], Any]] = {
    "label": _one_of(*taxonomy.CLASSES),
    "minimum": _probability,
    "number": _whole(1, NUMBERS[-1]),
    "hours": _whole(1, 24 * 366),
    "begin": date.fromisoformat,
    "end": date.fromisoformat,
    "search": _name,
    "sort": _one_of(*SORTS),
    "ascending": _flag,
    "state": _one_of(*STATES),
    "hidden": _flag,
    "stretch": _one_of(*STRETCHES),
    "opened": _name,
}
