"""Tiles: only the row groups and columns that are needed are read, and memory is bounded."""

import dataclasses
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skystamp import crossmatch
from skystamp.crossmatch import building, pixels
from skystamp.crossmatch.layout import Layout, read_layout
from skystamp.crossmatch.tiles import Tiles
from tests.skies import Sky, Watched, sky

ROWS = 2000


@pytest.fixture
def wide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Sky, Path]:
    """One partition in ten row groups, with ninety columns that a crossmatch does not need."""
    rng = np.random.default_rng(5)
    stars = sky(rng.uniform(40, 50, ROWS), rng.uniform(35, 48, ROWS))
    table = stars.table()
    for i in range(90):
        table = table.append_column(f"more{i}", pa.array(rng.normal(size=ROWS)))
    pq.write_table(table, tmp_path / "wide.parquet")
    monkeypatch.setattr(building, "GROUP_ROWS", 200)
    crossmatch.build_catalogue(tmp_path / "wide.parquet", tmp_path / "sky")
    return stars, tmp_path / "sky"


def layout_of(folder: Path) -> tuple[Layout, Watched]:
    watch = Watched()
    return dataclasses.replace(read_layout(str(folder), {}), system=watch.system), watch


def cells_of(stars: Sky, *rows: int) -> np.ndarray:
    return pixels.index(stars.ra[list(rows)], stars.dec[list(rows)])


def test_only_row_groups_with_the_cells_are_read(wide):
    stars, folder = wide
    layout, _ = layout_of(folder)

    (found,) = Tiles(layout).of(0, cells_of(stars, 7))

    assert len(found.cell) == 200
    assert cells_of(stars, 7)[0] in found.cell


def test_only_needed_columns_are_read(wide):
    stars, folder = wide
    layout, watch = layout_of(folder)

    rows = sum(len(found.cell) for found in Tiles(layout).of(0, np.sort(pixels.index(stars.ra, stars.dec))))

    size = Path(layout.files(0)[0]).stat().st_size
    assert rows == ROWS
    assert watch.bytes < size / 3


def test_sources_come_sorted_by_cell_with_their_own_magnitudes(wide):
    stars, folder = wide

    found = next(iter(Tiles(layout_of(folder)[0]).of(0, cells_of(stars, 3))))

    rows = [int(np.flatnonzero(stars.ra == one)[0]) for one in found.ra]
    assert np.all(np.diff(found.cell) >= 0)
    np.testing.assert_array_equal(found.magnitudes, stars.magnitudes[rows])


def test_longest_unused_tile_is_dropped_first(wide):
    stars, folder = wide
    layout, watch = layout_of(folder)
    order = np.argsort(pixels.index(stars.ra, stars.dec))
    a, b, c = (cells_of(stars, order[i]) for i in (50, 1050, 1850))
    tiles = Tiles(layout, cache_bytes=2 * 200 * 56)
    for cells in (a, b, a, c):
        list(tiles.of(0, cells))
    opened = len(watch.opened)

    list(tiles.of(0, a))
    kept = len(watch.opened) - opened
    list(tiles.of(0, b))

    assert kept == 0
    assert len(watch.opened) == opened + 1
    assert tiles.nbytes == 2 * 200 * 56


def test_tile_larger_than_the_bound_is_kept_alone(wide):
    stars, folder = wide
    tiles = Tiles(layout_of(folder)[0], cache_bytes=1)

    list(tiles.of(0, cells_of(stars, 1)))

    assert tiles.nbytes == 200 * 56


def test_rows_without_a_position_are_no_sources(tmp_path):
    """Written by another hand: our own building leaves them out."""
    stars = sky([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])
    crossmatch.build_catalogue(stars.write(tmp_path / "t.parquet"), tmp_path / "sky")
    layout, _ = layout_of(tmp_path / "sky")
    path = layout.files(0)[0]
    table = pq.read_table(path)
    pq.write_table(table.set_column(1, "ra", pa.array([1.0, None, 3.0])), path)

    (found,) = Tiles(layout).of(0, cells_of(stars, 0, 1, 2))

    assert sorted(found.ra.tolist()) == [1.0, 3.0]
