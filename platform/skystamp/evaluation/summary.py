"""All scores of an evaluation as one JSON value: what ``metrics.json`` holds, and what the page's tables read."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from skystamp import metrics, taxonomy
from skystamp.evaluation import operating, slices, spreads
from skystamp.evaluation.judged import Judged
from skystamp.evaluation.mistakes import Mistake, worst

BINS = 15


def summary(
    judged: Judged, *, about: Mapping[str, Any], inference: Mapping[str, Any], seed: int = 0, mistakes: int = 12
) -> dict[str, Any]:
    """Return every number of an evaluation.

    Parameters
    ----------
    judged : Judged
        The answers.
    about : mapping
        What was evaluated on what: ``models``, ``data``, ``split``, ``left_out``; kept as it is.
    inference : mapping
        How long answers take, and on what engine; kept as it is.
    seed : int
        Of the draws of objects.
    mistakes : int
        How many to name.
    """
    rng = np.random.default_rng(seed)
    return {
        **about,
        "objects": len(judged),
        "classes": list(judged.classes),
        "seeds": judged.seeds,
        "scores": spreads.scores(judged, rng),
        "by_class": spreads.of_classes(judged),
        "confusion": spreads.confusion(judged),
        "supernovae": _supernovae(judged),
        "calibration": calibration(judged),
        "slices": slices.slices(judged, rng),
        "inference": dict(inference),
        "mistakes": [_told(one) for one in worst(judged, mistakes)],
    }


def calibration(judged: Judged) -> dict[str, Any]:
    """Return the expected calibration error of each training, and the reliability curve of all their answers."""
    errors = [metrics.expected_calibration_error(one, judged.labels, BINS) for one in judged.probabilities]
    counts, confidence, right = pooled_bins(judged)
    bins = {"counts": counts.tolist(), "confidence": confidence.tolist(), "share_right": right.tolist()}
    return {"error": spreads.spread(errors), "bins": bins}


def pooled_bins(judged: Judged) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return counts, mean confidence and share right in bins of confidence, of all trainings' answers together."""
    together = judged.probabilities.reshape(-1, len(judged.classes))
    return metrics.calibration_bins(together, np.tile(judged.labels, judged.seeds), BINS)


def finite(value: Any) -> Any:
    """Return a JSON value with None in the place of NaN and infinity, which JSON does not have."""
    if isinstance(value, Mapping):
        return {key: finite(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [finite(each) for each in value]
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _supernovae(judged: Judged) -> dict[str, Any] | None:
    """Return area and table of supernovae against the rest; None of a model that does not know them."""
    if taxonomy.SN not in judged.classes:
        return None
    areas = [curve.area for curve in operating.rocs(judged, taxonomy.SN)]
    return {"area": spreads.spread(areas), "operating": operating.table(judged, taxonomy.SN)}


def _told(one: Mistake) -> dict[str, Any]:
    named = ("object_id", "alert_id", "true", "answered", "confidence", "probabilities", "spread")
    return {name: getattr(one, name) for name in named}
