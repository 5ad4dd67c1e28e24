"""cluster.train: settings and labelled alerts to a bundle and its scores, without a cluster."""

import numpy as np
import pytest

from skystamp import bundle, distributions, metadata, taxonomy
from skystamp.cluster import families, train
from skystamp.cluster.data.shards import LabelledRaw
from skystamp.inputs import Raw

FAST = {"max_iterations": 30, "validate_every": 10, "batch": 20, "dropout_at": ["joint"], "dropout": 0.2}

FAMILY = families.of("first-detection")


@pytest.fixture(scope="module")
def data() -> LabelledRaw:
    """Return alerts of the five classes, which their metadata tell apart."""
    rng = np.random.default_rng(0)
    number = np.arange(60) % 5
    stamps = rng.normal(0, 1, (60, 63, 63, 3)).astype(np.float32)
    table = rng.uniform(0, 0.1, (60, len(metadata.FEATURES))) + number[:, None]
    labels = np.array([taxonomy.FIRST_DETECTION[i] for i in number])
    names = np.array([f"ZTF{i}" for i in range(60)])
    return LabelledRaw(Raw(stamps, table), labels, names, np.arange(60), np.full(60, 60000.0))


@pytest.fixture(scope="module")
def trained(data: LabelledRaw, tmp_path_factory: pytest.TempPathFactory) -> train.Trained:
    spec = train.spec_for(FAMILY.configuration(FAST), data)
    made = train.examples(spec, data, FAMILY.classes)
    folder = tmp_path_factory.mktemp("bundle")
    about = {"data": ["toy"], "data_hash": "abc"}
    return train.train(FAMILY, FAST, made, made, spec, train.example_of(data), folder, seed=0, about=about)


def test_alerts_of_other_classes_are_left_out_of_the_examples(data: LabelledRaw) -> None:
    spec = train.spec_for(FAMILY.configuration({}), data)

    made = train.examples(spec, data, classes=("SN", "VS"))

    assert len(made) == 24
    assert sorted(set(made.labels.tolist())) == [0, 1]


def test_a_training_writes_a_bundle_that_loads_and_says_where_it_comes_from(trained: train.Trained) -> None:
    loaded = bundle.load(trained.folder)

    assert loaded.classes == taxonomy.FIRST_DETECTION
    assert loaded.about["data_hash"] == "abc"
    assert loaded.about["settings"] == FAST
    assert loaded.about["validation"] == pytest.approx(trained.scores)
    card = (trained.folder / "card.md").read_text()
    assert "hash `abc`" in card
    assert "| SN |" in card


def test_a_bundle_keeps_the_distributions_of_its_validation(trained: train.Trained, data: LabelledRaw) -> None:
    kept = distributions.load(trained.folder)

    assert kept is not None
    assert kept.answered.sum() == len(data)
    assert [column.name for column in kept.columns] == [*metadata.FEATURES_23, *taxonomy.FIRST_DETECTION]


def test_scores_are_those_of_the_saved_bundle(trained: train.Trained, data: LabelledRaw) -> None:
    scores, matrix = train.evaluate(trained.folder, data)

    np.testing.assert_array_equal(matrix, trained.matrix)
    assert scores["accuracy"] == pytest.approx(trained.scores["accuracy"])
    assert scores["accuracy"] > 0.9


def test_inference_is_timed_for_one_alert_and_for_many(trained: train.Trained) -> None:
    assert set(trained.seconds) == {"inference_s_batch_1", "inference_s_batch_64"}
    assert all(0 < seconds < 10 for seconds in trained.seconds.values())


def test_calibration_changes_no_class_and_is_told(data: LabelledRaw, trained: train.Trained, tmp_path) -> None:
    spec = train.spec_for(FAMILY.configuration(FAST), data)
    made = train.examples(spec, data, FAMILY.classes)

    plain = train.train(
        FAMILY, FAST, made, made, spec, train.example_of(data), tmp_path, seed=0, about={}, calibrate=False
    )

    cold, warm = bundle.load(plain.folder), bundle.load(trained.folder)
    assert (cold.temperature, "calibration" in cold.about) == (1.0, False)
    assert warm.temperature == warm.about["calibration"]["temperature"] != 1.0
    np.testing.assert_array_equal(cold.predict(data.raw).argmax(1), warm.predict(data.raw).argmax(1))
    assert plain.scores["accuracy"] == trained.scores["accuracy"]
    assert trained.scores["cross_entropy"] < plain.scores["cross_entropy"]
    assert "they rank" in (plain.folder / "card.md").read_text()
    assert "calibrated on validation (60 objects" in (trained.folder / "card.md").read_text()


def test_seeds_become_an_ensemble_that_is_scored_and_calibrated(
    data: LabelledRaw, trained: train.Trained, tmp_path
) -> None:
    spec = train.spec_for(FAMILY.configuration(FAST), data)
    made = train.examples(spec, data, FAMILY.classes)
    other = train.train(FAMILY, FAST, made, made, spec, train.example_of(data), tmp_path / "1", seed=1, about={})

    folder = train.ensemble([trained.folder, other.folder], made, tmp_path / "both", batch=7)

    loaded = bundle.load(folder)
    said = loaded.predict_with_spread(data.raw)
    assert [one["seed"] for one in loaded.about["members"]] == [0, 1]
    assert said.spread is not None
    assert (said.spread >= 0).all()
    scores, _ = train.evaluate(folder, data)
    assert scores["cross_entropy"] == pytest.approx(loaded.about["validation"]["cross_entropy"], abs=1e-4)
    facts = {**loaded.about, "test": scores}
    assert "the mean of 2 networks, seeds 0, 1" in train.model_card(FAMILY.name, facts, FAMILY.classes)
