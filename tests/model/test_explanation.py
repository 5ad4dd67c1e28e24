"""Explanations of real Keras networks: gradients are right, parts add up, and an unread region adds nothing."""

import keras
import numpy as np
import pytest

from skystamp import bundle, explanation, taxonomy
from skystamp.inputs import InputSpec, SequenceSpec
from skystamp.models import engine, stamp, temporal
from skystamp.models.stamp import StampConfig
from skystamp.models.temporal import TemporalConfig
from tests import explaining

N = 2


def livened(model: keras.Model) -> keras.Model:
    """Return an untrained model whose answers differ from alert to alert: its last weights made larger."""
    logits = model.get_layer("logits")
    logits.kernel.assign(logits.kernel * 20)
    return model


def first_detection():
    """Return a bundle of a small enhanced network: fewer kernels would do, odd angles and a crop are what matters."""
    spec = InputSpec(crop=23).fitted(explaining.raw())
    model = livened(stamp.build(StampConfig(side=23, crop=15, k=3, kernel=3), seed=1))
    return bundle.Bundle(taxonomy.FIRST_DETECTION, spec, {"name": "first-detection"}, engine.compiled(model)), model


def sequences():
    """Return a bundle of a small temporal network."""
    spec = SequenceSpec(N, crop=15).fitted(explaining.raw_sequence(N))
    model = livened(temporal.build(TemporalConfig(N, side=15, crop=15, k=1, kernel=3, cell="gru", units=8), seed=1))
    return bundle.Bundle(taxonomy.TEMPORAL, spec, {"name": f"temporal-{N}"}, engine.compiled(model)), model


FAMILIES = {"first-detection": (first_detection, explaining.raw), "temporal": (sequences, explaining.raw_sequence)}


@pytest.fixture(scope="module", params=list(FAMILIES))
def explained(request):
    """Return a bundle, its model, and the raw inputs and explanation of one object that is not the fitted one."""
    made, of = FAMILIES[request.param]
    found, model = made()
    raw = of(seed=7) if request.param == "first-detection" else of(N, seed=7)
    return found, model, raw, explanation.explain(found, raw, steps=256)


def test_attributions_add_up_to_what_the_answer_gained(explained) -> None:
    _, _, _, why = explained

    gained = why.probability - why.baseline_probability
    assert abs(gained) > 0.05
    assert abs(why.gap) < 0.02 * abs(gained) + 0.002


def test_gradients_are_those_of_the_answers(explained) -> None:
    found, _, raw, _ = explained
    inputs = found.spec.feed(raw)
    weights = np.eye(len(found.classes), dtype=np.float32)[:1]
    direction = {name: np.random.default_rng(0).normal(size=v.shape).astype(np.float32) for name, v in inputs.items()}

    slope = sum((found.predict_inputs.pull(inputs, weights)[name] * way).sum() for name, way in direction.items())

    ends = [
        found.predict_inputs({name: v + sign * 2e-3 * direction[name] for name, v in inputs.items()})[0, 0]
        for sign in (1, -1)
    ]
    assert slope == pytest.approx((ends[0] - ends[1]) / 4e-3, rel=0.05, abs=1e-3)


def test_corners_that_no_view_reaches_add_nothing(explained) -> None:
    found, _, _, why = explained
    if found.spec.crop == 15:
        pytest.skip("this one reads every pixel")

    reach = np.hypot(*np.mgrid[-11:12, -11:12])
    unread = reach > 15 / 2 * np.sqrt(2) + 1.5

    assert unread.any()
    assert not why.integrated["stamps"][unread].any()
    assert why.integrated["stamps"][~unread].any()


def test_occluding_the_whole_stamp_is_the_answer_for_flat_stamps(explained) -> None:
    found, _, raw, why = explained
    inputs = found.spec.feed(raw)
    place = found.classes.index(why.label)

    whole = explanation.occlusion(found.predict_inputs, inputs, explanation.baseline_of(inputs), place, patch=99)

    flat = {**inputs, "stamps": inputs["stamps"].copy()}
    flat["stamps"][..., 0] = explanation.baseline_of(inputs)["stamps"][..., 0]
    lead = (0,) * (inputs["stamps"].ndim - 4)
    if lead:
        flat["stamps"][:, 1:, ..., 0] = inputs["stamps"][:, 1:, ..., 0]
    expected = why.probability - found.predict_inputs(flat)[0, place]
    assert whole["stamps"][(*lead, 4, 4, 0)] == pytest.approx(expected, abs=1e-5)
