"""The loop: it learns, keeps the best, ends by its rule, and goes on after an interruption."""

import dataclasses

import keras
import numpy as np
import pytest

from skystamp.models.layers import CyclicPooling, Rotations
from skystamp.models.stamp import StampConfig, build
from skystamp.training import Examples, TrainConfig
from skystamp.training.loop import fit, predict, validate

SMALL = StampConfig(side=13, crop=9, k=4, theta=0.2, kernel=3, metadata=3, classes=3, dropout=0.2)
QUICK = TrainConfig(batch=24, max_iterations=40, validate_every=5, beta=0.1, seed=5)


def toy(size: int, seed: int, config: StampConfig = SMALL) -> Examples:
    """A dot, a bar and a square, off centre and turned at random, with noise: separable by shape alone."""
    rng = np.random.default_rng(seed)
    labels = np.arange(size) % config.classes
    stamps = 0.2 * rng.random((size, config.side, config.side, 3), dtype=np.float32)
    middle = config.side // 2
    shapes = [(1, 1), (1, 7), (5, 5)]
    for stamp, label in zip(stamps, labels, strict=True):
        height, width = shapes[label]
        top, left = middle - height // 2, middle - width // 2
        stamp[top : top + height, left : left + width] += 0.8
        stamp[:] = np.rot90(stamp, rng.integers(4))
    return Examples(
        {"stamps": stamps, "metadata": rng.standard_normal((size, config.metadata), dtype=np.float32)}, labels
    )


TRAIN, VALIDATION = toy(150, 0), toy(60, 1)


def tiny(seed: int = 0) -> keras.Model:
    """A model of all that a checkpoint must carry (jitter, dropout, batch statistics), quick to compile."""
    seeds = (int(number) for number in np.random.default_rng(seed).integers(2**31, size=9))
    glorot = [keras.initializers.GlorotUniform(next(seeds)) for _ in range(3)]
    stamps, metadata = keras.Input((13, 13, 3), name="stamps"), keras.Input((3,), name="metadata")
    x = Rotations(4, 9, theta=0.2, seed=next(seeds))(stamps)
    x = keras.layers.Conv2D(6, 3, strides=2, activation="relu", kernel_initializer=glorot[0])(x)
    x = keras.layers.Dense(8, activation="relu", kernel_initializer=glorot[1])(keras.layers.Flatten()(x))
    x = CyclicPooling(4)(keras.layers.Dropout(0.2, seed=next(seeds))(x))
    x = keras.layers.Concatenate()([x, keras.layers.BatchNormalization()(metadata)])
    x = keras.layers.Dense(3, activation="softmax", kernel_initializer=glorot[2])(x)
    return keras.Model([stamps, metadata], x)


def test_it_learns_a_separable_set():
    model = build(SMALL)

    result = fit(model, TRAIN, VALIDATION, dataclasses.replace(QUICK, max_iterations=120, learning_rate=3e-3))

    assert result.ended == "finished"
    assert (predict(model, VALIDATION).argmax(axis=1) == VALIDATION.labels).mean() > 0.95


def test_the_model_is_left_with_its_best_weights():
    model = tiny()

    def spoil(iteration, _):
        if iteration == 20:
            model.optimizer.learning_rate = 10.0

    result = fit(model, TRAIN, VALIDATION, QUICK, on_validation=spoil)

    assert (result.best_iteration, result.iterations) == (20, 40)
    assert result.best_loss == min(result.history["loss"])
    assert validate(model, VALIDATION, QUICK)["loss"] == pytest.approx(result.best_loss, abs=1e-6)
    assert result.best["loss"] == result.best_loss


def test_every_validation_is_told_and_kept():
    told = []

    result = fit(tiny(), TRAIN, VALIDATION, QUICK, on_validation=lambda i, scores: told.append((i, scores["loss"])))

    assert [i for i, _ in told] == list(range(5, 45, 5)) == result.history["iteration"]
    assert [loss for _, loss in told] == result.history["loss"]
    assert set(result.history) >= {"train_loss", "accuracy", "macro_f1", "cross_entropy", "calibration_error"}


def test_a_callback_can_end_the_training():
    result = fit(tiny(), TRAIN, VALIDATION, QUICK, on_validation=lambda i, _: i >= 15)

    assert (result.ended, result.iterations) == ("stopped", 15)


def test_late_progress_earns_more_iterations():
    config = dataclasses.replace(QUICK, max_iterations=10, extension_after=5, extension=10, learning_rate=1e-4)

    result = fit(tiny(), TRAIN, VALIDATION, config, on_validation=lambda i, _: i >= 30)

    assert result.iterations == 30


def test_equal_seeds_give_equal_models():
    first, second, other = (tiny(seed=1) for _ in range(3))

    fit(first, TRAIN, VALIDATION, QUICK)
    fit(second, TRAIN, VALIDATION, QUICK)
    fit(other, TRAIN, VALIDATION, dataclasses.replace(QUICK, seed=6))

    assert np.array_equal(predict(first, VALIDATION), predict(second, VALIDATION))
    assert not np.allclose(predict(first, VALIDATION), predict(other, VALIDATION))


class Killed(BaseException):
    """Stands for the process's death."""


def kill_at(iteration):
    def on_validation(now, _):
        if now == iteration:
            raise Killed

    return on_validation


@pytest.mark.parametrize("killed_at", [20, 25], ids=["at a checkpoint", "between two"])
def test_an_interrupted_training_gives_what_an_uninterrupted_one_gives(killed_at, tmp_path):
    config = dataclasses.replace(QUICK, metadata_dropout=0.2, flips=True, cosine_decay=True, max_iterations=30)
    whole, parted, other = tiny(seed=1), tiny(seed=1), tiny(seed=2)
    expected = fit(whole, TRAIN, VALIDATION, config)

    with pytest.raises(Killed):
        fit(
            parted, TRAIN, VALIDATION, config,
            on_validation=kill_at(killed_at), checkpoint_dir=tmp_path, checkpoint_every=10,
        )  # fmt: skip
    result = fit(other, TRAIN, VALIDATION, config, checkpoint_dir=tmp_path, checkpoint_every=10)

    assert result == expected
    for found, wanted in zip(other.get_weights(), whole.get_weights(), strict=True):
        assert np.array_equal(found, wanted)


def test_a_finished_training_is_not_repeated(tmp_path):
    config = dataclasses.replace(QUICK, max_iterations=10)
    first = fit(tiny(), TRAIN, VALIDATION, config, checkpoint_dir=tmp_path, checkpoint_every=10)
    told = []

    model = tiny(seed=9)
    again = fit(
        model, TRAIN, VALIDATION, config,
        on_validation=lambda i, _: told.append(i), checkpoint_dir=tmp_path, checkpoint_every=10,
    )  # fmt: skip

    assert again == first
    assert told == []
    assert validate(model, VALIDATION, config)["loss"] == pytest.approx(first.best_loss, abs=1e-6)


def test_resume_can_be_refused(tmp_path):
    config = dataclasses.replace(QUICK, max_iterations=10)
    fit(tiny(), TRAIN, VALIDATION, config, checkpoint_dir=tmp_path, checkpoint_every=10)
    told = []

    fit(
        tiny(), TRAIN, VALIDATION, config,
        on_validation=lambda i, _: told.append(i), checkpoint_dir=tmp_path, checkpoint_every=10, resume=False,
    )  # fmt: skip

    assert told == [5, 10]


def test_a_checkpoint_of_other_parameters_is_refused(tmp_path):
    config = dataclasses.replace(QUICK, max_iterations=10)
    fit(tiny(), TRAIN, VALIDATION, config, checkpoint_dir=tmp_path, checkpoint_every=10)

    with pytest.raises(ValueError, match="should be of this model, data and TrainConfig"):
        fit(
            tiny(), TRAIN, VALIDATION, dataclasses.replace(config, beta=0.9),
            checkpoint_dir=tmp_path, checkpoint_every=10,
        )  # fmt: skip


def test_a_checkpoint_that_is_due_is_made_at_the_next_validation(tmp_path):
    written = []

    def look(iteration, _):
        if (tmp_path / "checkpoint.npz").exists():
            written.append(iteration)
            (tmp_path / "checkpoint.npz").unlink()

    fit(tiny(), TRAIN, VALIDATION, QUICK, on_validation=look, checkpoint_dir=tmp_path, checkpoint_every=7)

    assert written == [10, 15, 25, 30, 35, 40]


def test_the_last_validation_makes_a_checkpoint(tmp_path):
    fit(tiny(), TRAIN, VALIDATION, dataclasses.replace(QUICK, max_iterations=10), checkpoint_dir=tmp_path)

    assert (tmp_path / "checkpoint.npz").exists()


def test_a_loss_that_is_never_finite_raises():
    config = dataclasses.replace(QUICK, class_weights=(float("inf"),) * 3)

    with pytest.raises(FloatingPointError, match="loss should be finite"):
        fit(tiny(), TRAIN, VALIDATION, config)


def test_inputs_that_are_not_finite_are_refused():
    metadata = TRAIN.inputs["metadata"].copy()
    metadata[7] = np.nan

    with pytest.raises(ValueError, match=r"train inputs should be finite\. Received: example 7"):
        fit(tiny(), dataclasses.replace(TRAIN, inputs={**TRAIN.inputs, "metadata": metadata}), VALIDATION, QUICK)


def test_a_training_that_diverges_later_keeps_its_best():
    model = tiny()

    def explode(iteration, _):
        if iteration == 10:
            model.optimizer.learning_rate = 1e30

    result = fit(model, TRAIN, VALIDATION, QUICK, on_validation=explode)

    assert result.ended == "diverged"
    assert validate(model, VALIDATION, QUICK)["loss"] == pytest.approx(result.best_loss, abs=1e-6)


def test_cosine_decay_lowers_the_learning_rate():
    model = tiny()

    fit(model, TRAIN, VALIDATION, dataclasses.replace(QUICK, cosine_decay=True, learning_rate=1e-3))

    assert float(keras.ops.convert_to_numpy(model.optimizer.learning_rate)) == pytest.approx(1e-5, rel=1e-3)


def test_class_weights_shift_the_answer_towards_heavy_classes():
    config = dataclasses.replace(QUICK, class_weights=(0.0, 0.0, 1.0), learning_rate=3e-3)
    model = tiny()

    fit(model, TRAIN, VALIDATION, config, on_validation=lambda i, _: i >= 20)

    assert validate(model, dataclasses.replace(VALIDATION, labels=np.full(60, 2)), config)["accuracy"] > 0.5


def test_training_reads_shared_read_only_arrays():
    stamps = TRAIN.inputs["stamps"].copy()
    stamps.setflags(write=False)

    result = fit(
        tiny(),
        dataclasses.replace(TRAIN, inputs={**TRAIN.inputs, "stamps": stamps}),
        VALIDATION,
        dataclasses.replace(QUICK, max_iterations=5),
    )

    assert result.iterations == 5
