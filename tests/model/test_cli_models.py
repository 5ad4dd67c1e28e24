"""`skystamp models`: lists what is registered and moves aliases."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from skystamp import tracking
from skystamp.cli import app
from skystamp.cluster import train
from tests.model.test_train import FAST, data, trained  # noqa: F401  the fixtures

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore:.*Any type hint is inferred as AnyType:UserWarning"),
]


@pytest.fixture
def uri(tmp_path: Path, trained: train.Trained) -> str:  # noqa: F811
    """Return a registry with one bundle registered twice."""
    uri = f"sqlite:///{tmp_path / 'mlflow.db'}"
    tracker = tracking.open_tracker("toy", uri)
    run = tracker.start("training")
    model = tracker.log_bundle(run, trained.folder)
    for _ in range(2):
        version = tracking.register(model, "toy", uri, run=run, tags={"test_accuracy": "0.91"})
        tracking.propose("toy", version, uri)
    return uri


def test_models_are_listed_with_aliases_and_accuracy(uri: str) -> None:
    result = CliRunner().invoke(app, ["models", "--tracking-uri", uri, "--json"])

    found = json.loads(result.stdout)
    assert [(model["version"], model["aliases"]) for model in found] == [("2", ["challenger"]), ("1", ["champion"])]
    assert found[0]["tags"]["test_accuracy"] == "0.91"


def test_promoting_moves_the_alias(uri: str) -> None:
    result = CliRunner().invoke(app, ["models", "promote", "toy", "2", "--tracking-uri", uri])

    assert "toy@champion is version 2, was 1" in result.stdout
    assert tracking.alias_version("toy", "champion", uri) == "2"


def test_a_version_that_is_not_there_is_told_in_one_sentence(uri: str) -> None:
    result = CliRunner().invoke(app, ["models", "promote", "toy", "9", "--tracking-uri", uri])

    assert result.exit_code == 2
    assert "should have a version 9" in result.stderr


def test_an_empty_registry_says_what_fills_it(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["models", "--tracking-uri", f"sqlite:///{tmp_path / 'empty.db'}"])

    assert result.exit_code == 2
    assert "make demo" in result.stderr
