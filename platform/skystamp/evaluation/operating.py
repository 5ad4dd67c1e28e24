"""One class against the rest: the receiver operating curve, and what a list of candidates holds at each threshold."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Float64, Shaped

from skystamp.evaluation.judged import Judged
from skystamp.evaluation.spreads import spread

THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
FALSE_RATES = (0.05, 0.02, 0.01, 0.005)
"""Rates of false positives whose thresholds the table gives beside the fixed ones."""


@dataclass(frozen=True, eq=False, slots=True)
class Roc:
    """Rates of false and of true positives at falling thresholds, from (0, 0) at infinity to (1, 1).

    Equal scores are one point, so the area is that of the Mann-Whitney statistic, ties counted half.
    """

    false_rate: Float64[np.ndarray, " point"]
    true_rate: Float64[np.ndarray, " point"]
    thresholds: Float64[np.ndarray, " point"]

    @property
    def area(self) -> float:
        """The area under the curve; NaN if one of the two sides has no objects."""
        return float(np.trapezoid(self.true_rate, self.false_rate))

    def threshold_of(self, false_rate: float) -> float:
        """Return the lowest threshold at which the rate of false positives is at most this.

        Where nothing may pass, because the highest score is wrong, it is the next number above that score.
        """
        last = int(np.flatnonzero(self.false_rate <= false_rate)[-1])
        return float(self.thresholds[last] if last else np.nextafter(self.thresholds[1], np.inf))


def roc(scores: Float[np.ndarray, " object"], positive: Bool[np.ndarray, " object"]) -> Roc:
    """Return the curve of scores, of which the positive objects' should be the higher ones."""
    values = scores.astype(np.float64)
    order = np.argsort(-values, kind="stable")
    ordered = values[order]
    last = np.r_[np.flatnonzero(np.diff(ordered)), len(ordered) - 1]  # of each run of equal scores
    true = np.r_[0, np.cumsum(positive[order])[last]]
    false = np.r_[0, np.cumsum(~positive[order])[last]]
    with np.errstate(invalid="ignore"):
        return Roc(false / false[-1], true / true[-1], np.r_[np.inf, ordered[last]])


def rocs(judged: Judged, positive: str) -> list[Roc]:
    """Return the curve of each training for one class against the rest."""
    number = judged.classes.index(positive)
    return [roc(one[:, number], judged.labels == number) for one in judged.probabilities]


def table(judged: Judged, positive: str) -> list[dict[str, Any]]:
    """Return what a list of candidates holds, for each way to choose them: by threshold, by rate, by the top class.

    Each row has ``choice``, and means and deviations over the trainings of ``threshold`` (None for the top class),
    ``candidates``, ``found``, ``completeness``, ``false_positives``, ``false_rate`` and ``purity``. The rate does not
    depend on how common the class is; purity does.
    """
    number = judged.classes.index(positive)
    own, given = judged.labels == number, judged.probabilities[:, :, number]
    curves = rocs(judged, positive)
    rows = [
        _row("most probable class", None, [one == number for one in judged.answers], own),
        *(_row("threshold", [value] * judged.seeds, [one >= value for one in given], own) for value in THRESHOLDS),
    ]
    for rate in FALSE_RATES:
        if np.isfinite(curves[0].false_rate).all():
            values = [curve.threshold_of(rate) for curve in curves]
            chosen = [one >= value for one, value in zip(given.astype(np.float64), values, strict=True)]
            rows.append(_row(f"false positives at most {100 * rate:g} %", values, chosen, own))
    return rows


def by_threshold(
    judged: Judged, positive: str, thresholds: Shaped[np.ndarray, " threshold"]
) -> tuple[Float64[np.ndarray, "seed threshold"], Float64[np.ndarray, "seed threshold"]]:
    """Return purity (NaN without candidates) and completeness of each training at each threshold."""
    number = judged.classes.index(positive)
    own, given = judged.labels == number, judged.probabilities[:, :, number]
    chosen = given[:, None, :] >= thresholds[None, :, None]
    candidates, found = chosen.sum(axis=2), (chosen & own).sum(axis=2)
    purity = np.divide(found, candidates, out=np.full(found.shape, np.nan), where=candidates > 0)
    return purity, found / max(int(own.sum()), 1)


def _row(
    choice: str, thresholds: list[float] | None, chosen: list[np.ndarray], own: Bool[np.ndarray, " object"]
) -> dict[str, Any]:
    candidates = [int(one.sum()) for one in chosen]
    found = [int((one & own).sum()) for one in chosen]
    false = [all_of - right for all_of, right in zip(candidates, found, strict=True)]
    others, owned = int((~own).sum()), int(own.sum())
    return {
        "choice": choice,
        "threshold": spread(thresholds) if thresholds else None,
        "candidates": spread(candidates),
        "found": spread(found),
        "completeness": spread([_share(right, owned) for right in found]),
        "false_positives": spread(false),
        "false_rate": spread([_share(wrong, others) for wrong in false]),
        "purity": spread([_share(right, all_of) for right, all_of in zip(found, candidates, strict=True)]),
    }


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
