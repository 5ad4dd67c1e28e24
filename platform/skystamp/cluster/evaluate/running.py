"""An evaluation and a comparison, from references of models to files on disk and runs in MLflow."""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from skystamp import evaluation, tracking
from skystamp.cluster.data.shards import read_manifest
from skystamp.cluster.evaluate import answering
from skystamp.cluster.evaluate.answering import Side
from skystamp.evaluation import Judged, summary
from skystamp.evaluation.summary import finite

EXPERIMENT = "evaluation"
REPORT, METRICS = "report.html", "metrics.json"


@dataclass(frozen=True)
class Written:
    """Where the page and its numbers lie, the numbers themselves, and the run that has both (empty: none)."""

    report: Path
    metrics: Path
    found: Mapping[str, Any]
    run: str


def evaluate(
    references: Sequence[str], folder: Path, out: Path, uri: str, *, split: str = "test", log: bool = True
) -> Written:
    """Write an evaluation's page and numbers to the folder `out`, and log both.

    Parameters
    ----------
    references : sequence of str
        Trainings of one configuration, as `tracking.resolve` takes them.
    folder : Path
        Prepared data.
    out : Path
        Made if it is absent.
    uri : str
        Of MLflow.
    split : str
    log : bool
        Whether a run of the experiment ``evaluation`` gets both files and the scores.

    Raises
    ------
    UsageError, BundleError, DatasetError
        As of `answering.side` and `answering.answered`.
    """
    chosen = answering.side(references, uri)
    judged, found = _judged(chosen, folder, split)
    wrong = [one["alert_id"] for one in found["mistakes"]]
    page = evaluation.page(judged, found, answering.stamps(chosen.spec, folder, split, wrong))
    scores = _scores(found)
    return _write(out, page, found, uri if log else "", f"evaluate {found['label']}", scores, _params([found]))


def compare(
    first: Sequence[str],
    second: Sequence[str],
    folder: Path,
    out: Path,
    uri: str,
    *,
    split: str = "test",
    log: bool = True,
) -> Written:
    """Write the comparison of two configurations on the same objects to the folder `out`, and log it.

    Raises
    ------
    UsageError, BundleError, DatasetError
        As of `evaluate`, or if the two have too little in common (`evaluation.aligned`).
    """
    sides = [answering.side(references, uri) for references in (first, second)]
    answers = [answering.answered(one, folder, split)[0] for one in sides]
    aligned = evaluation.aligned(*answers)
    labels = _labels(sides)
    summaries = [
        _summary(one, judged, folder, split, label, 0)
        for one, judged, label in zip(sides, aligned, labels, strict=True)
    ]
    found = {**evaluation.compared(*aligned), "note": _note(answers, aligned), "models": summaries}
    page = evaluation.comparison_page(*aligned, summaries, found)
    difference, p = found["differences"], found["mcnemar"]["p"]
    scores = {**{f"difference_{name}": one["difference"] for name, one in difference.items()}, "mcnemar_p": p}
    if not found["trainings"]["missing"]:
        scores["permutation_p"] = found["trainings"]["permutation_p"]
    return _write(out, page, found, uri if log else "", f"compare {' and '.join(labels)}", scores, _params(summaries))


def _judged(chosen: Side, folder: Path, split: str) -> tuple[Judged, dict[str, Any]]:
    judged, left_out = answering.answered(chosen, folder, split)
    return judged, _summary(chosen, judged, folder, split, chosen.label, left_out)


def _summary(chosen: Side, judged: Judged, folder: Path, split: str, label: str, left_out: int) -> dict[str, Any]:
    manifest = read_manifest(folder)
    synthetic = str(manifest["name"]).startswith("synthetic")
    about = {
        "label": label,
        "models": chosen.about(),
        "data": {
            "name": manifest["name"],
            "summary": manifest["summary"],
            "hash": manifest["hash"],
            "folder": str(folder),
            "note": "They are simulated: scores on real alerts differ." if synthetic else "",
        },
        "split": split,
        "left_out": left_out,
        "created": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
    }
    return summary(judged, about=about, inference=answering.inference(chosen.models[0], folder, split))


def _labels(sides: Sequence[Side]) -> list[str]:
    labels = [one.label for one in sides]
    return labels if labels[0] != labels[1] else [f"{label} ({side})" for label, side in zip(labels, "AB", strict=True)]


def _note(before: Sequence[Judged], after: Sequence[Judged]) -> str:
    """Return what a comparison left out, in words."""
    said = []
    if any(one.classes != after[0].classes for one in before):
        said.append(f"Answers are those among the classes that both know: {', '.join(after[0].classes)}.")
    if any(len(one) != len(after[0]) for one in before):
        counts = " and ".join(str(len(one)) for one in before)
        said.append(f"Of {counts} objects, {len(after[0])} can be answered by both.")
    return " ".join(said)


def _scores(found: Mapping[str, Any]) -> dict[str, float]:
    """Return what a run logs as metrics: means, deviations, and each class's."""
    scores = {name: one["mean"] for name, one in found["scores"].items()}
    scores |= {f"{name}_std": one["std"] for name, one in found["scores"].items() if one["std"] is not None}
    for kind in ("precision", "recall", "f1"):
        scores |= {f"{kind}_{name}": row[kind]["mean"] for name, row in found["by_class"].items()}
    if found["supernovae"]:
        scores["roc_area_SN"] = found["supernovae"]["area"]["mean"]
    return scores


def _params(summaries: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    first = summaries[0]
    models = " | ".join(", ".join(f"{m['name']}/{m['version']}" for m in one["models"]) for one in summaries)
    return {
        "models": models[:6000],
        "data": first["data"]["name"],
        "split": first["split"],
        "data_hash": first["data"]["hash"],
    }


def _write(
    out: Path,
    page: str,
    found: Mapping[str, Any],
    uri: str,
    name: str,
    scores: Mapping[str, float],
    params: Mapping[str, str],
) -> Written:
    out.mkdir(parents=True, exist_ok=True)
    content = finite(found)
    (out / REPORT).write_text(page, encoding="utf-8")
    (out / METRICS).write_text(json.dumps(content, indent=1, allow_nan=False))
    run = ""
    if uri:
        tracker = tracking.open_tracker(EXPERIMENT, uri)
        run = tracker.start(name)
        tracker.log(run, params=params, metrics=scores)
        tracker.log_text(run, page, REPORT)
        tracker.log_json(run, content, METRICS)
        tracker.finish(run)
    return Written(out / REPORT, out / METRICS, found, run)
