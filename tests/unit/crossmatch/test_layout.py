"""What we read of a catalogue's text files is what `hats` reads of them."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from skystamp import crossmatch
from skystamp.crossmatch.layout import parse_properties, read_layout
from skystamp.errors import UsageError
from tests.skies import Sky, sky


@pytest.fixture
def copied(hard_folder: Path, tmp_path: Path) -> Path:
    """A catalogue that a test may spoil."""
    return shutil.copytree(hard_folder, tmp_path / "copy")


def change(path: Path, before: str, after: str) -> None:
    assert before in path.read_text()
    path.write_text(path.read_text().replace(before, after))


def collect(table: Path) -> Path:
    """Make a collection with one table, written by `hats`."""
    from hats.catalog.dataset.collection_properties import CollectionProperties

    folder = table.parent / "collection"
    shutil.copytree(table, folder / "main")
    CollectionProperties(name="all", hats_primary_table_url="main").to_properties_file(folder)
    return folder


def test_layout_is_that_of_hats(hard_folder: Path):
    import hats

    theirs = hats.read_hats(hard_folder)

    ours = read_layout(str(hard_folder), {})

    pixels = {(pixel.order, pixel.pixel) for pixel in theirs.get_healpix_pixels()}
    assert set(zip(ours.orders.tolist(), ours.pixels.tolist(), strict=True)) == pixels
    assert ours.columns[:2] == (theirs.catalog_info.ra_column, theirs.catalog_info.dec_column)
    assert (ours.name, ours.index) == (theirs.catalog_name, theirs.catalog_info.healpix_column)


def test_files_are_where_hats_looks_for_them(hard_folder: Path):
    from hats.io import pixel_catalog_file
    from hats.pixel_math import HealpixPixel

    layout = read_layout(str(hard_folder), {})

    for i, pixel in enumerate(zip(layout.orders.tolist(), layout.pixels.tolist(), strict=True)):
        assert layout.files(i) == [str(pixel_catalog_file(hard_folder, HealpixPixel(*pixel)))]
        assert Path(layout.files(i)[0]).is_file()


def test_collections_main_table_is_opened(hard_folder: Path, hard_sky: Sky, tmp_path: Path):
    import hats

    folder = collect(shutil.copytree(hard_folder, tmp_path / "table"))

    found = crossmatch.open_catalogue(str(folder)).match(hard_sky.ra, hard_sky.dec)

    assert hats.read_hats(folder).main_catalog.catalog_name == "catalogue"
    np.testing.assert_array_equal(found[:, 1:], hard_sky.magnitudes)


def test_partitions_that_are_folders_are_read(copied: Path, hard_sky: Sky):
    for file in list((copied / "dataset").rglob("Npix=*.parquet")):
        folder = file.with_suffix("")
        folder.mkdir()
        file.rename(folder / "part-0.parquet")
        (folder / "_SUCCESS").touch()
    for name in ("hats.properties", "properties"):
        change(copied / name, "hats_npix_suffix=.parquet", "hats_npix_suffix=/")

    found = crossmatch.open_catalogue(str(copied)).match(hard_sky.ra, hard_sky.dec)

    np.testing.assert_array_equal(found[:, 1:], hard_sky.magnitudes)


@pytest.mark.parametrize("lacking", ["partition_info.csv", "hats.properties", "dataset/_metadata", "skymap.fits"])
def test_files_that_a_catalogue_may_do_without(copied: Path, hard_sky: Sky, lacking: str):
    (copied / lacking).unlink()

    found = crossmatch.open_catalogue(str(copied)).match(hard_sky.ra, hard_sky.dec)

    np.testing.assert_array_equal(found[:, 1:], hard_sky.magnitudes)


def test_catalogue_without_an_index_column_is_read_whole(copied: Path, hard_sky: Sky):
    change(copied / "hats.properties", "hats_col_healpix=_healpix_29", "hats_col_healpix=none")

    catalogue = crossmatch.open_catalogue(str(copied))

    np.testing.assert_array_equal(catalogue.match(hard_sky.ra, hard_sky.dec)[:, 1:], hard_sky.magnitudes)


def test_lost_partition_is_told(copied: Path, hard_sky: Sky):
    next((copied / "dataset").rglob("Npix=*.parquet")).unlink()

    with pytest.raises(OSError, match="Npix="):
        crossmatch.open_catalogue(str(copied)).match(hard_sky.ra, hard_sky.dec)


def test_partitions_of_cells_are_found_by_bisection(hard_folder: Path):
    layout = read_layout(str(hard_folder), {})

    inside = layout.partitions(layout.after - 1)
    beyond = layout.partitions(np.array([-1, 12 << 30]))

    assert inside.tolist() == list(range(len(layout.orders)))
    assert beyond.tolist() == [-1, -1]


@pytest.mark.parametrize(
    ("file", "before", "after", "sentence"),
    [
        ("hats.properties", "dataproduct_type=object", "dataproduct_type=margin", "is of kind margin"),
        ("hats.properties", "hats_col_ra=ra", "hats_col_ra=alpha", "ra as a column named alpha"),
        ("partition_info.csv", "Norder,Npix", "Norder,Npix\n16,0", "order 15 at most"),
        ("partition_info.csv", "Norder,Npix", "Norder,Npix\n0,0\n1,0", "should not overlap"),
    ],
)
def test_catalogue_that_is_not_understood_is_told(copied: Path, file: str, before: str, after: str, sentence: str):
    change(copied / file, before, after)

    with pytest.raises(UsageError, match=sentence):
        read_layout(str(copied), {})


def test_catalogue_without_its_schema_is_told(copied: Path):
    (copied / "dataset" / "_common_metadata").unlink()
    (copied / "dataset" / "_metadata").unlink()

    with pytest.raises(UsageError, match="_common_metadata"):
        read_layout(str(copied), {})


def test_collection_that_leads_elsewhere_is_told(tmp_path: Path):
    (tmp_path / "collection.properties").write_text("obs_collection=x\nhats_primary_table_url=https://elsewhere/y\n")

    with pytest.raises(UsageError, match="folder of its own"):
        read_layout(str(tmp_path), {})


def test_properties_are_read_as_java_writes_them():
    text = "# comment\n\n! another\nobs_collection = all wise\nobs_title: The \\=sky\nempty=\nalone\nurl=s3://a=b\n"

    assert parse_properties(text) == {
        "obs_collection": "all wise",
        "obs_title": "The =sky",
        "empty": "",
        "url": "s3://a=b",
    }


def test_users_column_goes_before_the_catalogues(tmp_path: Path):
    stars = sky([1.0], [2.0])
    path = stars.write(tmp_path / "t.parquet", ("ra", "dec", "a", "b", "c", "d"))
    columns = {"W1": "a", "W2": "b", "W3": "c", "W4": "d"}
    crossmatch.build_catalogue(path, tmp_path / "sky", columns=columns)

    found = crossmatch.open_catalogue(str(tmp_path / "sky"), columns={**columns, "W1": "d"})

    assert found.match(stars.ra, stars.dec)[0, 1] == stars.magnitudes[0, 3]
    with pytest.raises(UsageError, match="--column W1=NAME"):
        crossmatch.open_catalogue(str(tmp_path / "sky"))
