"""Fields and images of a packet agree: what is drawn is what is measured."""

import gzip
import itertools

import numpy as np
import pytest

from skystamp.synthetic import SyntheticObject, simulate_object

CUTOUTS = ("cutoutScience", "cutoutTemplate", "cutoutDifference")


def _pixels(record: dict, key: str) -> np.ndarray:
    block = gzip.decompress(record[key]["stampData"])
    return np.frombuffer(block[2880 : 2880 + 4 * 63 * 63], ">f4").reshape(63, 63).astype(np.float64)


@pytest.fixture(scope="module")
def asteroids() -> list[SyntheticObject]:
    return [simulate_object(21, i, cls="asteroid") for i in range(25)]


def test_difference_peaks_at_the_centre_for_either_sign(every_object: list[SyntheticObject]):
    peaks = []
    for made in every_object:
        image = _pixels(made.records[0], "cutoutDifference")[29:34, 29:34]
        peaks.append(np.hypot(*(np.array(np.unravel_index(np.nanargmax(image), image.shape)) - 2)) <= 1.5)

    assert np.mean(peaks) > 0.9


def test_magpsf_agrees_with_the_flux_within_four_pixels(asteroids: list[SyntheticObject]):
    rows, columns = np.mgrid[-31:32, -31:32]
    offsets = []
    for made in asteroids:
        row, image = made.records[0]["candidate"], _pixels(made.records[0], "cutoutDifference")
        if row["sigmapsf"] < 0.06 and np.isfinite(image).all():
            flux = image[np.hypot(rows, columns) < 5.0].sum() - 81 * row["sky"]
            offsets.append(row["magzpsci"] - 2.5 * np.log10(max(flux, 1.0)) - row["magpsf"])

    assert len(offsets) >= 3
    assert abs(np.median(offsets)) < 0.12


def test_magpsf_recovers_the_injected_magnitude(asteroids: list[SyntheticObject]):
    errors = []
    for made in asteroids:
        row = made.records[0]["candidate"]
        if row["ssdistnr"] >= 0:
            errors.append((row["magpsf"] - row["ssmagnr"]) / 0.3)

    assert abs(np.mean(errors)) < 0.8


def test_asteroids_have_no_source_in_the_template(asteroids: list[SyntheticObject]):
    brighter = []
    for made in asteroids:
        science, template = (_pixels(made.records[0], key)[30:33, 30:33] for key in CUTOUTS[:2])
        brighter.append(np.nansum(science) > np.nansum(template))

    assert np.mean(brighter) > 0.9


def test_derived_columns_follow_from_the_others(every_object: list[SyntheticObject]):
    for made in every_object:
        row = made.records[0]["candidate"]

        assert row["magdiff"] == pytest.approx(row["magap"] - row["magpsf"], abs=1e-6)
        assert row["elong"] == pytest.approx(row["aimage"] / row["bimage"])
        assert row["dsdiff"] == pytest.approx(row["dsnrms"] - row["ssnrms"])
        assert row["magfromlim"] == pytest.approx(row["diffmaglim"] - row["magap"], abs=1e-6)
        assert row["ncovhist"] >= row["ndethist"] >= 1
        assert row["jdstarthist"] <= row["jdendhist"] == row["jd"]


def test_every_candidate_passes_the_surveys_filter(every_object: list[SyntheticObject]):
    for made in every_object:
        for record in made.records:
            row = record["candidate"]
            assert row["scorr"] >= 5.0
            assert row["sigmapsf"] <= 0.2171
            assert row["elong"] <= 1.6


def test_masked_pixels_are_nan_in_all_three_cutouts():
    made = [simulate_object(31, i, cls="bogus") for i in range(30)]
    masks = [[np.isnan(_pixels(one.records[0], key)) for key in CUTOUTS] for one in made]

    assert any(mask[0].any() for mask in masks)
    assert all((mask[0] == mask[1]).all() and (mask[0] == mask[2]).all() for mask in masks)


def test_neighbours_are_in_order_of_distance(every_object: list[SyntheticObject]):
    for made in every_object:
        row = made.records[0]["candidate"]
        distances = [row[f"distpsnr{rank}"] for rank in (1, 2, 3)]
        listed = [d for d in distances if d not in (-999.0, 120.0)]
        assert listed == sorted(listed)
        assert row["nmtchps"] >= len(listed)


def _of_one_filter(made: SyntheticObject) -> list[tuple[dict, dict]]:
    """Return every pair of an object's packets that were taken in the same filter."""
    pairs = itertools.combinations(made.records, 2)
    return [(a, b) for a, b in pairs if a["candidate"]["fid"] == b["candidate"]["fid"]]


def _flux(record: dict, column: int, row: int) -> np.ndarray:
    """Return the template's inner pixels in flux without its level, moved by whole pixels."""
    image = _pixels(record, "cutoutTemplate") * 10.0 ** (-0.4 * (record["candidate"]["magzpsci"] - 26.0))
    inner = image[3 + row : 60 + row, 3 + column : 60 + column]
    return inner - np.nanmedian(inner)


def test_an_objects_template_in_a_filter_is_one_image(objects: dict[str, list[SyntheticObject]]):
    steps = list(itertools.product((-2, -1, 0, 1, 2), repeat=2))
    rest = []
    for made in objects["AGN"] + objects["SN"]:
        for one, other in _of_one_filter(made):
            still = _flux(one, 0, 0)
            away = [np.nanstd(still - _flux(other, *step)) for step in steps]
            rest.append(min(away) / np.nanpercentile(np.abs(still), 50))

    assert len(rest) >= 5
    assert np.median(rest) < 0.01


def test_an_entry_of_the_reference_catalogue_stays_what_it_is(objects: dict[str, list[SyntheticObject]]):
    pairs = [
        (one["candidate"], other["candidate"])
        for cls in ("AGN", "SN", "VS")
        for made in objects[cls]
        for one, other in _of_one_filter(made)
        if one["candidate"]["ranr"] == other["candidate"]["ranr"]
    ]

    assert len(pairs) >= 10
    for one, other in pairs:
        assert all(one[name] == other[name] for name in ("magnr", "sigmagnr", "chinr", "sharpnr"))
