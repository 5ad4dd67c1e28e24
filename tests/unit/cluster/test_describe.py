"""cluster.data.describe: duplicates, counts, and a hash of what the data hold."""

import pyarrow as pa
import pytest

from skystamp.cluster.data import describe
from skystamp.manifest import DatasetManifest, Labels
from skystamp.sources import Found, Source

RECIPE = DatasetManifest("x", validation=1, test=1)
ROWS = [
    {"object_id": "a", "alert_id": 1, "mjd": 1.0, "label": "SN", "source": 0, "row": 0, "checksum": 7},
    {"object_id": "b", "alert_id": 2, "mjd": 1.0, "label": "VS", "source": 0, "row": 1, "checksum": 8},
    {"object_id": "a", "alert_id": 3, "mjd": 2.0, "label": "SN", "source": 1, "row": 0, "checksum": 9},
    {"object_id": "b", "alert_id": 2, "mjd": 1.0, "label": "VS", "source": 1, "row": 1, "checksum": 8},
]
SPLITS = {"a": "train", "b": "test"}


def index(rows: list[dict[str, object]]) -> pa.Table:
    return pa.Table.from_pylist([{**row, "file": "f", "place": 0} for row in rows], describe.INDEX)


def test_a_packet_that_comes_twice_is_kept_once() -> None:
    kept, duplicates = describe.first_of_each(index(ROWS))

    assert kept["alert_id"].to_pylist() == [1, 2, 3]
    assert duplicates == 1


def test_the_hash_does_not_depend_on_order_or_files() -> None:
    backwards = [{**row, "source": 5, "row": 9} for row in reversed(ROWS)]

    assert describe.content_hash(index(ROWS), SPLITS, RECIPE) == describe.content_hash(index(backwards), SPLITS, RECIPE)


@pytest.mark.parametrize("change", [{"label": "AGN"}, {"alert_id": 4}, {"checksum": 1}])
def test_the_hash_depends_on_every_alert(change: dict[str, object]) -> None:
    changed = [{**ROWS[0], **change}, *ROWS[1:]]

    assert describe.content_hash(index(ROWS), SPLITS, RECIPE) != describe.content_hash(index(changed), SPLITS, RECIPE)


def test_the_hash_depends_on_the_split() -> None:
    moved = {**SPLITS, "a": "validation"}

    assert describe.content_hash(index(ROWS), SPLITS, RECIPE) != describe.content_hash(index(ROWS), moved, RECIPE)


def test_the_manifest_counts_packets_and_objects_and_says_which_classes_shrank() -> None:
    found = Found((Source("/n/1.avro", "avro", 10),), ("/n/index.csv",))

    content = describe.manifest(RECIPE, Labels({}, {"quality": 2}), found, index(ROWS[:3]), SPLITS, {}, "skystamp ...")

    assert content["counts"]["train"] == {"SN": {"packets": 2, "objects": 1}, "VS": {"packets": 0, "objects": 0}}
    assert content["counts"]["test"]["VS"] == {"packets": 1, "objects": 1}
    assert content["split"]["shrunk"] == {"SN": {"validation": 0, "test": 0}, "VS": {"validation": 0, "test": 0}}
    assert content["sources"]["skipped"] == {"files": 1, "first": ["/n/index.csv"]}
    assert content["labels_left_out"] == {"quality": 2}
