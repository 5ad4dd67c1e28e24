"""Parquet out and in: the same store, on the other database too."""

import shutil

import pyarrow.parquet as pq
import pytest

from skystamp import live
from skystamp.errors import StoreError
from skystamp.store import Label, Offset, Report, exchange
from tests.storing import MODELS, NOW, alert, arriving, content, nightly


def fill(store):
    late = nightly(6)
    for one in (*late[1:], late[0], alert(40, 0.0, "ZTF20bbbbbbb", sgscore1=-999.0)):
        live.answer(store, MODELS, arriving([one]), now=NOW)
    live.answer(store, MODELS, live.arrivals(b"nothing"), now=NOW)
    store.add_labels([Label("ztf", "ZTF20bbbbbbb", "SN", "ada", NOW, "hunter")])
    store.set_offsets([Offset("folder", "a.tar", 7)], now=NOW)
    store.begin_report(Report("ztf", "ZTF20bbbbbbb", "https://tns.example/api", {"at_report": {}}, "ada", NOW))


def test_what_is_exported_is_imported_into_another_database(store, tmp_path, opening, monkeypatch):
    monkeypatch.setattr(exchange, "ROWS", 2)
    monkeypatch.setattr(exchange, "PAGES", 2)
    fill(store)

    written = store.export_parquet(tmp_path / "out")
    other = opening(f"sqlite:///{tmp_path}/other.db")
    added = other.import_parquet(tmp_path / "out")

    assert content(other, without=()) == content(store, without=())
    assert added == written
    assert len(list((tmp_path / "out" / "detections").glob("*.parquet"))) == 2


def test_an_export_comes_back_into_the_same_kind_of_database(store, store_url, tmp_path, request):
    fill(store)
    store.export_parquet(tmp_path / "out")
    before = content(store, without=())

    again = store.import_parquet(tmp_path / "out")

    assert set(again.values()) == {0}
    assert content(store, without=()) == before


def test_an_object_that_is_there_stays_as_it_is(store, tmp_path, opening):
    fill(store)
    store.export_parquet(tmp_path / "out")
    other = opening(f"sqlite:///{tmp_path}/other.db")
    live.answer(other, MODELS, arriving(nightly(1)), now=NOW)

    other.import_parquet(tmp_path / "out")

    assert other.candidate("ztf", "ZTF20aaaaaaa").n_detections == 1
    assert other.candidate("ztf", "ZTF20bbbbbbb").n_detections == 1


def test_an_interrupted_import_is_completed(store, tmp_path, opening):
    fill(store)
    store.export_parquet(tmp_path / "out")
    shutil.copytree(tmp_path / "out", tmp_path / "part")
    for name in ("objects", "outcomes"):
        shutil.rmtree(tmp_path / "part" / name)
        (tmp_path / "part" / name).mkdir()
    other = opening(f"sqlite:///{tmp_path}/other.db")
    other.import_parquet(tmp_path / "part")

    other.import_parquet(tmp_path / "out")

    assert content(other, without=()) == content(store, without=())


def test_without_cutouts_the_rest_comes(store, tmp_path):
    fill(store)

    written = store.export_parquet(tmp_path / "out", with_cutouts=False)

    assert "cutouts" not in written
    assert not (tmp_path / "out" / "cutouts").exists()


def test_wrong_folders_are_refused(store, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()

    with pytest.raises(StoreError, match="new or empty"):
        store.export_parquet(tmp_path / "full")
    with pytest.raises(StoreError, match="should hold tables"):
        store.import_parquet(tmp_path / "nothing")
    with pytest.raises(StoreError, match="should hold tables"):
        store.import_parquet(tmp_path / "full")


def test_tables_of_other_columns_are_refused(store, tmp_path):
    import pyarrow as pa
    import pyarrow.parquet as pq

    (tmp_path / "out" / "objects").mkdir(parents=True)
    pq.write_table(pa.table({"a": [1]}), tmp_path / "out" / "objects" / "part-00000.parquet")

    with pytest.raises(StoreError, match="columns"):
        store.import_parquet(tmp_path / "out")


def test_an_export_of_before_spreads_is_imported_without_them(store, tmp_path, opening):
    fill(store)
    store.export_parquet(tmp_path / "out")
    for path in (tmp_path / "out").glob("outcomes/*.parquet"):
        pq.write_table(pq.read_table(path).drop_columns("spread"), path)
    other = opening(f"sqlite:///{tmp_path}/other.db")

    other.import_parquet(tmp_path / "out")

    assert content(other, without=()) == content(store, without=())
