"""tracking: runs, and models by name, version and alias, in a real MLflow on SQLite."""

from pathlib import Path

import numpy as np
import pytest

from skystamp import bundle, inputs, metadata, taxonomy, tracking
from skystamp.errors import BundleError, UsageError
from skystamp.inputs import InputSpec, Raw
from skystamp.models.stamp import StampConfig, build

NAME = "first-detection"

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # MLflow leaves SQLite connections to the collector
    pytest.mark.filterwarnings("ignore:.*Any type hint is inferred as AnyType:UserWarning"),  # of MLflow's own types
]


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"sqlite:///{tmp_path_factory.mktemp('mlflow') / 'mlflow.db'}"


@pytest.fixture(scope="module")
def example() -> Raw:
    rng = np.random.default_rng(0)
    stamps = rng.normal(100, 10, (4, 63, 63, 3)).astype(np.float32)
    return Raw(stamps, rng.uniform(0.1, 1, (4, len(metadata.FEATURES))))


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory, example: Raw) -> Path:
    return save(tmp_path_factory.mktemp("bundle"), example, seed=0)


def save(folder: Path, example: Raw, seed: int) -> Path:
    spec = inputs.fitted(InputSpec(), example.metadata)
    model = build(StampConfig(), seed=seed)
    classes = taxonomy.FIRST_DETECTION
    return bundle.save(folder, model, name=NAME, spec=spec, classes=classes, example=example, about={}, card="# card")


@pytest.fixture(scope="module")
def versions(uri: str, saved: Path, tmp_path_factory: pytest.TempPathFactory, example: Raw) -> list[str]:
    """Register two models and return the aliases that they were given."""
    tracker = tracking.open_tracker(NAME, uri)
    folders = [saved, save(tmp_path_factory.mktemp("other"), example, seed=1)]
    given = []
    for folder in folders:
        run = tracker.start("training")
        model = tracker.log_bundle(run, folder, {"accuracy": 0.5})
        version = tracking.register(model, NAME, uri, run=run, tags={"test_accuracy": "0.5"})
        given.append(tracking.propose(NAME, version, uri))
        tracker.finish(run)
    return given


def test_the_first_version_becomes_champion_and_the_next_challenger(versions: list[str]) -> None:
    assert versions == ["champion", "challenger"]


def test_a_reference_by_alias_version_or_folder_gives_the_same_model(
    versions: list[str], uri: str, saved: Path, example: Raw
) -> None:
    expected = bundle.load(saved).predict(example)

    by_alias, by_version, by_folder = (tracking.load(r, uri) for r in (f"{NAME}@champion", f"{NAME}/1", str(saved)))

    assert (by_alias.name, by_alias.version, by_version.version) == (NAME, "1", "1")
    assert by_folder.version.startswith("local-")
    for model in (by_alias, by_version, by_folder):
        np.testing.assert_array_equal(model.bundle.predict(example), expected)


def test_mlflow_itself_loads_the_model_and_answers_the_same(
    versions: list[str], uri: str, saved: Path, example: Raw
) -> None:
    import mlflow

    mlflow.set_tracking_uri(uri)
    loaded = mlflow.pyfunc.load_model(f"models:/{NAME}@champion")

    answers = loaded.predict({"stamps": example.stamps, "metadata": example.metadata})

    np.testing.assert_array_equal(answers, bundle.load(saved).predict(example))


def test_nothing_of_a_registered_model_is_pickled(versions: list[str], uri: str) -> None:
    folder = tracking.resolve(f"{NAME}@champion", uri).folder

    names = {path.name for path in folder.parent.parent.rglob("*") if path.is_file()}

    assert {"bundle.json", "spec.json", "model.keras", "example.npz", "card.md"} <= names
    assert not [name for name in names if name.endswith((".pkl", ".pickle"))]


def test_an_alias_that_is_moved_names_the_other_version(versions: list[str], uri: str) -> None:
    tracking.set_alias(NAME, "night", "1", uri)
    tracking.set_alias(NAME, "night", "2", uri)

    assert tracking.alias_version(NAME, "night", uri) == "2"
    assert tracking.alias_version(NAME, "absent", uri) is None
    assert tracking.alias_version("absent", "night", uri) is None


def test_registered_models_are_listed_newest_first(versions: list[str], uri: str) -> None:
    found = tracking.registered(uri)

    assert [(model.version, "champion" in model.aliases) for model in found] == [("2", False), ("1", True)]
    assert found[0].tags["test_accuracy"] == "0.5"


@pytest.mark.parametrize("reference", ["first-detection@absent", "absent/1", "first-detection/99", "no such thing"])
def test_a_reference_that_nothing_answers_to_is_refused(versions: list[str], uri: str, reference: str) -> None:
    with pytest.raises(UsageError):
        tracking.resolve(reference, uri)


def test_an_alias_of_an_absent_version_is_refused(versions: list[str], uri: str) -> None:
    with pytest.raises(UsageError, match="should have a version 99"):
        tracking.set_alias(NAME, "champion", "99", uri)


def test_a_bundle_that_answers_differently_does_not_load(tmp_path: Path, example: Raw) -> None:
    folder = save(tmp_path, example, seed=0)
    spec = InputSpec.from_json((folder / "spec.json").read_text())
    moved = inputs.fitted(spec, example.metadata + 1)
    (folder / "spec.json").write_text(moved.to_json())

    with pytest.raises(BundleError, match="within"):
        tracking.load(str(folder), "sqlite:///:memory:")


def test_a_run_nests_logs_and_ends_once(uri: str) -> None:
    tracker = tracking.open_tracker("runs", uri)
    parent = tracker.start("study")
    child = tracker.start("trial", parent=parent)

    tracker.log(child, params={"crop": 21}, metrics={"accuracy": 0.5, "nothing": float("nan")})
    tracker.log_curves(child, {"iteration": [10.0, 20.0], "loss": [2.0, 1.0]})
    tracker.finish(child, "KILLED")
    tracker.finish(child, "FINISHED")

    (found,) = tracker.children(parent)
    assert (found.info.run_id, found.info.status) == (child, "KILLED")
    assert found.data.params == {"crop": "21"}
    assert found.data.metrics == {"accuracy": 0.5, "loss": 1.0}
    assert tracker.find("study") == parent
    assert tracker.find("trial") is None
    assert tracking.open_tracker("runs", uri) == tracker
