"""Take parts of the inputs away from the temporal classifier and see what they were worth.

Question
    What do stamps, metadata and AllWISE colours each add, for n detections? Neira, Estevez and Forster (2024), Table 7:
    images alone, metadata alone and both, each with and without AllWISE, several trainings of each.

Command
    ray job submit --address http://127.0.0.1:8265 --working-dir . -- \
        python -m tune_jobs.temporal_ablation --data /abs/prepared --name my-ablation --like champion

    ``--like published`` (the default) takes the cell that the paper chose for each n; ``--like champion`` all settings
    of the registered ``temporal-n@champion`` but the length of its training. The data have to be prepared with a
    catalogue, or with and without AllWISE are the same.

Cost
    Six configurations x seeds for each n; those without images are many times cheaper. ``--smoke`` takes two minutes
    on 2 CPU cores.

Result
    One table for all n: accuracy on validation and test with its spread over the seeds, and p of a permutation test of
    the trainings against the whole model's, on test. Printed, and in MLflow as ``temporal-ablation.md`` and
    ``temporal-ablation.json`` of the run NAME in the experiment ``temporal-ablation``; each n has a run of its own in
    ``temporal-n``. Nothing is registered. tune_jobs/LOG.md.

The same ``--name`` goes on with an interrupted study.
"""

import argparse
import dataclasses
from collections.abc import Sequence
from typing import Any

from tune_jobs import arguments as common
from tune_jobs import temporal_cells
from tune_jobs.temporal import DETECTIONS, SMOKE

WHOLE = "both with AllWISE"
PARTS: dict[str, dict[str, Any]] = {
    WHOLE: {},
    "both": {"allwise": False},
    "images with AllWISE": {"metadata": False},
    "images": {"metadata": False, "allwise": False},
    "metadata with AllWISE": {"images": False},
    "metadata": {"images": False, "allwise": False},
}

SMOKED = (WHOLE, "metadata")
"""What ``--smoke`` tries."""

_OWN = {"max_iterations", "validate_every", "seed", "images", "metadata", "allwise"}

NOTE = f"""\
Validation and test: mean of the classes' recalls, mean and standard deviation over the trainings; with as many objects
of every class that is the accuracy. p: permutation test of the trainings against those of "{WHOLE}", on test,
uncorrected for the number of comparisons. ms: of one object, by itself and in a batch of 64, the network alone, warm,
median.
"""


def main(given: Sequence[str] | None = None) -> None:
    """Read the arguments, run a study for each n, and print their table."""
    arguments = _arguments(given)
    common.connect(arguments)
    from skystamp.cluster import search
    from skystamp.cluster.search import table

    rows: list[dict[str, Any]] = []
    for n in arguments.detections:
        summary = search.search(_study(arguments, n))
        found = [{"n": n, **table.row(tried, chosen="")} for tried in against_whole(summary.tried)]
        print(f"\n{common.ended(summary)}\n\n{table.markdown(found, ['n'])}", flush=True)
        rows += found
        common.log_table(arguments, "temporal-ablation", f"{table.markdown(rows, ['n'])}\n{NOTE}", rows)
    print(f"\n{table.markdown(rows, ['n'])}\n{NOTE}")


def against_whole(tried: Sequence[Any]) -> list[Any]:
    """Return what was tried in the order of `PARTS`, with p against the whole model, on test; NaN if that failed."""
    import numpy as np

    from skystamp import statistics
    from skystamp.cluster.search import METRIC

    by_name = {each.name: each for each in tried}
    scores = {name: each.values(f"test_{METRIC}") for name, each in by_name.items()}
    rng = np.random.default_rng(0)
    p = {
        name: statistics.permutation_test(scores[WHOLE], values, rng=rng).p if WHOLE in scores else float("nan")
        for name, values in scores.items()
    }
    return [dataclasses.replace(by_name[name], p=p[name]) for name in PARTS if name in by_name]


def _study(arguments: argparse.Namespace, n: int) -> Any:
    from skystamp import routing
    from skystamp.cluster import search

    return search.Study(
        **common.shared(arguments),
        name=f"{arguments.name}-{n}",
        model=routing.MODEL_FOR[n],
        configurations={name: PARTS[name] for name in (SMOKED if arguments.smoke else PARTS)},
        fixed={**_settings(arguments, n), **common.fixed(arguments)},
        choose=search.FASTEST_OF_EQUALS,
        test_each=True,
        register=False,
        prune=False,
    )


def _settings(arguments: argparse.Namespace, n: int) -> dict[str, Any]:
    """Return the settings that all parts share: a published cell's, or a registered model's own."""
    if arguments.smoke:
        return {**SMOKE, "cell": "conv1d", "units": 8}
    if arguments.like == "published":
        return dict(temporal_cells.PUBLISHED[n])
    from skystamp import bundle, routing, tracking

    found = tracking.resolve(f"{routing.MODEL_FOR[n]}@{arguments.like}", common.tracking_uri(arguments))
    settings = bundle.read_about(found.folder)["settings"]
    return {name: value for name, value in settings.items() if name not in _OWN}


def _arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = common.parser("temporal_ablation", __doc__, trials=False)
    parser.add_argument("--detections", type=int, nargs="+", choices=DETECTIONS, help="n, some or all; default all")
    parser.add_argument("--like", default="published", metavar="ALIAS", help="published, or of a registered model")
    parser.set_defaults(seeds=10, validate_every=50)
    arguments = parser.parse_args(given)
    if arguments.smoke:
        arguments.seeds, arguments.max_iterations, arguments.validate_every = 1, 4, 2
    arguments.detections = arguments.detections or ([2] if arguments.smoke else list(DETECTIONS))
    return arguments


if __name__ == "__main__":
    main()
