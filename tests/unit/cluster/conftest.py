"""A handful of synthetic records and a model that needs no network."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from skystamp import avro, synthetic, taxonomy
from skystamp.bundle import Bundle
from skystamp.classify import Model
from skystamp.inputs import InputSpec


@pytest.fixture(scope="session")
def records() -> list[dict[str, Any]]:
    """Return the records of six objects, two detections each at most."""
    made = [synthetic.simulate_object(11, i, max_detections=2, cls=("VS", "SN")[i % 2]) for i in range(6)]
    return [record for one in made for record in one.records]


@pytest.fixture
def shard(tmp_path: Path, records: list[dict[str, Any]]) -> Path:
    """Return a folder with one container of the records and one file that is no Avro."""
    folder = tmp_path / "packets"
    folder.mkdir()
    with (folder / "a.avro").open("wb") as file:
        avro.write(file, records, synthetic.schema(), codec="null")
    (folder / "b.avro").write_bytes(b"nonsense")
    return folder


def brightness(inputs: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return probabilities that follow from each alert's own stamps alone."""
    weights = inputs["stamps"].mean((1, 2))[:, [0, 1, 2, 0, 1]] + np.arange(5, dtype=np.float32)
    return (weights / weights.sum(1, keepdims=True)).astype(np.float32)


@pytest.fixture
def model() -> Model:
    """Return a model of images alone."""
    spec = InputSpec(features=())
    return Model("first-detection", "7", Bundle(taxonomy.FIRST_DETECTION, spec, {"name": "x"}, brightness))
