"""cluster.families.temporal: flat settings of a temporal model, and one trained from sequences to a bundle."""

from pathlib import Path

import numpy as np
import pytest

from skystamp import bundle, metadata, routing, taxonomy
from skystamp.cluster import families, train
from skystamp.cluster.data import shards
from skystamp.cluster.data.shards import LabelledSequences
from skystamp.errors import UsageError
from skystamp.inputs import DYNAMIC, STATIC, Raw, RawSequences

FAMILY = families.of("temporal-3")
FAST = {
    "max_iterations": 40,
    "validate_every": 20,
    "batch": 24,
    "learning_rate": 3e-3,
    "dropout_at": ["joint"],
    "dropout": 0.2,
    "crop": 9,
    "k": 1,
    "theta": 0.0,
    "cell": "gru",
    "units": 16,
}


def labelled(count: int = 60) -> LabelledSequences:
    """Return sequences of three classes told apart by how their brightness changes: no single detection tells."""
    rng = np.random.default_rng(0)
    number = np.arange(count) % 3
    change = np.array([-2.0, 0.0, 2.0])[number]
    table = rng.uniform(0, 1, (count, 3, len(metadata.FEATURES)))
    table[:, :, metadata.FEATURES.index("magpsf")] = change[:, None] * np.arange(-1, 2) + rng.normal(0, 2, (count, 1))
    raw = RawSequences(
        rng.normal(0, 1, (count, 3, 13, 13, 3)).astype(np.float32),
        table,
        np.cumsum(rng.uniform(0.5, 3, (count, 3)), axis=1),
        rng.uniform(10, 17, (count, 5)),
    )
    labels = np.array([taxonomy.TEMPORAL[i] for i in number])
    names = np.array([f"ZTF{i}" for i in range(count)])
    return LabelledSequences(raw, labels, names, np.arange(3 * count).reshape(count, 3), raw.mjd)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> train.Trained:
    data = labelled()
    spec = train.spec_for(FAMILY.configuration(FAST), data)
    made = train.examples(spec, data, FAMILY.classes)
    folder = tmp_path_factory.mktemp("bundle")
    return train.train(FAMILY, FAST, made, made, spec, train.example_of(data), folder, seed=0, about={"data": ["toy"]})


def test_left_out_settings_are_as_published():
    chosen = FAMILY.configuration({})

    assert (chosen.spec.detections, chosen.spec.dynamic, chosen.spec.static) == (3, DYNAMIC, STATIC)
    assert chosen.spec.bands == ("science", "template")
    assert (chosen.network.crop, chosen.network.k, chosen.network.theta) == (33, 6, 0.08)
    assert (chosen.training.learning_rate, chosen.training.batch, chosen.training.beta) == (1e-4, 128, 0.0)


@pytest.mark.parametrize("n", [2, 3, 4, 5])
def test_there_is_a_family_for_each_number_of_detections(n: int):
    family = families.of(routing.MODEL_FOR[n])

    assert (family.detections, family.classes) == (n, taxonomy.TEMPORAL)
    assert family.configuration({}).spec.detections == n


def test_another_name_is_refused():
    with pytest.raises(UsageError, match="temporal-6"):
        families.of("temporal-6")


@pytest.mark.parametrize(
    ("off", "inputs"),
    [
        ({}, {"stamps", "dynamic", "static"}),
        ({"images": False}, {"dynamic", "static"}),
        ({"metadata": False}, {"stamps", "static"}),
        ({"metadata": False, "allwise": False}, {"stamps"}),
        ({"allwise": False}, {"stamps", "dynamic", "static"}),
        ({"images": False, "allwise": False}, {"dynamic", "static"}),
    ],
    ids=str,
)
def test_ablations_leave_inputs_out_of_spec_and_network_alike(off: dict[str, bool], inputs: set[str]):
    chosen = FAMILY.configuration({**FAST, **off})
    spec = chosen.spec.fitted(labelled().raw)

    assert set(spec.feed(labelled(6).raw)) == inputs
    assert {tensor.name for tensor in chosen.build(0).inputs} == inputs


def test_without_allwise_its_colours_alone_are_left_out():
    static = FAMILY.configuration({"allwise": False}).spec.static

    assert static == STATIC[:-3]


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"nonsense": 1}, "nonsense"),
        ({"cell": "perceptron"}, "perceptron"),
        ({"crop": 63}, "63"),
        ({"batch": 0}, "batch"),
        ({"images": False, "metadata": False, "allwise": False}, "should read something"),
        ({"allwise": "False"}, "allwise should be true or false"),
        ({"mirrored": "no"}, "mirrored should be true or false"),
        ({"cosine_decay": 1}, "cosine_decay should be true or false"),
        ({"crop": "abc"}, "crop should be a whole number"),
        ({"units": 32.5}, "units should be a whole number"),
        ({"seed": True}, "seed should be a whole number"),
        ({"beta": "small"}, "beta should be a number"),
    ],
)
def test_settings_that_can_not_be_are_refused(settings: dict[str, object], word: str):
    with pytest.raises(UsageError, match=word):
        FAMILY.configuration(settings)


def test_objects_of_classes_that_it_does_not_know_are_not_loaded(tmp_path: Path):
    labels = ["SN", "bogus", "VS"]
    plain = {
        "object_id": [name for name in "abc" for _ in range(3)],
        "alert_id": list(range(9)),
        "mjd": [float(i % 3) for i in range(9)],
        "label": [label for label in labels for _ in range(3)],
    }
    raw = Raw(np.ones((9, 63, 63, 3), np.float32), np.full((9, len(metadata.FEATURES)), 1.0))
    rows = shards.placed(shards.table(plain, raw), [1, 2, 3] * 3, [""] * 9, np.full((9, 5), np.nan))
    (tmp_path / "train").mkdir()
    shards.write(tmp_path / "train" / "000000.parquet", rows)
    (tmp_path / "manifest.json").write_text(f'{{"name": "x", "format": {shards.FORMAT}}}')

    found = FAMILY.load(tmp_path, "train")

    assert (found.object_ids.tolist(), found.labels.tolist()) == (["a", "c"], ["SN", "VS"])
    assert len(found.raw) == 2


def test_equal_keys_mean_equal_inputs():
    lstm, gru, bare = (FAMILY.configuration(s) for s in ({"cell": "lstm"}, {"cell": "gru"}, {"allwise": False}))

    assert lstm.key == gru.key
    assert lstm.spec == gru.spec
    assert bare.key != lstm.key


def test_a_training_on_sequences_writes_a_bundle_that_loads(trained: train.Trained):
    loaded = bundle.load(trained.folder)

    assert (loaded.name, loaded.classes) == ("temporal-3", taxonomy.TEMPORAL)
    assert loaded.spec == train.spec_for(FAMILY.configuration(FAST), labelled())
    assert "from its first 3 detections" in (trained.folder / "card.md").read_text()


@pytest.mark.parametrize(("beta", "said"), [(0.0, "are not calibrated"), (0.3, "are flattened by the entropy term")])
def test_a_card_speaks_of_the_entropy_term_where_there_is_one(trained: train.Trained, beta: float, said: str):
    facts = {"settings": {**FAST, "beta": beta}, "validation": trained.scores}

    assert f"Probabilities {said}" in train.model_card(FAMILY.name, facts, FAMILY.classes)


def test_what_only_the_sequence_tells_is_learned(trained: train.Trained):
    scores, matrix = train.evaluate(trained.folder, labelled())

    np.testing.assert_array_equal(matrix, trained.matrix)
    assert scores["accuracy"] > 0.9


def test_answers_do_not_depend_on_the_batch(trained: train.Trained):
    loaded, raw = bundle.load(trained.folder), labelled(12).raw

    whole = loaded.predict(raw)

    alone = np.concatenate([loaded.predict(raw.take([i])) for i in range(12)])
    np.testing.assert_allclose(whole, alone, atol=1e-6)


def test_a_changed_example_is_refused(trained: train.Trained, tmp_path: Path):
    import shutil

    from skystamp.errors import BundleError

    folder = tmp_path / "bundle"
    shutil.copytree(trained.folder, folder)
    with np.load(folder / "example.npz") as file:
        arrays = dict(file)
    arrays["mjd"] = arrays["mjd"] * 3.0
    np.savez_compressed(folder / "example.npz", **arrays)

    with pytest.raises(BundleError, match="probabilities it was saved with"):
        bundle.load(folder)
