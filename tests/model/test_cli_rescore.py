"""`skystamp rescore` by command: real bundles and a real registry, in this process."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from skystamp import live, tracking
from skystamp.classify import Models
from skystamp.cli import app
from skystamp.store import open_store
from tests import storing
from tests.model.test_tracking import NAME, example, save

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore:.*Any type hint is inferred as AnyType:UserWarning"),
]

__all__ = ["example"]  # a fixture

ALERTS = 3


@pytest.fixture(scope="module")
def uri(tmp_path_factory: pytest.TempPathFactory, example) -> str:
    """Return a registry with two versions of the first-detection model, the first of them champion."""
    folder = tmp_path_factory.mktemp("mlflow")
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    tracker = tracking.open_tracker(NAME, uri)
    for seed in (1, 2):
        run = tracker.start("training")
        model = tracker.log_bundle(run, save(folder / str(seed), example, seed))
        tracking.propose(NAME, tracking.register(model, NAME, uri, run=run), uri)
    return uri


@pytest.fixture
def store(tmp_path: Path, uri: str) -> str:
    """Return a store with three objects that version 1 has answered for."""
    url = f"sqlite:///{tmp_path / 'store.db'}"
    opened = open_store(url)
    alerts = [storing.alert(number, 0.0, f"ZTF20aaaaaa{number}") for number in range(ALERTS)]
    models = Models({NAME: tracking.load(f"{NAME}@champion", uri)})
    live.answer(opened, models, storing.arriving(alerts), now=storing.NOW)
    opened.close()
    return url


def rescore(uri: str, store: str, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["rescore", "--tracking-uri", uri, "--store", store, *arguments])


def outcomes(store: str) -> list[tuple[str, bool]]:
    opened = open_store(store)
    keys = [("ztf", storing.alert(number, 0.0).alert_id) for number in range(ALERTS)]
    found = opened.outcomes(keys)
    opened.close()
    return sorted((one.classification.model_version, one.shadow) for key in keys for one in found[key])


def test_a_champion_that_has_scored_all_has_nothing_to_do(uri: str, store: str) -> None:
    result = rescore(uri, store, "--model", f"{NAME}@champion", "--json")

    (told,) = json.loads(result.stdout)
    assert (result.exit_code, told["unscored"], told["scored"], told["finished"]) == (0, 0, 0, True)


def test_a_challenger_is_scored_in_shadow_and_an_answer_is_asked_for(uri: str, store: str) -> None:
    shadow = rescore(uri, store, "--model", f"{NAME}@challenger", "--json")
    in_shadow = outcomes(store)
    answered = rescore(uri, store, "--model", f"{NAME}/2", "--answer", "--json")

    (told,), (again,) = json.loads(shadow.stdout), json.loads(answered.stdout)
    assert (told["version"], told["shadow"], told["unscored"], told["scored"]) == ("2", True, ALERTS, ALERTS)
    assert in_shadow == [("1", False)] * ALERTS + [("2", True)] * ALERTS
    assert (again["shadow"], again["scored"]) == (False, ALERTS)
    assert outcomes(store) == [("1", False)] * ALERTS + [("2", False)] * ALERTS
    assert f"{NAME} version 2 in shadow: 3 alerts have no score of it" in shadow.stderr
    assert f"{NAME} version 2: 3 scored in " in shadow.stderr


def test_a_dry_run_scores_nothing(uri: str, store: str) -> None:
    result = rescore(uri, store, "--model", f"{NAME}/2", "--dry-run", "--json")

    (told,) = json.loads(result.stdout)
    assert (told["unscored"], told["scored"]) == (ALERTS, 0)
    assert outcomes(store) == [("1", False)] * ALERTS


@pytest.mark.parametrize(
    ("model", "url", "sentence"),
    [
        (f"{NAME}@nobody", "", "has the alias 'nobody'"),
        (f"{NAME}@champion", "sqlite:////nowhere/store.db", "nowhere"),
        ("toy/1", "", "should have a version 1"),
    ],
    ids=["no-alias", "no-store", "no-model"],
)
def test_what_is_not_there_is_told_in_one_sentence(uri: str, store: str, model: str, url: str, sentence: str) -> None:
    result = rescore(uri, url or store, "--model", model)

    assert result.exit_code == 2
    assert sentence in result.stderr
