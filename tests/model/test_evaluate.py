"""Models and prepared data to a page, by the commands: networks that learned nothing, data of a few objects."""

import json

import numpy as np
import pytest
from typer.testing import CliRunner

from skystamp import bundle, inputs, metadata, taxonomy, tracking
from skystamp.cli import app
from skystamp.cluster import evaluate
from skystamp.cluster.data import shards
from skystamp.errors import UsageError
from skystamp.inputs import InputSpec, Raw, SequenceSpec
from skystamp.models import stamp, temporal
from skystamp.models.stamp import StampConfig
from skystamp.models.temporal import TemporalConfig

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning:mlflow"),
    pytest.mark.filterwarnings("ignore:The ``noload`` loader:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),  # MLflow leaves SQLite connections to the collector
    pytest.mark.filterwarnings("ignore:.*Any type hint is inferred as AnyType:UserWarning"),
]

OBJECTS, DETECTIONS = 15, 2


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Prepared data: objects of the five classes, two detections each, in every split."""
    folder = tmp_path_factory.mktemp("data")
    rng = np.random.default_rng(0)
    rows = OBJECTS * DETECTIONS
    table = rng.uniform(1, 20, (rows, len(metadata.FEATURES)))
    raw = Raw(rng.normal(100, 5, (rows, 63, 63, 3)).astype(np.float32), table)
    plain = {
        "object_id": [f"ZTF{i // DETECTIONS:03d}" for i in range(rows)],
        "alert_id": list(range(rows)),
        "mjd": [60000.0 + i % DETECTIONS for i in range(rows)],
        "label": [taxonomy.FIRST_DETECTION[i // DETECTIONS % 5] for i in range(rows)],
        "band": ["gr"[i % 2] for i in range(rows)],
    }
    places = [i % DETECTIONS + 1 for i in range(rows)]
    made = shards.placed(shards.table(plain, raw), places, [""] * rows, np.full((rows, 5), np.nan))
    for split in ("train", "validation", "test"):
        (folder / split).mkdir()
        shards.write(folder / split / "000000.parquet", made)
    about = {"format": shards.FORMAT, "name": "toy", "summary": "Toys", "hash": "abc" * 20}
    (folder / shards.MANIFEST).write_text(json.dumps(about))
    return folder


@pytest.fixture(scope="module")
def members(data, tmp_path_factory):
    """Two first-detection bundles of one configuration."""
    folder, raw = tmp_path_factory.mktemp("bundles"), shards.load_split(data, "train").raw
    spec = inputs.fitted(InputSpec(), raw.metadata)
    return [
        str(
            bundle.save(
                folder / str(seed),
                stamp.build(StampConfig(), seed=seed),
                name="first-detection",
                spec=spec,
                classes=taxonomy.FIRST_DETECTION,
                example=raw.take(slice(0, 3)),
                about={"seed": seed, "settings": {"crop": 21}},
                card="",
            )
        )
        for seed in (1, 2)
    ]


@pytest.fixture(scope="module")
def sequenced(data, tmp_path_factory):
    """A temporal bundle of two detections."""
    raw = shards.load_sequences(data, "train", DETECTIONS).raw
    spec = SequenceSpec(DETECTIONS, crop=21).fitted(raw)
    config = TemporalConfig(detections=DETECTIONS, side=21, crop=21, k=1, theta=0.0)
    return str(
        bundle.save(
            tmp_path_factory.mktemp("temporal"),
            temporal.build(config, seed=0),
            name="temporal-2",
            spec=spec,
            classes=taxonomy.TEMPORAL,
            example=raw.take(slice(0, 3)),
            about={"seed": 0},
            card="",
        )
    )


@pytest.fixture(autouse=True)
def short_times(monkeypatch):
    """Time few answers: how long they take is not looked at here."""
    monkeypatch.setattr(evaluate.answering, "SIZES", (1, 2))
    monkeypatch.setattr(evaluate.answering, "REPEATS", 1)


@pytest.fixture
def uri(tmp_path):
    return f"sqlite:///{tmp_path}/mlflow.db"


def run(*arguments):
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result.output


def test_an_evaluation_is_written_and_logged_and_its_numbers_are_the_models(data, members, tmp_path, uri):
    said = run("evaluate", "--model", members[0], "--data", data, "--out", tmp_path / "out", "--tracking-uri", uri)

    found = json.loads((tmp_path / "out" / "metrics.json").read_text())
    page = (tmp_path / "out" / "report.html").read_text()
    raw = shards.load_split(data, "test", earliest=True)
    answers = np.array(taxonomy.FIRST_DETECTION)[bundle.load(tmp_path.__class__(members[0])).predict(raw.raw).argmax(1)]
    assert found["scores"]["accuracy"]["mean"] == pytest.approx((answers == raw.labels).mean())
    assert found["objects"] == OBJECTS
    assert found["slices"][1]["missing"] == ""
    assert found["inference"]["engine"] in page
    assert "Keras" in found["inference"]["engine"]
    assert page.count("data:image/png") == 1 + len(found["mistakes"])  # the sky, and each mistake's stamps
    tracker = tracking.open_tracker("evaluation", uri)
    (logged,) = tracker.client.search_runs([tracker.experiment_id])
    assert logged.data.metrics["accuracy"] == pytest.approx(found["scores"]["accuracy"]["mean"])
    assert {one.path for one in tracker.client.list_artifacts(logged.info.run_id)} == {"report.html", "metrics.json"}
    assert "first-detection" in logged.data.params["models"]
    assert "15 objects" in said


def test_trainings_of_one_configuration_have_a_spread(data, members, tmp_path, uri):
    written = evaluate.evaluate(members, data, tmp_path, uri, log=False)

    assert written.run == ""
    assert written.found["seeds"] == 2
    assert len(written.found["scores"]["accuracy"]["values"]) == 2


def test_a_temporal_model_is_asked_about_sequences_and_its_mistakes_show_all_detections(data, sequenced, tmp_path, uri):
    written = evaluate.evaluate([sequenced], data, tmp_path, uri, log=False)

    assert (written.found["objects"], written.found["left_out"]) == (9, 6)
    alerts = [one["alert_id"] for one in written.found["mistakes"]]
    spec = bundle.load(tmp_path.__class__(sequenced)).spec
    stamps = evaluate.answering.stamps(spec, data, "test", alerts)
    assert {images.shape for images in stamps.values()} == {(DETECTIONS, 63, 63, 3)}
    assert set(stamps) == set(alerts)


def test_two_models_are_compared_on_what_both_know(data, members, sequenced, tmp_path, uri):
    said = run("compare", members[0], sequenced, "--data", data, "--out", tmp_path, "--tracking-uri", uri)

    found = json.loads((tmp_path / "metrics.json").read_text())
    assert (found["objects"], found["classes"]) == (9, list(taxonomy.TEMPORAL))
    assert "AGN, SN, VS" in found["note"]
    assert "McNemar p = " in said
    assert "single training" in said


def test_models_of_other_configurations_are_no_trainings_of_one(data, members, sequenced, uri):
    with pytest.raises(UsageError, match="one configuration"):
        evaluate.side([members[0], sequenced], uri)


def test_an_ensemble_is_made_calibrated_registered_and_evaluated(data, members, tmp_path, uri):
    out = tmp_path / "all"

    said = run("ensemble", *members, "--out", out, "--data", data, "--register", "--tracking-uri", uri)

    assert "first-detection@champion" in said
    model = tracking.load("first-detection@champion", uri)
    assert len(model.bundle.members) == 2
    assert model.bundle.about["calibration"]["examples"] == OBJECTS
    found = evaluate.evaluate(["first-detection@champion"], data, tmp_path / "out", uri).found
    assert found["models"][0]["members"] == 2


def test_an_ensemble_does_not_overwrite(data, members, tmp_path, uri):
    (tmp_path / "something").write_text("mine")

    result = CliRunner().invoke(app, ["ensemble", *members, "--out", str(tmp_path), "--tracking-uri", uri])

    assert result.exit_code == 2
    assert (tmp_path / "something").read_text() == "mine"
