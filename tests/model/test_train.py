"""cluster.train: settings and labelled alerts to a bundle and its scores, without a cluster."""

import numpy as np
import pytest

from skystamp import bundle, metadata, taxonomy
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


def test_scores_are_those_of_the_saved_bundle(trained: train.Trained, data: LabelledRaw) -> None:
    scores, matrix = train.evaluate(trained.folder, data)

    np.testing.assert_array_equal(matrix, trained.matrix)
    assert scores["accuracy"] == pytest.approx(trained.scores["accuracy"])
    assert scores["accuracy"] > 0.9


def test_inference_is_timed_for_one_alert_and_for_many(trained: train.Trained) -> None:
    assert set(trained.seconds) == {"inference_s_batch_1", "inference_s_batch_64"}
    assert all(0 < seconds < 10 for seconds in trained.seconds.values())
