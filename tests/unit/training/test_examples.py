"""Examples, balanced batches and augmentation."""

import numpy as np
import pytest

from skystamp.training import BalancedBatches, Examples, TrainConfig
from skystamp.training.examples import augmented, require_finite

LABELS = np.repeat([0, 1, 2, 3, 4], [200, 90, 40, 7, 1])


def examples(size: int = 6) -> Examples:
    rng = np.random.default_rng(0)
    return Examples(
        {
            "stamps": rng.random((size, 5, 5, 3), dtype=np.float32),
            "metadata": rng.standard_normal((size, 4), dtype=np.float32),
        },
        np.arange(size) % 3,
    )


def test_take_gives_the_chosen_examples_in_order():
    whole = examples()

    chosen = whole.take(np.array([4, 1]))

    assert len(chosen) == 2
    assert np.array_equal(chosen.inputs["stamps"][0], whole.inputs["stamps"][4])
    assert chosen.labels.tolist() == [1, 1]


def test_examples_of_unequal_lengths_are_refused():
    whole = examples()

    with pytest.raises((ValueError, TypeError)):
        Examples(whole.inputs, whole.labels[:-1])


@pytest.mark.parametrize("array", ["stamps", "metadata"])
def test_an_input_that_is_not_finite_is_named(array):
    whole = examples(2000)
    whole.inputs[array][1500, 2] = np.nan

    require_finite(examples(2000), "train")
    with pytest.raises(ValueError, match=r"train inputs should be finite\. Received: example 1500"):
        require_finite(whole, "train")


def test_batches_of_read_only_arrays_leave_them_alone():
    whole = examples()
    before = whole.inputs["stamps"].copy()
    whole.inputs["stamps"].setflags(write=False)

    augmented(whole.take(np.array([0, 1])), TrainConfig(flips=True, stamp_noise=0.1), 3)

    assert np.array_equal(whole.inputs["stamps"], before)


@pytest.mark.parametrize("batch", [64, 16, 3], ids=lambda batch: f"batch {batch}")
def test_every_batch_has_equal_quotas_to_within_one(batch):
    batches = BalancedBatches(LABELS, 5, batch, seed=1)

    for iteration in range(50):
        counts = np.bincount(LABELS[batches.indices(iteration)], minlength=5)
        assert counts.sum() == batch
        assert counts.max() - counts.min() <= 1


def test_what_does_not_divide_goes_round_the_classes():
    batches = BalancedBatches(LABELS, 5, 64, seed=1)

    counts = sum(np.bincount(LABELS[batches.indices(i)], minlength=5) for i in range(5))

    assert counts.tolist() == [64] * 5


def test_a_class_is_dealt_whole_before_it_repeats():
    batches = BalancedBatches(LABELS, 5, 5, seed=2)

    dealt = np.concatenate([batches.indices(i) for i in range(80)])

    members = np.flatnonzero(LABELS == 2)
    of_class = dealt[np.isin(dealt, members)]
    assert sorted(of_class[:40]) == sorted(of_class[40:]) == members.tolist()
    assert of_class[:40].tolist() != of_class[40:].tolist()


def test_batches_depend_on_seed_and_iteration_alone():
    some, same, other = (BalancedBatches(LABELS, 5, 64, seed) for seed in (3, 3, 4))
    some.indices(0)

    assert np.array_equal(some.indices(77), same.indices(77))
    assert not np.array_equal(some.indices(77), other.indices(77))
    assert not np.array_equal(some.indices(77), some.indices(78))


@pytest.mark.parametrize("classes", [4, 6], ids=["a label too many", "a class without examples"])
def test_labels_and_classes_should_agree(classes):
    with pytest.raises(ValueError, match="should name each of"):
        BalancedBatches(LABELS, classes, 64, seed=0)


def test_nothing_is_augmented_by_default():
    batch = examples()

    assert augmented(batch, TrainConfig(), 5) is batch


def test_flips_mirror_some_stamps_left_to_right():
    batch = examples(64)

    stamps = augmented(batch, TrainConfig(flips=True), 0).inputs["stamps"]

    mirrored = (stamps == batch.inputs["stamps"][:, :, ::-1]).all(axis=(1, 2, 3))
    kept = (stamps == batch.inputs["stamps"]).all(axis=(1, 2, 3))
    assert (mirrored ^ kept).all()
    assert 15 < mirrored.sum() < 49


def test_noise_has_the_deviation_asked_for():
    batch = examples(64)

    stamps = augmented(batch, TrainConfig(stamp_noise=0.05), 0).inputs["stamps"]

    assert (stamps - batch.inputs["stamps"]).std() == pytest.approx(0.05, rel=0.05)
    assert stamps.dtype == np.float32


def test_metadata_dropout_clears_whole_rows_and_feature_dropout_single_ones():
    batch = examples(2000)

    rows = augmented(batch, TrainConfig(metadata_dropout=0.3), 0).inputs["metadata"] == 0
    single = augmented(batch, TrainConfig(feature_dropout=0.2), 0).inputs["metadata"] == 0

    assert (rows.all(axis=1) | ~rows.any(axis=1)).all()
    assert rows.mean() == pytest.approx(0.3, abs=0.04)
    assert single.mean() == pytest.approx(0.2, abs=0.02)


def test_augmentation_repeats_for_an_iteration_and_differs_between_them():
    batch, config = examples(), TrainConfig(stamp_noise=0.1, seed=9)

    assert np.array_equal(augmented(batch, config, 4).inputs["stamps"], augmented(batch, config, 4).inputs["stamps"])
    assert not np.array_equal(
        augmented(batch, config, 4).inputs["stamps"], augmented(batch, config, 5).inputs["stamps"]
    )


def sequences(size: int = 400) -> Examples:
    rng = np.random.default_rng(1)
    return Examples(
        {
            "stamps": rng.random((size, 3, 5, 5, 2), dtype=np.float32),
            "dynamic": rng.standard_normal((size, 3, 4), dtype=np.float32),
            "static": rng.standard_normal((size, 6), dtype=np.float32),
        },
        np.arange(size) % 3,
    )


def test_all_stamps_of_a_sequence_are_mirrored_together():
    batch = sequences()

    stamps = augmented(batch, TrainConfig(flips=True), 0).inputs["stamps"]

    mirrored = (stamps == batch.inputs["stamps"][:, :, :, ::-1]).all(axis=(1, 2, 3, 4))
    kept = (stamps == batch.inputs["stamps"]).all(axis=(1, 2, 3, 4))
    assert (mirrored ^ kept).all()
    assert 150 < mirrored.sum() < 250


def test_a_feature_is_dropped_in_all_detections_of_a_sequence():
    dynamic = augmented(sequences(), TrainConfig(feature_dropout=0.2), 0).inputs["dynamic"] == 0

    assert (dynamic == dynamic[:, :1]).all()
    assert dynamic.mean() == pytest.approx(0.2, abs=0.04)


def test_dropped_metadata_are_all_of_an_example():
    made = augmented(sequences(), TrainConfig(metadata_dropout=0.3), 0).inputs

    dynamic, static = (made["dynamic"] == 0).all(axis=(1, 2)), (made["static"] == 0).all(axis=1)
    assert (dynamic == static).all()
    assert dynamic.mean() == pytest.approx(0.3, abs=0.07)


def test_examples_without_any_input_are_refused():
    with pytest.raises(ValueError, match="inputs and labels should be of one length"):
        Examples({}, np.arange(3))
