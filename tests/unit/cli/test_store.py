"""`skystamp store`: look after the store by command."""

import json
import time

import pytest
from typer.testing import CliRunner

from skystamp import live
from skystamp.cli import app
from skystamp.store import open_store
from tests.storing import MODELS, NOW, arriving, nightly

run = CliRunner().invoke


@pytest.fixture
def url(tmp_path):
    store = open_store(f"sqlite:///{tmp_path}/store.db")
    live.answer(store, MODELS, arriving(nightly(3)), now=NOW)
    store.close()
    return f"sqlite:///{tmp_path}/store.db"


def test_a_new_database_is_made_and_upgraded_once(tmp_path):
    url = f"sqlite:///{tmp_path}/new/store.db"

    first = run(app, ["store", "upgrade", "--store", url])
    again = run(app, ["store", "upgrade", "--store", url])

    assert (first.exit_code, again.exit_code) == (0, 0), first.output
    assert "is of revision" in " ".join(first.output.split())
    assert "as before" in again.output


def test_status_says_what_there_is(url):
    told = run(app, ["store", "status"], env={"SKYSTAMP_STORE": url})
    found = json.loads(run(app, ["store", "status", "--store", url, "--json"]).output)

    assert "detections" in told.output
    assert found["rows"]["detections"] == 3
    assert found["outcomes"] == {"first-detection 7": 1, "temporal-2 3": 1, "temporal-3 3": 1}


@pytest.mark.parametrize(
    ("arguments", "dropped"), [(["--before-mjd", "59000.5"], 1), (["--cutouts-older-than", "1"], 3)], ids=str
)
def test_prune_drops_cutouts(url, arguments, dropped):
    result = run(app, ["store", "prune", "--store", url, *arguments])

    assert result.exit_code == 0, result.output
    assert f"{dropped} detections" in result.output


def test_prune_keeps_what_is_young(url):
    days = (time.time() / 86400 + 40587) - 58999

    assert "0 detections" in run(app, ["store", "prune", "--store", url, "--cutouts-older-than", str(days)]).output


def test_an_export_is_imported_elsewhere(url, tmp_path):
    other = f"sqlite:///{tmp_path}/other.db"

    out = run(app, ["store", "export", str(tmp_path / "out"), "--store", url])
    back = run(app, ["store", "import", str(tmp_path / "out"), "--store", other])

    assert (out.exit_code, back.exit_code) == (0, 0), out.output + back.output
    assert json.loads(run(app, ["store", "status", "--store", other, "--json"]).output)["rows"]["objects"] == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["status", "--store", "sqlite:///OUT/none.db"], "skystamp store upgrade"),
        (["status", "--store", "mysql://u:secret@h/d"], "sqlite:///PATH"),
        (["prune", "--store", "sqlite:///OUT/none.db"], "either --cutouts-older-than"),
        (["import", "OUT/none", "--store", "sqlite:///OUT/a.db"], "should hold tables"),
    ],
)
def test_wrong_use_is_told_in_one_sentence(tmp_path, arguments, sentence):
    result = run(app, ["store", *[part.replace("OUT", str(tmp_path)) for part in arguments]])

    assert result.exit_code == 2
    assert sentence in " ".join(result.output.split())
    assert "Traceback" not in result.output
    assert "secret" not in result.output
