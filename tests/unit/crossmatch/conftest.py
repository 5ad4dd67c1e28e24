"""One catalogue for many tests: sources on pixel borders, at the poles, at 0 and 360 degrees, in clumps and pairs."""

from pathlib import Path

import numpy as np
import pytest

from skystamp import crossmatch
from tests.skies import Sky, moved, sky


@pytest.fixture(scope="session")
def hard_sky() -> Sky:
    """Sources where a crossmatch goes wrong."""
    rng = np.random.default_rng(3)
    centres = np.array(
        [
            *((0.0, 0.0), (360.0 - 1e-7, 10.0), (1e-7, -10.0), (12.0, 90.0), (250.0, -90.0)),
            *((45.0, 0.0), (90.0, 41.8103), (0.0, 41.8103), (22.5, 0.0), (180.0, -41.8103), (315.0, 66.4)),
        ]
    )
    ra, dec = (np.repeat(column, 40) for column in centres.T)
    ra, dec = moved(ra, dec, rng.uniform(0, 12, len(ra)), rng.uniform(0, 2 * np.pi, len(ra)))
    wide_ra, wide_dec = rng.uniform(0, 360, 200), np.degrees(np.arcsin(rng.uniform(-1, 1, 200)))
    return sky(np.concatenate([ra, wide_ra]), np.concatenate([dec, wide_dec]))


@pytest.fixture(scope="session")
def hard_folder(hard_sky: Sky, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its catalogue, in as many partitions as 15 rows a partition make."""
    place = tmp_path_factory.mktemp("hard")
    crossmatch.build_catalogue(hard_sky.write(place / "table.parquet"), place / "catalogue", partition_rows=15)
    return place / "catalogue"
