"""tune_jobs.growth: several models on the first detections of the same objects."""

import numpy as np
import pytest

from skystamp import metadata, taxonomy
from skystamp.bundle import Bundle
from skystamp.classify import Model
from skystamp.cluster.data.shards import LabelledSequences
from skystamp.inputs import InputSpec, RawSequences, SequenceSpec
from tune_jobs import growth

COUNT = 30


def data() -> LabelledSequences:
    """Return sequences whose class stands in the magnitude of the last detection alone."""
    number = np.arange(COUNT) % 3
    table = np.zeros((COUNT, 3, len(metadata.FEATURES)))
    table[:, 2, metadata.FEATURES.index("magpsf")] = number
    raw = RawSequences(
        np.ones((COUNT, 3, 21, 21, 3), np.float32), table, np.tile(np.arange(3.0), (COUNT, 1)), np.full((COUNT, 5), 1.0)
    )
    labels = np.array([taxonomy.TEMPORAL[i] for i in number])
    return LabelledSequences(
        raw, labels, np.array([f"ZTF{i}" for i in range(COUNT)]), np.arange(3 * COUNT).reshape(-1, 3), raw.mjd
    )


def model(detections: int) -> Model:
    """Return one that says the class whose number the last magnitude it reads is."""
    if detections == 1:
        spec = InputSpec(features=("magpsf",), means=(0.0,), deviations=(1.0,))
        classes, column = taxonomy.FIRST_DETECTION, 0
        read = lambda arrays: arrays["metadata"][:, column]  # noqa: E731
    else:
        scales = {"dynamic": (0.0,), "static": ()}
        spec = SequenceSpec(
            detections,
            crop=21,
            dynamic=("magpsf",),
            static=(),
            means=scales,
            deviations={"dynamic": (1.0,), "static": ()},
        )
        classes = taxonomy.TEMPORAL
        read = lambda arrays: arrays["dynamic"][:, -1, 0]  # noqa: E731

    def predict(arrays):
        return np.eye(len(classes), dtype=np.float32)[read(arrays).astype(int)]

    name = "first-detection" if detections == 1 else f"temporal-{detections}"
    return Model(name, "1", Bundle(classes, spec, {"name": name}, predict))


def test_each_model_reads_the_first_detections_of_the_same_objects():
    rows = growth.rows([model(1), model(2), model(3)], data())

    assert [row.detections for row in rows] == [1, 2, 3]
    assert [row.accuracy for row in rows] == pytest.approx([1 / 3, 1 / 3, 1.0])
    assert rows[0].p is None
    assert rows[1].p == 1.0
    assert rows[2].p < 0.001
    assert rows[0].low < 1 / 3 < rows[0].high


def test_the_table_names_every_model_and_how_many_objects():
    text = growth.table(growth.rows([model(1), model(3)], data()), COUNT)

    assert text.startswith("30 objects")
    assert "| temporal-3 1 | 3 | 1.0000 |" in text


def test_without_allwise_nothing_else_changes():
    bare = growth.without_allwise(data())

    assert np.isnan(bare.raw.wise).all()
    assert np.array_equal(bare.raw.metadata, data().raw.metadata)
    assert np.array_equal(bare.labels, data().labels)
