"""The temporal stamp classifier: its shapes, its parts by option, and what it is indifferent to."""

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from skystamp.models import cells, engine, saved
from skystamp.models.seeds import seeds
from skystamp.models.temporal import TemporalConfig, build

N = 3
SMALL = TemporalConfig(N, side=11, crop=9, k=4, kernel=3, cell="gru", units=8, taps=2, heads=2, dynamic=4, static=5)
TABLES = dataclasses.replace(SMALL, images=False)


def feed(config: TemporalConfig, size: int = 5, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    made = {}
    if config.images:
        made["stamps"] = rng.random((size, config.detections, config.side, config.side, config.channels), np.float32)
    if config.dynamic:
        made["dynamic"] = rng.standard_normal((size, config.detections, config.dynamic), np.float32)
    if config.static:
        made["static"] = rng.standard_normal((size, config.static), np.float32)
    return made


@pytest.fixture(scope="module")
def predict():
    return engine.compiled(build(SMALL, seed=3))


def answer(config: TemporalConfig, given: dict[str, np.ndarray], seed: int = 0) -> np.ndarray:
    return np.asarray(build(config, seed=seed)(given, training=False))


def image_half(config: TemporalConfig) -> int:
    """Weights of the enhanced network of one detection, by hand."""
    k2, flat = config.kernel**2, ((config.crop + 3) // 4) ** 2 * 64
    convolutions = (16 * config.channels * 32 + 32) + (k2 * 32 * 32 + 32) + (k2 * 32 * 64 + 64)
    return convolutions + 2 * (k2 * 64 * 64 + 64) + (flat * 64 + 64)


def last_layers(width: int, classes: int = 3) -> int:
    return (width * 64 + 64) + (64 * 64 + 64) + (64 * classes + classes)


def layer_of(cell: str, features: int, units: int) -> int:
    """Weights of one layer of a cell over `features`, by hand."""
    square = {"simple_rnn": 1, "lstm": 4, "gru": 3}
    if cell in square:
        biases = 2 if cell == "gru" else 1
        return square[cell] * units * (features + units + biases)
    return {
        "gamma": features + (4 + 1) * features * units + units,
        "tdnn": 2 * features * units + units,
        "conv1d": 2 * features * units + units,
    }[cell]


@pytest.mark.parametrize("cell", ["lstm", "gru", "simple_rnn", "gamma", "tdnn", "conv1d"])
def test_parameters_match_the_hand_count_of_the_papers_table(cell):
    config = TemporalConfig(5, cell=cell)
    model = build(config)

    joint = (4 * 128 if cell == "conv1d" else 128) + 17
    norms = 4 * (10 + 17)
    expected = image_half(config) + layer_of(cell, 64 + 10, 128) + norms + last_layers(joint)
    assert model.get_layer("sequence").output.shape == (None, 5, 74)
    assert model.get_layer("joint").output.shape == (None, joint)
    assert model.count_params() == expected


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({}, ["stamps", "dynamic", "static"]),
        ({"dynamic": 0, "static": 0}, ["stamps"]),
        ({"images": False}, ["dynamic", "static"]),
        ({"images": False, "static": 0}, ["dynamic"]),
        ({"images": False, "dynamic": 0}, ["static"]),
        ({"dynamic": 0}, ["stamps", "static"]),
        ({"static": 0}, ["stamps", "dynamic"]),
    ],
    ids=["all", "images alone", "metadata alone", "dynamic alone", "static alone", "no dynamic", "no static"],
)
def test_an_ablation_leaves_its_inputs_out_and_answers_with_probabilities(options, names):
    config = dataclasses.replace(SMALL, **options)
    model = build(config)

    found = np.asarray(model(feed(config), training=False))

    assert [tensor.name for tensor in model.inputs] == names
    assert (found.shape, found.dtype) == ((5, 3), np.float32)
    assert found.sum(axis=1) == pytest.approx(1, abs=1e-6)
    assert np.abs(found[0] - found[1]).max() > 1e-4


def test_without_a_sequence_there_is_no_cell():
    names = [layer.name for layer in build(dataclasses.replace(TABLES, dynamic=0)).layers]

    assert not [name for name in names if name.startswith("gru")]


@pytest.mark.parametrize("batch", [1, 2, 17])
def test_the_compiled_model_takes_any_number_of_sequences(predict, batch):
    given = feed(SMALL, batch)

    assert predict(given) == pytest.approx(answer(SMALL, given, seed=3), abs=1e-6)


def test_batches_and_their_order_do_not_matter(predict):
    given, order = feed(SMALL, 7), np.array([3, 0, 6, 1, 5, 2, 4])
    whole = predict(given)

    parts = [predict({name: values[part] for name, values in given.items()}) for part in (slice(3), slice(3, 7))]

    assert np.concatenate(parts) == pytest.approx(whole, abs=1e-6)
    assert predict({name: values[order] for name, values in given.items()}) == pytest.approx(whole[order], abs=1e-6)


@pytest.mark.parametrize("turns", [1, 2, 3], ids=lambda turns: f"{90 * turns} degrees")
def test_four_views_make_the_answer_indifferent_to_quarter_turns_of_all_stamps(predict, turns):
    given = feed(SMALL)
    turned = {**given, "stamps": np.ascontiguousarray(np.rot90(given["stamps"], turns, axes=(2, 3)))}

    assert predict(turned) == pytest.approx(predict(given), abs=1e-6)


def test_nor_does_each_detections_own_quarter_turn_matter(predict):
    given = feed(SMALL)
    stamps = np.stack([np.rot90(given["stamps"][:, i], i, axes=(1, 2)) for i in range(N)], axis=1)

    assert predict({**given, "stamps": stamps}) == pytest.approx(predict(given), abs=1e-6)


def test_one_view_is_not_indifferent_to_quarter_turns():
    config, given = dataclasses.replace(SMALL, k=1), feed(SMALL)
    turned = {**given, "stamps": np.ascontiguousarray(np.rot90(given["stamps"], axes=(2, 3)))}

    assert np.abs(answer(config, turned) - answer(config, given)).max() > 1e-4


@pytest.mark.parametrize("name", ["stamps", "dynamic"])
def test_the_order_of_the_detections_matters(predict, name):
    given = feed(SMALL)

    swapped = {**given, name: np.ascontiguousarray(given[name][:, ::-1])}

    assert np.abs(predict(swapped) - predict(given)).max() > 1e-4


@pytest.mark.parametrize("detection", range(N))
def test_every_detection_has_its_say(predict, detection):
    given = feed(SMALL)
    for name in ("stamps", "dynamic"):
        changed = given[name].copy()
        changed[:, detection] += 1
        assert np.abs(predict({**given, name: changed}) - predict(given)).max() > 1e-4


def test_one_network_reads_each_stamp_by_itself_and_gives_it_back_in_its_place():
    model, stamps = build(SMALL), feed(SMALL)["stamps"]
    half = keras.Model(model.inputs[0], model.get_layer("cyclic_pooling").output)

    features = half.predict_on_batch(stamps).reshape(5, N, 64)

    for detection in range(N):
        same = np.repeat(stamps[:, detection : detection + 1], N, axis=1)
        alone = half.predict_on_batch(same).reshape(5, N, 64)
        assert alone == pytest.approx(np.repeat(features[:, detection : detection + 1], N, axis=1), abs=1e-6)


def test_the_seed_decides_the_weights():
    given = feed(SMALL)

    assert np.array_equal(answer(SMALL, given, seed=1), answer(SMALL, given, seed=1))
    assert not np.allclose(answer(SMALL, given, seed=1), answer(SMALL, given, seed=2))


def test_dropout_is_where_it_is_asked_for():
    names = [layer.name for layer in build(dataclasses.replace(SMALL, dropout_at=("joint",))).layers]

    assert [name for name in names if "dropout" in name] == ["joint_dropout"]


def test_a_jittered_and_mirrored_model_trains_and_every_weight_moves():
    config = dataclasses.replace(SMALL, k=3, theta=0.2, mirrored=True, dropout=0.0)
    model = build(config)
    before = [variable.numpy() for variable in model.trainable_variables]
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy", run_eagerly=True, jit_compile=False)

    loss = model.train_on_batch(feed(config, 6), np.arange(6) % 3)

    still = [v.path for v, old in zip(model.trainable_variables, before, strict=True) if np.array_equal(v.numpy(), old)]
    assert np.isfinite(loss)
    assert still == []


@pytest.mark.parametrize("options", [{}, {"dynamic": 0, "static": 0}], ids=["all inputs", "one input"])
def test_a_saved_model_comes_back_with_the_same_answers(tmp_path, options):
    config = dataclasses.replace(SMALL, **options)
    model, given = build(config), feed(config)

    saved.save(model, tmp_path / "model.keras")

    loaded = saved.load(tmp_path / "model.keras")
    assert np.array_equal(engine.compiled(loaded)(given), engine.compiled(model)(given))


@pytest.mark.parametrize(
    ("wrong", "received"),
    [
        ({"detections": 1}, "detections=1"),
        ({"dynamic": -1}, "dynamic=-1"),
        ({"images": False, "dynamic": 0, "static": 0}, "images=False, dynamic=0, static=0"),
        ({"cell": "elman"}, "cell='elman'"),
        ({"cell": "conv1d", "window": 4}, "window=4, detections=3"),
        ({"units": 0}, "'units': 0"),
        ({"dropout": 1.0}, "dropout=1.0"),
        ({"classes": 1}, "classes=1"),
    ],
    ids=lambda wrong: ",".join(wrong) if isinstance(wrong, dict) else "",
)
def test_impossible_parameters_are_refused(wrong, received):
    with pytest.raises(ValueError, match=f"Received: .*{received}"):
        dataclasses.replace(SMALL, **wrong)


ON_JAX = """
import sys, keras, numpy as np
from pathlib import Path
from skystamp.models import engine, saved
assert keras.backend.backend() == "jax", keras.backend.backend()
folder, answers = Path(sys.argv[1]), {}
with np.load(folder / "given.npz") as given:
    given = dict(given)
for name in ("whole", "cells"):
    model = saved.load(folder / f"{name}.keras")
    feed = {tensor.name: given[tensor.name] for tensor in model.inputs}
    network = engine.compiled(model)
    answers[name] = network(feed)
    slopes = slopes if name == "cells" else network.pull(feed, np.eye(*answers[name].shape, dtype=np.float32))
before = [np.asarray(variable.value) for variable in model.trainable_variables]
model.compile(keras.optimizers.SGD(1.0), lambda y, p: (p - 1) ** 2)
model.train_on_batch(feed, np.zeros(answers["cells"].shape, np.float32))
moved = [not np.array_equal(old, new.value) for old, new in zip(before, model.trainable_variables)]
np.savez(folder / "answers.npz", moved=moved, **answers, **{f"slope_{name}": slopes[name] for name in slopes})
"""


def every_cell() -> keras.Model:
    """Return one model of all cells side by side, which compiles once."""
    source, sequence = seeds(1), keras.Input((N, SMALL.dynamic), name="dynamic")
    each = [cell(sequence, SMALL.cell_config, source) for cell in cells.CELLS.values()]
    return keras.Model([sequence], keras.layers.Concatenate()(each))


def test_jax_answers_and_differentiates_like_tensorflow_and_trains(tmp_path):
    models, given = {"whole": build(SMALL), "cells": every_cell()}, feed(SMALL)
    np.savez(tmp_path / "given.npz", **given)
    for name, model in models.items():
        saved.save(model, tmp_path / f"{name}.keras")
    source = Path(saved.__file__).parents[2]
    env = {**os.environ, "KERAS_BACKEND": "jax", "JAX_PLATFORMS": "cpu", "PYTHONPATH": str(source)}

    subprocess.run([sys.executable, "-c", ON_JAX, str(tmp_path)], check=True, env=env, timeout=280)

    assert keras.backend.backend() == "tensorflow"
    with np.load(tmp_path / "answers.npz") as found:
        for name, model in models.items():
            assert found[name] == pytest.approx(engine.compiled(model)(given), abs=1e-5), name
        weights = np.eye(*found["whole"].shape, dtype=np.float32)
        for name, slope in engine.compiled(models["whole"]).pull(given, weights).items():
            assert found[f"slope_{name}"] == pytest.approx(slope, abs=1e-5), name
        assert found["moved"].all()
