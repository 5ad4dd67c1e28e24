"""cluster.data.staging: rows come back in any order, from any files, to the bit."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from skystamp.cluster.data import shards, staging
from skystamp.inputs import Raw


@pytest.fixture
def staged(tmp_path: Path) -> pa.Table:
    """Write seven rows to three files; row i is offset OFFSETS[i] of file NAMES[i]."""
    rng = np.random.default_rng(3)
    images = rng.normal(size=(7, 5, 5, 3)).astype(np.float32)
    images[2, 0] = np.nan
    plain = {"object_id": list("abcdefg"), "alert_id": range(7), "mjd": rng.normal(size=7), "label": ["SN"] * 7}
    whole = shards.table(plain, Raw(images, rng.normal(size=(7, 26))))
    for name in set(NAMES):
        staging.write(tmp_path / name, whole.take([i for i in range(7) if NAMES[i] == name]))
    return whole


NAMES = ["x", "y", "x", "z", "y", "x", "y"]
OFFSETS = [0, 0, 1, 0, 1, 2, 2]


@pytest.mark.parametrize("order", [[6, 0, 3, 1, 5], [2], [0, 0, 4]], ids=["scattered", "one", "twice"])
def test_rows_come_in_the_order_asked_for(tmp_path: Path, staged: pa.Table, order: list[int]) -> None:
    names, offsets = np.array(NAMES)[order], np.array(OFFSETS)[order]

    taken = staging.take(tmp_path, names, offsets)

    assert taken["object_id"].to_pylist() == [staged["object_id"][i].as_py() for i in order]
    assert shards.raw_of(taken).stamps.tobytes() == shards.raw_of(staged.take(order)).stamps.tobytes()


def test_columns_may_be_chosen(tmp_path: Path, staged: pa.Table) -> None:
    taken = staging.take(tmp_path, np.array(NAMES), np.array(OFFSETS), ["alert_id"])

    assert taken.column_names == ["alert_id"]
    assert taken["alert_id"].to_pylist() == list(range(7))


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path, staged: pa.Table) -> None:
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x", "y", "z"]
