"""explanation.explain: a bundle's answer, taken apart, with the names of what it read."""

import json

import numpy as np
import pytest

from skystamp import explanation, taxonomy
from skystamp.errors import UsageError
from skystamp.inputs import STATIC
from skystamp.metadata import FEATURES, FEATURES_23
from tests import explaining, faking

MAGNITUDE = FEATURES_23.index("magpsf")


def of_magnitude(temperature: float = 1.0):
    """Return a bundle that reads the magnitude and nothing else."""
    read = np.zeros(len(FEATURES_23))
    read[MAGNITUDE] = -1.5
    return explaining.first_detection({"metadata": read}, temperature)


def test_a_model_that_reads_one_feature_is_explained_by_it() -> None:
    raw = explaining.raw()

    why = explanation.explain(of_magnitude(), raw, "SN")

    first, *others = why.numbers
    assert first.name == "magpsf"
    assert first.value == pytest.approx(raw.metadata[0, FEATURES.index("magpsf")], rel=1e-5)
    gained = why.probability - why.baseline_probability
    assert first.integrated_gradient == pytest.approx(gained, abs=1e-5)
    assert first.occlusion == pytest.approx(gained, abs=1e-5)
    assert {(one.integrated_gradient, one.occlusion) for one in others} == {(0.0, 0.0)}
    assert not why.integrated["stamps"].any()
    assert not why.occluded["stamps"].any()
    assert abs(gained) > 0.05


def test_a_model_that_reads_one_corner_is_explained_by_its_pixels() -> None:
    read = np.zeros((21, 21, 3))
    read[:3, :3, 1] = 1.0

    why = explanation.explain(explaining.first_detection({"stamps": read}), explaining.raw(), "SN")

    assert np.argwhere(why.integrated["stamps"]).max(axis=0).tolist() == [2, 2, 1]
    assert why.occluded["stamps"][12:].any() == np.False_
    assert {one["band"] for one in why.summary()["stamps"] if one["integrated_gradient"]} == {"template"}


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_parts_add_up_to_the_answer_as_it_is_served(temperature: float) -> None:
    bundle, raw = of_magnitude(temperature), explaining.raw(3)

    why = explanation.explain(bundle, raw)

    assert np.array_equal(why.probabilities, bundle.predict(raw)[0])
    assert why.label == bundle.classes[int(why.probabilities.argmax())]
    assert why.gap == pytest.approx(0, abs=1e-5)


def test_a_sequence_is_explained_detection_by_detection() -> None:
    read = np.zeros((3, 21, 21, 2))
    read[1, 10, 10, 0] = 4.0
    static = np.zeros(len(STATIC))
    static[STATIC.index("W1-W2")] = 2.0

    why = explanation.explain(explaining.temporal({"stamps": read, "static": static}), explaining.raw_sequence(), "SN")

    assert np.argwhere(why.integrated["stamps"]).tolist() == [[1, 10, 10, 0]]
    assert (why.bands, why.stamps("integrated").shape) == (("science", "template"), (3, 21, 21, 2))
    assert (why.numbers[0].name, why.numbers[0].detection) == ("W1-W2", None)
    assert {one.detection for one in why.numbers} == {None, 1, 2, 3}
    assert why.gap == pytest.approx(0, abs=1e-5)


def test_the_baseline_is_a_flat_sky_and_the_mean_object() -> None:
    inputs = explaining.first_detection({}).spec.feed(explaining.raw())

    baseline = explanation.baseline_of(inputs)

    flat = np.median(inputs["stamps"], axis=(1, 2))
    assert np.array_equal(baseline["stamps"], np.broadcast_to(flat[:, None, None], inputs["stamps"].shape))
    assert not baseline["metadata"].any()


def test_it_is_plain_arrays_and_plain_json(tmp_path) -> None:
    why = explanation.explain(of_magnitude(), explaining.raw(), "SN")

    np.savez(tmp_path / "why.npz", **why.arrays())
    with np.load(tmp_path / "why.npz", allow_pickle=False) as file:
        names, classes = set(file), file["classes"].tolist()
    told = json.loads(json.dumps(why.summary()))

    assert {"integrated_stamps", "occluded_metadata", "inputs_stamps", "baseline_metadata", "probabilities"} <= names
    assert classes == list(taxonomy.FIRST_DETECTION)
    assert (told["class"], told["numbers"][0]["name"]) == ("SN", "magpsf")
    assert [each["band"] for each in told["stamps"]] == ["science", "template", "difference"]


def test_more_than_one_object_is_refused() -> None:
    with pytest.raises(UsageError, match="one object should be explained at a time"):
        explanation.explain(of_magnitude(), explaining.raw().take([0, 0]))


def test_a_class_that_the_model_does_not_know_is_refused() -> None:
    with pytest.raises(UsageError, match="should be one of AGN"):
        explanation.explain(of_magnitude(), explaining.raw(), "satellite")


def test_a_bundle_that_can_not_differentiate_is_refused() -> None:
    with pytest.raises(UsageError, match="no gradients"):
        explanation.explain(faking.model().bundle, explaining.raw())
