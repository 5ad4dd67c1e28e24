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
import os
import subprocess
from pathlib import Path
from typing import Any

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


def main() -> None:
    """Read the arguments, run the study, and print how it ended."""
    arguments = _arguments()
    from skystamp.cluster import environment

    environment.apply(local=not arguments.address)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import ray

    from skystamp import taxonomy, tracking
    from skystamp.cluster import search

    ray.init(address=arguments.address or None, log_to_driver=arguments.verbose, logging_level="WARNING")
    space = SPACES[arguments.space]
    study = search.Study(
        name=arguments.name,
        data=tuple(folder.resolve() for folder in arguments.data),
        space=space,
        storage=arguments.storage.resolve(),
        tracking_uri=arguments.tracking_uri or tracking.default_uri(),
        fixed={
            "max_iterations": arguments.max_iterations,
            "validate_every": arguments.validate_every,
            **_few(arguments),
        },
        first=({name: values[0] for name, values in space.items()},),
        trials=arguments.trials,
        seeds=arguments.seeds,
        sampler=arguments.sampler,
        concurrent=arguments.max_concurrent,
        cpus=arguments.cpus_per_trial,
        gpus=arguments.gpus_per_trial,
        prune=arguments.prune,
        seed=arguments.seed,
        commit=arguments.commit or _commit(),
    )
    _show(search.search(study), taxonomy.FIRST_DETECTION)


def _few(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return what trainings too short for the papers' drop-outs and extension need."""
    return {"dropout_at": ["joint"], "cosine_decay": True} if arguments.space == "demo" else {}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tune_jobs.first_detection",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    data = parser.add_argument_group("data and places")
    data.add_argument("--data", type=Path, action="append", required=True, help="prepared data; may be repeated")
    data.add_argument("--tracking-uri", default=os.environ.get("MLFLOW_TRACKING_URI"), help="of MLflow")
    data.add_argument(
        "--storage", type=Path, default=Path(".skystamp/tune"), help="Tune's results; reached by all nodes"
    )
    data.add_argument("--address", default=os.environ.get("RAY_ADDRESS"), help="of the Ray cluster")
    data.add_argument("--commit", help="of the code, where the job's copy has no repository")
    study = parser.add_argument_group("study")
    study.add_argument("--name", default="first-detection", help="the same name goes on with the same study")
    study.add_argument("--space", choices=sorted(SPACES), default="paper")
    study.add_argument("--sampler", choices=("tpe", "random"), default="tpe")
    study.add_argument("--trials", type=int, default=133)
    study.add_argument("--seeds", type=int, default=5, help="trainings of each configuration")
    study.add_argument("--no-prune", dest="prune", action="store_false", help="let every trial run to its end")
    study.add_argument("--seed", type=int, default=0)
    study.add_argument("--smoke", action="store_true", help="two trials of 40 iterations")
    training = parser.add_argument_group("training")
    training.add_argument("--max-iterations", type=int, default=30_000)
    training.add_argument("--validate-every", type=int, default=10)
    resources = parser.add_argument_group("resources")
    resources.add_argument("--cpus-per-trial", type=float, default=1)
    resources.add_argument("--gpus-per-trial", type=float, help="may be a fraction; a quarter where there are any")
    resources.add_argument("--max-concurrent", type=int, default=0, help="trials at once; 0: as many as fit")
    resources.add_argument("--verbose", action="store_true", help="show the trials' own output")
    arguments = parser.parse_args()
    if arguments.smoke:
        arguments.trials, arguments.seeds, arguments.max_iterations, arguments.validate_every = 2, 1, 40, 20
    return arguments


def _commit() -> str:
    found = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return found.stdout.strip() or "unknown"


def _show(summary: Any, classes: tuple[str, ...]) -> None:
    ends = f"{summary.complete} complete, {summary.stopped} stopped early, {len(summary.failed)} failed"
    print(f"\n{summary.trials} trials: {ends}")
    for line in summary.failed:
        print(f"  failed: {line}")
    print(f"best: {dict(summary.best)}")
    print(f"on test: accuracy {summary.test['accuracy']:.4f}, macro F1 {summary.test['macro_f1']:.4f}")
    print(f"  {'true':9} recall  " + " ".join(f"{name:>8}" for name in classes))
    for label, row in zip(classes, summary.matrix.tolist(), strict=True):
        print(f"  {label:9} {summary.test[f'recall_{label}']:6.3f}  " + " ".join(f"{count:8d}" for count in row))
    print(f"registered first-detection version {summary.version} as {summary.alias}")


if __name__ == "__main__":
    main()
