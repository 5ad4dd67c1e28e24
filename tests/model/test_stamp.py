"""The architecture: its shapes, its parameters, and what it is indifferent to."""

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from skystamp.models import saved
from skystamp.models.stamp import ENHANCED, StampConfig, build
from skystamp.training import Examples
from skystamp.training.loop import predict

SMALL = StampConfig(side=13, crop=9, k=6, theta=0.3, kernel=3, metadata=4)


def with_stamps(given: Examples, stamps: np.ndarray) -> Examples:
    return Examples({**given.inputs, "stamps": stamps}, given.labels)


def examples(config: StampConfig, size: int = 6) -> Examples:
    rng = np.random.default_rng(0)
    stamps = rng.random((size, config.side, config.side, config.channels), dtype=np.float32)
    metadata = rng.standard_normal((size, config.metadata), dtype=np.float32)
    return Examples({"stamps": stamps, "metadata": metadata}, np.arange(size) % config.classes)


def hand_count(config: StampConfig, flat: int) -> int:
    """Weights of the paper's table, layer by layer."""
    k2 = config.kernel**2
    convolutions = (4 * 4 * 3 * 32 + 32) + (k2 * 32 * 32 + 32) + (k2 * 32 * 64 + 64) + 2 * (k2 * 64 * 64 + 64)
    dense = (flat * 64 + 64) + ((64 + config.metadata) * 64 + 64) + (64 * 64 + 64) + (64 * 5 + 5)
    return convolutions + dense + 4 * config.metadata


@pytest.mark.parametrize(
    ("config", "flat"),
    [
        (StampConfig(), 2304),
        (StampConfig(kernel=3, metadata=26), 2304),
        (ENHANCED, 9 * 9 * 64),
        (StampConfig(metadata=0), 2304),
        (StampConfig(side=63, crop=63, kernel=7), 16 * 16 * 64),
    ],
    ids=["stamp classifier", "kernel 3 and 26 metadata", "enhanced", "no metadata", "63 pixels"],
)
def test_flattened_size_and_parameters_match_the_hand_count(config, flat):
    model = build(config)

    assert model.get_layer("flatten").output.shape == (None, flat)
    assert model.count_params() == hand_count(config, flat)


def test_the_published_model_has_441_121_parameters():
    assert build(StampConfig()).count_params() == 441_121


def test_inputs_are_named_and_the_answer_is_probabilities():
    config = StampConfig()
    model = build(config)

    answer = predict(model, examples(config))

    assert [tensor.name for tensor in model.inputs] == ["stamps", "metadata"]
    assert (answer.shape, answer.dtype) == ((6, 5), np.float32)
    assert answer.sum(axis=1) == pytest.approx(1, abs=1e-6)


def test_a_model_without_metadata_reads_stamps_alone():
    config = dataclasses.replace(SMALL, metadata=0)
    model = build(config)

    assert [tensor.name for tensor in model.inputs] == ["stamps"]
    assert predict(model, examples(config)).shape == (6, 5)


@pytest.mark.parametrize("turns", [1, 2, 3], ids=lambda turns: f"{90 * turns} degrees")
def test_four_views_make_the_answer_indifferent_to_quarter_turns(turns):
    config = StampConfig()
    model, given = build(config, seed=3), examples(config)

    turned = with_stamps(given, np.ascontiguousarray(np.rot90(given.inputs["stamps"], turns, axes=(1, 2))))

    assert predict(model, turned) == pytest.approx(predict(model, given), abs=1e-5)
    assert not np.allclose(predict(model, given)[0], predict(model, given)[1], atol=1e-4)


def test_one_view_is_not_indifferent_to_quarter_turns():
    config = StampConfig(k=1)
    model, given = build(config, seed=3), examples(config)

    turned = with_stamps(given, np.ascontiguousarray(np.rot90(given.inputs["stamps"], axes=(1, 2))))

    assert np.abs(predict(model, turned) - predict(model, given)).max() > 1e-4


def test_mirrored_views_make_the_answer_indifferent_to_reflection():
    config = dataclasses.replace(SMALL, k=4, mirrored=True)
    model, given = build(config), examples(config)

    mirrored = with_stamps(given, np.ascontiguousarray(given.inputs["stamps"][:, ::-1]))

    assert predict(model, mirrored) == pytest.approx(predict(model, given), abs=1e-5)


def test_the_answer_for_an_alert_does_not_depend_on_its_batch():
    model, given = build(SMALL), examples(SMALL, 7)

    assert predict(model, given, batch=3) == pytest.approx(predict(model, given, batch=7), abs=1e-6)


def test_the_seed_decides_the_weights():
    given = examples(SMALL)

    assert np.array_equal(predict(build(SMALL, seed=1), given), predict(build(SMALL, seed=1), given))
    assert not np.allclose(predict(build(SMALL, seed=1), given), predict(build(SMALL, seed=2), given))


def test_dropout_is_where_it_is_asked_for():
    names = [layer.name for layer in build(dataclasses.replace(SMALL, dropout_at=("joint",))).layers]

    assert [name for name in names if "dropout" in name] == ["joint_dropout"]


def test_a_saved_model_comes_back_with_the_same_answers_and_without_optimiser(tmp_path):
    model, given = build(SMALL), examples(SMALL)
    model.compile("adam", "sparse_categorical_crossentropy", jit_compile=False)
    model.train_on_batch(dict(given.inputs), given.labels)

    saved.save(model, tmp_path / "model.keras")
    loaded = saved.load(tmp_path / "model.keras")

    assert np.array_equal(predict(loaded, given), predict(model, given))
    assert (tmp_path / "model.keras").stat().st_size < 1.5 * 4 * model.count_params()


@pytest.mark.parametrize("wrong", [{"dropout": 1.0}, {"metadata": -1}, {"classes": 1}], ids=lambda w: next(iter(w)))
def test_impossible_parameters_are_refused(wrong):
    with pytest.raises(ValueError, match=f"Received: .*{next(iter(wrong))}="):
        StampConfig(**wrong)


ON_JAX = """
import sys, keras, numpy as np
from skystamp.models import saved
from skystamp.training import Examples, TrainConfig
from skystamp.training.loop import fit, predict
folder = sys.argv[1]
assert keras.backend.backend() == "jax", keras.backend.backend()
with np.load(folder + "/given.npz") as given:
    examples = Examples({"stamps": given["stamps"], "metadata": given["metadata"]}, given["labels"])
model = saved.load(folder + "/model.keras")
answer = predict(model, examples)
result = fit(model, examples, examples, TrainConfig(batch=6, max_iterations=2, validate_every=1))
np.savez(folder + "/answer.npz", answer=answer, after=predict(model, examples), losses=result.history["train_loss"])
"""


def test_jax_answers_like_tensorflow_and_trains(tmp_path):
    model, given = build(SMALL), examples(SMALL)
    saved.save(model, tmp_path / "model.keras")
    np.savez(tmp_path / "given.npz", **given.inputs, labels=given.labels)
    source = Path(saved.__file__).parents[2]
    env = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu", "PYTHONPATH": str(source)}

    subprocess.run([sys.executable, "-c", ON_JAX, str(tmp_path)], check=True, env=env, timeout=280)

    assert keras.backend.backend() == "tensorflow"
    with np.load(tmp_path / "answer.npz") as found:
        assert found["answer"] == pytest.approx(predict(model, given), abs=1e-5)
        assert np.isfinite(found["losses"]).all()
        assert np.abs(found["after"] - found["answer"]).max() > 1e-4
