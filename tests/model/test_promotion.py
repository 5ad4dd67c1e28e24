"""tracking.promotion: moves of `champion`, recorded in a real MLflow on SQLite, and undone."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import mlflow
import pytest

from skystamp import tracking
from skystamp.errors import UsageError
from skystamp.tracking import promotion
from skystamp.tracking.gate import Figures, Thresholds
from skystamp.tracking.promotion import ROLLBACK, Move

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore:.*Any type hint is inferred as AnyType:UserWarning"),
]

NAME = "toy"
NOW = datetime(2026, 11, 21, 13, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a registry with four versions that hold nothing, the first of them champion, the second challenger."""
    path = tmp_path_factory.mktemp("mlflow") / "mlflow.db"
    uri = f"sqlite:///{path}"
    tracker = tracking.open_tracker(NAME, uri)
    client = mlflow.MlflowClient(uri, uri)
    client.create_registered_model(NAME)
    for number in range(1, 5):
        run = tracker.start("training")
        tracker.log(run, metrics={"test_accuracy": 0.9, "inference_s_batch_1": 0.002})
        tags = {"data_hash": "abc", "test_calibration_error": "0.0300"}
        client.create_model_version(NAME, source=f"file:///nowhere/{number}", run_id=run, tags=tags)
    tracking.set_alias(NAME, "champion", "1", uri)
    tracking.set_alias(NAME, "challenger", "2", uri)
    return path


@pytest.fixture
def uri(made: Path, tmp_path: Path) -> str:
    """Return a copy of it, for MLflow takes long to make its tables."""
    return f"sqlite:///{shutil.copy(made, tmp_path)}"


def move(uri: str, version: str, **changes) -> str:
    before = tracking.alias_version(NAME, "champion", uri)
    return promotion.make(Move(NAME, version, before, "ada", **changes), uri, now=NOW)


def roll_back(uri: str) -> str:
    version = promotion.champion_before(NAME, uri)
    move(uri, version, kind=ROLLBACK)
    return version


def champion(uri: str) -> str | None:
    return tracking.alias_version(NAME, "champion", uri)


def test_figures_are_those_that_a_version_was_registered_with(uri: str) -> None:
    assert promotion.recorded(NAME, "2", uri) == Figures(0.9, 0.03, 0.002, "abc")


def test_a_promotion_moves_the_alias_and_ends_the_challenge(uri: str) -> None:
    move(uri, "2")

    assert champion(uri) == "2"
    assert tracking.alias_version(NAME, "challenger", uri) is None


def test_another_versions_challenge_goes_on(uri: str) -> None:
    move(uri, "3")

    assert tracking.alias_version(NAME, "challenger", uri) == "2"


def test_who_when_what_and_why_are_recorded_with_the_version_and_in_a_run(uri: str) -> None:
    figures, before = Figures(0.85, 0.03, 0.002, "abc"), Figures(0.9, 0.05, 0.001, "abc")

    run = move(
        uri,
        "2",
        why="a new camera",
        overridden=("accuracy",),
        refused={"accuracy": "it is worse"},
        figures=figures,
        champion=before,
        allowed=Thresholds(),
    )

    tags = tracking.described(NAME, "2", uri).tags
    assert {name: tags[name] for name in tags if name.startswith("promot")} == {
        "promoted_at": "2026-11-21T13:00:00+00:00",
        "promoted_by": "ada",
        "promoted_from": "1",
        "promotion_kind": "promotion",
        "promotion_run": run,
        "promotion_overrides": "accuracy",
        "promotion_why": "a new camera",
    }
    (told,) = promotion.history(NAME, uri)
    assert (told["from"], told["to"], told["by"], told["done"]) == ("1", "2", "ada", True)
    assert (told["overridden"], told["why"]) == ("accuracy", "a new camera")
    assert told["figures"]["new_accuracy"] == 0.85
    assert told["figures"]["champion_latency_s"] == 0.001


def test_rolling_back_goes_to_the_champion_before_and_then_to_the_one_before_that(uri: str) -> None:
    move(uri, "2")
    move(uri, "3")

    went = [roll_back(uri), roll_back(uri)]

    assert went == ["2", "1"]
    assert champion(uri) == "1"
    with pytest.raises(UsageError, match="no record of one"):
        promotion.champion_before(NAME, uri)
    assert [each["kind"] for each in promotion.history(NAME, uri)] == ["rollback", "rollback", "promotion", "promotion"]


def test_a_champion_that_was_set_by_other_means_is_left_for_the_last_that_is_recorded(uri: str) -> None:
    move(uri, "2")
    tracking.set_alias(NAME, "champion", "4", uri)

    assert roll_back(uri) == "2"
    assert roll_back(uri) == "1"


def test_one_that_was_set_by_other_means_is_rolled_back_to_when_it_was_champion_before(uri: str) -> None:
    move(uri, "2")
    tracking.set_alias(NAME, "champion", "4", uri)
    move(uri, "3")

    assert [roll_back(uri), roll_back(uri), roll_back(uri)] == ["4", "2", "1"]


def test_a_version_that_is_champion_again_is_rolled_back_from_to_the_one_between(uri: str) -> None:
    move(uri, "2")
    move(uri, "1")

    assert roll_back(uri) == "2"


def test_a_version_that_is_not_there_moves_and_records_nothing(uri: str) -> None:
    with pytest.raises(UsageError, match="should have a version 9"):
        move(uri, "9")

    assert champion(uri) == "1"
    assert promotion.history(NAME, uri) == []


def test_the_version_that_answers_is_noted_with_the_model(uri: str) -> None:
    assert tracking.load_answering(NAME, "champion", uri) is None

    tracking.note_answering(NAME, "champion", "2", uri)

    assert promotion.champions(NAME, uri) == []
    with pytest.raises(UsageError, match=r"should have a version 2|No such|nowhere"):
        tracking.load_answering(NAME, "champion", uri)  # of these versions there are no files
