"""What the studies' command lines share: their arguments, the connection to Ray, and the plain parts of a `Study`."""

import argparse
import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any


def parser(study: str, doc: str | None, *, trials: bool) -> argparse.ArgumentParser:
    """Return the arguments of a study: data and places, study, training, resources.

    Parameters
    ----------
    study : str
        Its module in tune_jobs; the default of ``--name``, with dashes.
    doc : str
        The module's docstring.
    trials : bool
        Whether it searches a space, and so how many trials by what sampler is asked.
    """
    made = argparse.ArgumentParser(
        prog=f"python -m tune_jobs.{study}", description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    data = made.add_argument_group("data and places")
    data.add_argument("--data", type=Path, action="append", required=True, help="prepared data; may be repeated")
    data.add_argument("--tracking-uri", default=os.environ.get("MLFLOW_TRACKING_URI"), help="of MLflow")
    data.add_argument(
        "--storage", type=Path, default=Path(".skystamp/tune"), help="Tune's results; reached by all nodes"
    )
    data.add_argument("--address", default=os.environ.get("RAY_ADDRESS"), help="of the Ray cluster")
    data.add_argument("--commit", help="of the code, where the job's copy has no repository")
    group = made.add_argument_group("study")
    group.add_argument("--name", default=study.replace("_", "-"), help="the same name goes on with the same study")
    group.add_argument("--seeds", type=int, default=5, help="trainings of each configuration")
    group.add_argument("--seed", type=int, default=0)
    group.add_argument("--smoke", action="store_true", help="as small as it gets, to see that it runs")
    group.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting of all trainings")
    if trials:
        group.add_argument("--sampler", choices=("tpe", "random"), default="tpe")
        group.add_argument("--trials", type=int, default=133)
        group.add_argument("--no-prune", dest="prune", action="store_false", help="let every trial run to its end")
    group.add_argument(
        "--no-calibrate", dest="calibrate", action="store_false", help="no temperature fitted on validation"
    )
    group.add_argument("--ensemble", action="store_true", help="register the chosen configuration's seeds as one")
    training = made.add_argument_group("training")
    training.add_argument("--max-iterations", type=int, default=30_000)
    training.add_argument("--validate-every", type=int, default=10)
    resources = made.add_argument_group("resources")
    resources.add_argument("--cpus-per-trial", type=float, default=1.0)
    resources.add_argument("--gpus-per-trial", type=float, help="may be a fraction; a quarter where there are any")
    resources.add_argument("--max-concurrent", type=int, default=0, help="trials at once; 0: as many as fit")
    resources.add_argument("--verbose", action="store_true", help="show the trials' own output")
    return made


def connect(arguments: argparse.Namespace) -> None:
    """Connect to the cluster that the arguments name, or start one of this machine alone; a connection stays."""
    from skystamp.cluster import environment

    environment.apply(local=not arguments.address)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import ray

    if not ray.is_initialized():
        ray.init(address=arguments.address or None, log_to_driver=arguments.verbose, logging_level="WARNING")


def tracking_uri(arguments: argparse.Namespace) -> str:
    """Return the URI of MLflow: the one that was given, or this project's own file."""
    from skystamp import tracking

    return arguments.tracking_uri or tracking.default_uri()


def shared(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the fields of a `Study` that say where and on what it runs."""
    return {
        "data": tuple(folder.resolve() for folder in arguments.data),
        "storage": arguments.storage.resolve(),
        "tracking_uri": tracking_uri(arguments),
        "seeds": arguments.seeds,
        "concurrent": arguments.max_concurrent,
        "cpus": arguments.cpus_per_trial,
        "gpus": arguments.gpus_per_trial,
        "seed": arguments.seed,
        "calibrate": arguments.calibrate,
        "ensemble": arguments.ensemble,
        "commit": arguments.commit or _commit(),
    }


def fixed(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the settings that all trainings of a study share: its length, and what ``--set`` says."""
    length = {"max_iterations": arguments.max_iterations, "validate_every": arguments.validate_every}
    return {**length, **dict(setting(text) for text in arguments.set)}


def log_table(
    arguments: argparse.Namespace,
    experiment: str,
    text: str,
    rows: Sequence[Mapping[str, Any]],
    figures: Mapping[str, Any] | None = None,
) -> None:
    """Log a study's table with the study's own run, which is found again or made: Markdown, JSON, and its figures.

    The files are ``EXPERIMENT.md``, ``EXPERIMENT.json`` and, of each figure, ``NAME.png``.
    """
    from skystamp import tracking

    tracker = tracking.open_tracker(experiment, tracking_uri(arguments))
    run = tracker.find(arguments.name) or tracker.start(arguments.name, tags={"study": arguments.name})
    tracker.log(run, tags=_data(arguments.data))
    tracker.log_text(run, text, f"{experiment}.md")
    tracker.log_json(run, list(rows), f"{experiment}.json")
    for name, figure in (figures or {}).items():
        tracker.log_figure(run, figure, f"{name}.png")
    tracker.finish(run)


def _data(folders: Sequence[Path]) -> dict[str, str]:
    """Return what a study's data are called, and their hash."""
    from skystamp.cluster import train
    from skystamp.cluster.data.shards import read_manifest

    names = ", ".join(str(read_manifest(folder)["name"]) for folder in folders)
    return {"data": names, "data_hash": train.data_hash(folders)}


def setting(text: str) -> tuple[str, Any]:
    """Return name and value of ``NAME=VALUE``; the value is JSON, or else the word itself."""
    name, _, value = text.partition("=")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def ended(summary: Any) -> str:
    """Return how the trials of a study ended, in words."""
    ends = f"{summary.complete} complete, {summary.stopped} stopped early, {len(summary.failed)} failed"
    return "\n".join([f"{summary.trials} trials: {ends}", *(f"  failed: {line}" for line in summary.failed)])


def _commit() -> str:
    found = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    return found.stdout.strip() or "unknown"
