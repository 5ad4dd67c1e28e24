"""How far a training is, when it ends, and the file that carries it over an interruption.

`checkpoint.npz` holds the model's and the optimiser's variables, the best weights so far and the progress. It is
replaced whole, so a kill at any moment leaves the old one or the new one.
"""

import dataclasses
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Shaped

from skystamp.training.config import TrainConfig

Weights = list[Shaped[np.ndarray, "..."]]
FILE = "checkpoint.npz"


@dataclass(frozen=True)
class Progress:
    """Where a training stands after `iteration` steps.

    `end` is the step it will stop at unless the extension rule moves it. `best_iteration` is -1 and `best_loss`
    infinite before the first validation. `history` has one row of named numbers a validation, `iteration` among
    them.
    """

    iteration: int
    end: int
    best_iteration: int = -1
    best_loss: float = float("inf")
    history: tuple[Mapping[str, float], ...] = ()


def after_validation(progress: Progress, scores: Mapping[str, float], config: TrainConfig) -> Progress:
    """Return `progress` with a validation's `scores` taken in: a lower `loss` is a new best and may move the end."""
    history = (*progress.history, {"iteration": float(progress.iteration), **scores})
    progress = dataclasses.replace(progress, history=history)
    if not scores["loss"] < progress.best_loss:
        return progress
    earns = config.extension > 0 and progress.iteration >= config.extension_after
    end = max(progress.end, progress.iteration + config.extension) if earns else progress.end
    return dataclasses.replace(progress, best_iteration=progress.iteration, best_loss=scores["loss"], end=end)


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """All that a training needs to go on: `fingerprint` says of which model, data and parameters it is."""

    progress: Progress
    model: Weights
    optimizer: Weights
    best: Weights
    fingerprint: str


def save(checkpoint: Checkpoint, folder: Path) -> None:
    """Write `folder`/checkpoint.npz, whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    groups = {"model": checkpoint.model, "optimizer": checkpoint.optimizer, "best": checkpoint.best}
    arrays = {f"{group}/{number}": array for group, rows in groups.items() for number, array in enumerate(rows)}
    about = {"progress": dataclasses.asdict(checkpoint.progress), "fingerprint": checkpoint.fingerprint}
    part = folder / f".{FILE}.{os.getpid()}"
    with part.open("wb") as file:
        np.savez(file, about=np.array(json.dumps(about)), **arrays)  # type: ignore[arg-type]
        file.flush()
        os.fsync(file.fileno())
    part.replace(folder / FILE)


def load(folder: Path, fingerprint: str) -> Checkpoint | None:
    """Return the checkpoint in `folder`, or None where there is none yet.

    Raises
    ------
    ValueError
        If it is of another model, data set or configuration.
    """
    path = folder / FILE
    if not path.exists():
        return None
    with np.load(path) as file:
        about: dict[str, Any] = json.loads(str(file["about"]))
        if about["fingerprint"] != fingerprint:
            raise ValueError(
                "The checkpoint should be of this model, data and TrainConfig; give another checkpoint_dir, or "
                f"resume=False. Received: {path}"
            )
        groups = {
            group: [file[f"{group}/{number}"] for number in range(_count(file.files, group))]
            for group in ("model", "optimizer", "best")
        }
    history = tuple(about["progress"].pop("history"))
    return Checkpoint(Progress(**about["progress"], history=history), fingerprint=fingerprint, **groups)


def _count(names: list[str], group: str) -> int:
    return sum(name.startswith(f"{group}/") for name in names)
