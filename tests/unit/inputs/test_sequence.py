"""SequenceSpec: what a temporal model reads of the detections of an object."""

import dataclasses
import json
import math

import numpy as np
import pytest

from skystamp import inputs, metadata
from skystamp.errors import UsageError
from skystamp.inputs import DYNAMIC, STATIC, Raw, RawSequences, SequenceSpec

COUNT, N = 40, 3
COLUMN = {name: i for i, name in enumerate(metadata.FEATURES)}


def sequences(seed: int = 0, side: int = 45) -> RawSequences:
    rng = np.random.default_rng(seed)
    return RawSequences(
        rng.normal(100, 5, (COUNT, N, side, side, 3)).astype(np.float32),
        rng.uniform(0, 2, (COUNT, N, len(metadata.FEATURES))),
        60000.0 + np.cumsum(rng.uniform(0.3, 9, (COUNT, N)), axis=1),
        np.column_stack([rng.uniform(0, 2, COUNT), rng.uniform(10, 17, (COUNT, 4))]),
    )


def changed(raw: RawSequences, **parts: np.ndarray) -> RawSequences:
    return dataclasses.replace(raw, **parts)


def plain(**changes) -> SequenceSpec:
    """Return a spec that neither centres nor scales."""
    spec = SequenceSpec(N, **changes)
    zeros = {"dynamic": (0.0,) * len(spec.dynamic), "static": (0.0,) * len(spec.static)}
    ones = {"dynamic": (1.0,) * len(spec.dynamic), "static": (1.0,) * len(spec.static)}
    return dataclasses.replace(spec, means=zeros, deviations=ones)


def test_the_features_are_those_of_table_3():
    assert len(DYNAMIC) == 10
    assert len(STATIC) == 17
    assert STATIC[-3:] == ("W1-W2", "W2-W3", "W3-W4")
    assert DYNAMIC[0] == "time_difference"


def test_a_model_is_fed_three_arrays_by_name():
    fed = SequenceSpec(N).fitted(sequences()).feed(sequences())

    assert {name: values.shape for name, values in fed.items()} == {
        "stamps": (COUNT, N, 33, 33, 2),
        "dynamic": (COUNT, N, 10),
        "static": (COUNT, 17),
    }
    assert {values.dtype for values in fed.values()} == {np.dtype(np.float32)}


def test_each_stamp_of_science_and_template_spans_0_to_1():
    fed = plain().feed(sequences())["stamps"]

    assert (fed.min(axis=(2, 3)) == 0).all()
    assert (fed.max(axis=(2, 3)) == 1).all()


def test_stamps_are_those_that_a_single_detection_would_get():
    raw = sequences()

    fed = plain().feed(raw)["stamps"]

    for place in range(N):
        alone = inputs.make(inputs.InputSpec(side=45, crop=33, features=()), raw.detection(place)).stamps
        assert np.array_equal(fed[:, place], alone[..., :2])


def test_time_differences_are_days_and_0_for_the_first():
    raw = sequences()

    fed = plain().feed(raw)["dynamic"][..., 0]

    assert (fed[:, 0] == 0).all()
    assert fed[:, 1] == pytest.approx(raw.mjd[:, 1] - raw.mjd[:, 0])


def test_a_gap_of_seasons_says_no_more_than_a_hundred_days_do():
    raw = sequences()

    fed = plain().feed(changed(raw, mjd=raw.mjd + np.array([0.0, 300.0, 600.0])))["dynamic"]

    assert (fed[:, 1:, 0] == 100).all()


@pytest.mark.parametrize("place", [0, 1, 2])
def test_dynamic_values_are_those_of_each_detection(place: int):
    raw = sequences()
    numbers = raw.metadata.copy()
    numbers[7, place, COLUMN["magpsf"]] = 19.5

    fed = plain().feed(changed(raw, metadata=numbers))["dynamic"]

    assert fed[7, place, DYNAMIC.index("magpsf")] == 19.5
    assert np.array_equal(np.delete(fed, 7, axis=0), np.delete(plain().feed(raw)["dynamic"], 7, axis=0))


def test_static_values_are_those_of_the_first_detection():
    raw = sequences()
    numbers = raw.metadata.copy()
    numbers[:, 1:] = -77.0

    assert np.array_equal(plain().feed(raw)["static"], plain().feed(changed(raw, metadata=numbers))["static"])


def test_colours_are_differences_of_magnitudes():
    wise = np.array([[0.5, 15.0, 14.2, 11.0, 8.5]] * COUNT)

    fed = plain().feed(changed(sequences(), wise=wise))["static"]

    assert fed[0, -3:] == pytest.approx([0.8, 3.2, 2.5])


def test_magnitudes_and_distance_may_be_read_too():
    raw = sequences()

    fed = plain(static=("wise_distance", "W1", "W4")).feed(raw)["static"]

    assert fed == pytest.approx(raw.wise[:, [0, 1, 4]])


@pytest.mark.parametrize("missing", [0, 3], ids=["no match", "no W3"])
def test_what_a_catalogue_does_not_tell_is_the_training_mean(missing: int):
    spec, raw = SequenceSpec(N).fitted(sequences()), sequences()
    wise = raw.wise.copy()
    wise[:, missing:] = math.nan

    fed = spec.feed(changed(raw, wise=wise))["static"]

    assert (fed[:, -3 if missing == 0 else -2 :] == 0).all()
    assert np.isfinite(fed).all()


def test_dropping_allwise_changes_its_inputs_alone():
    spec, raw = SequenceSpec(N).fitted(sequences()), sequences()

    whole, without = spec.feed(raw), spec.feed(changed(raw, wise=np.full_like(raw.wise, math.nan)))

    assert np.array_equal(whole["stamps"], without["stamps"])
    assert np.array_equal(whole["dynamic"], without["dynamic"])
    assert np.array_equal(whole["static"][:, :-3], without["static"][:, :-3])
    assert not np.array_equal(whole["static"][:, -3:], without["static"][:, -3:])


def test_a_model_that_learned_without_allwise_is_not_moved_by_it():
    raw = sequences()
    bare = changed(raw, wise=np.full_like(raw.wise, math.nan))
    spec = inputs.spec_of(SequenceSpec(N).fitted(bare).to_json())

    assert np.array_equal(spec.feed(raw)["static"], spec.feed(bare)["static"])
    assert not spec.reads_wise
    assert SequenceSpec(N).fitted(raw).reads_wise


def test_missing_and_clips_are_those_of_single_detections():
    raw = sequences()
    numbers = raw.metadata.copy()
    numbers[:, :, COLUMN["sgscore1"]] = math.nan
    numbers[:, :, COLUMN["ncovhist"]] = 9999.0

    fed = plain().feed(changed(raw, metadata=numbers))

    assert (fed["static"][:, STATIC.index("sgscore1")] == -1).all()
    assert (fed["dynamic"][:, :, DYNAMIC.index("ncovhist")] == 3000).all()


def test_fitted_inputs_have_mean_0_and_deviation_1():
    raw = sequences()
    spec = SequenceSpec(N, clips={}, missing={}).fitted(raw)

    fed = spec.feed(raw)

    assert fed["dynamic"].mean(axis=(0, 1)) == pytest.approx(np.zeros(10), abs=1e-4)
    assert fed["static"].std(axis=0) == pytest.approx(np.ones(17), abs=1e-4)


def test_everything_fed_is_finite_whatever_is_missing():
    raw = sequences()
    nothing = RawSequences(
        *(np.full_like(values, math.nan) for values in (raw.stamps, raw.metadata)), raw.mjd, raw.wise
    )

    fed = SequenceSpec(N).fitted(raw).feed(changed(nothing, wise=np.full_like(raw.wise, math.nan)))

    assert all(np.isfinite(values).all() for values in fed.values())


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"bands": ()}, {"dynamic", "static"}),
        ({"dynamic": ()}, {"stamps", "static"}),
        ({"static": ()}, {"stamps", "dynamic"}),
        ({"dynamic": (), "static": ()}, {"stamps"}),
    ],
    ids=str,
)
def test_a_part_that_the_spec_leaves_empty_is_not_fed(changes, names):
    assert set(SequenceSpec(N, **changes).fitted(sequences()).feed(sequences())) == names


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"detections": 0}, "detections"),
        ({"bands": ("science", "colour")}, "colour"),
        ({"dynamic": ("W1",)}, "W1"),
        ({"static": ("W5",)}, "W5"),
        ({"bands": (), "dynamic": (), "static": ()}, "should read something"),
        ({"crop": 64}, "64"),
        ({"min_gap_hours": 12.0}, "min_gap_hours should be 6"),
        ({"radius_arcsec": 1.0}, "radius_arcsec should be 2"),
    ],
    ids=str,
)
def test_a_spec_that_can_not_be_is_refused(changes, word):
    with pytest.raises((UsageError, ValueError), match=word):
        SequenceSpec(**{"detections": N, **changes})


def test_sequences_of_another_length_are_refused():
    spec = SequenceSpec(N).fitted(sequences())

    with pytest.raises(UsageError, match=r"should have 3 detections\. Received: 2"):
        spec.feed(sequences().first(2))


def test_a_spec_that_was_not_fitted_is_refused():
    with pytest.raises(UsageError, match="fitted"):
        SequenceSpec(N).feed(sequences())


@pytest.mark.parametrize("spec", [SequenceSpec(5), SequenceSpec(N).fitted(sequences()), plain(bands=())])
def test_json_keeps_every_field(spec: SequenceSpec):
    assert inputs.spec_of(spec.to_json()) == spec


def test_a_spec_without_a_kind_is_of_single_detections():
    content = json.loads(inputs.InputSpec().to_json())
    del content["kind"]

    assert inputs.spec_of(json.dumps(content)) == inputs.InputSpec()


def test_an_unknown_kind_is_refused():
    with pytest.raises(UsageError, match="movie"):
        inputs.spec_of('{"kind": "movie"}')


def test_gathered_sequences_hold_the_named_alerts():
    rng = np.random.default_rng(1)
    raw = Raw(rng.random((6, 9, 9, 3), dtype=np.float32), rng.random((6, len(metadata.FEATURES))))
    members = np.array([[4, 0], [1, 5]])

    made = RawSequences.gathered(raw, np.arange(6.0), members, np.zeros((2, 5)))

    assert np.array_equal(made.stamps[1, 1], raw.stamps[5])
    assert made.mjd.tolist() == [[4, 0], [1, 5]]
    assert np.array_equal(made.detection(0).metadata, raw.metadata[[4, 1]])


def test_arrays_and_back_is_the_same():
    raw = sequences()

    again = inputs.raw_of(SequenceSpec(N), raw.arrays())

    assert all(np.array_equal(values, again.arrays()[name]) for name, values in raw.arrays().items())
