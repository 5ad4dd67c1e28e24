"""`skystamp drift` from a bundle and packets to its exit status: another draw, another sky, a bundle of old."""

import json
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
import pytest
import typer.testing

from skystamp import avro, bundle, distributions, inputs, live, night, surveys, taxonomy
from skystamp.classify import Models
from skystamp.cli import app
from skystamp.cli.drift import mjd_of
from skystamp.errors import UsageError
from skystamp.inputs import InputSpec
from skystamp.store import open_store
from tests import making

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow"),
    pytest.mark.filterwarnings("ignore:The ``noload`` loader:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # MLflow leaves SQLite connections to the collector
    pytest.mark.filterwarnings("ignore:.*Any type hint is inferred as AnyType:UserWarning"),
]

SIZE = 160


def records(seed: int, *, fwhm: float = 2.0) -> list[dict[str, Any]]:
    """Return the packets of a night of objects, of which some numbers vary."""
    rng = np.random.default_rng(seed)
    return [
        making.record(
            i % 7,
            {
                "candid": 1000 * seed + i,
                "jd": 2459000.5 + i / SIZE,
                "fwhm": float(rng.normal(fwhm, 0.3)),
                "magpsf": float(rng.normal(18.5, 1.0)),
                "ndethist": int(rng.integers(1, 4)),
            },
            objectId=f"ZTF20dr{seed}x{i}",
            candid=1000 * seed + i,
        )
        for i in range(SIZE)
    ]


def written(folder: Path, made: list[dict[str, Any]]) -> Path:
    folder.mkdir()
    (folder / "night.avro").write_bytes(making.packet(*made))
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an untrained bundle with the distributions of a first night."""
    from skystamp.models import stamp

    made = tmp_path_factory.mktemp("drift") / "bundle"
    collected, _, _ = inputs.collect([surveys.read(record, "ztf.alert") for record in records(1)])
    spec = InputSpec().fitted(collected)
    network = stamp.build(stamp.StampConfig(k=1), seed=1)
    bundle.save(
        made,
        network,
        name="first-detection",
        spec=spec,
        classes=taxonomy.FIRST_DETECTION,
        example=collected.take(slice(0, 4)),
        about={},
        card="# toy",
    )
    loaded = bundle.load(made)
    found = night.of_packets(avro.read(making.packet(*records(1))), loaded)
    distributions.measured(found.names, found.numbers, found.fills, found.probabilities, loaded.classes).save(made)
    return made


def drift(folder: Path, *arguments: str | Path) -> tuple[int, Any]:
    uri = f"sqlite:///{folder.parent / 'mlflow.db'}"
    command = ["drift", "--model", str(folder), "--tracking-uri", uri, "--json", *map(str, arguments)]
    result = typer.testing.CliRunner().invoke(app, command)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.exit_code, json.loads(result.stdout) if result.exit_code < 2 else result.stderr


def test_another_draw_of_the_same_sky_is_no_drift(folder: Path, tmp_path: Path):
    status, told = drift(folder, "--data", written(tmp_path / "same", records(2)), "--no-track")

    assert (status, told["drifted"], told["objects"], told["notes"]) == (0, [], SIZE, [])


def test_worse_seeing_is_drift_and_mlflow_has_the_table(folder: Path, tmp_path: Path):
    status, told = drift(folder, "--data", written(tmp_path / "shifted", records(3, fwhm=3.0)))

    assert status == 1
    assert "fwhm" in told["drifted"]
    assert told["rows"][0]["name"] == "fwhm"
    client = mlflow.MlflowClient(f"sqlite:///{folder.parent / 'mlflow.db'}")
    (run,) = client.search_runs([client.get_experiment_by_name("drift").experiment_id])
    assert run.data.metrics["psi/metadata/fwhm"] == pytest.approx(told["rows"][0]["psi"])
    assert {file.path for file in client.list_artifacts(run.info.run_id)} == {"drift.json", "drift.md"}


def test_a_store_is_compared_by_the_answers_it_has(folder: Path, tmp_path: Path):
    from skystamp import tracking

    url = f"sqlite:///{tmp_path / 'store.db'}"
    model = tracking.load(str(folder), "sqlite://")
    opened = open_store(url)
    live.answer(opened, Models({model.name: model}), live.arrivals(making.packet(*records(4))), now=1.0)
    opened.close()
    span = ("--store", url, "--since", "2020-05-31", "--until", "2020-06-02", "--no-track")

    status, told = drift(folder, *span)

    assert (status, told["objects"]) == (0, SIZE)
    _, told = drift(folder, *span, "--max-packets", str(SIZE - 1))
    assert told["notes"][0].startswith(f"the first {SIZE - 1} alone were read")
    status, sentence = drift(folder, *span, "--min-alerts", "500")
    assert (status, "should be 500 objects at least" in sentence) == (2, True)


def test_a_bundle_without_distributions_says_so_and_is_compared_with_packets(folder: Path, tmp_path: Path):
    old = tmp_path / "old"
    old.mkdir()
    for file in folder.iterdir():
        if file.name != distributions.FILE:
            (old / file.name).write_bytes(file.read_bytes())
    same, shifted = written(tmp_path / "a", records(5)), written(tmp_path / "b", records(6, fwhm=3.0))

    status, sentence = drift(old, "--data", same)

    assert (status, "keeps no distributions" in sentence) == (2, True)
    status, told = drift(old, "--data", same, "--against", shifted, "--no-track")
    assert (status, told["rows"][0]["name"]) == (1, "fwhm")


@pytest.mark.parametrize(
    ("text", "mjd"),
    [
        ("59000.5", 59000.5),
        ("2020-05-31", 59000.0),
        ("2020-05-31T12:00:00", 59000.5),
        ("2020-05-31T14:00+02:00", 59000.5),
    ],
    ids=["mjd", "date", "time", "zone"],
)
def test_a_time_is_a_date_or_an_mjd(text: str, mjd: float):
    assert mjd_of(text) == pytest.approx(mjd)


def test_a_time_that_is_none_is_wrong_use():
    with pytest.raises(UsageError, match="should be a date"):
        mjd_of("yesterday")
