"""cluster.truth: tables that keep every digit, and the catalogue that follows from them."""

import csv
import io

import pytest

from skystamp import synthetic
from skystamp.cluster import truth
from skystamp.errors import UsageError

QUASAR = synthetic.Truth(
    "ZTF20zaaaaab", "AGN", "quasar", 10.123456789012345, -3.0, 59000.123, 7, redshift=0.9, own_g=18.3, own_r=18.1
)
ROCK = synthetic.Truth("ZTF20zaaaaac", "asteroid", "main belt", 11.0, 5.0, 59001.0, 1)


def table(lines: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(lines)))


def test_what_is_written_is_read_to_the_last_digit() -> None:
    text = "".join(truth.lines([QUASAR, ROCK]))

    assert list(truth.read(text)) == [QUASAR, ROCK]


def test_a_value_without_meaning_is_empty() -> None:
    row = table("".join(truth.lines([ROCK])))[0]

    assert tuple(row) == truth.COLUMNS
    assert row["redshift"] == row["own_r"] == ""


def test_a_table_of_other_columns_is_refused() -> None:
    with pytest.raises(UsageError, match="own_g"):
        truth.read("objectId,class\nZTF20zaaaaab,AGN\n")


def test_the_catalogue_has_the_rows_of_each_object_in_allwises_own_columns() -> None:
    rows = table("".join(truth.allwise([QUASAR, ROCK])))
    expected = [row for one in (QUASAR, ROCK) for row in synthetic.catalogued(one)]

    assert [row["AllWISE"] for row in rows] == [row.name for row in expected]
    assert tuple(rows[0]) == truth.ALLWISE
    assert float(rows[0]["RAJ2000"]) == pytest.approx(QUASAR.ra, abs=2e-4)
    assert [float(rows[0][f"W{band}mag"]) for band in (1, 2, 3, 4)] == expected[0].mags.tolist()


def test_a_magnitude_without_error_is_a_limit() -> None:
    faint = synthetic.Truth("ZTF20zaaaaad", "VS", "RRL", 50.0, 40.0, 59000.0, 3, own_g=16.3, own_r=16.0)

    row = table("".join(truth.allwise([faint])))[0]

    assert row["e_W4mag"] == ""
    assert float(row["W4mag"]) > 7
