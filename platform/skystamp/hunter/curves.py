"""Detections and earlier looks -> a light curve, outcomes -> a curve of probabilities: points and axes of an SVG.

A chart is `WIDTH` x `HEIGHT` units with `Margins` for its labels. Everything a template draws is a number or a short
word made here; nothing of a packet is drawn as text.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from skystamp.alert import Alert, Previous
from skystamp.hunter.query import moment
from skystamp.store import StoredOutcome

WIDTH, HEIGHT = 640.0, 260.0
LEFT, RIGHT, TOP, BOTTOM = 52.0, 30.0, 12.0, 34.0

_NICE = (1.0, 2.0, 2.5, 5.0, 10.0)
_HOURS = (1, 2, 3, 6, 12, 24, 48, 120, 240, 480)  # between two times of the axis
_TICKS = 6
_YEAR = 400.0  # days
_LARGEST_ERROR = 2.0  # mag; what is drawn of it
_SAME_S = 5.0  # two reports of one exposure


@dataclass(frozen=True, slots=True)
class Look:
    """One measurement or upper limit, in the units of the sky."""

    mjd: float
    band: str
    magnitude: float  # of a limit the limit itself
    error: float
    kind: str  # "alert", "earlier" or "limit"
    is_negative: bool


@dataclass(frozen=True, slots=True)
class Mark:
    """A look's place on the chart; `low` and `high` are the ends of its error bar."""

    x: float
    y: float
    low: float
    high: float
    look: Look

    @property
    def text(self) -> str:
        """What it says to who points at it."""
        one = self.look
        when = f"{moment(one.mjd):%Y-%m-%d %H:%M} (MJD {one.mjd:.4f}), {one.band}"
        if one.kind == "limit":
            return f"{when}: fainter than {one.magnitude:.2f}"
        sign = ", fainter than the template" if one.is_negative else ""
        error = "" if math.isnan(one.error) else f" ± {one.error:.2f}"
        return f"{when}: {one.magnitude:.2f}{error}{sign}"


@dataclass(frozen=True, slots=True)
class Tick:
    """A labelled line of an axis."""

    at: float
    text: str


@dataclass(frozen=True, slots=True)
class LightCurve:
    """All marks, limits first so that detections lie above them, with both axes."""

    marks: Sequence[Mark]
    times: Sequence[Tick]
    magnitudes: Sequence[Tick]
    bands: Sequence[str]


@dataclass(frozen=True, slots=True)
class Step:
    """An answer's place on the chart of probabilities."""

    x: float
    y: float
    text: str


@dataclass(frozen=True, slots=True)
class Probabilities:
    """By class, the answers that stand for each detection, in time order."""

    lines: Sequence[tuple[str, Sequence[Step]]]
    times: Sequence[Tick]
    levels: Sequence[Tick]


def looks(alerts: Iterable[Alert], earlier: Iterable[Previous]) -> list[Look]:
    """Return detections that came as alerts, and the earlier looks that are none of these, in time order."""
    found = [_of_alert(one) for one in alerts]
    seen = {(look.band, _slot(look.mjd) + step) for look in found for step in (-1, 0, 1)}
    for one in sorted(earlier, key=lambda one: (one.mjd, math.isnan(one.magnitude))):
        if (one.band, _slot(one.mjd)) not in seen:
            seen |= {(one.band, _slot(one.mjd) + step) for step in (-1, 0, 1)}
            found.append(_of_previous(one))
    return sorted((one for one in found if math.isfinite(one.magnitude)), key=lambda one: one.mjd)


def light_curve(found: Sequence[Look]) -> LightCurve | None:
    """Return the chart of looks, None where there is none."""
    if not found:
        return None
    first, last = _padded(found[0].mjd, found[-1].mjd, 0.04, 1.0)
    shown = [_error(one) for one in found]
    bright = min(one.magnitude - error for one, error in zip(found, shown, strict=True))
    faint = max(one.magnitude + error for one, error in zip(found, shown, strict=True))
    bright, faint = _padded(bright, faint, 0.06, 0.5)
    marks = [
        Mark(
            _x(one.mjd, first, last),
            _y(one.magnitude, bright, faint),
            _y(one.magnitude + error, bright, faint),
            _y(one.magnitude - error, bright, faint),
            one,
        )
        for one, error in zip(found, shown, strict=True)
    ]
    marks.sort(key=lambda mark: (mark.look.kind != "limit", mark.look.mjd))
    levels = [Tick(_y(value, bright, faint), f"{value:g}") for value in nice(bright, faint, 5)]
    bands = sorted({one.band for one in found}, key="gri".find)
    return LightCurve(marks, _times(first, last), levels, bands)


def probabilities(outcomes: Sequence[StoredOutcome]) -> Probabilities | None:
    """Return the chart of the newest answer for each detection, a challenger's left out; None where there is none."""
    newest: dict[int, StoredOutcome] = {}
    for one in sorted(outcomes, key=lambda one: one.created):
        if not one.shadow:
            newest[one.classification.alert_id] = one
    said = sorted((one.classification for one in newest.values()), key=lambda one: (one.mjd, one.alert_id))
    if not said:
        return None
    first, last = _padded(said[0].mjd, said[-1].mjd, 0.04, 1.0)
    lines = []
    for name in dict.fromkeys(name for one in said for name in one.probabilities):
        steps = [
            Step(
                _x(one.mjd, first, last),
                _y(1 - one.probabilities[name], 0.0, 1.0),
                f"{name} {one.probabilities[name]:.3f} by {one.model} {one.model_version}, {moment(one.mjd):%Y-%m-%d}",
            )
            for one in said
            if name in one.probabilities
        ]
        lines.append((name, steps))
    levels = [Tick(_y(1 - value, 0.0, 1.0), f"{value:g}") for value in (0.0, 0.25, 0.5, 0.75, 1.0)]
    return Probabilities(lines, _times(first, last), levels)


def nice(low: float, high: float, about: int) -> list[float]:
    """Return about so many round numbers from `low` to `high`."""
    raw = (high - low) / about
    scale = 10.0 ** math.floor(math.log10(raw))
    step = next(scale * factor for factor in _NICE if scale * factor >= raw * 0.75)
    first = math.ceil(low / step)
    return [round(i * step, 10) for i in range(first, math.floor(high / step) + 1)]


def _of_alert(one: Alert) -> Look:
    values = one.metadata
    error = values.get("sigmapsf", math.nan)
    return Look(one.mjd, one.band, values.get("magpsf", math.nan), error, "alert", one.is_negative)


def _of_previous(one: Previous) -> Look:
    if one.alert_id is None:
        return Look(one.mjd, one.band, one.limit, math.nan, "limit", is_negative=False)
    return Look(one.mjd, one.band, one.magnitude, one.error, "earlier", one.is_negative)


def _slot(mjd: float) -> int:
    return round(mjd * 86_400.0 / _SAME_S)


def _error(one: Look) -> float:
    return 0.0 if math.isnan(one.error) else min(one.error, _LARGEST_ERROR)


def _padded(low: float, high: float, share: float, least: float) -> tuple[float, float]:
    wide = max(high - low, least)
    middle = (low + high) / 2
    return middle - wide * (0.5 + share), middle + wide * (0.5 + share)


def _x(value: float, low: float, high: float) -> float:
    return round(LEFT + (value - low) / (high - low) * (WIDTH - LEFT - RIGHT), 2)


def _y(value: float, top: float, bottom: float) -> float:
    return round(TOP + (value - top) / (bottom - top) * (HEIGHT - TOP - BOTTOM), 2)


def _times(first: float, last: float) -> list[Tick]:
    """Return dates at whole days; hours too where all lies within a few days."""
    step = next((hours / 24 for hours in _HOURS if (last - first) * 24 / hours <= _TICKS), 0.0)
    if step:
        start = math.ceil(first / step)
        values = [i * step for i in range(start, math.floor(last / step) + 1)]
    else:
        values = nice(first, last, _TICKS)
    form = "%b %Y" if last - first > _YEAR else "%b %d" if not step or step >= 1 else "%b %d %Hh"
    return [Tick(_x(value, first, last), f"{moment(value):{form}}") for value in values]
