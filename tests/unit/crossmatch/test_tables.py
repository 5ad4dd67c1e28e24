"""Tables: CSV and Parquet, one file or many, in batches."""

import gzip
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from skystamp.crossmatch import tables
from skystamp.crossmatch.tables import Table
from skystamp.errors import UsageError

TEXT = "name,ra,dec,note\na,1,2.5,\nb,,3,\nc,4.25,-5,\n"


def rows(path: Path, **settings: object) -> list[dict[str, object]]:
    return [row for batch in Table(path).batches(["ra", "dec"], **settings) for row in batch.to_pylist()]


def test_csv_has_numbers_and_nulls(tmp_path):
    (tmp_path / "t.csv").write_text(TEXT)

    assert rows(tmp_path / "t.csv", only=["name", "ra"]) == [
        {"name": "a", "ra": 1.0},
        {"name": "b", "ra": None},
        {"name": "c", "ra": 4.25},
    ]


def test_column_that_is_empty_is_text(tmp_path):
    (tmp_path / "t.csv").write_text(TEXT)

    assert Table(tmp_path / "t.csv").schema(["ra"]).field("note").type == pa.string()


def test_packed_csv_is_read(tmp_path):
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(TEXT.encode()))

    assert [row["dec"] for row in rows(tmp_path / "t.csv.gz")] == [2.5, 3.0, -5.0]


def test_folder_is_read_in_the_order_of_its_names(tmp_path):
    for name, value in (("b.parquet", 2.0), ("a.parquet", 1.0)):
        pq.write_table(pa.table({"ra": [value], "dec": [value]}), tmp_path / name)
    (tmp_path / "notes.txt").write_text("no table")

    assert [row["ra"] for row in rows(tmp_path)] == [1.0, 2.0]


def test_batches_are_bounded(tmp_path, monkeypatch):
    monkeypatch.setattr(tables, "BATCH_ROWS", 10)
    pq.write_table(pa.table({"ra": range(35), "dec": range(35)}), tmp_path / "t.parquet")

    sizes = [batch.num_rows for batch in Table(tmp_path / "t.parquet").batches(["ra", "dec"])]

    assert max(sizes) <= 10
    assert sum(sizes) == 35


def test_whole_numbers_become_float(tmp_path):
    pq.write_table(pa.table({"ra": [1], "dec": [2], "id": [2**60 + 1]}), tmp_path / "t.parquet")

    assert rows(tmp_path / "t.parquet") == [{"ra": 1.0, "dec": 2.0, "id": 2**60 + 1}]


@pytest.mark.parametrize("name", ["missing.csv", "table.fits", "."])
def test_what_is_no_table_is_told(tmp_path, name):
    (tmp_path / "table.fits").write_bytes(b"SIMPLE")

    with pytest.raises(UsageError, match="should be a file"):
        Table(tmp_path / name)


def test_damaged_table_is_told(tmp_path):
    (tmp_path / "t.parquet").write_bytes(b"PAR1 and nothing else")

    with pytest.raises(UsageError, match="should be whole"):
        Table(tmp_path / "t.parquet")


def test_value_of_another_kind_is_told(tmp_path):
    (tmp_path / "t.csv").write_text("ra,dec\n1,2\nx,3\n")

    with pytest.raises(UsageError, match="each column of one kind"):
        rows(tmp_path / "t.csv")
