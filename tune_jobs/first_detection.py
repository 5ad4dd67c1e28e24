"""Search the hyperparameters of the first-detection classifier.

Question
    Which of them make it best? Carrasco-Davis et al. (2021), Section 4.2, searched learning rate, beta, batch, crop,
    dropout and kernel of the stamp classifier by 133 random combinations of five trainings each. Here by TPE with ASHA
    unless ``--sampler random --no-prune --trials 133 --seeds 5`` asks for the paper's own protocol. ``--space
    enhanced`` searches the rotations, their jitter and the crop of the enhanced stamp classifier instead.

Command
    ray job submit --address http://127.0.0.1:8265 --working-dir . -- \
        python -m tune_jobs.first_detection --data /abs/prepared --name my-study

Cost, on 2 CPU cores without a GPU
    1,000 iterations of the 21-pixel network at batch 64 take 2 minutes alone; the paper's whole protocol would take
    months here and is meant for GPUs. ``--space demo --trials 3 --max-iterations 750`` takes 5 minutes,
    ``--smoke`` less than two.

Result
    One MLflow run a study with its trials nested under it; the best bundle by validation is scored once on test,
    registered as ``first-detection`` and proposed as ``challenger`` (the first ever: ``champion``). tune_jobs/LOG.md.

The same ``--name`` goes on with an interrupted study.
"""

import argparse
import math
from collections.abc import Sequence
from typing import Any

from tune_jobs import arguments as common

PAPER: dict[str, list[Any]] = {
    "learning_rate": [1e-3, 5e-3, 5e-4, 1e-4, 5e-5],
    "beta": [0.5, 0.0, 0.3, 0.8, 1.0],
    "batch": [64, 16, 32],
    "crop": [21, 41, 63],
    "dropout": [0.5, 0.2, 0.8],
    "kernel": [5, 3, 7],
}
ENHANCED: dict[str, list[Any]] = {
    "k": [6, 4, 5, 7, 8],
    "theta": [math.radians(degrees) for degrees in (0, 7, 14, 22, 29, 36, 360)],
    "crop": [33, 21, 27, 39],
}
DEMO: dict[str, list[Any]] = {"learning_rate": [1e-3, 5e-4], "beta": [0.3, 0.5], "dropout": [0.5, 0.2]}

SPACES = {"paper": PAPER, "enhanced": ENHANCED, "demo": DEMO}


def main(given: Sequence[str] | None = None) -> None:
    """Read the arguments, run the study, and print how it ended."""
    arguments = _arguments(given)
    common.connect(arguments)
    from skystamp.cluster import search

    space = SPACES[arguments.space]
    study = search.Study(
        **common.shared(arguments),
        name=arguments.name,
        space=space,
        fixed={**common.fixed(arguments), **_few(arguments)},
        first=({name: values[0] for name, values in space.items()},),
        trials=arguments.trials,
        sampler=arguments.sampler,
        prune=arguments.prune,
    )
    _show(search.search(study))


def _few(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return what trainings too short for the papers' drop-outs and extension need."""
    return {"dropout_at": ["joint"], "cosine_decay": True} if arguments.space == "demo" else {}


def _arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = common.parser("first_detection", __doc__, trials=True)
    parser.add_argument("--space", choices=sorted(SPACES), default="paper")
    arguments = parser.parse_args(given)
    if arguments.smoke:
        arguments.trials, arguments.seeds, arguments.max_iterations, arguments.validate_every = 1, 1, 4, 2
    return arguments


def _show(summary: Any) -> None:
    classes = summary.classes
    print(f"\n{common.ended(summary)}")
    print(f"best: {dict(summary.best)}")
    print(f"on test: accuracy {summary.test['accuracy']:.4f}, macro F1 {summary.test['macro_f1']:.4f}")
    print(f"  {'true':9} recall  " + " ".join(f"{name:>8}" for name in classes))
    for label, row in zip(classes, summary.matrix.tolist(), strict=True):
        print(f"  {label:9} {summary.test[f'recall_{label}']:6.3f}  " + " ".join(f"{count:8d}" for count in row))
    print(f"registered {summary.model} version {summary.version} as {summary.alias}")


if __name__ == "__main__":
    main()
