"""See whether accuracy grows with the number of detections, on the same objects.

Question
    Do two, three, four and five detections tell more than one? The test splits of different n hold different objects;
    here each model reads the first detections of the very same ones, those of the test split that have enough for all.

Command
    python -m tune_jobs.growth --data DIR --model first-detection@champion --model temporal-2@champion ...

    A first-detection model answers among AGN, SN and VS by its most probable class of these three.

Cost, on 2 CPU cores without a GPU
    Reading the test split, and one answer an object and model: a minute for a thousand objects.

Result
    Accuracy of each model with an interval by a bootstrap over objects, and p of McNemar's test against the model of
    one detection less; tune_jobs/LOG.md.
"""

import argparse
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from skystamp import manifest, statistics, taxonomy
from skystamp.classify import Model
from skystamp.cluster import train
from skystamp.cluster.data.shards import LabelledSequences, load_sequences
from skystamp.inputs import SequenceSpec


@dataclass(frozen=True)
class Row:
    """One model on the common objects."""

    model: str
    detections: int
    accuracy: float
    low: float
    high: float
    p: float | None


def main() -> None:
    """Read the arguments, ask every model, and print the table."""
    arguments = _arguments()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from skystamp import tracking

    uri = arguments.tracking_uri or tracking.default_uri()
    models = sorted((tracking.load(reference, uri) for reference in arguments.model), key=detections_of)
    longest = max(detections_of(model) for model in models)
    data = train.joined([load_sequences(folder, manifest.TEST, longest) for folder in arguments.data])
    known = data.take(np.flatnonzero(np.isin(data.labels, taxonomy.TEMPORAL)))
    known = without_allwise(known) if arguments.without_allwise else known
    print(table(rows(models, known), len(known)))


def detections_of(model: Model) -> int:
    """Return how many detections a model reads."""
    spec = model.bundle.spec
    return spec.detections if isinstance(spec, SequenceSpec) else 1


def without_allwise(data: LabelledSequences) -> LabelledSequences:
    """Return the same objects as a service without a catalogue sees them."""
    return replace(data, raw=replace(data.raw, wise=np.full_like(data.raw.wise, np.nan)))


def rows(models: list[Model], data: LabelledSequences) -> list[Row]:
    """Return one row a model, on all of `data`; models should be sorted by detections."""
    found: list[Row] = []
    before: np.ndarray | None = None
    for model in models:
        right = answers(model, data) == data.labels
        interval = statistics.bootstrap_interval(
            lambda drawn, right=right: float(right[drawn].mean()),
            data.object_ids.tolist(),
            rng=np.random.default_rng(0),
        )
        p = None if before is None else statistics.mcnemar(before, right).p
        name = f"{model.name} {model.version}"
        found.append(Row(name, detections_of(model), interval.estimate, interval.low, interval.high, p))
        before = right
    return found


def answers(model: Model, data: LabelledSequences) -> np.ndarray:
    """Return the most probable of AGN, SN and VS for each object, from as many detections as the model reads."""
    count = detections_of(model)
    raw: Any = data.raw.detection(0) if count == 1 else data.raw.first(count)
    columns = [model.bundle.classes.index(name) for name in taxonomy.TEMPORAL]
    return np.array(taxonomy.TEMPORAL)[model.bundle.predict(raw)[:, columns].argmax(1)]


def table(found: list[Row], objects: int) -> str:
    """Return the rows as Markdown."""
    head = ["| model | detections | accuracy | 95 % | p |", "|---|---|---|---|---|"]
    lines = [f"{objects} objects of the test split", "", *head]
    for row in found:
        p = "" if row.p is None else f"{row.p:.3f}"
        lines.append(f"| {row.model} | {row.detections} | {row.accuracy:.4f} | {row.low:.4f} to {row.high:.4f} | {p} |")
    return "\n".join(lines)


def _arguments() -> Any:
    parser = argparse.ArgumentParser(
        prog="python -m tune_jobs.growth", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, action="append", required=True, help="prepared data; may be repeated")
    parser.add_argument("--model", action="append", required=True, help="NAME@ALIAS, NAME/VERSION or a bundle's folder")
    parser.add_argument("--without-allwise", action="store_true", help="as a service without a catalogue sees them")
    parser.add_argument("--tracking-uri", default=os.environ.get("MLFLOW_TRACKING_URI"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
