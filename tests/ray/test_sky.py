"""The synthetic sky, end to end and in its long form: more detections of an object make better answers."""

from pathlib import Path

import numpy as np
import pytest

from skystamp import manifest, metadata, sources, taxonomy
from skystamp.cluster import families, train
from skystamp.cluster.data.prepare import prepare
from skystamp.cluster.data.shards import load_sequences
from skystamp.cluster.simulate import Simulation, simulate
from skystamp.crossmatch import build_catalogue
from skystamp.inputs import InputSpec
from skystamp.models import stamp
from skystamp.training import Examples, TrainConfig, loop

pytestmark = [
    pytest.mark.usefixtures("cluster"),
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore"),  # of hats and its friends, when the catalogue is built
]

OBJECTS, SEEDS = 1500, 3
TEMPORAL = {"crop": 21, "k": 1, "theta": 0.0, "cell": "conv1d", "window": 2, "kernel": 3}
SHORT = {
    "learning_rate": 1e-3,
    "batch": 48,
    "max_iterations": 200,
    "validate_every": 50,
    "cosine_decay": True,
    "dropout_at": ["joint"],
}


@pytest.fixture(scope="module")
def prepared(cluster: None, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return prepared sequences of AGN, SN and VS of a sky of their own, with their catalogue."""
    root = tmp_path_factory.mktemp("sky")
    simulate(Simulation(OBJECTS, 77, 8, priors={"AGN": 1.0, "SN": 1.0, "VS": 1.0}, shard_objects=50), root / "packets")
    build_catalogue(root / "packets" / "allwise.csv", root / "allwise")
    recipe = manifest.DatasetManifest("sky", classes=taxonomy.TEMPORAL, validation=60, test=150)
    labels = manifest.read_labels(root / "packets" / "labels.csv", recipe)
    prepare(sources.find([root / "packets"]), labels, recipe, root / "prepared", catalogue=str(root / "allwise"))
    return root / "prepared"


def test_accuracy_grows_with_detections_and_exceeds_that_of_the_first(prepared: Path) -> None:
    """On the same test objects, those with five detections; mean over the seeds."""
    one = np.mean([_of_one(prepared, seed) for seed in range(SEEDS)])
    two, five = (np.mean([_of(prepared, n, seed) for seed in range(SEEDS)]) for n in (2, 5))

    print(f"accuracy with 1, 2 and 5 detections: {one:.3f} {two:.3f} {five:.3f}")
    assert one < two < five


def _of(prepared: Path, n: int, seed: int) -> float:
    family = families.of(f"temporal-{n}")
    chosen = family.configuration({**TEMPORAL, **SHORT, "seed": seed})
    data = {split: family.load(prepared, split) for split in ("train", "validation")}
    spec = train.spec_for(chosen, data["train"])
    model = chosen.build(seed)
    learned, checked = (train.examples(spec, data[split], family.classes) for split in ("train", "validation"))
    loop.fit(model, learned, checked, chosen.training)
    test = load_sequences(prepared, "test", 5, crop=45)
    return _accuracy(model, spec.feed(test.raw.first(n)), test.labels)


def _of_one(prepared: Path, seed: int) -> float:
    settings = {name: tuple(value) if isinstance(value, list) else value for name, value in SHORT.items()}
    places = settings.pop("dropout_at")
    config = stamp.StampConfig(k=1, kernel=3, dropout_at=places, metadata=len(metadata.FEATURES_23), classes=3)
    single = families.of("first-detection")
    data = {split: single.load(prepared, split) for split in ("train", "validation")}
    spec = InputSpec().fitted(data["train"].raw)
    model = stamp.build(config, seed=seed)
    learned, checked = (train.examples(spec, data[split], taxonomy.TEMPORAL) for split in ("train", "validation"))
    loop.fit(model, learned, checked, TrainConfig(seed=seed, beta=0.0, **settings))
    test = load_sequences(prepared, "test", 5)
    return _accuracy(model, spec.feed(test.raw.detection(0)), test.labels)


def _accuracy(model: object, fed: dict[str, np.ndarray], labels: np.ndarray) -> float:
    numbers = np.array(taxonomy.indices(labels.tolist(), taxonomy.TEMPORAL), np.int64)
    return float((loop.predict(model, Examples(fed, numbers)).argmax(1) == numbers).mean())
