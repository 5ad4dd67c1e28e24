"""A training's parameters: the paper's by default, impossible ones refused."""

import pytest

from skystamp.training import TrainConfig


def test_defaults_are_the_published_best_with_extensions_off():
    config = TrainConfig()

    assert (config.learning_rate, config.beta, config.batch, config.adam_betas) == (1e-3, 0.5, 64, (0.5, 0.9))
    assert (config.max_iterations, config.validate_every) == (30_000, 10)
    assert (config.extension_after, config.extension) == (20_000, 10_000)
    extensions = (config.flips, config.cosine_decay, config.metadata_dropout, config.label_smoothing)
    assert not any(extensions)


@pytest.mark.parametrize(
    "wrong",
    [{"batch": 0}, {"learning_rate": 0.0}, {"beta": -0.1}, {"validate_every": 0}, {"metadata_dropout": 1.0}],
    ids=lambda wrong: next(iter(wrong)),
)
def test_impossible_parameters_are_refused_by_name(wrong):
    with pytest.raises(ValueError, match=rf"{next(iter(wrong))} should be .* Received: {next(iter(wrong))}="):
        TrainConfig(**wrong)
