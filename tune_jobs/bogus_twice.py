"""Count how often an object is bogus twice, by what it really is.

Question
    The rule of two detections says bogus where the first-detection model says so of the first accepted detection and of
    the second. How many bogus objects does it find, and how many others does it throw away, against one look alone?

Command
    python -m tune_jobs.bogus_twice PACKETS [PACKETS ...] --labels LABELS.csv --model first-detection@champion

Cost, on 2 CPU cores without a GPU
    Reading and two classifications an object: a minute for 10,000 objects. ``--smoke`` simulates 30 objects first,
    takes no other argument than the model, and ends within two minutes.

Result
    Rates by true class, of the objects with at least two accepted detections; tune_jobs/LOG.md.
"""

import argparse
import json
import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from skystamp import manifest, sources
from skystamp.alert import Alert
from skystamp.avro import Decoded
from skystamp.classify import BOGUS_TWICE, Classification, Model, Models, alerts, histories
from skystamp.errors import Reject
from skystamp.sequences import places
from skystamp.taxonomy import BOGUS, CLASSES

PART = 2000  # alerts decoded at once


@dataclass(frozen=True)
class Rates:
    """What became of the objects of one true class that have two accepted detections."""

    label: str
    objects: int
    bogus_at_first: int
    bogus_twice: int


def main(given: Sequence[str] | None = None) -> None:
    """Read the arguments, count, and print the table."""
    arguments = _arguments(given)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from skystamp import tracking

    model = tracking.load(arguments.model, arguments.tracking_uri or tracking.default_uri())
    with tempfile.TemporaryDirectory(prefix="skystamp-") as folder:
        if arguments.smoke:
            arguments.packets, arguments.labels = [folder], _simulated(Path(folder))
        known = dict(manifest.read_labels(arguments.labels, manifest.DatasetManifest("bogus_twice")).classes)
        rates = count(first_two(_alerts(arguments.packets)), known, model)
    print(json.dumps([asdict(each) for each in rates]) if arguments.json else _table(rates))


def first_two(found: Iterable[Alert]) -> list[list[Alert]]:
    """Return the first two accepted detections of each object that has as many, in time order."""
    by_object: dict[str, list[Alert]] = {}
    for alert in found:
        by_object.setdefault(alert.object_id, []).append(alert)
    return [pair for detections in by_object.values() if len(pair := _accepted(detections)[:2]) == 2]


def count(pairs: Sequence[Sequence[Alert]], labels: dict[str, str], model: Model) -> list[Rates]:
    """Return the rates of each true class among `labels`."""
    models, tally = Models({"first-detection": model}), {name: [0, 0, 0] for name in CLASSES}
    for start in range(0, len(pairs), PART // 2):
        part = [pair for pair in pairs[start : start + PART // 2] if pair[0].object_id in labels]
        outcomes = histories([alert for pair in part for alert in pair], models)
        for first, second in zip(outcomes[::2], outcomes[1::2], strict=True):
            if isinstance(first, Classification) and isinstance(second, Classification):
                twice = any(rule.rule == BOGUS_TWICE for rule in second.rules)
                row = tally[labels[first.object_id]]
                row[0], row[1], row[2] = row[0] + 1, row[1] + (first.label == BOGUS), row[2] + twice
    return [Rates(name, *row) for name, row in tally.items() if row[0]]


def _accepted(detections: Sequence[Alert]) -> list[Alert]:
    import numpy as np

    names = [alert.object_id for alert in detections]
    mjd, numbers = np.array([a.mjd for a in detections]), np.array([a.alert_id for a in detections], np.int64)
    place, _ = places(names, mjd, numbers)
    return [detections[i] for i in np.argsort(place, kind="stable") if place[i]]


def _alerts(paths: Sequence[str]) -> Iterator[Alert]:
    for source in sources.find(paths).sources:
        items: list[Decoded | Reject] = list(sources.records(source))
        yield from (alert for alert in alerts(items) if isinstance(alert, Alert))


def _simulated(folder: Path) -> Path:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from skystamp.cluster.simulate import Simulation, simulate

    simulate(Simulation(30, 5, 3, priors={"bogus": 2.0, "SN": 1.0, "VS": 1.0}), folder, workers=0)
    return folder / "labels.csv"


def _table(rates: Sequence[Rates]) -> str:
    lines = [f"{'true':9} {'objects':>8} {'bogus at the first':>19} {'bogus twice':>12}"]
    for each in rates:
        first, twice = each.bogus_at_first / each.objects, each.bogus_twice / each.objects
        lines.append(f"{each.label:9} {each.objects:8d} {first:19.3f} {twice:12.3f}")
    return "\n".join(lines)


def _arguments(given: Sequence[str] | None = None) -> Any:
    parser = argparse.ArgumentParser(
        prog="python -m tune_jobs.bogus_twice",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("packets", nargs="*", help="Avro files, tar archives or folders of them")
    parser.add_argument("--labels", type=Path, help="table with objectId and class")
    parser.add_argument("--model", required=True, help="NAME@ALIAS, NAME/VERSION or a bundle's folder")
    parser.add_argument("--tracking-uri", default=os.environ.get("MLFLOW_TRACKING_URI"))
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--smoke", action="store_true", help="on 30 objects simulated for it")
    arguments = parser.parse_args(given)
    if not arguments.smoke and not (arguments.packets and arguments.labels):
        parser.error("PACKETS and --labels are needed, or --smoke")
    return arguments


if __name__ == "__main__":
    main()
