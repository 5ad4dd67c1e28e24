"""An evaluation or a comparison as one HTML page that opens anywhere: no script, nothing from outside, all escaped."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined

from skystamp import taxonomy
from skystamp.evaluation import pictures
from skystamp.evaluation.judged import Judged
from skystamp.evaluation.mistakes import Mistake, worst
from skystamp.figures.drawing import COLOURS


def page(judged: Judged, found: Mapping[str, Any], stamps: Mapping[int, np.ndarray]) -> str:
    """Return the page of an evaluation.

    Parameters
    ----------
    judged : Judged
        The answers.
    found : mapping
        Their `summary`.
    stamps : dict of int to array
        Alert -> float32 (detection, y, x, band): of the mistakes, as many as are at hand.
    """
    made = pictures.pictures(judged, found)
    mistakes = [_mistake(one, stamps) for one in worst(judged, len(found["mistakes"]))]
    return (
        _environment()
        .get_template("evaluation.html")
        .render(found=found, pictures=made, mistakes=mistakes, colours=COLOURS, positive=taxonomy.SN)
    )


def comparison_page(
    first: Judged, second: Judged, summaries: Sequence[Mapping[str, Any]], found: Mapping[str, Any]
) -> str:
    """Return the page of a comparison, from aligned answers, the `summary` of each, and what `compared` says."""
    names = [one["label"] for one in summaries]
    named = dict(zip(names, (first, second), strict=True))
    made = {
        "first_confusion": pictures.confusion(first, ""),
        "second_confusion": pictures.confusion(second, ""),
        "reliability": pictures.reliability(named, dict(zip(names, names, strict=True))),
        "slices": pictures.compared_slices(found),
    }
    if taxonomy.SN in first.classes:
        areas = [one["supernovae"]["area"]["mean"] for one in summaries]
        labels = {name: f"{name}: {area:.4f}" for name, area in zip(names, areas, strict=True)}
        made["roc"] = pictures.roc(named, labels)
    return (
        _environment()
        .get_template("comparison.html")
        .render(found=found, summaries=summaries, pictures=made, colours=COLOURS, positive=taxonomy.SN)
    )


def percent(value: float | None, digits: int = 1) -> str:
    """Return a share in per cent, a dash where there is none."""
    return "–" if value is None or value != value else f"{100 * value:.{digits}f} %"


def spread_percent(found: Mapping[str, Any], digits: int = 1) -> str:
    """Return the mean of a spread in per cent, with its deviation where there is one."""
    mean, deviation = found["mean"], found["std"]
    if mean != mean:
        return "–"
    return f"{100 * mean:.{digits}f}" + (f" ± {100 * deviation:.{digits}f}" if deviation is not None else "") + " %"


def spread_number(found: Mapping[str, Any], digits: int = 3) -> str:
    """Return the mean of a spread, with its deviation where there is one."""
    mean, deviation = found["mean"], found["std"]
    if mean != mean:
        return "–"
    return f"{mean:.{digits}f}" + (f" ± {deviation:.{digits}f}" if deviation is not None else "")


def points(value: float | None, digits: int = 1) -> str:
    """Return a difference of shares in percentage points, with its sign."""
    return "–" if value is None or value != value else f"{100 * value:+.{digits}f}".replace("-", "−")


def p_value(value: float | None) -> str:
    """Return a p-value as papers write it."""
    if value is None or value != value:
        return "–"
    return f"{value:.3f}" if value >= 0.001 else f"{value:.1e}"


def milliseconds(value: float) -> str:
    """Return seconds as milliseconds, or as seconds from one on, to three digits."""
    return f"{value:.3g} s" if value >= 1 else f"{1e3 * value:.3g} ms"


def _mistake(one: Mistake, stamps: Mapping[int, np.ndarray]) -> dict[str, Any]:
    picture = pictures.stamps(stamps[one.alert_id]) if one.alert_id in stamps else None
    shares = sorted(one.probabilities.items(), key=lambda item: -item[1])
    return {"one": one, "picture": picture, "shares": [item for item in shares if item[1] >= 0.005]}


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("skystamp.evaluation"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    for function in (percent, spread_percent, spread_number, points, p_value, milliseconds):
        made.filters[function.__name__] = function
    return made
