"""`skystamp explain`: text, JSON, picture and arrays of one packet's answer; wrong use is told."""

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from skystamp import tracking
from skystamp.classify import Model
from skystamp.cli import app
from tests import explaining, making

run = CliRunner().invoke


@pytest.fixture
def night(tmp_path: Path) -> Path:
    """Return a file of one object's three packets, a night apart."""
    records = []
    for number in range(3):
        candidate = {"jd": 2459000.5 + number, "candid": 1000 + number}
        records.append(making.record(number, candidate, candid=1000 + number, objectId="ZTF20aaaaaaa"))
    path = tmp_path / "night.avro"
    path.write_bytes(making.packet(*records))
    return path


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ``first`` and ``third`` name models in NumPy."""
    known = {
        "first": explaining.first_detection({"metadata": np.linspace(-1, 1, 23)}),
        "third": explaining.temporal({"stamps": np.ones((3, 21, 21, 2)) / 200}),
    }
    monkeypatch.setattr(tracking, "load", lambda name, uri: Model(known[name].name, "7", known[name]))


@pytest.mark.usefixtures("models")
def test_it_prints_the_answer_and_what_made_it(night: Path) -> None:
    result = run(app, ["explain", str(night), "--model", "first", "--class", "SN"])

    assert result.exit_code == 0, result.output
    assert "ZTF20aaaaaaa, first-detection 7: SN " in result.output
    assert "integrated gradients" in result.output
    assert "sharpnr" in result.output


@pytest.mark.usefixtures("models")
def test_json_picture_and_arrays_say_the_same(night: Path, tmp_path: Path) -> None:
    picture, arrays = tmp_path / "why.png", tmp_path / "why.npz"

    result = run(
        app, ["explain", str(night), "--model", "third", "--out", str(picture), "--arrays", str(arrays), "--json"]
    )

    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["alert_ids"] == [1000, 1001, 1002]
    assert picture.read_bytes().startswith(b"\x89PNG")
    with np.load(arrays) as file:
        label = file["classes"].tolist().index(told["class"])
        assert file["probabilities"][label] == pytest.approx(told["probabilities"][told["class"]])
        added = sum(file[name].sum() for name in file if name.startswith("integrated_"))
    gained = told["probabilities"][told["class"]] - told["baseline_probability"]
    assert added == pytest.approx(gained - told["unexplained"], abs=1e-5)


@pytest.mark.usefixtures("models")
def test_an_alert_can_be_chosen(night: Path) -> None:
    result = run(app, ["explain", str(night), "--model", "first", "--alert", "1001", "--json"])

    assert json.loads(result.stdout)["alert_ids"] == [1001]


@pytest.mark.usefixtures("models")
@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--model", "first", "--out", "why.jpg"], "--out should end in .png"),
        (["--model", "first", "--arrays", "why.csv"], "--arrays should end in .npz"),
        (["--model", "first", "--alert", "5"], "the alert 5 should be among the packets"),
        (["--model", "third", "--alert", "1001"], "should have 3 accepted detections"),
        (["--model", "first", "--class", "comet"], "the class should be one of AGN"),
    ],
    ids=["picture", "arrays", "alert", "too-few", "class"],
)
def test_wrong_use_is_told_in_one_sentence(night: Path, arguments: list[str], sentence: str) -> None:
    result = run(app, ["explain", str(night), *arguments])

    assert result.exit_code == 2
    assert sentence in result.stderr


def test_a_file_without_an_alert_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "empty.avro"
    path.write_bytes(making.container([]))

    result = run(app, ["explain", str(path), "--model", "first"])

    assert result.exit_code == 2
    assert "there should be an alert to explain" in result.stderr
