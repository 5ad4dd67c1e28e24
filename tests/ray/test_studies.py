"""Every study's `--smoke`, to its end, on the shared cluster and one tiny data set: tables, figures, runs, models."""

import importlib
import json
import re
from pathlib import Path
from typing import Any

import pytest

from skystamp import tracking
from tests import prepared

pytestmark = [
    pytest.mark.usefixtures("cluster"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.timeout(420),
]

FIGURES = {"stamp-random-search": "tradeoff.png", "entropy-beta": "confidence.png", "pareto": "front.png"}
TABLES = {
    "stamp_random_search": ("stamp-random-search", 1),
    "enhanced_grid": ("enhanced-grid", 4),
    "images_only": ("images-only", 2),
    "entropy_beta": ("entropy-beta", 2),
    "pareto": ("pareto", 2),
    "temporal": ("temporal", 2),
    "temporal_ablation": ("temporal-ablation", 2),
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepared.toy(tmp_path_factory.mktemp("prepared"), {"train": 25, "validation": 10, "test": 10})


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('mlflow') / 'mlflow.db'}"


def smoke(study: str, data: Path, uri: str, folder: Path) -> None:
    places = ["--data", str(data), "--tracking-uri", uri, "--storage", str(folder)]
    importlib.import_module(f"tune_jobs.{study}").main([*places, "--name", study, "--smoke"])


@pytest.mark.parametrize("study", TABLES)
def test_smoke_ends_with_a_table_in_mlflow(study: str, data: Path, uri: str, tmp_path: Path, capsys: Any) -> None:
    experiment, count = TABLES[study]

    smoke(study, data, uri, tmp_path)

    tracker = tracking.open_tracker(experiment, uri)
    run = tracker.find(study)
    assert run is not None
    assert tracker.client.get_run(run).info.status == "FINISHED"
    rows = json.loads(tracker.read_text(run, f"{experiment}.json"))
    assert len(rows) == count
    assert all(0 <= row["test"] <= 1 for row in rows)
    table = tracker.read_text(run, f"{experiment}.md")
    assert table.splitlines()[1].startswith("| ---")
    assert table.splitlines()[2] in capsys.readouterr().out
    if experiment in FIGURES:
        assert FIGURES[experiment] in {entry.path for entry in tracker.client.list_artifacts(run)}


def test_smoke_of_the_search_registers_a_model_that_the_rule_of_two_can_ask(
    data: Path, uri: str, tmp_path: Path, capsys: Any
) -> None:
    from tune_jobs import bogus_twice

    smoke("first_detection", data, uri, tmp_path)

    found = re.search(r"registered first-detection version ([0-9]+) as (champion|challenger)", capsys.readouterr().out)
    assert found is not None

    bogus_twice.main(["--smoke", "--model", f"first-detection/{found[1]}", "--tracking-uri", uri, "--json"])

    rates = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert sum(each["objects"] for each in rates) > 10
