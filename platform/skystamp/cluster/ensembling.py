"""Trainings of one configuration, by their references -> one ensemble, calibrated on validation, and registered."""

from collections.abc import Sequence
from pathlib import Path

from skystamp import bundle, ensemble, tracking
from skystamp.bundle import Bundle
from skystamp.cluster import families, train
from skystamp.errors import UsageError
from skystamp.manifest import VALIDATION


def assemble(references: Sequence[str], out: Path, uri: str, data: Sequence[Path] = ()) -> Bundle:
    """Write the ensemble to the folder `out` and return it, loaded and checked.

    With prepared `data` it is scored on their validation split and has a temperature fitted there; without, it is the
    plain mean of its members' calibrated answers.

    Raises
    ------
    UsageError
        If nothing answers to a reference, or `out` is not empty.
    BundleError
        If the members are not trainings of one configuration.
    """
    if out.exists() and any(out.iterdir()):
        raise UsageError(f"the folder should be new or empty. Received: {out}")
    members = [tracking.resolve(reference, uri).folder for reference in references]
    if not data:
        return bundle.load(ensemble.save(out, members))
    first = bundle.load(members[0])
    family = families.of(first.name)
    validation = train.examples(first.spec, train.load(family, data, VALIDATION), first.classes)
    return bundle.load(train.ensemble(members, validation, out))


def register(folder: Path, uri: str) -> tuple[str, str]:
    """Register an ensemble under its model's name and propose it; return its version and its first alias."""
    about = bundle.read_about(folder)
    tracker = tracking.open_tracker(about["name"], uri)
    run = tracker.start(f"ensemble of {len(about['members'])}", tags={"ensemble": str(len(about["members"]))})
    scores = about.get("validation", {})
    model = tracker.log_bundle(run, folder, {f"validation_{name}": value for name, value in scores.items()})
    tags = {"study": "ensemble", "data_hash": str(about.get("data_hash", "unknown"))}
    version = tracking.register(model, about["name"], uri, run=run, tags=tags)
    alias = tracking.propose(about["name"], version, uri)
    tracker.finish(run)
    return version, alias
