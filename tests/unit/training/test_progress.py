"""The extension rule on scripted losses, and the checkpoint file."""

import dataclasses

import numpy as np
import pytest

from skystamp.training import TrainConfig
from skystamp.training.progress import Checkpoint, Progress, after_validation, load, save

CONFIG = TrainConfig(max_iterations=30, validate_every=5, extension_after=20, extension=10)


def scripted(losses: dict[int, float], config: TrainConfig = CONFIG) -> Progress:
    """Train on paper: validation finds 9.0 except where `losses` says."""
    progress = Progress(0, config.max_iterations)
    while progress.iteration < progress.end:
        progress = dataclasses.replace(progress, iteration=progress.iteration + config.validate_every)
        progress = after_validation(progress, {"loss": losses.get(progress.iteration, 9.0)}, config)
    return progress


@pytest.mark.parametrize(
    ("losses", "end", "best"),
    [
        ({5: 1.0}, 30, 5),
        ({15: 1.0}, 30, 15),
        ({20: 1.0}, 30, 20),
        ({25: 1.0}, 35, 25),
        ({25: 1.0, 35: 0.5}, 45, 35),
        ({25: 1.0, 35: 0.5, 45: 0.4}, 55, 45),
        ({25: 1.0, 30: 1.0}, 35, 25),
        ({25: float("nan")}, 30, 5),
    ],
    ids=["early", "before", "just at", "after", "again", "and again", "equal is not better", "NaN is not better"],
)
def test_a_better_loss_late_on_moves_the_end(losses, end, best):
    progress = scripted(losses)

    assert (progress.iteration, progress.best_iteration) == (end, best)


def test_the_extension_rule_can_be_turned_off():
    config = dataclasses.replace(CONFIG, extension=0)

    assert scripted({25: 1.0, 30: 0.5}, config).iteration == 30


def test_the_papers_numbers_extend_from_20_000():
    progress = after_validation(Progress(29_990, 30_000), {"loss": 0.3}, TrainConfig())

    assert progress.end == 39_990


def test_history_keeps_every_validation():
    progress = scripted({10: 2.0})

    assert [row["iteration"] for row in progress.history] == [5, 10, 15, 20, 25, 30]
    assert progress.history[1]["loss"] == 2.0


def checkpoint(value: float) -> Checkpoint:
    progress = Progress(20, 30, 10, 0.5, ({"iteration": 10.0, "loss": 0.5}, {"iteration": 20.0, "loss": float("inf")}))
    arrays = [np.full((2, 3), value, np.float32), np.array([7], np.int64)]
    return Checkpoint(progress, arrays, arrays[:1], [], "fingerprint")


def test_a_checkpoint_comes_back_as_it_was(tmp_path):
    save(checkpoint(1.5), tmp_path / "new")

    found = load(tmp_path / "new", "fingerprint")

    assert found is not None
    assert found.progress == checkpoint(1.5).progress
    assert [a.dtype for a in found.model] == [np.float32, np.int64]
    assert np.array_equal(found.model[0], np.full((2, 3), 1.5))
    assert (len(found.optimizer), found.best) == (1, [])


def test_saving_replaces_the_checkpoint_and_leaves_no_part(tmp_path):
    save(checkpoint(1.0), tmp_path)
    save(checkpoint(2.0), tmp_path)

    found = load(tmp_path, "fingerprint")

    assert found is not None
    assert found.model[0][0, 0] == 2.0
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint.npz"]


def test_an_empty_folder_has_no_checkpoint(tmp_path):
    assert load(tmp_path, "fingerprint") is None


def test_a_checkpoint_of_another_training_is_refused(tmp_path):
    save(checkpoint(1.0), tmp_path)

    with pytest.raises(ValueError, match="should be of this model, data and TrainConfig"):
        load(tmp_path, "other")
