"""The commands: what `--help` shows, what wrong use says, and what simulate does, all without a cluster."""

import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from skystamp.cli import app
from skystamp.cli.prepare import about_sequences, beside, changed
from skystamp.cli.simulate import priors
from skystamp.errors import UsageError
from skystamp.manifest import DatasetManifest
from tests import faking, making

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
        (["classify", "/no/such/file.avro", "--out", "OUT.parquet"], "needs --model, once for each of several"),
        (["classify", "/no", "--model", "m", "--routed", "champion", "--out", "OUT.parquet"], "and not both"),
        (["fly"], "No such command"),
    ],
    ids=[
        "codec",
        "weight",
        "number",
        "no-recipe",
        "no-packets",
        "no-path",
        "no-parquet",
        "no-model",
        "two-ways",
        "no-command",
    ],
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


def test_classify_answers_by_all_models_that_have_the_alias(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from skystamp import tracking

    known = {"first-detection/7": faking.model(), "temporal-2/3": faking.temporal(2)}
    versions = {"first-detection": "7", "temporal-2": "3"}
    monkeypatch.setattr(tracking, "load", lambda reference, _: known[reference])
    monkeypatch.setattr(tracking, "alias_version", lambda name, *_: versions.get(name))
    days = (0.0, 1.0, 1.1)
    records = [making.record(i, {"jd": 2459000.5 + day}, objectId="ZTF20a") for i, day in enumerate(days)]
    (tmp_path / "a.avro").write_bytes(making.packet(*records))
    out = tmp_path / "out.parquet"

    result = run(app, ["classify", str(tmp_path), "--routed=champion", f"--out={out}", "--tracking-uri=sqlite://"])

    assert result.exit_code == 0, result.output
    said = " ".join(result.output.split())
    assert "Models: first-detection/7, temporal-2/3" in said
    assert "first-detection 7 answered 1 packets of 1 objects" in said
    assert "temporal-2 3 answered 2 packets of 1 objects" in said
    rows = pq.read_table(out).to_pydict()
    assert rows["n_detections"] == [1, 2, 2]
    assert ["too_close" in flags for flags in rows["flags"]] == [False, False, True]


def test_one_model_answers_each_packet_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from skystamp import tracking

    monkeypatch.setattr(tracking, "load", lambda *_: faking.model())
    records = [making.record(i, {"jd": 2459000.5 + i}, objectId="ZTF20a") for i in range(2)]
    (tmp_path / "a.avro").write_bytes(making.packet(*records))
    out = tmp_path / "out.parquet"

    result = run(app, ["classify", str(tmp_path), "--model=first-detection@champion", f"--out={out}"])

    assert result.exit_code == 0, result.output
    assert pq.read_table(out)["n_detections"].to_pylist() == [1, 1]
    assert "answered" not in result.output


def test_a_preparation_says_how_long_sequences_are() -> None:
    none = {"1": 0, "2": 0, "3": 0, "4": 0, "5": 0, "more": 0}
    objects = {"train": {"SN": {**none, "1": 4, "3": 2}}, "test": {"SN": {**none, "more": 1}}}

    said = about_sequences({"objects": objects, "left_out": {"too_close": 9}})

    assert said == (
        "Objects by detections in sequence: all 7, 2 or more 3, 3 or more 3, 4 or more 1, 5 or more 1. "
        "Detections left out: 9 too_close"
    )
