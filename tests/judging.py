"""Answers about a hundred and twenty objects, some of them wrong, for tests of evaluations."""

import numpy as np

from skystamp import metadata, taxonomy
from skystamp.evaluation import Judged

OBJECTS = 120


def judged(seeds: int = 1, *, seed: int = 0, skill: float = 2.0, classes: tuple[str, ...] = taxonomy.FIRST_DETECTION):
    """Return answers that are right the more often, the higher the skill."""
    labels = np.arange(OBJECTS, dtype=np.int64) % len(classes)
    rng = np.random.default_rng(7)
    features = {name: rng.uniform(0.1, 1, OBJECTS) for name in metadata.FEATURES}
    positions = {"ra": rng.uniform(0, 360, OBJECTS), "dec": rng.uniform(-30, 80, OBJECTS)}
    columns = {
        **features,
        **positions,
        "magpsf": rng.uniform(15, 21, OBJECTS),
        "gal_lat": rng.uniform(-90, 90, OBJECTS),
    }
    columns |= {"ndethist": rng.integers(1, 30, OBJECTS).astype(float), "isdiffpos": (labels > 0).astype(float)}
    columns["band"] = np.array(["g", "r", "r"])[np.arange(OBJECTS) % 3]
    noise = np.random.default_rng(seed).normal(0, 1, (seeds, OBJECTS, len(classes)))
    powers = np.exp(noise + skill * np.eye(len(classes))[labels])
    probabilities = (powers / powers.sum(axis=2, keepdims=True)).astype(np.float32)
    names = np.array([f"ZTF20{i:07d}" for i in range(OBJECTS)])
    return Judged(classes, labels, probabilities, names, np.arange(OBJECTS), columns, ("magpsf", "sgscore1", "ra"))


ABOUT = {
    "label": "first-detection/3",
    "models": [
        {
            "reference": "first-detection/3",
            "name": "first-detection",
            "version": "3",
            "seed": 0,
            "temperature": 1.25,
            "members": 0,
        }
    ],
    "data": {"name": "toy", "summary": "Toys", "hash": "abcdef0123456789", "folder": "/toy", "note": ""},
    "split": "test",
    "left_out": 4,
    "created": "2026-01-01 00:00 UTC",
}
INFERENCE = {
    "engine": "an engine",
    "load": 0.5,
    "repeats": 20,
    "batches": [{"size": 1, "network_s": 0.004, "whole_s": 0.005}, {"size": 256, "network_s": 1.5, "whole_s": 2.0}],
}


def about(seeds: int = 1, label: str = "first-detection/3") -> dict[str, object]:
    """Return what an evaluation says of its models and data."""
    return {**ABOUT, "label": label, "models": ABOUT["models"] * seeds}
