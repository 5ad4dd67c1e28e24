"""Train one configuration, without a search, and say how well it does.

    python -m tune_jobs.train_one --data .skystamp/demo/prepared --out /tmp/bundle --set max_iterations=1500
    python -m tune_jobs.train_one --model temporal-3 --data DIR --out DIR --set cell=conv1d --set crop=21

Cost: 3 minutes on 2 cores for 1,500 iterations of the 21-pixel network at batch 64; a temporal model costs as much an
iteration as a first-detection one of n times the batch.
`--data` may be given several times: training and validation splits are joined. `--evaluate` names prepared data whose
test split is scored. `--register` puts the bundle into the registry under its name, with the scores of the first of
them, which the gate of a promotion asks for.
"""

import argparse
import os
from pathlib import Path
from typing import Any

from tune_jobs.arguments import setting


def main() -> None:
    """Read the arguments, train, evaluate, and print recalls."""
    arguments = _arguments()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from skystamp import tracking
    from skystamp.cluster import families, train

    family = families.of(arguments.model)
    settings = dict(setting(text) for text in arguments.set)
    seed = int(settings.pop("seed", 0))
    chosen = family.configuration(settings)
    data = {split: train.load(family, arguments.data, split) for split in ("train", "validation")}
    spec = train.spec_for(chosen, data["train"])
    trained = train.train(
        family,
        settings,
        train.examples(spec, data["train"], family.classes),
        train.examples(spec, data["validation"], family.classes),
        spec,
        train.example_of(data["train"]),
        arguments.out,
        seed=seed,
        about={"data": [str(folder) for folder in arguments.data], "data_hash": train.data_hash(arguments.data)},
        on_validation=_progress,
    )
    _show("validation", trained.scores, trained.matrix.tolist(), family.classes)
    tags: dict[str, str] = {}
    for folder in arguments.evaluate:
        scores, matrix = train.evaluate(arguments.out, train.load(family, [folder], "test"))
        _show(f"test of {folder}", scores, matrix.tolist(), family.classes)
        tags = tags or train.figures_tags(scores, [folder], trained.seconds)
    for folder in arguments.evaluate_whole:
        whole = train.joined([train.load(family, [folder], split) for split in ("train", "validation", "test")])
        scores, matrix = train.evaluate(arguments.out, whole.earliest() if family.detections == 1 else whole)
        _show(f"all of {folder}, an object once", scores, matrix.tolist(), family.classes)
    if arguments.register:
        _register(arguments.out, arguments.model, trained.scores, tags, tracking, arguments.tracking_uri)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tune_jobs.train_one", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--model", default="first-detection", help="first-detection or temporal-2 .. temporal-5")
    parser.add_argument("--data", type=Path, action="append", required=True, help="prepared data; may be repeated")
    parser.add_argument("--out", type=Path, required=True, help="folder for the bundle")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a setting; may be repeated")
    parser.add_argument("--evaluate", type=Path, action="append", default=[], help="prepared data to test on")
    parser.add_argument(
        "--evaluate-whole", type=Path, action="append", default=[], help="prepared data that was not learned from"
    )
    parser.add_argument("--register", action="store_true", help="register the bundle under --model")
    parser.add_argument("--tracking-uri", default=os.environ.get("MLFLOW_TRACKING_URI"))
    return parser.parse_args()


def _progress(iteration: int, scores: Any) -> None:
    if iteration % 100 == 0:
        print(
            f"iteration {iteration}: validation accuracy {scores['accuracy']:.3f}, loss {scores['loss']:.4f}",
            flush=True,
        )


def _show(title: str, scores: dict[str, float], matrix: list[list[int]], classes: tuple[str, ...]) -> None:
    print(
        f"\n{title}: accuracy {scores['accuracy']:.4f}, balanced {scores['balanced_accuracy']:.4f}, "
        f"calibration error {scores['calibration_error']:.3f}"
    )
    for label, row in zip(classes, matrix, strict=True):
        print(f"  {label:9} recall {scores[f'recall_{label}']:.3f}  {row}")


def _register(
    folder: Path, name: str, scores: dict[str, float], tags: dict[str, str], tracking: Any, uri: str | None
) -> None:
    tracker = tracking.open_tracker(name, uri or tracking.default_uri())
    run = tracker.start("train_one")
    tracker.log(run, metrics=scores)
    model = tracker.log_bundle(run, folder, scores)
    version = tracking.register(model, name, tracker.uri, run=run, tags=tags)
    tracker.finish(run)
    print(f"registered {name} version {version} as {tracking.propose(name, version, tracker.uri)}")


if __name__ == "__main__":
    main()
