"""synthetic.wise and the rows it lists: the same for the same truth, near enough to the real AllWISE."""

from dataclasses import replace

import numpy as np
import pytest

from skystamp.synthetic import Truth, sky, wise
from skystamp.synthetic.wise import Infrared


def truths(n: int, cls: str, subtype: str, **values: float) -> list[Truth]:
    """Return n objects of a kind at random places, cheaply: without any packet."""
    rng = np.random.default_rng(3)
    ra, dec = rng.uniform(0.0, 360.0, n), np.rad2deg(np.arcsin(rng.uniform(-0.48, 1.0, n)))
    return [
        Truth(f"ZTF20z{subtype}{i}", cls, subtype, float(ra[i]), float(dec[i]), 59000.0, 5, **values) for i in range(n)
    ]


def found(objects: list[Truth]) -> list[Infrared]:
    return [row for row in map(wise.infrared, objects) if row is not None]


def colour(rows: list[Infrared], first: int) -> np.ndarray:
    """Return W(first) - W(first + 1) of the rows where both are measured."""
    table = np.array([row.mags[first - 1 : first + 1] for row in rows])
    errors = np.array([row.errors[first - 1 : first + 1] for row in rows])
    return (table[:, 0] - table[:, 1])[np.isfinite(errors).all(axis=1)]


QUASAR = {"redshift": 1.2, "own_g": 18.2, "own_r": 18.0}
SEYFERT = {"redshift": 0.08, "host_r": 16.5, "host_offset": 0.0, "own_g": 17.8, "own_r": 17.4}
STAR = {"own_g": 15.6, "own_r": 15.0}
HOST = {"redshift": 0.06, "host_r": 16.8, "host_offset": 0.8}


def test_the_same_truth_has_the_same_rows():
    one = truths(1, "AGN", "quasar", **QUASAR)[0]

    before, again = wise.catalogued(one), wise.catalogued(replace(one))

    assert [row.name for row in before] == [row.name for row in again]
    assert all(np.array_equal(a.mags, b.mags) for a, b in zip(before, again, strict=True))


def test_other_objects_have_other_rows():
    rows = found(truths(50, "VS", "EB", **STAR))

    assert len({float(row.mags[0]) for row in rows}) > 40


def test_the_packets_of_an_object_do_not_matter():
    one = truths(1, "AGN", "quasar", **QUASAR)[0]

    row, later = wise.infrared(one), wise.infrared(replace(one, n_detections=99, mjd_first=60000.0))

    assert row is not None
    assert later is not None
    assert np.array_equal(row.mags, later.mags)


@pytest.mark.parametrize(
    ("cls", "subtype", "values", "w1_w2", "w2_w3"),
    [
        ("AGN", "quasar", QUASAR, (1.05, 1.3), (2.7, 3.2)),
        ("AGN", "blazar", {"redshift": 0.3, "own_g": 17.4, "own_r": 17.0}, (0.65, 1.0), (1.9, 2.8)),
        ("AGN", "blazar", {"redshift": 1.5, "own_g": 17.4, "own_r": 17.0}, (0.9, 1.15), (2.7, 3.2)),
        ("AGN", "seyfert", SEYFERT, (0.4, 0.8), (2.5, 3.2)),
        ("VS", "EB", {"own_g": 12.7, "own_r": 12.1}, (-0.1, 0.02), (-0.1, 0.3)),
        ("VS", "RRL", {"own_g": 12.3, "own_r": 12.1}, (-0.1, 0.02), (-0.1, 0.3)),
        ("VS", "LPV", {"own_g": 16.7, "own_r": 15.0}, (-0.05, 0.25), (0.3, 0.9)),
        ("VS", "YSO", {"own_g": 17.0, "own_r": 15.6}, (0.4, 0.75), (1.5, 2.5)),
        ("SN", "II", HOST, (0.05, 0.3), (3.0, 4.0)),
        ("SN", "Ia", HOST, (0.0, 0.25), (2.0, 4.0)),
    ],
    ids=["quasar", "BL Lac", "flat-spectrum", "seyfert", "binary", "RR Lyrae", "giant", "young", "late", "any host"],
)
def test_a_class_has_the_colours_of_the_literature(
    cls: str, subtype: str, values: dict[str, float], w1_w2: tuple[float, float], w2_w3: tuple[float, float]
):
    rows = found(truths(300, cls, subtype, **values))

    assert len(rows) > 200
    assert w1_w2[0] < np.median(colour(rows, 1)) < w1_w2[1]
    assert w2_w3[0] < np.median(colour(rows, 2)) < w2_w3[1]


def test_active_nuclei_and_stars_part_at_the_cut_of_stern():
    quasars = colour(found(truths(400, "AGN", "quasar", **{**QUASAR, "redshift": 0.8})), 1)
    stars = colour(found(truths(400, "VS", "RRL", own_g=14.6, own_r=14.3)), 1)

    assert np.mean(quasars > 0.8) > 0.9
    assert np.mean(stars > 0.8) < 0.02


def test_colours_scatter_as_in_the_real_catalogue():
    """The 5,440 real rows, active nuclei by their colours, spread (16 to 84 %) by 0.23 in W1-W2 and 0.41 in W2-W3."""
    rng = np.random.default_rng(1)
    objects = [
        replace(one, host_r=float(host), own_r=float(host + step), own_g=float(host + step + 0.4))
        for one, host, step in zip(
            truths(400, "AGN", "seyfert", **SEYFERT), rng.uniform(15, 18, 400), rng.normal(1.0, 0.9, 400), strict=True
        )
    ]

    rows = found(objects)

    for first, wanted in ((1, 0.23), (2, 0.41)):
        low, high = np.percentile(colour(rows, first), [16, 84])
        assert 0.6 * wanted < (high - low) / 2.0 < 1.6 * wanted


@pytest.mark.parametrize(("own_r", "share"), [(15.0, 1.0), (18.2, 0.5), (21.5, 0.0)], ids=["bright", "limit", "faint"])
def test_what_is_too_faint_is_not_listed(own_r: float, share: float):
    objects = truths(200, "VS", "RRL", own_g=own_r + 0.3, own_r=own_r)

    own = [wise.separation(row, one.ra, one.dec) < 1.2 for one in objects for row in wise.catalogued(one)[:1]]

    assert abs(sum(own) / len(objects) - share) < (0.04 if share != 0.5 else 0.42)


def test_faint_bands_have_limits_instead_of_errors():
    rows = found(truths(200, "VS", "RRL", own_g=16.3, own_r=16.0))

    limits = np.array([row.mags for row in rows])[:, 2:][np.isnan([row.errors[2:] for row in rows])]
    errors = np.array([row.errors for row in rows])

    assert np.isfinite([row.mags for row in rows]).all()
    assert np.isnan(errors[:, 3]).mean() > 0.8
    assert np.isfinite(errors[:, 0]).all()
    assert np.nanmax(errors) < 0.56  # 2 sigma
    assert 7.0 < limits.min() < limits.max() < 15.0


def test_a_lasting_source_lies_at_its_object():
    objects = truths(300, "VS", "EB", **STAR)

    away = [wise.separation(row, one.ra, one.dec) for one in objects for row in wise.catalogued(one)[:1]]

    assert 0.05 < np.median(away) < 0.2
    assert np.max(away) < 0.6


@pytest.mark.parametrize(("offset", "matched"), [(0.5, True), (6.0, False)])
def test_a_supernovas_host_is_matched_only_where_it_is_near(offset: float, matched: bool):
    objects = truths(200, "SN", "II", **{**HOST, "host_offset": offset})

    away = [wise.separation(wise.catalogued(one)[0], one.ra, one.dec) for one in objects]
    share = len(found(objects)) / len(objects)

    assert abs(np.median(away) - offset) < 0.1
    assert share > 0.97 if matched else share < 0.08


def test_hosts_lie_in_every_direction():
    objects = truths(200, "SN", "II", **{**HOST, "host_offset": 1.5})

    east = [row.ra > one.ra for one in objects for row in wise.catalogued(one)[:1]]

    assert 0.35 < np.mean(east) < 0.65


def test_chance_gives_as_many_matches_as_the_sky_has_sources():
    objects = truths(3000, "asteroid", "main belt")

    expected = np.mean([wise.density(sky.position(o.ra, o.dec)) for o in objects]) * np.pi * (2.0 / 3600.0) ** 2
    share = len(found(objects)) / len(objects)

    assert 0.01 < expected < 0.03
    assert abs(share - expected) < 4.0 * np.sqrt(expected / len(objects))


def test_the_density_over_the_sphere_is_that_of_the_catalogue():
    rng = np.random.default_rng(0)
    directions = zip(rng.uniform(0, 360, 4000), np.rad2deg(np.arcsin(rng.uniform(-1, 1, 4000))), strict=True)

    mean = np.mean([wise.density(sky.position(float(ra), float(dec))) for ra, dec in directions])

    assert mean * 41252.961 == pytest.approx(747_634_026, rel=0.02)


def test_a_source_swallows_its_neighbours_within_the_beam():
    for one in truths(400, "VS", "EB", **STAR):
        own, *others = wise.catalogued(one)
        assert all(wise.separation(row, own.ra, own.dec) > 4.5 for row in others)


def test_flaws_beside_stars_match_them_and_other_flaws_match_nothing():
    rates = {kind: len(found(truths(200, "bogus", kind))) / 200 for kind in ("dipole", "cosmic ray", "bright star")}

    assert rates["dipole"] > 0.9
    assert 0.4 < rates["bright star"] < 0.85
    assert rates["cosmic ray"] < 0.08


def test_an_object_of_unknown_brightness_has_no_own_row():
    assert len(found(truths(200, "AGN", "quasar", redshift=1.0))) < 16


@pytest.mark.parametrize(
    ("ra", "dec", "name"),
    [
        (190.3811089, 26.0426682, "J124131.46+260233.6"),
        (180.3098055, -3.67816, "J120114.35-034041.3"),
        (0.0, -0.0001, "J000000.00-000000.3"),
        (359.99999, 89.99999, "J235959.99+895959.9"),
    ],
)
def test_a_name_is_the_position_truncated(ra: float, dec: float, name: str):
    assert wise.designation(ra, dec) == name


def test_a_row_is_named_after_its_place():
    for row in found(truths(20, "VS", "EB", **STAR)):
        assert row.name == wise.designation(row.ra, row.dec)


def test_scans_go_deeper_at_the_ecliptic_poles_and_less_deep_in_the_plane():
    pole, ecliptic, plane = (
        sky.from_ecliptic(200.0, 80.0),
        sky.from_ecliptic(180.0, 0.0),
        sky.from_galactic(90.0, 0.0),
    )

    assert wise.depth(pole)[0] > wise.depth(ecliptic)[0] > wise.depth(plane)[0]
    assert 16.0 < wise.depth(plane)[0] < 17.5
