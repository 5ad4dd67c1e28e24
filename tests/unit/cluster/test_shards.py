"""cluster.data.shards: what is written is what is read, to the bit."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from skystamp.cluster import data
from skystamp.cluster.data import shards
from skystamp.errors import DatasetError
from skystamp.inputs import Raw

OBJECTS = ["b", "a", "b", "c", "a"]
MJD = [5.0, 2.0, 4.0, 3.0, 2.0]
ALERTS = [50, 21, 40, 30, 20]


@pytest.fixture
def raw() -> Raw:
    rng = np.random.default_rng(1)
    images = rng.normal(size=(5, 63, 63, 3)).astype(np.float32)
    images[0, :2] = np.nan
    images[1, 0, 0, 0] = np.inf
    numbers = rng.normal(size=(5, 26))
    numbers[2, 3] = np.nan
    return Raw(images, numbers)


@pytest.fixture
def folder(tmp_path: Path, raw: Raw) -> Path:
    """Return prepared data whose train split has two shards."""
    plain = {"object_id": OBJECTS, "alert_id": ALERTS, "mjd": MJD, "label": ["SN", "VS", "SN", "AGN", "VS"]}
    whole = shards.table(plain, raw)
    for name in ("train", "validation", "test"):
        (tmp_path / name).mkdir()
    shards.write(tmp_path / "train" / "000000.parquet", whole.slice(0, 3))
    shards.write(tmp_path / "train" / "000001.parquet", whole.slice(3))
    shards.write(tmp_path / "test" / "000000.parquet", whole.slice(3))
    (tmp_path / "manifest.json").write_text('{"name": "x"}')
    return tmp_path


def test_a_split_is_sorted_by_object_time_and_alert(folder: Path, raw: Raw) -> None:
    split = data.load_split(folder, "train")

    order = [4, 1, 2, 0, 3]
    assert split.alert_ids.tolist() == [20, 21, 40, 50, 30]
    assert split.object_ids.tolist() == ["a", "a", "b", "b", "c"]
    assert split.labels.tolist() == ["VS", "VS", "SN", "SN", "AGN"]
    np.testing.assert_array_equal(split.raw.stamps, raw.stamps[order])
    np.testing.assert_array_equal(split.raw.metadata, raw.metadata[order])


def test_earliest_keeps_one_packet_an_object(folder: Path) -> None:
    split = data.load_split(folder, "train", earliest=True)

    assert split.alert_ids.tolist() == [20, 40, 30]


def test_a_crop_is_the_centre_of_the_whole(folder: Path) -> None:
    whole, cropped = data.load_split(folder, "train"), data.load_split(folder, "train", crop=21)

    np.testing.assert_array_equal(cropped.raw.stamps, whole.raw.stamps[:, 21:42, 21:42])


def test_shards_say_their_tensors_shape_to_any_reader_of_parquet(folder: Path) -> None:
    form = pq.read_schema(folder / "train" / "000000.parquet")

    assert form.field("stamps").type.shape == [63, 63, 3]
    assert str(form.field("stamps").type.value_type) == "float"
    assert form.field("metadata").type.shape == [26]
    assert str(form.field("metadata").type.value_type) == "double"


def test_checksums_tell_rows_apart_and_equal_rows_not(raw: Raw) -> None:
    plain = {"object_id": OBJECTS, "alert_id": ALERTS, "mjd": MJD, "label": OBJECTS}
    changed = Raw(raw.stamps.copy(), raw.metadata.copy())
    changed.metadata[4, 25] += 1e-12

    sums, again = shards.checksums(shards.table(plain, raw)), shards.checksums(shards.table(plain, changed))

    assert len(set(sums)) == 5
    assert again[:4] == sums[:4]
    assert again[4] != sums[4]


def test_an_unfinished_folder_is_refused(folder: Path) -> None:
    (folder / "manifest.json").unlink()

    with pytest.raises(DatasetError, match="should hold prepared data"):
        data.load_split(folder, "train")


@pytest.mark.parametrize(
    ("split", "sentence"), [("dev", "one of train, validation, test"), ("validation", "at least one shard")]
)
def test_a_split_that_is_not_there_is_refused(folder: Path, split: str, sentence: str) -> None:
    with pytest.raises(DatasetError, match=sentence):
        data.load_split(folder, split)


def test_the_earliest_of_labelled_alerts_are_each_objects_first() -> None:
    raw = Raw(np.zeros((4, 3, 3, 3), np.float32), np.zeros((4, 26)))
    names = np.array(["b", "a", "b", "a"])
    alerts = shards.LabelledRaw(raw, np.array(["SN"] * 4), names, np.arange(4), np.array([2.0, 5.0, 1.0, 4.0]))

    assert alerts.earliest().alert_ids.tolist() == [3, 2]
