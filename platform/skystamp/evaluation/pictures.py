"""The figures of a page, each as an address that holds the whole picture, with words for who can not see it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from skystamp import figures, taxonomy
from skystamp.evaluation import operating
from skystamp.evaluation.judged import Judged
from skystamp.evaluation.summary import pooled_bins
from skystamp.inputs.sequence import SEQUENCE_CLIPS


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture inside a page."""

    address: str
    words: str


def pictures(judged: Judged, found: Mapping[str, Any]) -> dict[str, Picture]:
    """Return the figures of an evaluation by name; those whose data are not there are left out."""
    made = {"confusion": confusion(judged, ""), "histograms": _histograms(judged)}
    if taxonomy.SN in judged.classes:
        made |= {"roc": roc({"": judged}, {"": _area(found)}), "thresholds": _thresholds(judged)}
    made["reliability"] = reliability({"": judged}, {"": f"error {found['calibration']['error']['mean']:.3f}"})
    if any(way["rows"] for way in found["slices"]):
        made["slices"] = _slices(found)
    if {"ra", "dec"} <= set(judged.columns):
        made["sky"] = _sky(judged)
    if judged.features:
        made["features"] = _features(judged)
    return made


def confusion(judged: Judged, title: str) -> Picture:
    """Return the confusion matrix with its spread over the trainings."""
    figure = figures.confusion_spread_figure(judged.matrices.astype(np.float64), judged.classes, title)
    return Picture(figures.as_svg(figure), f"Confusion matrix {title}: true classes in rows, answers in columns")


def roc(named: Mapping[str, Judged], labels: Mapping[str, str]) -> Picture:
    """Return the receiver operating curves of supernovae against the rest, of one model or of two."""
    curves = {
        name: [(one.false_rate, one.true_rate) for one in operating.rocs(judged, taxonomy.SN)]
        for name, judged in named.items()
    }
    words = f"Receiver operating curve of {taxonomy.SN}: {'; '.join(labels.values())}"
    return Picture(figures.as_svg(figures.roc_figure(curves, labels, taxonomy.SN)), words)


def reliability(named: Mapping[str, Judged], labels: Mapping[str, str]) -> Picture:
    """Return the reliability curve of one model or of two."""
    bins = {name: pooled_bins(judged) for name, judged in named.items()}
    words = f"Share right against confidence: {'; '.join(labels.values())}"
    return Picture(figures.as_svg(figures.reliability_figure(bins, labels)), words)


def compared_slices(found: Mapping[str, Any]) -> Picture | None:
    """Return the difference of two models in each slice with its interval, or None where there is no slice."""
    ways = [(way["name"], *_rows(way["rows"], "difference", 100.0)) for way in found["slices"] if way["rows"]]
    if not ways:
        return None
    figure = figures.slices_figure(ways, [0.0], [""], what="accuracy of B minus A, percentage points")
    return Picture(figures.as_svg(figure), "Difference of accuracy in each slice with its interval")


def stamps(images: np.ndarray) -> Picture:
    """Return the stamps of one object, float32 (detection, y, x, band)."""
    return Picture(figures.as_png(figures.stamps_figure(images), dpi=150), "science, template and difference stamps")


def _area(found: Mapping[str, Any]) -> str:
    area = found["supernovae"]["area"]
    return f"area {area['mean']:.4f}" + (f" ± {area['std']:.4f}" if area["std"] is not None else "")


def _thresholds(judged: Judged) -> Picture:
    thresholds = np.linspace(0, 1, 201)
    purity, completeness = operating.by_threshold(judged, taxonomy.SN, thresholds)
    figure = figures.thresholds_figure(thresholds, purity, completeness, taxonomy.SN)
    return Picture(figures.as_svg(figure), "Purity and completeness of supernova candidates by threshold")


def _histograms(judged: Judged) -> Picture:
    together = judged.probabilities.reshape(-1, len(judged.classes))
    labels = np.tile(judged.labels, judged.seeds)
    figure = figures.histograms_figure(together, labels, judged.classes)
    return Picture(figures.as_svg(figure), "Histograms of each class's probability, of its own objects and of others")


def _slices(found: Mapping[str, Any]) -> Picture:
    plain = [{**way, "rows": [{**row, **row["accuracy"]} for row in way["rows"]]} for way in found["slices"]]
    ways = [(way["name"], *_rows(way["rows"], "mean", 1.0)) for way in plain if way["rows"]]
    figure = figures.slices_figure(ways, [found["scores"]["accuracy"]["mean"]], [""])
    return Picture(figures.as_svg(figure), "Accuracy in each slice with its interval")


def _rows(rows: Sequence[Mapping[str, Any]], name: str, unit: float) -> tuple[list[str], list[np.ndarray]]:
    """Return names of rows with their counts, and estimate, low and high of each; the estimate where there are none."""
    numbers = [[row[name], *(row[name] if row[k] is None else row[k] for k in ("low", "high"))] for row in rows]
    return [f"{row['name']}  ({row['objects']})" for row in rows], [unit * np.array(numbers)]


def _sky(judged: Judged) -> Picture:
    answers = np.array(judged.classes)[judged.mean.argmax(axis=1)]
    ra, dec = (np.asarray(judged.columns[name], np.float64) for name in ("ra", "dec"))
    figure = figures.sky_figure(ra, dec, answers, judged.classes)
    return Picture(figures.as_png(figure), "Aitoff maps of the objects with each answer")


def _features(judged: Judged) -> Picture:
    columns = {name: np.asarray(judged.columns[name], np.float64) for name in judged.features}
    clipped = [np.clip(values, *SEQUENCE_CLIPS.get(name, (None, None))) for name, values in columns.items()]
    values = np.stack(clipped, axis=1)
    figure = figures.features_figure(values, judged.features, judged.names, judged.classes)
    return Picture(figures.as_svg(figure), "Distribution of each feature by true class")
