"""cluster.families.single: flat settings of a first-detection model."""

import pytest

from skystamp import metadata
from skystamp.cluster import families
from skystamp.errors import UsageError

FAMILY = families.of("first-detection")


def test_left_out_settings_are_as_published() -> None:
    chosen = FAMILY.configuration({})

    network, training = chosen.network, chosen.training
    assert (chosen.spec.crop, chosen.spec.features) == (21, metadata.FEATURES_23)
    assert (network.crop, network.k, network.theta, network.kernel, network.dropout) == (21, 4, 0.0, 5, 0.5)
    assert (training.learning_rate, training.beta, training.batch) == (1e-3, 0.5, 64)
    assert (training.max_iterations, training.validate_every, training.adam_betas) == (30_000, 10, (0.5, 0.9))


@pytest.mark.parametrize(
    ("settings", "side"),
    [({"crop": 63}, 63), ({"crop": 33, "k": 6}, 45), ({"crop": 21, "theta": 0.1}, 45), ({"crop": 63, "k": 6}, 63)],
)
def test_a_network_that_turns_by_other_than_right_angles_gets_room_around_its_crop(
    settings: dict[str, float], side: int
) -> None:
    assert FAMILY.configuration(settings).spec.crop == side


@pytest.mark.parametrize(
    ("settings", "word"),
    [
        ({"nonsense": 1}, "nonsense"),
        ({"features": "24"}, "24"),
        ({"dropout": 2.0}, "dropout"),
        ({"batch": 0}, "batch"),
        ({"mirrored": "False"}, "mirrored"),
    ],
)
def test_settings_that_can_not_be_are_refused(settings: dict[str, object], word: str) -> None:
    with pytest.raises(UsageError, match=word):
        FAMILY.configuration(settings)
