"""What stands beside the partitions, when there is none."""

import numpy as np

from skystamp.crossmatch import build_catalogue, open_catalogue
from tests.skies import sky


def test_catalogue_without_sources_says_so_to_hats(tmp_path):
    from hats.catalog import PartitionInfo
    from hats.catalog.dataset.table_properties import TableProperties

    build_catalogue(sky([], []).write(tmp_path / "t.parquet"), tmp_path / "sky", name="none")

    properties = TableProperties.read_from_dir(tmp_path / "sky")
    assert (properties.catalog_name, properties.total_rows) == ("none", 0)
    assert len(PartitionInfo.read_from_dir(tmp_path / "sky")) == 0
    assert open_catalogue(str(tmp_path / "sky")).match(np.zeros(1), np.zeros(1)).shape == (1, 5)


def test_properties_stand_under_both_names(hard_folder):
    text = (hard_folder / "hats.properties").read_text()

    assert (hard_folder / "properties").read_text() == text
    assert "hats_col_healpix=_healpix_29" in text
    assert "hats_nrows=640" in text
    assert "hats_builder=skystamp v" in text
