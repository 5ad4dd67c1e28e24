"""One battery for every cell: what each has to do whatever it is made of, and the table of their names."""

import keras
import numpy as np
import pytest

from skystamp.models import cells, engine, saved
from skystamp.models.cells.config import CellConfig
from skystamp.models.seeds import glorot, seeds

N = 3
CONFIG = CellConfig(units=12, taps=2, heads=2)
DEEP = CellConfig(units=8, depth=2, taps=2, heads=2)


def network(name: str, config: CellConfig = CONFIG, seed: int = 0) -> keras.Model:
    """Return a cell between sequences of four features and two classes."""
    source = seeds(seed)
    sequence = keras.Input((N, 4), name="sequence")
    x = cells.named(name)(sequence, config, source)
    answer = keras.layers.Dense(2, activation="softmax", kernel_initializer=glorot(source))(x)
    return keras.Model([sequence], answer)


def turning(size: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return sequences that go round 0, 1, 2 one way or the other, and which way.

    Every sequence has all three values and starts with any of them, so neither a single detection nor the set of all
    tells the way: the order alone does. Values are one-hot with noise, and a fourth feature is noise alone.
    """
    rng = np.random.default_rng(seed)
    way = rng.integers(0, 2, size)
    values = (rng.integers(0, 3, size)[:, None] + np.where(way, 1, -1)[:, None] * np.arange(N)) % 3
    sequences = np.concatenate([np.eye(3)[values], np.zeros((size, N, 1))], axis=-1)
    return (sequences + rng.normal(0, 0.2, sequences.shape)).astype(np.float32), way


@pytest.fixture(scope="module", params=cells.CELLS)
def name(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def predict(name):
    run = engine.compiled(network(name))
    return lambda sequences: run({"sequence": sequences})


def test_a_cell_makes_one_vector_of_a_sequence(name):
    out = cells.named(name)(keras.Input((N, 4)), CONFIG, seeds(0))

    assert out.shape == (None, 24 if name == "conv1d" else 12)


def test_a_cell_answers_with_probabilities_for_any_batch(predict):
    sequences, _ = turning(9)

    whole = predict(sequences)

    assert (whole.shape, whole.dtype) == ((9, 2), np.float32)
    assert whole.sum(axis=1) == pytest.approx(1, abs=1e-6)
    assert np.concatenate([predict(sequences[:4]), predict(sequences[4:])]) == pytest.approx(whole, abs=1e-6)
    assert predict(sequences[::-1].copy()) == pytest.approx(whole[::-1], abs=1e-6)


def test_a_cell_reads_the_order_and_every_detection(predict):
    sequences, _ = turning(9)

    assert np.abs(predict(sequences[:, ::-1].copy()) - predict(sequences)).max() > 1e-3
    for detection in range(N):
        changed = sequences.copy()
        changed[:, detection] += 1
        assert np.abs(predict(changed) - predict(sequences)).max() > 1e-3


def test_the_seed_decides_a_cell(name):
    first, again, other = (network(name, DEEP, seed).get_weights() for seed in (1, 1, 2))

    assert all(np.array_equal(one, two) for one, two in zip(first, again, strict=True))
    assert not all(np.allclose(one, two) for one, two in zip(first, other, strict=True))


def test_every_weight_of_a_cell_is_learned(name):
    model, (sequences, way) = network(name, DEEP), turning(32)
    before = model.get_weights()
    model.compile(keras.optimizers.SGD(0.1), "sparse_categorical_crossentropy", run_eagerly=True, jit_compile=False)

    model.train_on_batch({"sequence": sequences}, way)

    still = [
        variable.path
        for variable, old in zip(model.trainable_variables, before, strict=True)
        if np.array_equal(variable.numpy(), old)
    ]
    assert still == []


def test_a_saved_cell_comes_back_with_the_same_answers(name, tmp_path):
    model, (sequences, _) = network(name, DEEP), turning(5)

    saved.save(model, tmp_path / "model.keras")

    loaded = saved.load(tmp_path / "model.keras")
    assert np.array_equal(loaded.predict_on_batch(sequences), model.predict_on_batch(sequences))


def test_a_cell_learns_what_only_the_order_tells(name):
    model = network(name)
    model.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", jit_compile=False)

    for step in range(200):
        if model.train_on_batch(*turning(64, seed=step + 1)) < 0.1:
            break

    unseen, way = turning(500, seed=1000)
    assert (model.predict_on_batch(unseen).argmax(axis=1) == way).mean() > 0.95


def test_a_model_of_single_detections_learns_nothing_of_it():
    sequence = keras.Input((N, 4))
    each = keras.layers.Dense(16, activation="relu", kernel_initializer=glorot(seeds(0)))(sequence)
    mean = keras.layers.GlobalAveragePooling1D()(each)
    model = keras.Model(sequence, keras.layers.Dense(2, activation="softmax")(mean))
    model.compile(keras.optimizers.Adam(0.02), "sparse_categorical_crossentropy", jit_compile=False)

    for step in range(80):
        model.train_on_batch(*turning(64, seed=step + 1))

    unseen, way = turning(500, seed=1000)
    assert (model.predict_on_batch(unseen).argmax(axis=1) == way).mean() < 0.7


def test_the_cells_of_the_paper_and_its_future_work_are_there():
    assert list(cells.CELLS) == ["lstm", "gru", "simple_rnn", "gamma", "tdnn", "conv1d", "transformer"]


def test_two_cells_of_one_name_are_refused():
    def lstm(sequence, config, source):
        return sequence

    with pytest.raises(ValueError, match="Received: 'lstm' twice"):
        cells.by_name(cells.CELLS["lstm"], lstm)


def test_a_cell_that_is_not_there_is_named_with_those_that_are():
    with pytest.raises(ValueError, match=r"one of \['conv1d', 'gamma'.*Received: cell='elman'"):
        cells.named("elman")


@pytest.mark.parametrize(
    ("name_", "config", "message"),
    [
        ("elman", CONFIG, "cell='elman'"),
        ("conv1d", CellConfig(window=4), "window=4, detections=3"),
        ("tdnn", CellConfig(depth=3), "depth=3, window=2"),
        ("transformer", CellConfig(units=6, heads=4), "heads=4, units=6"),
    ],
)
def test_what_a_cell_can_not_be_built_by_is_known_beforehand(name_, config, message):
    with pytest.raises(ValueError, match=message):
        cells.require(name_, config, N)


def test_options_of_other_cells_do_not_matter():
    cells.require("lstm", CellConfig(units=6, heads=4, window=9, depth=3), 2)
    cells.require("tdnn", CellConfig(window=9), 2)
