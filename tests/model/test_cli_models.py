"""`skystamp models`: lists what is registered, promotes through the gate, rolls back, tells the history."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from skystamp import tracking
from skystamp.cli import app
from skystamp.cluster import train
from tests.model.test_train import FAST, data, trained  # noqa: F401  the fixtures

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore:.*Any type hint is inferred as AnyType:UserWarning"),
]

TAGS = {"test_accuracy": "0.91", "test_calibration_error": "0.03", "data_hash": "abc"}
OF_VERSION = {"1": TAGS, "2": TAGS, "3": {**TAGS, "test_accuracy": "0.80"}, "4": {"test_accuracy": "0.95"}}
QUIET = "--max-slowdown=50"  # the machine that runs the tests is not


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, trained: train.Trained) -> Path:  # noqa: F811
    """Return a registry with one bundle registered four times, with other figures, and once broken."""
    folder = tmp_path_factory.mktemp("mlflow")
    uri = f"sqlite:///{folder / 'mlflow.db'}"
    tracker = tracking.open_tracker("toy", uri)
    run = tracker.start("training")
    model = tracker.log_bundle(run, trained.folder)
    for tags in OF_VERSION.values():
        tracking.propose("toy", tracking.register(model, "toy", uri, run=run, tags=tags), uri)
    broken = shutil.copytree(trained.folder, folder / "broken")
    (broken / "model.keras").write_bytes(b"no model")
    tracking.register(tracker.log_bundle(run, broken), "toy", uri, run=run, tags=TAGS)
    tracking.set_alias("toy", "challenger", "2", uri)
    return folder / "mlflow.db"


@pytest.fixture
def uri(made: Path, tmp_path: Path) -> str:
    """Return a copy of it."""
    return f"sqlite:///{shutil.copy(made, tmp_path)}"


def models(uri: str, *arguments: str) -> Result:
    return CliRunner().invoke(app, ["models", *arguments, "--tracking-uri", uri])


def champion(uri: str) -> str | None:
    return tracking.alias_version("toy", "champion", uri)


def test_models_are_listed_with_aliases_and_accuracy(uri: str) -> None:
    found = json.loads(models(uri, "--json").stdout)

    assert [(each["version"], each["aliases"]) for each in found[-2:]] == [("2", ["challenger"]), ("1", ["champion"])]
    assert found[-1]["tags"]["test_accuracy"] == "0.91"


def test_promoting_a_version_as_good_as_the_champion_moves_the_alias_and_is_recorded(uri: str) -> None:
    result = models(uri, "promote", "toy", "2", QUIET, "--by", "ada")

    assert (result.exit_code, result.stderr) == (0, "")
    assert "toy@champion is version 2, was 1" in result.stdout
    assert champion(uri) == "2"
    (told,) = json.loads(models(uri, "history", "toy", "--json").stdout)
    assert (told["from"], told["to"], told["by"], told["overridden"]) == ("1", "2", "ada", "none")
    assert {"new_accuracy", "new_latency_s", "champion_calibration_error"} <= set(told["figures"])
    assert "ada" in models(uri, "history", "toy").stdout


def test_a_worse_version_is_refused_with_its_figure_and_the_alias_stays(uri: str) -> None:
    result = models(uri, "promote", "toy", "3", QUIET)

    assert result.exit_code == 1
    assert "accuracy: the test accuracy should be at least 0.9000" in result.stderr
    assert "toy@champion stays version 1" in result.stderr
    assert champion(uri) == "1"
    assert json.loads(models(uri, "history", "toy", "--json").stdout) == []


def test_thresholds_are_options(uri: str) -> None:
    result = models(uri, "promote", "toy", "3", QUIET, "--max-accuracy-loss", "0.2")

    assert result.exit_code == 0


def test_a_missing_figure_refuses_and_every_reason_has_a_sentence(uri: str) -> None:
    result = models(uri, "promote", "toy", "4", "--no-measure", "--json")

    told = json.loads(result.stdout)
    assert (result.exit_code, told["done"]) == (1, False)
    assert list(told["refused"]) == ["accuracy", "calibration", "latency"]
    assert all(sentence in result.stderr for sentence in told["refused"].values())


def test_an_override_by_name_passes_that_check_alone_and_is_recorded_with_its_reason(uri: str) -> None:
    some = models(uri, "promote", "toy", "4", QUIET, "--override", "accuracy", "--why", "a new camera")
    both = models(
        uri,
        "promote",
        "toy",
        "4",
        QUIET,
        "--override",
        "accuracy",
        "--override",
        "calibration",
        "--why",
        "a new camera",
    )

    assert (some.exit_code, both.exit_code) == (1, 0)
    assert champion(uri) == "4"
    tags = tracking.described("toy", "4", uri).tags
    assert (tags["promotion_overrides"], tags["promotion_why"]) == ("accuracy,calibration", "a new camera")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["promote", "toy", "3", "--override", "accuracy"], "should come with its reason"),
        (["promote", "toy", "3", "--override", "looks", "--why", "x"], "of accuracy, calibration, latency"),
        (["promote", "toy"], "promote needs a model and a version"),
        (["rollback"], "rollback needs a model"),
        (["promote", "toy", "9"], "should have a version 9"),
        (["rollback", "toy"], "no record of one"),
        (["promote", "toy", "5", "--override", "latency", "--why", "x"], "should be a whole bundle"),
    ],
    ids=["no-reason", "no-check", "no-version", "no-name", "not-there", "nothing-before", "broken"],
)
def test_what_can_not_be_done_is_told_in_one_sentence(uri: str, arguments: list[str], sentence: str) -> None:
    result = models(uri, *arguments)

    assert result.exit_code == 2
    assert sentence in result.stderr
    assert champion(uri) == "1"


def test_a_champion_that_does_not_load_can_be_replaced_by_an_override(uri: str) -> None:
    tracking.set_alias("toy", "champion", "5", uri)

    refused = models(uri, "promote", "toy", "2")
    passed = models(uri, "promote", "toy", "2", "--override", "latency", "--why", "it does not load")

    assert (refused.exit_code, passed.exit_code) == (1, 0)
    assert "the latency of the champion should be known" in refused.stderr
    assert champion(uri) == "2"


def test_rolling_back_asks_no_gate(uri: str) -> None:
    models(uri, "promote", "toy", "2", QUIET)

    result = models(uri, "rollback", "toy", "--why", "it misses supernovae", "--json")

    told = json.loads(result.stdout)
    assert (result.exit_code, told["version"], told["before"], told["kind"]) == (0, "1", "2", "rollback")
    assert champion(uri) == "1"


def test_another_alias_is_moved_without_a_gate(uri: str) -> None:
    result = models(uri, "promote", "toy", "4", "--alias", "challenger")

    assert "toy@challenger is version 4, was 2" in result.stdout


def test_an_empty_registry_says_what_fills_it(tmp_path: Path) -> None:
    result = models(f"sqlite:///{tmp_path / 'empty.db'}")

    assert result.exit_code == 2
    assert "make demo" in result.stderr
