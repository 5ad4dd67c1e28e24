"""The named numbers of an alert: each has its known answer, and coordinates agree with astropy and with books."""

import numpy as np
import pytest
from astropy.coordinates import SkyCoord

from skystamp import metadata, surveys
from skystamp.metadata import FEATURES, FEATURES_23, FEATURES_26, ecliptic, galactic
from tests import making


def row(**candidate):
    """Return the features of one alert with these candidate fields, by name."""
    alert = surveys.read(making.record(candidate=candidate), "ztf.alert")
    return dict(zip(FEATURES, metadata.table([alert])[0].tolist(), strict=True))


KNOWN = {
    "sgscore1": ({"sgscore1": 0.25}, 0.25),
    "distpsnr1": ({"distpsnr1": 3.5}, 3.5),
    "sgscore2": ({"sgscore2": 0.125}, 0.125),
    "distpsnr2": ({"distpsnr2": 11.25}, 11.25),
    "sgscore3": ({"sgscore3": 1.0}, 1.0),
    "distpsnr3": ({"distpsnr3": 29.5}, 29.5),
    "isdiffpos": ({"isdiffpos": "f"}, 0.0),
    "fwhm": ({"fwhm": 2.5}, 2.5),
    "magpsf": ({"magpsf": 19.25}, 19.25),
    "sigmapsf": ({"sigmapsf": 0.0625}, 0.0625),
    "ra": ({"ra": 359.5}, 359.5),
    "dec": ({"dec": -30.5}, -30.5),
    "diffmaglim": ({"diffmaglim": 20.75}, 20.75),
    "rb": ({"rb": 0.5}, 0.5),
    "distnr": ({"distnr": 0.375}, 0.375),
    "magnr": ({"magnr": 17.5}, 17.5),
    "classtar": ({"classtar": 0.984375}, 0.984375),
    "ndethist": ({"ndethist": 7}, 7.0),
    "ncovhist": ({"ncovhist": 450}, 450.0),
    # Meeus, Astronomical Algorithms, example 13.a: Pollux, J2000
    "ecl_lat": ({"ra": 116.328942, "dec": 28.026183}, 6.684170),
    "ecl_long": ({"ra": 116.328942, "dec": 28.026183}, 113.215630),
    # Reid and Brunthaler 2004: Sgr A*, 17 45 40.0409 -29 00 28.118, at l = 359.9442, b = -0.0462
    "gal_lat": ({"ra": 266.4168371, "dec": -29.0078106}, -0.0462),
    "gal_long": ({"ra": 266.4168371, "dec": -29.0078106}, 359.9442),
    "non_detections": ({"ndethist": 7, "ncovhist": 450}, 443.0),
    "chinr": ({"chinr": 1.5}, 1.5),
    "sharpnr": ({"sharpnr": -0.25}, -0.25),
}


def test_each_feature_has_a_known_answer():
    assert set(KNOWN) == set(FEATURES)


@pytest.mark.parametrize("name", KNOWN)
def test_known_answer(name):
    candidate, expected = KNOWN[name]
    published = {
        "ecl_lat": 2e-5,
        "ecl_long": 2e-5,
        "gal_lat": 1e-4,
        "gal_long": 1e-4,
    }  # deg; his obliquity is 0.04" off

    assert row(**candidate)[name] == pytest.approx(expected, abs=published.get(name, 0), rel=0)


def test_features_are_in_the_published_order():
    assert (
        *("sgscore1", "distpsnr1", "sgscore2", "distpsnr2", "sgscore3", "distpsnr3", "isdiffpos", "fwhm", "magpsf"),
        *("sigmapsf", "ra", "dec", "diffmaglim", "classtar", "ndethist", "ncovhist"),
        *("ecl_lat", "ecl_long", "gal_lat", "gal_long", "non_detections", "chinr", "sharpnr"),
    ) == FEATURES_23


def test_twenty_six_are_the_twenty_three_with_rb_distnr_and_magnr():
    assert (len(FEATURES_23), len(FEATURES_26)) == (23, 26)
    assert set(FEATURES_26) - set(FEATURES_23) == {"rb", "distnr", "magnr"}


@pytest.mark.parametrize(
    "name",
    [
        *("sgscore1", "distpsnr1", "sgscore2", "distpsnr2", "sgscore3", "distpsnr3", "fwhm", "diffmaglim"),
        *("rb", "distnr", "magnr", "classtar", "chinr", "sharpnr"),
    ],
)
@pytest.mark.parametrize("none", [None, -999.0], ids=str)
def test_number_that_the_packet_lacks_is_nan_and_nothing_else_is(name, none):
    values = row(**{name: none})

    assert [each for each in FEATURES if np.isnan(values[each])] == [name]


@pytest.mark.parametrize(("spelling", "value"), [("t", 1.0), ("1", 1.0), ("true", 1.0), ("f", 0.0), ("-1", 0.0)])
def test_isdiffpos_of_each_spelling(spelling, value):
    assert row(isdiffpos=spelling)["isdiffpos"] == value


def test_table_of_no_alerts_has_all_columns():
    assert metadata.table([]).shape == (0, 26)


def test_batch_gives_what_single_alerts_give_bit_for_bit():
    rng = np.random.default_rng(3)
    positions = zip(rng.uniform(0, 360, 200), rng.uniform(-90, 90, 200), strict=True)
    alerts = [surveys.read(making.record(candidate={"ra": ra, "dec": dec}), "ztf.alert") for ra, dec in positions]

    batch = metadata.table(alerts)

    assert np.array_equal(batch, np.concatenate([metadata.table([alert]) for alert in alerts]))


RNG = np.random.default_rng(11)
RA = np.concatenate([RNG.uniform(0, 360, 3000), [0, 0, 360, 90, 180, 192.85948, 270, 266.40499]])
DEC = np.concatenate([np.degrees(np.arcsin(RNG.uniform(-1, 1, 3000))), [90, -90, 0, 0, 0, 27.12825, 66.56, -28.93617]])


def apart(lon, lat, other_lon, other_lat):
    """Return the largest angle between positions, deg."""
    there = SkyCoord(other_lon, other_lat, unit="deg")
    return float(SkyCoord(lon, lat, unit="deg").separation(there).deg.max())


def test_ecliptic_agrees_with_astropy():
    lon, lat = ecliptic(RA, DEC)
    truth = SkyCoord(RA, DEC, unit="deg").transform_to("barycentricmeanecliptic")

    assert np.abs(lat - truth.lat.deg).max() < 1e-9
    assert apart(lon, lat, truth.lon.deg, truth.lat.deg) < 1e-9


def test_galactic_agrees_with_astropy():
    lon, lat = galactic(RA, DEC)
    truth = SkyCoord(RA, DEC, unit="deg").galactic

    assert np.abs(lat - truth.b.deg).max() < 1e-9
    assert apart(lon, lat, truth.l.deg, truth.b.deg) < 1e-9


@pytest.mark.parametrize("frame", [ecliptic, galactic])
def test_longitudes_are_from_0_to_360_and_latitudes_from_minus_90_to_90(frame):
    lon, lat = frame(RA, DEC)

    assert lon.min() >= 0
    assert lon.max() <= 360
    assert np.abs(lat).max() <= 90


def test_north_galactic_pole():
    _, lat = galactic(np.array([192.85948]), np.array([27.12825]))

    assert lat[0] == pytest.approx(90, abs=1e-4)


def test_equinoxes_are_on_the_ecliptic():
    lon, lat = ecliptic(np.array([180.0]), np.array([0.0]))

    assert (lon[0], lat[0]) == (pytest.approx(180, abs=1e-4), pytest.approx(0, abs=1e-4))


@pytest.mark.real
def test_coordinates_of_real_alerts_agree_with_astropy(real_alerts):
    lines = [line.split(",") for line in (real_alerts / "ztf" / "index.csv").read_text().splitlines()]
    at_ra, at_dec = lines[0].index("ra"), lines[0].index("dec")
    ra, dec = np.array([(float(cells[at_ra]), float(cells[at_dec])) for cells in lines[1:]]).T
    sky = SkyCoord(ra, dec, unit="deg")

    assert np.abs(ecliptic(ra, dec)[1] - sky.barycentricmeanecliptic.lat.deg).max() < 1e-9
    assert np.abs(ecliptic(ra, dec)[0] - sky.barycentricmeanecliptic.lon.deg).max() < 1e-9
    assert np.abs(galactic(ra, dec)[1] - sky.galactic.b.deg).max() < 1e-9
    assert np.abs(galactic(ra, dec)[0] - sky.galactic.l.deg).max() < 1e-9
