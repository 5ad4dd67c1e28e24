"""A table of positions becomes a table of matches, in order."""

import csv
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skystamp import crossmatch
from skystamp.crossmatch import match_table
from skystamp.errors import UsageError
from tests.skies import ARCSEC, sky


@pytest.fixture(scope="module")
def catalogue(tmp_path_factory: pytest.TempPathFactory) -> crossmatch.Catalogue:
    place = tmp_path_factory.mktemp("two")
    crossmatch.build_catalogue(sky([10.0, 20.0], [0.0, 0.0]).write(place / "t.parquet"), place / "sky")
    return crossmatch.open_catalogue(str(place / "sky"))


@pytest.fixture
def positions(tmp_path: Path) -> Path:
    (tmp_path / "p.csv").write_text(f"id,ra,dec\nb,20,{ARCSEC}\nnone,30,0\nlost,,\na,10,0\n")
    return tmp_path / "p.csv"


def test_matches_stand_behind_their_positions_in_csv(catalogue, positions, tmp_path):
    done = match_table(catalogue, positions, tmp_path / "m.csv")

    with (tmp_path / "m.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert (done.rows, done.matched) == (4, 2)
    assert [row["id"] for row in rows] == ["b", "none", "lost", "a"]
    assert [row["W1"] for row in rows] == ["10.5", "", "", "10"]
    assert float(rows[0]["distance"]) == pytest.approx(1.0)


def test_matches_in_parquet_are_null_where_there_is_none(catalogue, positions, tmp_path):
    match_table(catalogue, positions, tmp_path / "m.parquet")

    table = pq.read_table(tmp_path / "m.parquet")
    assert table.column("W4").to_pylist() == [10.875, None, None, 10.375]


def test_columns_of_the_position_may_be_named(catalogue, tmp_path):
    pq.write_table(pa.table({"lon": [10.0], "lat": [0.0]}), tmp_path / "p.parquet")

    done = match_table(catalogue, tmp_path / "p.parquet", tmp_path / "m.csv", columns={"ra": "lon", "dec": "lat"})

    assert done.matched == 1


def test_column_of_the_answer_is_not_written_over(catalogue, tmp_path):
    pq.write_table(pa.table({"ra": [1.0], "dec": [2.0], "W1": [3.0]}), tmp_path / "p.parquet")

    with pytest.raises(UsageError, match="Received: W1"):
        match_table(catalogue, tmp_path / "p.parquet", tmp_path / "m.csv")


def test_file_of_another_kind_is_refused(catalogue, positions, tmp_path):
    with pytest.raises(UsageError, match=r"should end in .csv or .parquet"):
        match_table(catalogue, positions, tmp_path / "m.fits")
