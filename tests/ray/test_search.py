"""cluster.search: a small study on the shared cluster, its runs in MLflow, its model in the registry."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from skystamp import metadata, taxonomy, tracking
from skystamp.inputs import Raw

pytestmark = [
    pytest.mark.usefixtures("cluster"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
    pytest.mark.timeout(420),
]

ITERATIONS = 20


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return prepared data of five classes that their brightness tells apart."""
    import json

    from skystamp.cluster.data import shards

    folder = tmp_path_factory.mktemp("prepared")
    for split, count in (("train", 60), ("validation", 20), ("test", 20)):
        (folder / split).mkdir()
        shards.write(folder / split / "0.parquet", shards.table(*_rows(split, count)))
    (folder / "manifest.json").write_text(json.dumps({"name": "toy", "hash": "abc", "classes": []}))
    return folder


def _rows(split: str, count: int) -> tuple[dict[str, Any], Raw]:
    rng = np.random.default_rng(len(split))
    number = np.arange(count) % len(taxonomy.FIRST_DETECTION)
    stamps = rng.normal(0, 1, (count, 63, 63, 3)).astype(np.float32)
    stamps[:, 31, 31] += 30 * number[:, None].astype(np.float32)
    table = rng.uniform(0, 1, (count, len(metadata.FEATURES))) + number[:, None]
    plain = {
        "object_id": [f"{split}{i}" for i in range(count)],
        "alert_id": list(range(count)),
        "mjd": [60000.0 + i for i in range(count)],
        "label": [taxonomy.FIRST_DETECTION[i] for i in number],
    }
    return plain, Raw(stamps, table)


@pytest.fixture
def study(data: Path, tmp_path: Path) -> Callable[..., Any]:
    """Return what makes a study of these data."""
    from skystamp.cluster.search import Study

    def make(**changes: Any) -> Study:
        settings: dict[str, Any] = {
            "name": "toy",
            "data": (data,),
            "space": {"learning_rate": [1e-3, 5e-4], "dropout": [0.2, 0.5]},
            "fixed": {"max_iterations": ITERATIONS, "validate_every": 5, "batch": 20, "dropout_at": ["joint"]},
            "first": ({"learning_rate": 1e-3, "dropout": 0.2},),
            "storage": tmp_path / "tune",
            "tracking_uri": f"sqlite:///{tmp_path / 'mlflow.db'}",
            "trials": 2,
            "prune": False,
            "max_failures": 1,
        }
        return Study(**{**settings, **changes})

    return make


def test_a_study_logs_its_trials_registers_the_best_and_is_found_again_by_its_name(study: Callable[..., Any]) -> None:
    from skystamp.cluster import search

    plan = study(trials=1, seeds=2)

    summary = search.search(plan)

    assert (summary.trials, summary.complete, summary.stopped, summary.failed) == (1, 1, 0, ())
    assert (summary.version, summary.alias) == ("1", "champion")
    tracker = tracking.open_tracker("first-detection", plan.tracking_uri)
    (run,) = tracker.children(summary.run)
    assert run.info.status == "FINISHED"
    assert run.data.params["learning_rate"] == "0.001"
    assert run.data.params["data_hash"] == "abc"
    assert {"validation_accuracy", "validation_accuracy_std", "inference_s_batch_1"} <= set(run.data.metrics)
    artifacts = {entry.path for entry in tracker.client.list_artifacts(run.info.run_id)}
    assert {"confusion.png", "curves.png"} <= artifacts
    curve = tracker.client.get_metric_history(run.info.run_id, "accuracy")
    assert [point.step for point in curve] == [5, 10, 15, 20]
    parent = tracker.client.get_run(summary.run)
    assert parent.info.status == "FINISHED"
    assert parent.data.metrics["test_accuracy"] == pytest.approx(summary.test["accuracy"])
    model = tracking.load("first-detection@champion", plan.tracking_uri)
    assert model.bundle.about["test"]["accuracy"] == pytest.approx(summary.test["accuracy"])

    again = search.search(plan)

    assert again.run == summary.run
    assert len(tracker.children(summary.run)) == 1
    assert again.alias == "challenger"


def test_a_trial_that_dies_again_is_reported_and_the_study_ends_well(study: Callable[..., Any]) -> None:
    from skystamp.cluster import search

    tried = ({"learning_rate": 1e-3, "dropout": 0.2}, {"learning_rate": 1e-3, "dropout": 0.5})
    plan = study(first=tried)

    summary = search.search(plan, trainable=_dies_at_high_dropout)

    assert (summary.trials, summary.complete) == (2, 1)
    assert len(summary.failed) == 1
    assert "it should not be 0.5" in summary.failed[0]
    tracker = tracking.open_tracker("first-detection", plan.tracking_uri)
    states = {run.data.params["dropout"]: run.info.status for run in tracker.children(summary.run)}
    assert states == {"0.2": "FINISHED", "0.5": "FAILED"}


def _dies_at_high_dropout(config: dict[str, Any], *, study: Any, shared: Any) -> None:
    """Train, except where drop-out is high: there log a run and die."""
    from ray import tune

    from skystamp.cluster import search

    if config["dropout"] == 0.5:
        search.run_of_trial(shared, tune.get_context().get_trial_id(), config)
        raise ValueError(f"it should not be {config['dropout']}")
    search.trial(config, study=study, shared=shared)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"sampler": "grid"}, "sampler"),
        ({"trials": 0}, "at least one trial"),
        ({"first": ({"dropout": 0.9},)}, "outside"),
    ],
)
def test_a_study_that_can_not_be_is_refused(study: Callable[..., Any], changes: dict[str, Any], word: str) -> None:
    from skystamp.cluster import search
    from skystamp.errors import UsageError

    with pytest.raises(UsageError, match=word):
        search.search(study(**changes))
