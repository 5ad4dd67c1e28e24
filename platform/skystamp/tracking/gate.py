"""Whether a version may become champion: its figures against the champion's, one sentence for each check that fails.

    accuracy      on test data, no more than `accuracy_loss` below the champion's on the same data
    calibration   expected calibration error on them, no more than `calibration_loss` above the champion's
    latency       seconds of one answer, no more than `slowdown` times the champion's

A figure that is missing refuses: what nobody has measured is no reason to change what is served.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

ACCURACY, CALIBRATION, LATENCY = "accuracy", "calibration", "latency"
CHECKS = (ACCURACY, CALIBRATION, LATENCY)

_TEST, _MEASURE = "test both by --data FOLDER", "measure both by --measure"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What a new champion may be worse by."""

    accuracy_loss: float = 0.01
    calibration_loss: float = 0.02
    slowdown: float = 1.5


@dataclass(frozen=True, slots=True)
class Figures:
    """What is known of a version; None for what is not.

    `data` is the hash of the data that accuracy and calibration error are of.
    """

    accuracy: float | None = None
    calibration_error: float | None = None
    latency_s: float | None = None  # of one alert or sequence by itself
    data: str = ""


def judge(new: Figures, champion: Figures | None, allowed: Thresholds) -> dict[str, str]:
    """Return why a version may not become champion: a sentence for each of `CHECKS` that fails.

    Parameters
    ----------
    new : Figures
    champion : Figures or None
        None where there is no champion yet: then the figures only have to be there.
    allowed : Thresholds
    """
    found = {
        ACCURACY: _accuracy(new, champion, allowed),
        CALIBRATION: _calibration(new, champion, allowed),
        LATENCY: _latency(new, champion, allowed),
    }
    return {check: sentence for check, sentence in found.items() if sentence}


def _accuracy(new: Figures, champion: Figures | None, allowed: Thresholds) -> str:
    name = "test accuracy"
    said = _lacking(name, new.accuracy, champion, champion.accuracy if champion else None, _TEST)
    if said or champion is None or (said := _other_data(name, new, champion)):
        return said
    value, before = _known(new.accuracy), _known(champion.accuracy)
    if value >= before - allowed.accuracy_loss:
        return ""
    least = f"{before - allowed.accuracy_loss:.4f}, the champion's {before:.4f} less {allowed.accuracy_loss:g}"
    return f"the {name} should be at least {least}. Received: {value:.4f}"


def _calibration(new: Figures, champion: Figures | None, allowed: Thresholds) -> str:
    name = "calibration error"
    said = _lacking(name, new.calibration_error, champion, champion.calibration_error if champion else None, _TEST)
    if said or champion is None or (said := _other_data(name, new, champion)):
        return said
    value, before = _known(new.calibration_error), _known(champion.calibration_error)
    if value <= before + allowed.calibration_loss:
        return ""
    most = f"{before + allowed.calibration_loss:.4f}, the champion's {before:.4f} and {allowed.calibration_loss:g}"
    return f"the {name} should be at most {most}. Received: {value:.4f}"


def _latency(new: Figures, champion: Figures | None, allowed: Thresholds) -> str:
    said = _lacking("latency", new.latency_s, champion, champion.latency_s if champion else None, _MEASURE)
    if said or champion is None:
        return said
    value, before = 1e3 * _known(new.latency_s), 1e3 * _known(champion.latency_s)
    if value <= before * allowed.slowdown:
        return ""
    most = f"{before * allowed.slowdown:.2f} ms, {allowed.slowdown:g} times the champion's {before:.2f} ms"
    return f"an answer should take at most {most}. Received: {value:.2f} ms"


def _lacking(name: str, new: float | None, champion: Figures | None, old: float | None, way: str) -> str:
    for whose, value in (("new version", new), *((("champion", old),) if champion else ())):
        if value is None or not math.isfinite(value):
            return f"the {name} of the {whose} should be known; {way}. Received: none"
    return ""


def _other_data(name: str, new: Figures, champion: Figures) -> str:
    if new.data and new.data == champion.data:
        return ""
    seen = " and ".join(each[:16] or "unknown data" for each in (new.data, champion.data))
    return f"the {name} of both should be of the same data; {_TEST}. Received: {seen}"


def _known(value: float | None) -> float:
    return math.nan if value is None else value


def shown(figures: Figures | None) -> Mapping[str, float]:
    """Return the figures that are known, by name."""
    if figures is None:
        return {}
    named = {
        ACCURACY: figures.accuracy,
        "calibration_error": figures.calibration_error,
        "latency_s": figures.latency_s,
    }
    return {name: value for name, value in named.items() if value is not None and math.isfinite(value)}
