"""`skystamp labels`: the table by command."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from skystamp.cli import app
from skystamp.store import Label, open_store
from tests import hunting

run = CliRunner().invoke


@pytest.fixture
def url(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path}/store.db"
    store = open_store(url)
    hunting.fill(store)
    for i, (name, label, author) in enumerate(
        [("ZTF23aaa", "SN", "ada"), ("ZTF23aaa", "SN", "bea"), ("ZTF23bbb", "bogus", "ada")]
    ):
        store.vote(Label("ztf", name, label, author, 1.7e9 + i, "hunter"))
    store.close()
    return url


def test_labels_and_packets_are_exported(url: str, tmp_path: Path):
    out, packets = tmp_path / "new" / "labels.csv", tmp_path / "packets"

    done = run(app, ["labels", "export", str(out), "--store", url, "--packets", str(packets)])

    assert done.exit_code == 0, done.output
    assert out.read_text().splitlines()[1].startswith("ZTF23aaa,SN,confirmed,2,")
    assert "2 objects in" in done.output
    assert "2 packets in" in done.output
    assert list(packets.glob("*.avro"))


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [(["labels.txt"], "should be a .csv file"), (["labels.csv", "--store", "sqlite:///nowhere.db"], "should exist")],
)
def test_wrong_use_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], sentence: str):
    monkeypatch.chdir(tmp_path)

    done = run(app, ["labels", "export", *arguments])

    assert done.exit_code == 2
    assert sentence in " ".join(done.output.split())
