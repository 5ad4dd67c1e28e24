"""An ensemble answers with the mean of its members and says how far they are apart, loaded or just made."""

import numpy as np
import pytest

from skystamp import bundle, ensemble, inputs, metadata, taxonomy
from skystamp.calibration import tempered
from skystamp.errors import BundleError
from skystamp.inputs import InputSpec, Raw
from skystamp.models.stamp import StampConfig, build

CLASSES = taxonomy.FIRST_DETECTION


def raw(n=12, seed=0):
    rng = np.random.default_rng(seed)
    return Raw(rng.normal(100, 10, (n, 63, 63, 3)).astype(np.float32), rng.uniform(0, 30, (n, len(metadata.FEATURES))))


def member(folder, seed, *, temperature=1.0, spec=None, name="first-detection"):
    chosen = spec or inputs.fitted(InputSpec(), raw(50, 1).metadata)
    about = {"seed": seed, "validation": {"accuracy": seed / 10}, "data_hash": "abc"}
    return bundle.save(
        folder,
        build(StampConfig(), seed=seed),
        name=name,
        spec=chosen,
        classes=CLASSES,
        example=raw(),
        about=about,
        card="",
        temperature=temperature,
    )


@pytest.fixture(scope="module")
def members(tmp_path_factory):
    folder = tmp_path_factory.mktemp("members")
    return [member(folder / str(seed), seed, temperature=1 + seed / 2) for seed in range(3)]


def test_an_ensemble_answers_with_the_mean_and_the_spread_of_its_members(tmp_path, members):
    other = raw(20, seed=4)
    each = np.stack([bundle.load(one).predict(other) for one in members])

    made = bundle.load(ensemble.save(tmp_path / "all", members))

    said = made.predict_with_spread(other)
    np.testing.assert_allclose(said.probabilities, each.mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(said.spread, each.std(axis=0), atol=1e-6)
    np.testing.assert_array_equal(made.predict(other), said.probabilities)
    assert said.spread.max() > 1e-4


def test_its_own_temperature_comes_after_the_mean(tmp_path, members):
    other = raw(20, seed=5)
    mean = bundle.load(ensemble.save(tmp_path / "cold", members)).predict(other)

    warm = bundle.load(ensemble.save(tmp_path / "warm", members, temperature=0.5))

    np.testing.assert_allclose(warm.predict(other), tempered(mean, 0.5), atol=1e-6)


def test_it_keeps_what_its_members_say_alike_and_names_them(tmp_path, members):
    folder = ensemble.save(tmp_path / "all", members, about={"study": "x"})

    about = bundle.read_about(folder)
    assert (about["data_hash"], about["study"]) == ("abc", "x")
    assert "validation" not in about
    assert [one["seed"] for one in about["members"]] == [0, 1, 2]
    assert [one["temperature"] for one in about["members"]] == [1.0, 1.5, 2.0]
    assert "ensemble of 3" in (folder / "card.md").read_text()


def test_no_alerts_have_no_answers(tmp_path, members):
    said = bundle.load(ensemble.save(tmp_path / "all", members[:2])).predict_with_spread(raw().take([]))

    assert said.probabilities.shape == said.spread.shape == (0, 5)


def test_a_changed_member_is_seen_when_the_ensemble_is_loaded(tmp_path, members):
    folder = ensemble.save(tmp_path / "all", members)
    (folder / "model-1.keras").write_bytes((folder / "model-2.keras").read_bytes())

    with pytest.raises(BundleError, match="the probabilities it was saved with"):
        bundle.load(folder)


def test_members_that_do_not_fit_are_refused(tmp_path, members):
    other_spec = member(tmp_path / "spec", 4, spec=inputs.fitted(InputSpec(), raw(50, 2).metadata))
    other_name = member(tmp_path / "name", 5, name="another")
    whole = ensemble.save(tmp_path / "all", members)

    for chosen, match in [
        (members[:1], "2 members or more"),
        ([members[0], other_spec], "one configuration"),
        ([members[0], other_name], "one configuration"),
        ([members[0], members[0]], "differ"),
        ([members[0], whole], "single model"),
    ]:
        with pytest.raises(BundleError, match=match):
            ensemble.save(tmp_path / "wrong", chosen)
