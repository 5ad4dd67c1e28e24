"""Bands and whole stamps of prepared data, and data that were prepared before there were bands."""

import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from skystamp import metadata
from skystamp.cluster.data import details, shards
from skystamp.inputs import Raw

ALERTS = np.array([11, 12, 13, 14])


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    raw = Raw(rng.normal(size=(4, 63, 63, 3)).astype(np.float32), rng.normal(size=(4, len(metadata.FEATURES))))
    plain = {"object_id": list("abcd"), "alert_id": ALERTS.tolist(), "mjd": [1.0] * 4, "label": ["SN"] * 4}
    rows = shards.table({**plain, "band": ["g", "r", None, "i"]}, raw)
    (tmp_path / "test").mkdir()
    (tmp_path / shards.MANIFEST).write_text(json.dumps({"format": shards.FORMAT}))
    shards.write(tmp_path / "test" / "000000.parquet", rows.slice(0, 2))
    shards.write(tmp_path / "test" / "000001.parquet", rows.slice(2))
    return tmp_path, raw


def test_bands_are_those_of_the_alerts_asked_for(folder):
    found = details.bands(folder[0], "test", np.array([14, 11, 13, 99]))

    assert found.tolist() == ["i", "g", "", ""]


def test_data_without_bands_have_none(folder):
    path = folder[0] / "test" / "000001.parquet"
    pq.write_table(pq.read_table(path).drop_columns("band"), path)

    assert details.bands(folder[0], "test", ALERTS) is None


def test_stamps_are_whole_and_those_of_the_alerts_asked_for(folder):
    path, raw = folder

    found = details.stamps_of(path, "test", [13, 11, 99])

    assert set(found) == {11, 13}
    np.testing.assert_array_equal(found[13], raw.stamps[2])


def test_a_split_is_read_whatever_its_bands(folder):
    assert len(shards.load_split(folder[0], "test", earliest=True)) == 4
