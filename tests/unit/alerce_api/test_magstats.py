"""Statistics by hand."""

import math
from dataclasses import replace

import pytest

from skystamp import surveys
from skystamp.alerce_api import magstats
from tests import making

ALERT = surveys.read(making.record(1), "ztf.alert")


def test_one_row_a_filter_with_nothing_made_up():
    rows = [{"fid": 2, "magpsf": 18.0, "mjd": 1.0}, {"fid": 1, "magpsf": 17.0, "mjd": 2.0}]
    rows += [{"fid": 2, "magpsf": 19.0, "mjd": 3.0}, {"fid": 2, "magpsf": 17.5, "mjd": 4.0}]

    g, r = magstats.magstats(rows, stellar=True)

    assert (g["fid"], g["ndet"], g["magsigma"], g["magfirst"], g["maglast"]) == (1, 1, None, 17.0, 17.0)
    assert (r["magmin"], r["magmax"], r["magmedian"], r["magfirst"], r["maglast"]) == (17.5, 19.0, 18.0, 18.0, 17.5)
    assert r["magsigma"] == pytest.approx(0.763763, abs=1e-6)
    assert (r["firstmjd"], r["lastmjd"], r["stellar"], r["corrected"], r["step_id_corr"]) == (
        1.0,
        4.0,
        True,
        False,
        None,
    )


def test_no_detections_no_rows():
    assert magstats.magstats([], stellar=False) == []


def test_a_mean_position_goes_across_zero():
    ra, dec, sigma_ra, sigma_dec = magstats.position([replace(ALERT, ra=ra, dec=1.0) for ra in (359.99, 0.01, 0.03)])

    assert ra == pytest.approx(0.01)
    assert (dec, sigma_dec) == (1.0, 0.0)
    assert sigma_ra == pytest.approx(0.02)
    assert magstats.position([ALERT])[2:] == (None, None)


def test_a_colour_needs_both_filters():
    def seen(band, magnitude):
        return replace(ALERT, band=band, metadata={**ALERT.metadata, "magpsf": magnitude})

    assert magstats.colours([seen("g", 18.0)]) == (None, None)
    assert magstats.colours([seen("g", 18.0), seen("r", 17.0), seen("r", 18.5)]) == (1.0, 0.25)


@pytest.mark.parametrize(
    ("near", "star", "expected"), [(1.0, 0.9, True), (2.0, 0.9, False), (1.0, 0.3, False), (math.nan, math.nan, False)]
)
def test_a_star_is_near_and_looks_like_one(near, star, expected):
    one = replace(ALERT, metadata={**ALERT.metadata, "distpsnr1": near, "sgscore1": star})

    assert magstats.is_stellar([one]) == expected
