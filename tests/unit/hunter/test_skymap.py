"""Places on the map: known positions, the edge, the great circles."""

import re

import numpy as np
import pytest

from skystamp import metadata
from skystamp.hunter import skymap


@pytest.mark.parametrize(
    ("ra", "dec", "x", "y"),
    [
        pytest.param(180.0, 0.0, 0.0, 0.0, id="the middle"),
        pytest.param(0.0, 0.0, 180.0, 0.0, id="the right edge"),
        pytest.param(360.0, 0.0, -180.0, 0.0, id="the left edge"),
        pytest.param(270.0, 0.0, -90.0, 0.0, id="east is left"),
        pytest.param(33.0, 90.0, 0.0, -90.0, id="north is up"),
        pytest.param(180.0, -45.0, 0.0, 45.0, id="south is down"),
        pytest.param(90.0, 45.0, 69.2820, -48.9898, id="Calabretta and Greisen's formula by hand"),
    ],
)
def test_positions_fall_where_aitoff_puts_them(ra, dec, x, y):
    found = skymap.project(np.array([ra]), np.array([dec]))

    assert (found[0][0], found[1][0]) == pytest.approx((x, y), abs=1e-3)


def test_everything_lies_within_the_edge():
    rng = np.random.default_rng(1)
    x, y = skymap.project(rng.uniform(0, 360, 5000), np.degrees(np.arcsin(rng.uniform(-1, 1, 5000))))

    assert ((x / 180) ** 2 + (y / 90) ** 2).max() <= 1 + 1e-9


def test_circles_grow_with_the_score():
    found = skymap.circles([10.0, 20.0, 30.0], [0.0, 0.0, 0.0], [0.0, 0.5, 1.0])

    assert found[0].radius < found[1].radius < found[2].radius
    assert found[0].radius > 0


def test_the_ecliptic_is_where_the_ecliptic_is():
    longitude = np.array([90.0])
    ra, dec = skymap._inverse(metadata.ecliptic, longitude, np.zeros(1))

    assert (ra[0], dec[0]) == pytest.approx((90.0, 23.4393), abs=1e-3)
    points = re.findall(r"[ML]([-\d.]+),([-\d.]+)", skymap.ecliptic())
    assert len(points) > 100
    assert max(abs(float(x)) for x, _ in points) <= 180


def test_the_milky_way_passes_the_galactic_centre():
    ra, dec = skymap._inverse(metadata.galactic, np.zeros(1), np.zeros(1))

    assert (ra[0], dec[0]) == pytest.approx((266.405, -28.936), abs=1e-3)
    wide, narrow = skymap.milky_way()
    assert wide.count("Z") >= 120
    assert narrow.count("Z") >= 120


def test_lines_do_not_run_across_the_map():
    for path in (*skymap.graticule(), skymap.ecliptic(), *skymap.milky_way()):
        for piece in re.findall(r"M[^MZ]+", path):
            x = [float(value) for value in re.findall(r"([-\d.]+),", piece)]
            assert np.abs(np.diff(x)).max(initial=0) < 90
