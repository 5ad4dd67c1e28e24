"""cluster.data.describe: counts, and a hash of what the data hold."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from skystamp.cluster.data import describe, grouping
from skystamp.cluster.data.matching import Matched
from skystamp.manifest import DatasetManifest, Labels
from skystamp.sources import Found, Source

RECIPE = DatasetManifest("x", validation=1, test=1)
PLACED = {"ra": 1.0, "dec": 2.0, "file": "f", "offset": 0}
ROWS: list[dict[str, Any]] = [
    {**PLACED, "object_id": "a", "alert_id": 1, "mjd": 1.0, "label": "SN", "checksum": 7},
    {**PLACED, "object_id": "b", "alert_id": 2, "mjd": 1.0, "label": "VS", "checksum": 8},
    {**PLACED, "object_id": "a", "alert_id": 3, "mjd": 2.0, "label": "SN", "checksum": 9},
]
SPLITS = {"a": "train", "b": "test"}
NONE = Matched(np.full((2, 5), np.nan))


def planned(rows: list[dict[str, Any]], splits: dict[str, str] = SPLITS) -> grouping.Plan:
    return grouping.plan(pa.Table.from_pylist(rows, grouping.INDEX), splits)


def hashed(rows: list[dict[str, Any]], matched: Matched = NONE, **splits: str) -> str:
    return describe.content_hash(planned(rows, {**SPLITS, **splits}), matched, RECIPE)


def test_the_hash_does_not_depend_on_order_or_files() -> None:
    backwards = [{**row, "file": "g", "offset": 9} for row in reversed(ROWS)]

    assert hashed(ROWS) == hashed(backwards)


@pytest.mark.parametrize("change", [{"label": "AGN"}, {"alert_id": 4}, {"checksum": 1}, {"mjd": 1.5}])
def test_the_hash_depends_on_every_alert(change: dict[str, Any]) -> None:
    changed = [{**ROWS[0], **change}, *ROWS[1:]]

    assert hashed(ROWS) != hashed(changed)


def test_the_hash_depends_on_the_split() -> None:
    assert hashed(ROWS) != hashed(ROWS, a="validation")


def test_the_hash_depends_on_what_a_catalogue_says_and_not_on_where_it_is() -> None:
    wise = NONE.wise.copy()
    wise[1] = [0.5, 14.0, 13.0, 11.0, np.nan]

    assert hashed(ROWS) != hashed(ROWS, Matched(wise, "/a", "AllWISE"))
    assert hashed(ROWS, Matched(wise, "/a", "AllWISE")) == hashed(ROWS, Matched(wise, "s3://b", "AllWISE"))


def test_the_manifest_counts_packets_and_objects_and_says_which_classes_shrank() -> None:
    found = Found((Source("/n/1.avro", "avro", 10),), ("/n/index.csv",))

    content = describe.manifest(RECIPE, Labels({}, {"quality": 2}), found, planned(ROWS), NONE, {}, "skystamp ...")

    assert content["counts"]["train"] == {"SN": {"packets": 2, "objects": 1}, "VS": {"packets": 0, "objects": 0}}
    assert content["counts"]["test"]["VS"] == {"packets": 1, "objects": 1}
    assert content["split"]["shrunk"] == {"SN": {"validation": 0, "test": 0}, "VS": {"validation": 0, "test": 0}}
    assert content["sources"]["skipped"] == {"files": 1, "first": ["/n/index.csv"]}
    assert content["labels_left_out"] == {"quality": 2}
    assert (content["format"], content["catalogue"]) == (2, None)


def test_the_manifest_counts_sequences_and_says_why_detections_are_left_out() -> None:
    close = {**ROWS[2], "alert_id": 4, "mjd": 2.1}

    content = describe.manifest(
        RECIPE, Labels({}, {}), Found((), ()), planned([*ROWS, close]), NONE, {}, "skystamp ..."
    )

    told = content["sequences"]
    assert told["min_gap_hours"] == 6.0
    assert told["left_out"] == {"too_close": 1}
    assert told["objects"]["train"]["SN"] == {"1": 0, "2": 1, "3": 0, "4": 0, "5": 0, "more": 0}
    assert told["objects"]["test"]["VS"]["1"] == 1


def test_the_manifest_says_how_many_objects_a_catalogue_knows() -> None:
    matched = Matched(np.array([[0.5, 14.0, 13.0, np.nan, np.nan], [np.nan] * 5]), "/wise", "AllWISE")

    content = describe.manifest(RECIPE, Labels({}, {}), Found((), ()), planned(ROWS), matched, {}, "skystamp ...")

    assert content["catalogue"] == {
        "name": "AllWISE",
        "url": "/wise",
        "radius_arcsec": 2.0,
        "objects": 2,
        "matched": 1,
        "by_class": {"VS": 1},  # the rows are in the order of the splits: test comes before train
    }
