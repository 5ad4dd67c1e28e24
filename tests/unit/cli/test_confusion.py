"""cli.confusion: outcomes of a service, set against the truth beside the packets."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from skystamp import client
from skystamp.cli import confusion

OUTCOMES = [
    {"outcome": "classification", "object_id": "a", "class": "SN"},
    {"outcome": "classification", "object_id": "b", "class": "AGN"},
    {"outcome": "classification", "object_id": "unheard-of", "class": "VS"},
    {"outcome": "rejection", "object_id": "c", "reason": "wrong_shape"},
]


@pytest.fixture
def said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """Return what makes a report of `OUTCOMES` on a folder with a label table, and gives its text."""

    def make(table: str) -> str:
        (tmp_path / "labels.csv").write_text(table)
        console = Console(record=True, width=100)
        confusion.report("http://127.0.0.1:1", tmp_path, console)
        return console.export_text()

    monkeypatch.setattr(client, "classify_files", lambda url, paths, token: iter(OUTCOMES))
    return make


def test_true_classes_are_rows_and_answers_columns(said: Any) -> None:
    text = said("objectId,class\na,SN\nb,SN\nc,VS\n")

    (row,) = [line.split("│")[1:-1] for line in text.splitlines() if line.startswith("│ SN")]
    assert [cell.strip() for cell in row] == ["SN", "1", "1", "0", "0.50"]
    assert "4 packets: 3 classifications, 1 rejections (wrong_shape 1)" in text
    assert "1 of 2 packets with a known class are right (50.0%)" in text


def test_without_truth_the_answers_are_counted(said: Any) -> None:
    text = said("objectId,class\n")

    assert [line for line in text.splitlines() if line.startswith("│ unknown")]
    assert "are right" not in text
