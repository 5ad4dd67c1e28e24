"""A bundle gives back the answers it was saved with, or does not load."""

import json

import keras
import numpy as np
import pytest

from skystamp import bundle, inputs, metadata, taxonomy
from skystamp.calibration import tempered
from skystamp.errors import BundleError
from skystamp.inputs import InputSpec, Raw
from skystamp.models import saved
from skystamp.models.stamp import StampConfig, build

CLASSES = taxonomy.FIRST_DETECTION


def raw(n=12, seed=0):
    rng = np.random.default_rng(seed)
    stamps = rng.normal(100, 10, (n, 63, 63, 3)).astype(np.float32)
    stamps[0, 30:33, 30:33] = np.nan
    table = rng.uniform(0, 30, (n, len(metadata.FEATURES)))
    table[1, 3] = np.nan
    return Raw(stamps, table)


@pytest.fixture(scope="module")
def model():
    return build(StampConfig(), seed=3)


@pytest.fixture(scope="module")
def spec():
    return inputs.fitted(InputSpec(), raw(50, 1).metadata)


@pytest.fixture
def folder(tmp_path, model, spec):
    return bundle.save(
        tmp_path / "made" / "bundle",
        model,
        name="first-detection",
        spec=spec,
        classes=CLASSES,
        example=raw(),
        about={"dataset": "synthetic", "scores": {"accuracy": 0.5}},
        card="# A model\n",
    )


def test_folder_has_the_files_of_a_bundle(folder):
    names = {path.name for path in folder.iterdir()}

    assert names == {"bundle.json", "spec.json", "model.keras", "example.npz", "card.md"}


def test_loaded_bundle_answers_as_the_model_did(folder, model, spec):
    other = raw(40, seed=5)

    loaded = bundle.load(folder)

    expected = model.predict_on_batch(spec.feed(other))
    assert np.abs(loaded.predict(other) - expected).max() < 1e-6
    assert loaded.predict(other).sum(axis=1) == pytest.approx(np.ones(40), abs=1e-5)
    assert (loaded.classes, loaded.spec, loaded.name) == (CLASSES, spec, "first-detection")
    assert loaded.about["dataset"] == "synthetic"


@pytest.mark.parametrize("batch", [1, 7, 40])
def test_size_of_a_batch_changes_no_answer(folder, batch):
    loaded, other = bundle.load(folder), raw(40, seed=6)

    assert np.abs(loaded.predict(other, batch=batch) - loaded.predict(other)).max() < 1e-6


def test_no_alerts_have_no_answers(folder):
    answers = bundle.load(folder).predict(raw().take([]))

    assert (answers.shape, answers.dtype) == ((0, 5), np.float32)


def test_cropped_and_whole_stamps_get_the_same_answers(folder):
    loaded, whole = bundle.load(folder), raw(9, seed=7)
    cropped = Raw(np.ascontiguousarray(whole.stamps[:, 21:42, 21:42]), whole.metadata)

    assert np.abs(loaded.predict(cropped) - loaded.predict(whole)).max() < 1e-6


def change(folder, name, **changes):
    path = folder / name
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_bundle_whose_spec_was_changed_does_not_load(folder, spec):
    change(folder, "spec.json", means=[mean + 5 for mean in spec.means])

    with pytest.raises(BundleError, match="the probabilities it was saved with"):
        bundle.load(folder)


def test_bundle_whose_weights_were_changed_does_not_load(folder):
    saved.save(build(StampConfig(), seed=4), folder / "model.keras")

    with pytest.raises(BundleError, match="the probabilities it was saved with"):
        bundle.load(folder)


def test_bundle_of_another_architecture_does_not_load(folder):
    saved.save(build(StampConfig(classes=3), seed=4), folder / "model.keras")

    with pytest.raises(BundleError, match="in shape"):
        bundle.load(folder)


def test_bundle_whose_answers_are_not_numbers_does_not_load(folder):
    with np.load(folder / "example.npz") as file:
        arrays = {**file, "probabilities": np.full_like(file["probabilities"], np.nan)}
    np.savez(folder / "example.npz", **arrays)

    with pytest.raises(BundleError):
        bundle.load(folder)


@pytest.mark.parametrize("name", ["bundle.json", "spec.json", "model.keras", "example.npz"])
def test_bundle_without_a_file_does_not_load(folder, name):
    (folder / name).unlink()

    with pytest.raises(BundleError):
        bundle.load(folder)


@pytest.mark.parametrize("name", ["bundle.json", "spec.json", "model.keras", "example.npz"])
def test_bundle_with_a_damaged_file_does_not_load(folder, name):
    (folder / name).write_bytes(b"damaged")

    with pytest.raises(BundleError):
        bundle.load(folder)


def test_bundle_of_another_format_does_not_load(folder):
    change(folder, "bundle.json", format=99)

    with pytest.raises(BundleError, match="format 1"):
        bundle.load(folder)


def test_bundle_without_an_example_is_not_saved(tmp_path, model, spec):
    with pytest.raises(BundleError, match="at least one alert"):
        bundle.save(tmp_path, model, name="x", spec=spec, classes=CLASSES, example=raw().take([]), about={}, card="")


def test_example_is_not_pickled(folder):
    with np.load(folder / "example.npz", allow_pickle=False) as file:
        assert set(file) == {"stamps", "metadata", "probabilities"}


def test_what_a_bundle_says_of_itself_is_read_without_its_model(folder):
    (folder / "model.keras").unlink()

    about = bundle.read_about(folder)

    assert about["classes"] == list(CLASSES)
    assert {"keras", "numpy", "skystamp"} <= set(about["software"])


def test_amended_bundle_has_the_new_facts_and_a_new_card_and_loads(folder):
    bundle.amend(folder, {"test": {"accuracy": 0.75}}, lambda facts: f"# {facts['name']} {facts['test']['accuracy']}")

    assert bundle.load(folder).about["test"] == {"accuracy": 0.75}
    assert (folder / "card.md").read_text() == "# first-detection 0.75"


def test_model_of_images_alone_is_fed_no_metadata(tmp_path):
    spec = InputSpec(features=())
    images = build(StampConfig(metadata=0), seed=1)

    folder = bundle.save(tmp_path, images, name="x", spec=spec, classes=CLASSES, example=raw(2), about={}, card="")

    assert isinstance(images, keras.Model)
    assert bundle.load(folder).predict(raw(3)).shape == (3, 5)


def test_temperature_travels_with_the_bundle_and_changes_no_class(tmp_path, model, spec, folder):
    other = raw(40, seed=8)
    about = {"calibration": {"split": "validation"}}

    warm = bundle.save(
        tmp_path, model, name="x", spec=spec, classes=CLASSES, example=raw(), about=about, card="", temperature=2.0
    )

    cold, loaded = bundle.load(folder), bundle.load(warm)
    np.testing.assert_allclose(loaded.predict(other), tempered(cold.predict(other), 2.0), atol=1e-6)
    np.testing.assert_array_equal(loaded.predict(other).argmax(1), cold.predict(other).argmax(1))
    assert (cold.temperature, loaded.temperature) == (1.0, 2.0)
    assert loaded.predict_with_spread(other).spread is None


def test_bundle_of_before_temperatures_answers_as_it_did(folder):
    answers = bundle.load(folder).predict(raw(9))
    facts = json.loads((folder / "bundle.json").read_text())
    del facts["temperature"]
    (folder / "bundle.json").write_text(json.dumps(facts))

    old = bundle.load(folder)

    assert old.temperature == 1.0
    assert old.predict(raw(9)).tobytes() == answers.tobytes()


@pytest.mark.parametrize("temperature", [3.0, 0.0, -1.0, "warm"])
def test_bundle_whose_temperature_was_changed_by_hand_does_not_load(folder, temperature):
    change(folder, "bundle.json", temperature=temperature)

    with pytest.raises(BundleError):
        bundle.load(folder)


def test_recalibrated_bundle_loads_and_keeps_what_it_said_of_itself(folder):
    before = bundle.load(folder).predict(raw(9))

    bundle.recalibrate(folder, 1.5, {"calibration": {"examples": 9}})

    after = bundle.load(folder)
    np.testing.assert_allclose(after.predict(raw(9)), tempered(before, 1.5), atol=1e-6)
    assert after.about["dataset"] == "synthetic"
    assert after.about["calibration"] == {"examples": 9}
