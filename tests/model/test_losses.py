"""The entropy-regularised loss against numbers worked out by hand."""

import keras
import numpy as np
import pytest
from keras import ops

from skystamp.models.losses import EntropyRegularisedCrossEntropy as Loss

P = np.array([[0.5, 0.25, 0.25], [0.1, 0.8, 0.1]], np.float32)
LABELS = np.array([0, 2])
CROSS_ENTROPY = (-np.log(0.5) - np.log(0.1)) / 2
ENTROPY = -(P * np.log(P)).sum(axis=1).mean()


def value(loss: Loss, labels=LABELS, probabilities=P) -> float:
    return float(ops.convert_to_numpy(loss(labels, probabilities)))


def test_without_beta_it_is_cross_entropy():
    assert value(Loss()) == pytest.approx(CROSS_ENTROPY, rel=1e-6)


def test_beta_takes_the_entropy_off():
    assert value(Loss(beta=0.5)) == pytest.approx(CROSS_ENTROPY - 0.5 * ENTROPY, rel=1e-6)


def test_labels_may_come_as_a_column_or_as_floats():
    assert value(Loss(), LABELS[:, None].astype(np.float32)) == value(Loss())


def test_smoothing_spreads_the_label():
    target = np.full((2, 3), 0.1)
    target[[0, 1], LABELS] += 0.7

    assert value(Loss(label_smoothing=0.3)) == pytest.approx(-(target * np.log(P)).sum(axis=1).mean(), rel=1e-6)


def test_sample_weights_scale_each_example():
    each = -np.log(P[[0, 1], LABELS])

    weighted = Loss()(LABELS, P, sample_weight=np.array([2.0, 0.5], np.float32))

    assert float(ops.convert_to_numpy(weighted)) == pytest.approx((2 * each[0] + 0.5 * each[1]) / 2, rel=1e-5)


def test_a_sure_mistake_keeps_its_gradient():
    logits = keras.Sequential([keras.Input((1,)), keras.layers.Dense(2, use_bias=False), keras.layers.Softmax()])
    logits.set_weights([np.array([[30.0, -30.0]], np.float32)])
    logits.compile(keras.optimizers.SGD(1.0), Loss(), jit_compile=False)

    logits.train_on_batch(np.ones((1, 1), np.float32), np.array([1]))

    assert logits.get_weights()[0] == pytest.approx(np.array([[29.0, -29.0]]), abs=1e-3)


def test_a_zero_probability_gives_a_finite_loss():
    assert np.isfinite(value(Loss(beta=1.0), np.array([1]), np.array([[1.0, 0.0]], np.float32)))


def test_it_comes_back_from_its_config():
    rebuilt = keras.losses.deserialize(keras.losses.serialize(Loss(beta=0.3, label_smoothing=0.1)))

    assert (rebuilt.beta, rebuilt.label_smoothing) == (0.3, 0.1)
    assert value(rebuilt) == value(Loss(beta=0.3, label_smoothing=0.1))


@pytest.mark.parametrize("wrong", [{"beta": -1.0}, {"label_smoothing": 1.0}], ids=lambda wrong: next(iter(wrong)))
def test_impossible_parameters_are_refused(wrong):
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} should be"):
        Loss(**wrong)
