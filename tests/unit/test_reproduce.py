"""benchmarks.reproduce: the papers' figures beside those of runs that MLflow holds, and what was not run."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import reproduce
from skystamp import tracking
from tune_jobs import enhanced_grid

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow")


def row(name: str, test: float | None, **more: Any) -> dict[str, Any]:
    return {"configuration": name, "test": test, "test_spread": 0.004, "trainings": 4, "chosen": False, **more}


ENHANCED = [
    row(enhanced_grid.name_of(settings), test, part=part, chosen=chosen, p_baseline=0.03, p_random=0.5)
    for part, settings, test, chosen in (
        ("grid", enhanced_grid.PUBLISHED, 0.5, False),
        ("top", enhanced_grid.PUBLISHED, 0.85, True),
        ("top", enhanced_grid.BASELINE, 0.80, False),
        ("top", enhanced_grid.RANDOM, 0.82, False),
    )
]
TEMPORAL = [row("gru", 0.9, n=2), row("conv1d 2", 0.95, n=2, chosen=True), row("lstm", None, n=3, chosen=True)]


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a store with a finished enhanced grid, two temporal studies, and one that has no table."""
    uri = f"sqlite:///{tmp_path_factory.mktemp('runs') / 'mlflow.db'}"
    for experiment, name, rows in (
        ("enhanced-grid", "mine", ENHANCED),
        ("temporal", "older", [row("tdnn 2", 0.5, n=2, chosen=True)]),
        ("temporal", "newer", TEMPORAL),
        ("temporal", "begun", None),
    ):
        tracker = tracking.open_tracker(experiment, uri)
        run = tracker.start(name, tags={"data": "synthetic"})
        if rows:
            tracker.log_json(run, rows, f"{experiment}.json")
        tracker.finish(run)
    return uri


def filled(uri: str, experiment: str, name: str | None = None) -> reproduce.Filled:
    table = next(table for table in reproduce.TABLES if table.experiment == experiment)
    return reproduce.fill(table, uri, name)


def test_the_enhanced_table_has_the_papers_figures_and_ours(uri: str) -> None:
    found = filled(uri, "enhanced-grid")

    lines = [(line.paper, line.ours) for line in found.lines]
    assert lines[0] == (91.44, pytest.approx(80.0))
    assert lines[2] == (93.36, pytest.approx(85.0))
    assert lines[3] == (pytest.approx(1.92), pytest.approx(5.0))
    assert (found.run, found.data) == ("mine", "synthetic")
    assert "p against the baseline 0.030" in found.lines[2].remark


def test_the_newest_run_with_a_table_counts_or_the_one_that_is_named(uri: str) -> None:
    newest, named = filled(uri, "temporal"), filled(uri, "temporal", "older")

    assert (newest.run, newest.lines[0].ours) == ("newer", 95.0)
    assert (named.run, named.lines[0].ours) == ("older", 50.0)


def test_what_is_not_known_stays_empty(uri: str) -> None:
    two, three, four, five = filled(uri, "temporal").lines

    assert [line.paper for line in (two, three, four, five)] == [98.47, 98.33, 97.87, 98.43]
    assert [line.ours for line in (three, four, five)] == [None, None, None]


def test_a_study_that_was_not_run_is_said_to_be_so(uri: str) -> None:
    text = reproduce.report([filled(uri, table.experiment) for table in reproduce.TABLES], uri)

    assert "ours: not run; python -m tune_jobs.images_only --data DIR" in text
    assert "run mine, data: synthetic" in text
    assert "The data differ" in text
    assert "80.00 ± 0.40" in text


def test_every_study_that_is_named_exists() -> None:
    folder = Path(reproduce.__file__).parents[1]

    for table in reproduce.TABLES:
        module = table.command.split()[2].replace(".", "/")
        assert (folder / f"{module}.py").is_file()


def test_json_has_ratios_only_where_both_figures_are_known(uri: str) -> None:
    found = json.loads(json.dumps(reproduce.as_json([filled(uri, "enhanced-grid"), filled(uri, "images-only")])))

    baseline = "enhanced-grid: baseline: a 21, k 4, theta 0"
    assert found["ratios"][baseline] == pytest.approx(80 / 91.44)
    assert found["figures"][f"{baseline}, paper"] == 91.44
    assert not any("fully random" in name for name in found["ratios"])
    assert not any(name.startswith("images-only") for name in found["figures"])


def test_reading_makes_nothing(tmp_path: Path) -> None:
    uri = f"sqlite:///{tmp_path / 'empty.db'}"

    found = filled(uri, "temporal")

    assert found.run == ""
    assert tracking.find_tracker("temporal", uri) is None
