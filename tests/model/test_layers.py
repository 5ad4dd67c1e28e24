"""One battery for every layer, then what the layers promise."""

import keras
import numpy as np
import pytest
from keras import ops

from skystamp.models.layers import CyclicPooling, Rotations

CASES = {
    "quarter turns": (lambda: Rotations(4, 5), (3, 7, 7, 2), (12, 5, 5, 2)),
    "six angles": (lambda: Rotations(6, 5, seed=1), (3, 9, 9, 2), (18, 5, 5, 2)),
    "jitter": (lambda: Rotations(3, 4, theta=0.5, seed=1), (2, 8, 8, 3), (6, 4, 4, 3)),
    "mirrored": (lambda: Rotations(2, 5, mirrored=True), (3, 5, 5, 1), (12, 5, 5, 1)),
    "pooling": (lambda: CyclicPooling(4), (8, 6), (2, 6)),
    "pooling of images": (lambda: CyclicPooling(2), (4, 3, 3, 2), (2, 3, 3, 2)),
}


def random(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).random(shape, dtype=np.float32)


def numpy(tensor) -> np.ndarray:
    return ops.convert_to_numpy(tensor)


@pytest.fixture(params=CASES, ids=str)
def case(request):
    return CASES[request.param]


def test_a_layer_gives_its_promised_shape_eager_and_symbolic(case):
    make, shape, expected = case

    symbolic = make()(keras.KerasTensor(shape))
    unknown_batch = make()(keras.KerasTensor((None, *shape[1:])))

    assert make()(random(*shape)).shape == symbolic.shape == expected
    assert make().compute_output_shape(shape) == expected
    assert unknown_batch.shape == (None, *expected[1:])


def test_a_layer_comes_back_from_its_config_and_answers_the_same(case):
    make, shape, _ = case
    layer, stamps = make(), random(*shape)

    rebuilt = keras.layers.deserialize(keras.layers.serialize(layer))

    assert rebuilt.get_config() == layer.get_config()
    assert np.array_equal(numpy(rebuilt(stamps)), numpy(layer(stamps)))


def test_a_layer_computes_in_the_precision_of_its_policy(case):
    make, shape, _ = case
    config = {**make().get_config(), "dtype": "mixed_bfloat16"}

    output = type(make()).from_config(config)(random(*shape), training=True)

    assert keras.backend.standardize_dtype(output.dtype) == "bfloat16"


def test_a_layer_lets_a_network_train_through_it(case):
    make, shape, expected = case
    stamps = keras.Input(shape[1:])
    x = make()(keras.layers.Dense(shape[-1])(stamps))
    model = keras.Model(stamps, x)
    model.compile("sgd", lambda y, p: ops.mean(p**2), jit_compile=False)
    before = numpy(model.trainable_variables[0])

    loss = model.train_on_batch(random(*shape), np.zeros(expected[0], np.float32))

    assert np.isfinite(loss)
    assert not np.array_equal(numpy(model.trainable_variables[0]), before)


def test_four_views_are_exact_quarter_turns_view_by_view():
    stamps = random(2, 7, 7, 3)

    views = numpy(Rotations(4, 7)(stamps))

    for turns in range(4):
        assert np.array_equal(views[2 * turns : 2 * turns + 2], np.rot90(stamps, turns, axes=(1, 2)))


def test_views_are_cut_at_the_centre():
    stamps = random(1, 9, 9, 1)

    assert np.array_equal(numpy(Rotations(1, 5)(stamps)), stamps[:, 2:7, 2:7])


def test_mirrored_views_follow_as_left_right_images():
    stamps = random(2, 5, 5, 1)

    views = numpy(Rotations(2, 5, mirrored=True)(stamps))

    assert np.array_equal(views[4:6], stamps[:, :, ::-1])


def turned(stamps: np.ndarray, quarters: int, crop: int, *, drawn: bool) -> np.ndarray:
    """Turn by the bilinear code, which the layer itself does not use for quarter turns."""
    from skystamp.models import layers

    side, channels = stamps.shape[1], stamps.shape[3]
    framed = np.pad(stamps, ((0, 0), (1, 1), (1, 1), (0, 0))).reshape(len(stamps), -1, channels)
    angle = np.float32(quarters * np.pi / 2)
    corners = layers._corners(ops.convert_to_tensor(angle[None]) if drawn else angle, crop, side, ops if drawn else np)
    pairs = [(numpy(i).reshape(-1).astype(int), numpy(w).reshape(-1, 1)) for i, w in corners]
    return sum(framed[:, i] * w for i, w in pairs).reshape(-1, crop, crop, channels)


@pytest.mark.parametrize("drawn", [False, True], ids=["known angle", "drawn angle"])
@pytest.mark.parametrize(("side", "crop"), [(9, 9), (8, 8), (9, 5)], ids=["odd", "even", "cropped"])
def test_bilinear_quarter_turns_equal_the_exact_ones_up_to_the_border(side, crop, drawn):
    stamps, start = random(2, side, side, 2), (side - crop) // 2

    for quarters in (0, 1, 2, 3):
        exact = np.rot90(stamps, quarters, axes=(1, 2))[:, start : start + crop, start : start + crop]
        assert turned(stamps, quarters, crop, drawn=drawn) == pytest.approx(exact, abs=1e-5)


def test_bilinear_turns_move_a_star_to_where_it_should_be():
    y, x = np.mgrid[:45, :45] - 22.0
    angle = np.pi / 3
    spot = np.exp(-((x - 9) ** 2 + y**2) / 32).astype(np.float32)[None, :, :, None]

    view = numpy(Rotations(6, 45)(spot))[1, :, :, 0]

    expected = np.exp(-((x - 9 * np.cos(angle)) ** 2 + (y + 9 * np.sin(angle)) ** 2) / 32)
    assert view == pytest.approx(expected, abs=0.02)


def test_a_constant_stamp_stays_constant_where_the_turned_view_fits():
    stamps = np.full((2, 45, 45, 3), 0.7, np.float32)

    assert numpy(Rotations(6, 31)(stamps)) == pytest.approx(0.7, abs=1e-6)
    assert numpy(Rotations(6, 31, theta=1.0, seed=0)(stamps, training=True)) == pytest.approx(0.7, abs=1e-5)


def test_what_turns_in_from_outside_the_stamp_is_zero():
    views = numpy(Rotations(8, 21)(np.ones((1, 21, 21, 1), np.float32)))

    assert views[1, 0, 0, 0] == 0
    assert views[1, 10, 10, 0] == pytest.approx(1)


def test_jitter_is_in_training_only():
    layer, exact, stamps = Rotations(4, 9, theta=0.3, seed=0), Rotations(4, 9), random(2, 13, 13, 1)

    assert np.array_equal(numpy(layer(stamps)), numpy(exact(stamps)))
    assert np.array_equal(numpy(layer(stamps, training=False)), numpy(exact(stamps)))
    assert not np.allclose(numpy(layer(stamps, training=True)), numpy(exact(stamps)), atol=1e-3)


def test_without_theta_training_turns_exactly_too():
    layer, stamps = Rotations(6, 9), random(2, 13, 13, 1)

    assert np.array_equal(numpy(layer(stamps, training=True)), numpy(layer(stamps)))


def test_jitter_differs_between_stamps_views_and_calls():
    stamps = np.repeat(random(1, 13, 13, 1), 2, axis=0)
    layer = Rotations(4, 9, theta=0.3, seed=0)

    first, second = numpy(layer(stamps, training=True)), numpy(layer(stamps, training=True))

    assert not np.allclose(first[0], first[1], atol=1e-3)
    assert not np.allclose(np.rot90(first[0]), first[2], atol=1e-3)
    assert not np.allclose(first, second, atol=1e-3)


def test_jitter_stays_within_theta():
    y, x = np.mgrid[:45, :45] - 22.0
    spot = np.exp(-((x - 15) ** 2 + y**2) / 8).astype(np.float32)[None, :, :, None]
    stamps = np.repeat(spot, 200, axis=0)

    views = numpy(Rotations(1, 45, theta=0.2, seed=3)(stamps, training=True))[..., 0]

    total = views.sum(axis=(1, 2))
    angles = np.arctan2(-(views * y).sum(axis=(1, 2)) / total, (views * x).sum(axis=(1, 2)) / total)
    assert np.abs(angles).max() < 0.205
    assert angles.min() < -0.15 < 0.15 < angles.max()


def test_pooling_is_the_mean_over_views_of_each_stamp():
    features = random(6, 4)

    assert numpy(CyclicPooling(3)(features)) == pytest.approx((features[0:2] + features[2:4] + features[4:6]) / 3)


@pytest.mark.parametrize(
    ("make", "shape", "message"),
    [
        (lambda: Rotations(4, 8), (1, 9, 9, 1), "side - crop even"),
        (lambda: Rotations(4, 11), (1, 9, 9, 1), "at most side"),
        (lambda: Rotations(4, 5), (1, 9, 7, 1), "should be square"),
        (lambda: Rotations(0, 5), (1, 9, 9, 1), "copies should be at least 1"),
        (lambda: Rotations(4, 5, theta=-1), (1, 9, 9, 1), "theta should be at least 0"),
        (lambda: CyclicPooling(0), (4, 2), "views should be at least 1"),
    ],
    ids=["off centre", "too large", "not square", "no copies", "negative theta", "no views"],
)
def test_impossible_layers_say_what_should_be(make, shape, message):
    with pytest.raises(ValueError, match=message):
        make()(random(*shape))
