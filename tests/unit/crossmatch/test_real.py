"""The real answers of CDS: AllWISE sources within 2 arcsec of 5,553 galaxies and quasars.

The catalogue here holds the sources of the answers alone, so what has no match there could only gain a wrong one: the
source of another position. Distances differ by rounding, since the answers' were measured before positions were rounded
to 1e-7 deg (0.36 mas): half a unit in both coordinates is 0.26 mas.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from skystamp import crossmatch

MAS = 1e-3


@pytest.fixture(scope="module")
def answers(real_allwise: Path) -> pd.DataFrame:
    """The positions, each with the row of its answer or none."""
    positions = pd.read_csv(real_allwise / "positions.csv")
    matches = pd.read_csv(real_allwise / "matches.csv").drop(columns="col1")
    return positions.merge(matches, how="left", left_on="id", right_on="id_in", validate="one_to_one")


@pytest.fixture(scope="module")
def found(real_allwise: Path, answers: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    out = tmp_path_factory.mktemp("allwise") / "sky"
    crossmatch.build_catalogue(real_allwise / "matches.csv", out, partition_rows=300)
    return crossmatch.open_catalogue(str(out)).match(answers["ra"].to_numpy(), answers["dec"].to_numpy())


@pytest.mark.real
def test_the_same_positions_have_a_match(found, answers):
    has = answers["AllWISE"].notna().to_numpy()

    np.testing.assert_array_equal(np.isfinite(found[:, 0]), has)
    assert (has.sum(), (~has).sum()) == (5440, 113)


@pytest.mark.real
def test_magnitudes_are_those_of_the_same_row(found, answers):
    expected = answers[["W1mag", "W2mag", "W3mag", "W4mag"]].to_numpy()

    np.testing.assert_array_equal(found[:, 1:], expected)


@pytest.mark.real
def test_distances_are_the_same_but_for_rounding(found, answers):
    difference = np.abs(found[:, 0] - answers["angDist"].to_numpy())

    assert np.nanmax(difference) < 0.26 * MAS
