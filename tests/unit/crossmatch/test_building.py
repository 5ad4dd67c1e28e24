"""A table becomes a catalogue that `hats` reads, whole or not at all."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skystamp import crossmatch
from skystamp.crossmatch import building, pixels
from skystamp.crossmatch.building import build_catalogue
from skystamp.errors import UsageError
from tests.skies import Sky, sky

VIZIER = ("RAJ2000", "DEJ2000", "W1mag", "W2mag", "W3mag", "W4mag")


@pytest.fixture(scope="module")
def stars() -> Sky:
    rng = np.random.default_rng(6)
    return sky(rng.uniform(0, 360, 3000), np.degrees(np.arcsin(rng.uniform(-1, 1, 3000))))


@pytest.fixture(scope="module")
def built(stars: Sky, tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("built")
    table = stars.table(VIZIER).append_column("AllWISE", pa.array([f"J{i}" for i in range(3000)]))
    pq.write_table(table, place / "t.parquet")
    build_catalogue(
        place / "t.parquet", place / "sky", partition_rows=100, properties={"hats_creation_date": "2024-01-02T03:04UTC"}
    )
    return place / "sky"


def test_hats_reads_it_and_finds_it_valid(built: Path, stars: Sky):
    import hats
    from hats.io.validation import is_valid_catalog

    found = hats.read_hats(built)

    assert is_valid_catalog(built, strict=True)
    assert (found.catalog_name, len(found)) == ("sky", 3000)
    assert found.catalog_info.ra_column == "RAJ2000"
    assert found.catalog_info.hats_creation_date == "2024-01-02T03:04UTC"
    assert found.schema.names == ["_healpix_29", *VIZIER, "AllWISE"]


def test_map_counts_the_sources(built: Path, stars: Sky):
    import hats
    from hats.io.skymap import read_skymap

    found = read_skymap(hats.read_hats(built), 6)

    expected = np.bincount(pixels.index(stars.ra, stars.dec, 6), minlength=12 << 12)
    np.testing.assert_array_equal(found, expected)


def test_rows_are_kept_as_they_are_each_once(built: Path, stars: Sky):
    files = sorted((built / "dataset").rglob("Npix=*.parquet"))

    rows = pa.concat_tables([pq.read_table(file, partitioning=None) for file in files]).to_pylist()

    by_name = {row["AllWISE"]: row for row in rows}
    assert len(rows) == len(by_name) == 3000
    assert all(by_name[f"J{i}"]["RAJ2000"] == stars.ra[i] for i in range(3000))
    assert all(by_name[f"J{i}"]["W3mag"] == stars.magnitudes[i, 2] for i in range(3000))


def test_rows_lie_in_their_pixel_sorted_by_index(built: Path):
    for file in (built / "dataset").rglob("Npix=*.parquet"):
        table = pq.read_table(file, partitioning=None)
        order, pixel = int(file.parts[-3].split("=")[1]), int(file.stem.split("=")[1])
        index = table.column("_healpix_29").to_numpy()
        ra, dec = (table.column(name).to_numpy() for name in VIZIER[:2])
        assert set(index >> 2 * (29 - order)) == {pixel}
        assert np.all(np.diff(index) >= 0)
        np.testing.assert_array_equal(index, pixels.index(ra, dec, 29))
        assert len(index) <= 100


def test_table_larger_than_memory_makes_the_same_catalogue(built: Path, stars: Sky, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(building, "MEMORY_ROWS", 150)
    monkeypatch.setattr("skystamp.crossmatch.tables.BATCH_ROWS", 70)
    build_catalogue(stars.write(tmp_path / "t.parquet", VIZIER), tmp_path / "sky", partition_rows=100)

    ours, theirs = (sorted(p.relative_to(b) for p in b.rglob("*.parquet")) for b in (tmp_path / "sky", built))

    assert ours == theirs
    for file in ours:
        one = pq.read_table(tmp_path / "sky" / file, partitioning=None)
        other = pq.read_table(built / file, partitioning=None)
        assert one.equals(other.drop_columns("AllWISE"))


def test_csv_makes_the_same_matches(stars: Sky, tmp_path: Path):
    stars.table().to_pandas().to_csv(tmp_path / "t.csv", index=False)
    done = build_catalogue(tmp_path / "t.csv", tmp_path / "sky", name="ours")
    catalogue = crossmatch.open_catalogue(str(tmp_path / "sky"))

    found = catalogue.match(stars.ra, stars.dec)

    assert (done.rows, catalogue.name) == (3000, "ours")
    np.testing.assert_array_equal(found[:, 1:], stars.magnitudes)


def test_rows_without_a_position_are_left_out_and_counted(tmp_path: Path):
    table = sky([1.0, np.nan, 3.0, 4.0], [1.0, 2.0, np.nan, 95.0]).write(tmp_path / "t.parquet")

    done = build_catalogue(table, tmp_path / "sky")

    assert (done.rows, done.partitions, done.left_out) == (1, 1, 3)


def test_progress_counts_every_row(stars: Sky, tmp_path: Path):
    told: list[int] = []

    build_catalogue(stars.write(tmp_path / "t.parquet"), tmp_path / "sky", on_rows=told.append)

    assert sum(told) == 3000


def test_folder_that_is_there_is_left_alone(stars: Sky, tmp_path: Path):
    (tmp_path / "sky").mkdir()

    with pytest.raises(UsageError, match="should not be there yet"):
        build_catalogue(stars.write(tmp_path / "t.parquet"), tmp_path / "sky")


def test_failure_leaves_nothing_behind(stars: Sky, tmp_path: Path):
    def fail(_: int) -> None:
        raise OSError("the disk is full")

    table = stars.write(tmp_path / "t.parquet")

    with pytest.raises(OSError, match="the disk is full"):
        build_catalogue(table, tmp_path / "out" / "sky", on_rows=fail)

    assert list((tmp_path / "out").iterdir()) == []


def test_partition_should_have_a_row(stars: Sky, tmp_path: Path):
    with pytest.raises(UsageError, match="partition_rows=0"):
        build_catalogue(stars.write(tmp_path / "t.parquet"), tmp_path / "sky", partition_rows=0)
