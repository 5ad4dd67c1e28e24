"""The only maker of model inputs: each rule of its preprocessing against an answer worked out by hand."""

import dataclasses
import json

import numpy as np
import pytest

from skystamp import avro, inputs, metadata, stamps, surveys
from skystamp.errors import Reason, Reject, UsageError
from skystamp.inputs import InputSpec, Raw
from skystamp.metadata import FEATURES, FEATURES_23, FEATURES_26
from tests import making

NAN, INF = np.nan, np.inf


def plain(features=FEATURES_26, **changes):
    """Return a spec that standardises by mean 0 and deviation 1."""
    ones = {"means": (0.0,) * len(features), "deviations": (1.0,) * len(features)}
    return InputSpec(**{"features": features, **ones, **changes})


def raw_of(**values):
    """Return the raw metadata of one alert: 0 but for these."""
    table = np.zeros((1, len(FEATURES)))
    for name, value in values.items():
        table[0, FEATURES.index(name)] = value
    return Raw(np.zeros((1, 21, 21, 3), np.float32), table)


def made(name, value, **changes):
    return float(inputs.make(plain((name,), **changes), raw_of(**{name: value})).metadata[0, 0])


def alerts(n=8):
    return [surveys.read(making.record(i, {"ra": 10.0 * i, "rb": i / 8}), "ztf.alert") for i in range(n)]


# ------------------------------------------------------------------------------------------------- metadata: the rules

CLIPS = [
    *[(f"sgscore{i}", -5.0, -1.0) for i in (1, 2, 3)],
    *[(f"distpsnr{i}", -5.0, -1.0) for i in (1, 2, 3)],
    *[(f"distpsnr{i}", 500.0, 500.0) for i in (1, 2, 3)],
    ("distnr", -5.0, -1.0),
    ("magnr", -5.0, -1.0),
    ("magnr", 25.0, 25.0),
    ("fwhm", 11.0, 10.0),
    ("fwhm", -3.0, -3.0),
    ("ndethist", 21.0, 20.0),
    ("ncovhist", 3001.0, 3000.0),
    ("non_detections", 2001.0, 2000.0),
    ("chinr", -3.0, -1.0),
    ("chinr", 16.0, 15.0),
    ("sharpnr", -3.0, -1.0),
    ("sharpnr", 2.0, 1.5),
    ("sharpnr", 1.25, 1.25),
    ("magpsf", 99.0, 99.0),
    ("classtar", 7.0, 7.0),
    ("diffmaglim", -50.0, -50.0),
    ("rb", -3.0, -3.0),
    ("sigmapsf", 9.0, 9.0),
    ("isdiffpos", 1.0, 1.0),
    ("ra", 359.0, 359.0),
    ("dec", -89.0, -89.0),
    *[(name, -89.0, -89.0) for name in ("ecl_lat", "gal_lat")],
    *[(name, 359.0, 359.0) for name in ("ecl_long", "gal_long")],
]


@pytest.mark.parametrize(("name", "value", "expected"), CLIPS)
def test_feature_is_clipped_as_published(name, value, expected):
    assert made(name, value) == expected


def test_every_feature_has_a_case_of_clipping():
    assert {name for name, _, _ in CLIPS} == set(FEATURES)


AS_MINUS_ONE = {
    *("sgscore1", "sgscore2", "sgscore3", "distpsnr1", "distpsnr2", "distpsnr3", "distnr", "magnr", "chinr", "sharpnr")
}


@pytest.mark.parametrize("name", FEATURES)
def test_missing_value_is_minus_one_or_the_mean_of_the_training_split(name):
    spec = plain((name,), means=(4.5,), deviations=(2.0,))

    value = float(inputs.make(spec, raw_of(**{name: NAN})).metadata[0, 0])

    assert value == ((-1 - 4.5) / 2 if name in AS_MINUS_ONE else 0.0)


def test_survey_mark_of_a_missing_number_is_a_missing_value():
    alert = surveys.read(making.record(candidate={"sgscore1": -999.0, "fwhm": -999.0}), "ztf.alert")
    raw, _, _ = inputs.collect([alert])

    made_of = inputs.make(plain(("sgscore1", "fwhm"), means=(0.0, 7.0)), raw)

    assert made_of.metadata[0].tolist() == [-1.0, 0.0]


def test_standardised_by_mean_and_deviation():
    spec = plain(("magpsf",), means=(18.0,), deviations=(4.0,))

    assert inputs.make(spec, raw_of(magpsf=20.0)).metadata[0, 0] == 0.5


def test_clips_come_before_standardisation():
    spec = plain(("fwhm",), means=(2.0,), deviations=(4.0,))

    assert inputs.make(spec, raw_of(fwhm=1e6)).metadata[0, 0] == 2.0


@pytest.mark.parametrize("features", [FEATURES_23, FEATURES_26, ("dec", "ra")], ids=["23", "26", "two"])
def test_metadata_have_the_order_of_the_spec(features):
    table = np.arange(26.0)[None] / 100
    raw = Raw(np.zeros((1, 21, 21, 3), np.float32), table)

    made_of = inputs.make(plain(features), raw)

    assert made_of.metadata.dtype == np.float32
    assert made_of.metadata[0] == pytest.approx([FEATURES.index(name) / 100 for name in features])


def test_model_of_images_alone_has_no_metadata():
    assert inputs.make(plain(()), raw_of()).metadata.shape == (1, 0)


def test_making_changes_nothing_it_was_given():
    raw = Raw(np.full((1, 21, 21, 3), NAN, np.float32), np.full((1, 26), NAN))

    inputs.make(plain(), raw)

    assert np.isnan(raw.stamps).all()
    assert np.isnan(raw.metadata).all()


# ------------------------------------------------------------------------------------------------ statistics of a split


def test_statistics_are_those_of_the_clipped_split():
    table = np.zeros((4, 26))
    table[:, FEATURES.index("fwhm")] = [2, 4, 1000, NAN]  # the last is unknown, the third clipped to 10
    table[:, FEATURES.index("chinr")] = [1, 3, NAN, NAN]  # unknown ones are -1

    spec = inputs.fitted(InputSpec(features=("fwhm", "chinr")), table)

    assert spec.means == pytest.approx((16 / 3, 0.5))
    assert spec.deviations == pytest.approx((np.std([2, 4, 10]), np.std([1, 3, -1, -1])))


def test_fitted_split_has_mean_zero_and_deviation_one():
    table = np.random.default_rng(0).normal(5, 3, (400, 26))
    spec = inputs.fitted(InputSpec(clips={}, missing={}), table)

    made_of = inputs.make(spec, Raw(np.zeros((400, 21, 21, 3), np.float32), table)).metadata

    assert made_of.mean(0) == pytest.approx(np.zeros(23), abs=1e-6)
    assert made_of.std(0) == pytest.approx(np.ones(23), abs=1e-6)


def test_feature_that_never_varies_has_deviation_one_and_one_never_known_mean_zero():
    table = np.zeros((3, 26))
    table[:, FEATURES.index("magpsf")] = 17.0
    table[:, FEATURES.index("classtar")] = NAN

    spec = inputs.fitted(InputSpec(features=("magpsf", "classtar")), table)

    assert (spec.means, spec.deviations) == ((17.0, 0.0), (1.0, 0.0))


def test_statistics_come_from_the_table_alone_and_leave_it_as_it_was():
    table = np.random.default_rng(1).normal(size=(50, 26))
    before = table.copy()

    spec = inputs.fitted(InputSpec(), table[:40])

    assert spec == inputs.fitted(InputSpec(means=(9.0,) * 23, deviations=(9.0,) * 23), table[:40].copy())
    assert spec != inputs.fitted(InputSpec(), table)
    assert np.array_equal(table, before)


def test_spec_that_was_not_fitted_makes_nothing():
    with pytest.raises(UsageError, match="fitted on a training split"):
        inputs.make(InputSpec(), raw_of())


# ---------------------------------------------------------------------------------------------------------- stamps


def scaled(pixels):
    """Return one channel, made of these pixels, normalised."""
    side = int(np.sqrt(len(pixels)))
    image = np.array(pixels, np.float32).reshape(1, side, side, 1)
    return inputs.normalised(np.repeat(image, 3, axis=3))[0, :, :, 0].ravel().tolist()


@pytest.mark.parametrize(
    ("pixels", "expected"),
    [
        ([1, 2, 3, 5], [0, 0.25, 0.5, 1]),
        ([-5, -1, -3, -3], [0, 1, 0.5, 0.5]),
        ([NAN, 1, 2, 3], [0, 0, 0.5, 1]),
        ([INF, 1, 2, 3], [0, 0, 0.5, 1]),
        ([-INF, 1, 2, 3], [0, 0, 0.5, 1]),
        ([NAN, INF, -INF, 7], [0, 0, 0, 0]),
        ([NAN, NAN, NAN, NAN], [0, 0, 0, 0]),
        ([INF, INF, INF, INF], [0, 0, 0, 0]),
        ([4, 4, 4, 4], [0, 0, 0, 0]),
        ([0, 0, 0, 0], [0, 0, 0, 0]),
        ([4, 4, 4, NAN], [0, 0, 0, 0]),
        ([-3e38, 3e38, 0, 1], [0, 0, 0, 0]),
        ([1e-45, 0, 0, 0], [1, 0, 0, 0]),
    ],
    ids=str,
)
def test_pixels_are_scaled_from_minimum_to_maximum_and_what_is_not_finite_is_zero(pixels, expected):
    assert scaled(pixels) == expected


def test_each_channel_of_each_image_is_scaled_by_itself():
    images = np.random.default_rng(2).normal(0, 1, (5, 21, 21, 3)).astype(np.float32) * [1, 100, 1e-6]

    made_of = inputs.normalised(images.astype(np.float32))

    assert (made_of.min(axis=(1, 2)) == 0).all()
    assert (made_of.max(axis=(1, 2)) == 1).all()


def reference(images):
    """Return images normalised channel by channel in the words of the published code."""
    out = np.zeros_like(images)
    for i, image in enumerate(images):
        for channel in range(image.shape[-1]):
            pixels = np.where(np.isfinite(image[..., channel]), image[..., channel], np.float32(NAN))
            if np.isfinite(pixels).any():
                shifted = pixels - np.nanmin(pixels)
                top = np.nanmax(shifted)
                if top > 0 and np.isfinite(top):
                    out[i, ..., channel] = np.nan_to_num(shifted / top)
    return out


def test_normalisation_is_that_of_the_published_code_bit_for_bit():
    rng = np.random.default_rng(4)
    images = rng.normal(300, 40, (60, 21, 21, 3)).astype(np.float32)
    images[rng.random(images.shape) < 0.001] = NAN
    images[5, :, 3] = INF
    images[6, ..., 1] = 12.5

    assert np.array_equal(inputs.normalised(images), reference(images))


def test_normalised_images_are_contiguous_float32():
    made_of = inputs.normalised(np.ones((2, 5, 7, 3), np.float32))

    assert (made_of.shape, made_of.dtype, made_of.flags.c_contiguous) == ((2, 5, 7, 3), np.float32, True)


def test_no_images_are_normalised_to_no_images():
    assert inputs.normalised(np.empty((0, 21, 21, 3), np.float32)).shape == (0, 21, 21, 3)


def test_crop_comes_before_normalisation():
    image = np.zeros((1, 63, 63, 3), np.float32)
    image[0, 0, 0] = 1e6  # outside the crop
    image[0, 31, 31] = 2.0

    made_of = inputs.make(plain(()), Raw(image, np.zeros((1, 26)))).stamps

    assert made_of.shape == (1, 21, 21, 3)
    assert made_of[0, 10, 10].tolist() == [1, 1, 1]
    assert made_of.sum() == 3


@pytest.mark.parametrize("crop", [21, 41, 45, 63, 16])
def test_making_from_whole_stamps_and_from_cropped_ones_is_the_same(crop):
    spec = plain(crop=crop)

    whole, _, _ = inputs.collect(alerts())
    cropped, _, _ = inputs.collect(alerts(), crop=crop)

    assert np.array_equal(inputs.make(spec, whole).stamps, inputs.make(spec, cropped).stamps)


# ------------------------------------------------------------------------------------------------- batches and rejects


def test_batch_gives_what_single_alerts_give_bit_for_bit():
    items = alerts(16)
    raw, _, _ = inputs.collect(items)
    raw.stamps[3, 30:32] = NAN
    spec = inputs.fitted(InputSpec(), raw.metadata)

    batch = inputs.make(spec, raw)
    single = [inputs.make(spec, raw.take([i])) for i in range(16)]

    assert np.array_equal(batch.stamps, np.concatenate([each.stamps for each in single]))
    assert np.array_equal(batch.metadata, np.concatenate([each.metadata for each in single]))


def test_packet_path_gives_the_same_alone_and_in_a_container():
    records = [making.record(i) for i in range(6)]
    spec = plain()

    def make(items):
        raw, _, _ = inputs.collect([surveys.read(item.record, item.schema) for item in items], crop=21)
        return inputs.make(spec, raw)

    together = make(list(avro.read(making.packet(*records, codec="deflate"))))
    alone = [make(list(avro.read(making.packet(record)))) for record in records]

    assert np.array_equal(together.stamps, np.concatenate([each.stamps for each in alone]))
    assert np.array_equal(together.metadata, np.concatenate([each.metadata for each in alone]))


def test_collect_keeps_the_order_and_tells_of_the_others():
    items = alerts(5)
    items[1] = dataclasses.replace(items[1], cutouts={**items[1].cutouts, "template": b"no"})
    items[4] = dataclasses.replace(
        items[4], cutouts={**items[4].cutouts, "difference": stamps.encode(making.image(0, (63, 60)))}
    )

    raw, kept, rejects = inputs.collect(items)

    assert kept == [0, 2, 3]
    assert {i: reject.reason for i, reject in rejects.items()} == {1: Reason.NOT_GZIP, 4: Reason.WRONG_SHAPE}
    assert np.array_equal(raw.metadata, metadata.table([items[i] for i in kept]))
    assert all(np.array_equal(raw.stamps[row], stamps.triplet(items[i], 63)) for row, i in enumerate(kept))


def test_collect_of_nothing_is_nothing():
    raw, kept, rejects = inputs.collect([], crop=21)

    assert (raw.stamps.shape, raw.metadata.shape, len(raw), kept, rejects) == ((0, 21, 21, 3), (0, 26), 0, [], {})


def test_collect_of_rejects_alone_keeps_nothing():
    items = [dataclasses.replace(each, cutouts=dict.fromkeys(each.cutouts, b"no")) for each in alerts(2)]

    raw, kept, rejects = inputs.collect(items)

    assert (len(raw), kept) == (0, [])
    assert all(isinstance(reject, Reject) for reject in rejects.values())


def test_inputs_are_finite_whatever_the_pixels():
    rng = np.random.default_rng(6)
    bits = rng.integers(0, 1 << 32, (20, 21, 21, 3), np.uint32, endpoint=False)
    raw = Raw(bits.view(np.float32), np.where(rng.random((20, 26)) < 0.3, NAN, rng.normal(0, 1e6, (20, 26))))
    spec = inputs.fitted(InputSpec(), raw.metadata)

    made_of = inputs.make(spec, raw)

    assert np.isfinite(made_of.stamps).all()
    assert np.isfinite(made_of.metadata).all()
    assert (made_of.stamps >= 0).all()
    assert (made_of.stamps <= 1).all()


def test_take_picks_alerts():
    raw = Raw(np.arange(3 * 12, dtype=np.float32).reshape(3, 2, 2, 3), np.arange(78.0).reshape(3, 26))

    part = raw.take([2, 0])

    assert len(part) == 2
    assert part.metadata[:, 0].tolist() == [52, 0]


# ------------------------------------------------------------------------------------------------------------- the spec


def test_spec_survives_json():
    spec = inputs.fitted(InputSpec(crop=33, features=FEATURES_26), np.random.default_rng(0).normal(size=(9, 26)))

    assert InputSpec.from_json(spec.to_json()) == spec


def test_spec_that_was_not_fitted_survives_json():
    assert InputSpec.from_json(InputSpec().to_json()) == InputSpec()


def test_default_spec_is_that_of_the_paper():
    spec = InputSpec()

    assert (spec.survey, spec.side, spec.crop, spec.features) == ("ztf", 63, 21, FEATURES_23)


@pytest.mark.parametrize(
    "change", [{"extra": 1}, {"clips": 3}, {"features": None}, {"features": ["rb", "wrong"]}], ids=str
)
def test_spec_of_another_form_is_refused(change):
    with pytest.raises(UsageError):
        InputSpec.from_json(json.dumps({**json.loads(InputSpec().to_json()), **change}))


@pytest.mark.parametrize("name", ["crop", "means", "missing", "survey"])
def test_spec_without_a_field_is_refused(name):
    fields = json.loads(InputSpec().to_json())
    del fields[name]

    with pytest.raises(UsageError, match="should have the fields"):
        InputSpec.from_json(json.dumps(fields))


def test_feature_that_no_alert_has_is_refused():
    with pytest.raises(UsageError, match=r"Received: \['ssdistnr'\]"):
        InputSpec(features=("ra", "ssdistnr"))


def test_crop_larger_than_the_stamp_is_refused():
    with pytest.raises(ValueError, match="crop=64"):
        InputSpec(crop=64)


@pytest.mark.real
def test_real_alerts_through_the_batch_and_one_by_one(real_alerts):
    path = real_alerts / "ztf" / "AmpelAstro-Ampel-ZTF.avro"
    items = [surveys.read(item.record, item.schema) for item in avro.read(path.read_bytes())]
    raw, kept, _ = inputs.collect(items)
    spec = inputs.fitted(InputSpec(), raw.metadata)

    batch = inputs.make(spec, raw)

    for row, i in enumerate(kept):
        alone = inputs.make(spec, inputs.collect([items[i]], crop=21)[0])
        assert np.array_equal(alone.stamps[0], batch.stamps[row])
        assert np.array_equal(alone.metadata[0], batch.metadata[row])
    assert np.array_equal(batch.stamps, reference(raw.stamps[:, 21:42, 21:42]))
