"""What people said becomes a label table, and the packets of these objects, as data sets read them."""

from pathlib import Path

import pandas as pd
import pytest

from skystamp import avro, classify, manifest
from skystamp.errors import UsageError
from skystamp.hunter import exporting
from skystamp.store import Label
from tests.hunting import HOSTILE

RECIPE = Path(__file__).parents[3] / "datasets" / "vetted" / "manifest.toml"
SAID = [
    ("ZTF23aaa", "SN", "ada"),
    ("ZTF23aaa", "SN", "bea"),
    ("ZTF23bbb", "SN", "ada"),
    ("ZTF23bbb", "bogus", "bea"),
    ("ZTF23negative", "VS", "ada"),
    (HOSTILE, "bogus", "ada"),
    (HOSTILE, "bogus", '=cmd|"x"'),
    ("ZTF23old", "satellite", "ada"),
    ("ZTF23old", "satellite", "bea"),
]


@pytest.fixture
def labelled(store):
    for i, (name, label, author) in enumerate(SAID):
        store.vote(Label("ztf", name, label, author, 1.7e9 + i, "hunter"))
    return exporting.labelled(store.labels())


def test_each_object_is_one_row_with_its_quality(labelled):
    assert [(one.object_id, one.label, one.quality, one.votes) for one in labelled] == [
        (HOSTILE, "bogus", "confirmed", 2),
        ("ZTF23aaa", "SN", "confirmed", 2),
        ("ZTF23bbb", "", "disputed", 1),
        ("ZTF23negative", "VS", "single", 1),
        ("ZTF23old", "satellite", "confirmed", 2),
    ]


def test_the_recipe_reads_what_two_people_agree_on(labelled, tmp_path):
    exporting.write_table(tmp_path / "labels.csv", labelled)

    found = manifest.read_labels(tmp_path / "labels.csv", manifest.read(RECIPE))

    assert found.classes == {HOSTILE: "bogus", "ZTF23aaa": "SN"}
    assert found.left_out == {"other_class": 1, "quality": 1, "unlabelled": 1}


def test_the_table_says_who_and_when(labelled, tmp_path):
    exporting.write_table(tmp_path / "labels.csv", labelled)

    table = pd.read_csv(tmp_path / "labels.csv").set_index("objectId")

    assert tuple(pd.read_csv(tmp_path / "labels.csv").columns) == exporting.COLUMNS
    assert table.loc["ZTF23aaa", "people"] == "ada; bea"
    assert table.loc["ZTF23aaa", "labelled"] == "2023-11-14T22:13:21Z"
    assert table.loc[HOSTILE, "survey"] == "ztf"


def test_labels_of_one_source_are_chosen(store):
    store.add_labels(
        [Label("ztf", "ZTF23aaa", "SN", "tns", 1.0, "tns"), Label("ztf", "ZTF23bbb", "SN", "ada", 1.0, "hunter")]
    )

    assert [one.object_id for one in exporting.labelled(store.labels(), source="hunter")] == ["ZTF23bbb"]
    assert len(exporting.labelled(store.labels())) == 2


def test_packets_are_written_as_they_came(store, labelled, tmp_path):
    written = exporting.write_packets(tmp_path / "packets", store, labelled)

    files = sorted((tmp_path / "packets").iterdir())
    items = [item for file in files for item in avro.read(file.read_bytes(), history=True)]
    alerts = {one.alert_id: one for one in classify.alerts(items)}
    assert written == len(items) == 5
    keys = [("ztf", number) for number in alerts]
    for key, kept in store.alerts(keys).items():
        assert alerts[key[1]].cutouts == kept.cutouts
        assert alerts[key[1]].metadata == pytest.approx(kept.metadata, nan_ok=True)
    assert max(len(item.record["prv_candidates"] or []) for item in items) == 2


def test_packets_that_are_not_kept_are_left_out_and_a_full_folder_is_refused(store, labelled, tmp_path):
    store.drop_cutouts(1e9)

    assert exporting.write_packets(tmp_path / "packets", store, labelled) == 0
    (tmp_path / "packets" / "mine.txt").touch()
    with pytest.raises(UsageError, match="empty"):
        exporting.write_packets(tmp_path / "packets", store, labelled)
