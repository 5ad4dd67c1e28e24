"""cluster.data.shards: what is written is what is read, to the bit."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from skystamp.cluster import data
from skystamp.cluster.data import shards
from skystamp.errors import DatasetError, UsageError
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


@pytest.fixture
def grouped(tmp_path: Path, raw: Raw) -> Path:
    """Return prepared data with sequences: of a two detections and one left out, of b one, of c one."""
    plain = {"object_id": list("aaabc"), "alert_id": [1, 2, 3, 4, 5], "mjd": [1.0, 1.1, 2.0, 3.0, 4.0]}
    rows = shards.table({**plain, "label": ["SN", "SN", "SN", "VS", "AGN"]}, raw)
    wise = np.full((5, 5), np.nan)
    wise[:3] = [0.5, 14.0, 13.0, 11.0, 8.0]
    rows = shards.placed(rows, [1, 0, 2, 1, 1], ["", "too_close", "", "", ""], wise)
    (tmp_path / "train").mkdir()
    shards.write_parts(tmp_path / "train" / "000000.parquet", [rows.slice(0, 2), rows.slice(2, 1)])
    shards.write(tmp_path / "train" / "000001.parquet", rows.slice(3))
    (tmp_path / "manifest.json").write_text('{"format": 2}')
    return tmp_path


def test_sequences_are_the_first_accepted_detections_of_objects_that_have_so_many(grouped: Path, raw: Raw) -> None:
    pairs = data.load_sequences(grouped, "train", 2)

    assert (pairs.object_ids.tolist(), pairs.labels.tolist()) == (["a"], ["SN"])
    assert pairs.alert_ids.tolist() == [[1, 3]]
    assert pairs.mjd.tolist() == pairs.raw.mjd.tolist() == [[1.0, 2.0]]
    np.testing.assert_array_equal(pairs.raw.stamps[0], raw.stamps[[0, 2]])
    np.testing.assert_array_equal(pairs.raw.metadata[0], raw.metadata[[0, 2]])
    assert pairs.raw.wise.tolist() == [[0.5, 14.0, 13.0, 11.0, 8.0]]


def test_sequences_of_one_are_the_first_detections(grouped: Path) -> None:
    singles, split = data.load_sequences(grouped, "train", 1), data.load_split(grouped, "train", earliest=True)

    assert singles.object_ids.tolist() == split.object_ids.tolist() == ["a", "b", "c"]
    np.testing.assert_array_equal(singles.raw.stamps[:, 0], split.raw.stamps)
    assert np.isnan(singles.raw.wise[1:]).all()


def test_no_object_has_so_many(grouped: Path) -> None:
    none = data.load_sequences(grouped, "train", 3)

    assert len(none) == 0
    assert none.raw.stamps.shape == (0, 3, 63, 63, 3)


def test_sequences_may_be_cropped_and_chosen(grouped: Path) -> None:
    whole, cropped = data.load_sequences(grouped, "train", 1), data.load_sequences(grouped, "train", 1, crop=33)

    np.testing.assert_array_equal(cropped.raw.stamps, whole.raw.stamps[:, :, 15:48, 15:48])
    assert cropped.take([2, 0]).object_ids.tolist() == ["c", "a"]


def test_data_without_sequences_should_be_prepared_again(folder: Path) -> None:
    with pytest.raises(DatasetError, match="prepare them again"):
        data.load_sequences(folder, "train", 2)


def test_a_sequence_of_nothing_is_refused(grouped: Path) -> None:
    with pytest.raises(UsageError, match="at least 1"):
        data.load_sequences(grouped, "train", 0)


def test_a_shard_of_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="at least one row"):
        shards.write_parts(tmp_path / "0.parquet", [])


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
