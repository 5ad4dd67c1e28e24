"""The commands: what `--help` shows, what wrong use says, and what simulate does, all without a cluster."""

import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from skystamp.cli import app
from skystamp.cli.prepare import beside, changed
from skystamp.cli.simulate import priors
from skystamp.errors import UsageError
from skystamp.manifest import DatasetManifest

RECIPES = Path(__file__).parents[3] / "datasets"
RECIPE = DatasetManifest("x", qualities={"SN": ("strong",)}, table="index.csv")
run = CliRunner().invoke


def test_help_shows_every_command_with_a_sentence() -> None:
    names = [command.name or command.callback.__name__ for command in app.registered_commands if command.callback]

    result = run(app, ["--help"])

    assert result.exit_code == 0
    assert {"simulate", "prepare", "classify", "demo"} <= set(names)
    for name in names:
        line = next(line for line in result.output.splitlines() if line.strip().startswith(name))
        assert len(line.split()) > 3


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys, skystamp.cli; "
        "print([m for m in ('ray', 'tensorflow', 'keras', 'mlflow', 'galsim', 'pandas', 'numpy') if m in sys.modules])"
    )

    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
    assert time.perf_counter() - start < 10  # 0.3 s on an idle machine


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["simulate", "--objects", "3", "--out", "OUT", "--codec", "zip"], "the codec should be one of"),
        (["simulate", "--objects", "3", "--out", "OUT", "--classes", "SN=x"], "a class's weight should be a number"),
        (["simulate", "--objects", "0", "--out", "OUT"], "--objects"),
        (["prepare", "nothing", "--out", "OUT", "--recipes", str(RECIPES)], "should be a TOML file"),
        (
            ["prepare", "labelled_ztf", "--out", "OUT", "--recipes", str(RECIPES)],
            "give their files or folder by --from",
        ),
        (["classify", "/no/such/file.avro", "--model", "m", "--out", "OUT.parquet"], "the path should exist"),
        (["classify", "/no/such/file.avro", "--model", "m", "--out", "OUT.csv"], "should end in .parquet"),
        (["fly"], "No such command"),
    ],
    ids=["codec", "weight", "number", "no-recipe", "no-packets", "no-path", "no-parquet", "no-command"],
)
def test_wrong_use_says_what_to_do_and_ends_with_status_two(
    arguments: list[str], sentence: str, tmp_path: Path
) -> None:
    result = run(app, [argument.replace("OUT", str(tmp_path / "out")) for argument in arguments])

    assert result.exit_code == 2
    assert sentence in result.output
    assert "Traceback" not in result.output


def test_simulate_writes_shards_and_says_so_and_keeps_them(tmp_path: Path) -> None:
    arguments = ["simulate", "--objects=3", f"--out={tmp_path}", "--classes=VS", "--shard-objects=2", "--workers=0"]

    first, second = run(app, arguments), run(app, arguments)

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert sorted(path.name for path in tmp_path.glob("*.avro")) == ["00000000.avro", "00000002.avro"]
    assert (tmp_path / "labels.csv").read_text().count(",VS,") == 3
    assert "2 of 2 shards were there already" in second.output


def test_classes_may_have_weights() -> None:
    assert priors("AGN, SN=2.5,bogus=0") == {"AGN": 1.0, "SN": 2.5, "bogus": 0.0}


def test_the_command_line_changes_a_recipe() -> None:
    recipe = changed(RECIPE, 5, None, ["SN=", "AGN=strong,medium"])

    assert (recipe.validation, recipe.test) == (5, 100)
    assert recipe.qualities == {"AGN": ("strong", "medium")}


@pytest.mark.parametrize("item", ["SN", "TDE=strong"])
def test_a_quality_of_no_class_is_refused(item: str) -> None:
    with pytest.raises(UsageError, match="CLASS=QUALITY"):
        changed(RECIPE, None, None, [item])


def test_labels_lie_beside_the_packets_unless_the_recipe_says_nothing() -> None:
    assert beside(RECIPE, "s3://bucket/night/") == "s3://bucket/night/index.csv"
    with pytest.raises(UsageError, match="--labels"):
        beside(DatasetManifest("x"), "night")
