"""cluster.search: small studies on the shared cluster, their runs in MLflow, their models in the registry."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from skystamp import taxonomy, tracking
from skystamp.errors import UsageError
from tests import prepared

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
    """Return prepared data of five classes that their brightness tells apart, two detections of each object."""
    return prepared.toy(tmp_path_factory.mktemp("prepared"), {"train": 60, "validation": 20, "test": 20})


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
    assert (again.version, again.alias) == ("1", "champion"), "a study that had ended registers nothing anew"


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
        ({"choose": "cheapest"}, "choose"),
        ({"sampler": "nsga2"}, "two objectives"),
        ({"cheap": True, "prune": True}, "no pruning"),
        ({"configurations": {"a": {}}}, "not both"),
        ({"space": {}, "first": ()}, "not both"),
        ({"model": "temporal-9"}, "temporal-9"),
        ({"space": {"cell": ["lstm"]}, "first": ()}, "cell"),
    ],
)
def test_a_study_that_can_not_be_is_refused(study: Callable[..., Any], changes: dict[str, Any], word: str) -> None:
    from skystamp.cluster import search

    with pytest.raises(UsageError, match=word):
        search.search(study(**changes))


TINY = {"crop": 21, "k": 1, "theta": 0.0, "kernel": 3, "batch": 12, "max_iterations": 6, "validate_every": 3}


def test_a_study_of_sequences_tries_every_configuration_and_registers_the_fastest_of_equals(
    study: Callable[..., Any],
) -> None:
    import mlflow

    from skystamp.cluster import search
    from skystamp.cluster.data import shards

    cells = {"conv1d 2": {"cell": "conv1d", "window": 2, "units": 8}, "gru 8x1": {"cell": "gru", "units": 8}}
    plan = study(
        name="toy-sequences",
        model="temporal-2",
        space={},
        first=(),
        configurations=cells,
        fixed=TINY,
        seeds=2,
        choose=search.FASTEST_OF_EQUALS,
        test_each=True,
    )

    summary = search.search(plan)

    assert (summary.trials, summary.complete, summary.failed) == (2, 2, ())
    assert (summary.version, summary.alias, summary.classes) == ("1", "champion", taxonomy.TEMPORAL)
    assert {tried.name: tried.settings for tried in summary.tried} == cells
    assert [len(tried.values("test_accuracy")) for tried in summary.tried] == [2, 2]
    assert not summary.choice.testable
    assert summary.best["cell"] == cells[summary.choice.chosen]["cell"]
    tracker = tracking.open_tracker("temporal-2", plan.tracking_uri)
    runs = tracker.children(summary.run)
    assert {run.data.params["configuration"]: run.data.tags["chosen"] for run in runs} == {
        name: str(name == summary.choice.chosen) for name in cells
    }
    each = tracker.client.get_metric_history(runs[0].info.run_id, "seed_validation_balanced_accuracy")
    assert [point.step for point in each] == [0, 1]
    mean = np.mean([point.value for point in each])
    assert runs[0].data.metrics["validation_balanced_accuracy"] == pytest.approx(mean)
    assert runs[0].data.params["cell"] == cells[runs[0].data.params["configuration"]]["cell"]
    assert {"p_against_best", "inference_s_batch_1", "test_accuracy"} <= set(runs[0].data.metrics)
    artifacts = {entry.path for entry in tracker.client.list_artifacts(summary.run)}
    assert {"configurations.md", "configurations.json"} <= artifacts
    model = tracking.load("temporal-2@champion", plan.tracking_uri)
    assert model.bundle.about["settings"]["cell"] == summary.best["cell"]
    raw = shards.load_sequences(plan.data[0], "test", 2).raw
    mlflow.set_tracking_uri(plan.tracking_uri)
    answers = mlflow.pyfunc.load_model("models:/temporal-2@champion").predict(raw.arrays())
    np.testing.assert_array_equal(answers, model.bundle.predict(raw))
    with pytest.raises(UsageError, match="Received: other configurations"):
        search.search(dataclasses.replace(plan, configurations={"gru 8x1": cells["gru 8x1"]}))


def test_a_study_does_not_go_on_with_other_data_under_its_name(study: Callable[..., Any], tmp_path: Path) -> None:
    from skystamp.cluster.search import driver

    plan, other = study(), tmp_path / "other"
    other.mkdir()
    (other / "manifest.json").write_text('{"name": "toy", "hash": "abd"}')
    tracker = tracking.open_tracker("first-detection", plan.tracking_uri)
    begun = driver._parent(plan, tracker)

    assert driver._parent(plan, tracker) == begun
    with pytest.raises(UsageError, match="Received: other data"):
        driver._parent(dataclasses.replace(plan, data=(other,)), tracker)


def test_asha_never_stops_a_trial_past_a_third_of_its_length() -> None:
    """It would lose the bundle, which a trial logs at its end: each trial here is worse than all before it."""
    stopped = _stops(length=750, validate_every=25, trials=12)

    assert stopped
    assert set(stopped) <= {100, 250}


def test_asha_looks_at_a_trial_once_a_rung() -> None:
    """Reports so far apart that one passes both rungs: the lower is not looked at afterwards."""
    assert set(_stops(length=900, validate_every=300, trials=6)) == {300}


def test_a_trial_that_reports_only_at_its_end_is_never_stopped() -> None:
    from skystamp.cluster.search.tuner import scheduler

    assert scheduler(750, 750) is None


def _stops(length: int, validate_every: int, trials: int) -> list[int]:
    """Return the iterations at which ASHA stops trials, each a little worse than the one before it."""
    from skystamp.cluster.search.tuner import scheduler

    asha, stops = scheduler(length, validate_every), []
    assert asha is not None
    for number in range(trials):
        one = SimpleNamespace(trial_id=str(number))
        asha.on_trial_add(None, one)
        for iteration in range(validate_every, length + 1, validate_every):
            found = {"iteration": iteration, "balanced_accuracy": 0.5 + iteration / 1e4 - number / 100}
            if asha.on_trial_result(None, one, found) == "STOP":
                stops.append(iteration)
                break
    return stops


def _tried(name: str, scores: list[float]) -> Any:
    from skystamp.cluster.search import Tried

    each = tuple({f"{split}_balanced_accuracy": value for split in ("validation", "test")} for value in scores)
    return Tried(name, {}, "run", each, {"inference_s_batch_1": 2e-3, "inference_s_batch_64": 5e-5})


def test_a_table_gives_accuracy_spread_times_and_p_and_marks_what_was_chosen() -> None:
    from skystamp.cluster.search import table

    tried = [_tried("lstm 8x1", [0.9, 0.92]), dataclasses.replace(_tried("conv1d 2", [0.5]), p=2e-5)]

    text = table.markdown([{"n": 2, **row} for row in table.rows(tried, "lstm 8x1")], ["n"])

    assert text.splitlines() == [
        "| n | configuration | trainings | validation | test | ms single | ms in 64 | p |  |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
        "| 2 | **lstm 8x1** | 2 | 0.9100 ± 0.0141 | 0.9100 ± 0.0141 | 2.00 | 0.050 | 1.000 | chosen |",
        "| 2 | conv1d 2 | 1 | 0.5000 | 0.5000 | 2.00 | 0.050 | 2.0e-05 |  |",
    ]


def test_rows_are_plain_json() -> None:
    from skystamp.cluster.search import table

    (row,) = json.loads(json.dumps(table.rows([_tried("a", [0.5])], "a")))

    assert (row["validation"], row["validation_spread"], row["chosen"]) == (0.5, None, True)


def test_an_ablation_compares_everything_with_the_whole_model_on_test() -> None:
    from tune_jobs import temporal_ablation

    whole, images = [0.9, 0.91, 0.92, 0.93], [0.7, 0.71, 0.72, 0.73]
    tried = [_tried("images", images), _tried("both", whole[::-1]), _tried(temporal_ablation.WHOLE, whole)]

    found = temporal_ablation.against_whole(tried)

    assert {each.name: each.p for each in found} == {temporal_ablation.WHOLE: 1.0, "both": 1.0, "images": 2 / 70}
    assert [each.name for each in found] == [temporal_ablation.WHOLE, "both", "images"]


def test_arrays_that_are_the_same_lie_in_the_object_store_once() -> None:
    from skystamp.cluster.search import sharing

    known: dict[bytes, Any] = {}
    one, same, other = np.zeros((2, 3), np.float32), np.zeros((2, 3), np.float32), np.zeros((3, 2), np.float32)

    references = [sharing._put(array, known) for array in (one, same, other)]

    assert references[0] == references[1] != references[2]


def test_every_combination_of_the_pareto_study_is_a_network() -> None:
    """Crops share their centre pixel with what the network is fed, and that with the whole stamp."""
    from skystamp.cluster.families.configuration import fed_side
    from tune_jobs import pareto

    sides = {
        (crop, fed_side(crop, k, theta))
        for crop in pareto.SPACE["crop"]
        for k in pareto.SPACE["k"]
        for theta in pareto.SPACE["theta"]
    }

    assert [(crop, side) for crop, side in sides if (side - crop) % 2 or (63 - side) % 2 or crop > side] == []


def test_images_only_has_the_recall_of_each_class_and_p_against_both() -> None:
    from tune_jobs import images_only

    def tried(name: str, scores: list[float]) -> Any:
        recalls = [{"test_recall_SN": value, "test_recall_VS": 1 - value} for value in scores]
        made = _tried(name, scores)
        each = tuple({**score, **recall} for score, recall in zip(made.scores, recalls, strict=True))
        return dataclasses.replace(made, scores=each)

    good, bad = [0.90, 0.91, 0.92, 0.93], [0.80, 0.81, 0.82, 0.83]

    found = images_only.rows_of([tried("images", bad), tried(images_only.BOTH, good)], ("SN", "VS"))

    assert [each["configuration"] for each in found] == [images_only.BOTH, "images"]
    assert [each["p_both"] for each in found] == pytest.approx([1.0, 2 / 70])
    assert found[1]["recall_SN"] == pytest.approx(0.815)
    assert "| 0.815 | 0.185 | 0.029 |" in images_only.markdown(found, ("SN", "VS"))


def _result(error: Exception | None = None, **metrics: Any) -> Any:
    return SimpleNamespace(metrics=metrics, error=error)


def test_a_study_that_was_interrupted_does_not_conclude(study: Callable[..., Any]) -> None:
    """Tune returns what it has when it is interrupted, as if the running trials had been stopped early."""
    from skystamp.cluster.search import driver

    plan = study(trials=3)
    ended = [_result(complete=True), _result(done=True, complete=False), _result(ValueError("it died"))]

    driver.require_ended(plan, ended)

    for running in (ended[:2], [*ended[:2], _result(complete=False, done=False)], [*ended[:2], _result()]):
        with pytest.raises(UsageError, match="Received: an interruption"):
            driver.require_ended(plan, running)
