"""Distributions of a bundle: draws of the same sky stay below chance, another sky does not."""

from pathlib import Path

import numpy as np
import pytest

from skystamp import distributions, metadata
from skystamp.calibration import tempered
from skystamp.distributions import Distributions, Row, columns_of, compared, measured
from skystamp.errors import BundleError, UsageError
from skystamp.inputs import InputSpec, Raw, RawSequences, SequenceSpec

CLASSES = ("AGN", "SN", "VS")
NAMES = ("fwhm", "isdiffpos", "ndethist")
FILLS = (0.0, 0.0, 0.0)


def night(seed: int, size: int, *, shift: float = 0.0, negative: float = 0.3, classes: tuple[float, ...] = (1, 1, 1)):
    """Return the numbers and probabilities of a night; fwhm differs from class to class, a tenth of it is missing."""
    rng = np.random.default_rng(seed)
    labels = rng.choice(3, size, p=np.array(classes) / sum(classes))
    fwhm = np.where(rng.random(size) < 0.1, 0.0, rng.normal(labels + shift, 1.0))
    numbers = np.stack([fwhm, np.where(rng.random(size) < negative, -1.0, 1.0), rng.poisson(3.0, size) + 0.5], axis=1)
    logits = rng.normal(0, 1, (size, 3)) + 4 * np.eye(3)[labels]
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return numbers, probabilities.astype(np.float32)


@pytest.fixture
def kept() -> Distributions:
    return measured(NAMES, *_with_fills(night(1, 2000)), CLASSES)


def _with_fills(found):
    numbers, probabilities = found
    return numbers, FILLS, probabilities


def drifted(rows: list[Row], max_psi: float = 0.0, max_ks: float = 0.0) -> set[str]:
    return {row.name for row in rows if row.drifted(max_psi, max_ks)}


def test_another_draw_of_the_same_sky_is_no_drift(kept: Distributions):
    for seed in range(20, 30):
        assert drifted(compared(kept, NAMES, *night(seed, 1500))) == set()


def test_a_shifted_number_drifts_and_the_others_do_not(kept: Distributions):
    rows = compared(kept, NAMES, *night(2, 1500, shift=0.5))

    assert drifted(rows, 0.1, 0.1) == {"fwhm"}


def test_few_values_have_a_bin_each_and_a_new_one_is_seen(kept: Distributions):
    numbers, probabilities = night(3, 1500, negative=0.7)

    assert "isdiffpos" in drifted(compared(kept, NAMES, numbers, probabilities), 0.2, 0.1)
    numbers[:, 1] = np.where(np.arange(1500) % 2, 0.5, numbers[:, 1])  # a value that never was
    (row,) = (one for one in compared(kept, NAMES, numbers, probabilities) if one.name == "isdiffpos")
    assert row.psi > 1


def test_values_that_go_missing_drift_and_say_so(kept: Distributions):
    numbers, probabilities = night(4, 1500)
    numbers[:700, 2] = 0.0

    (row,) = (one for one in compared(kept, NAMES, numbers, probabilities) if one.name == "ndethist")

    assert row.drifted(0.2, 0.15)
    assert row.missing == (0.0, pytest.approx(700 / 1500))


def test_other_shares_of_the_same_classes_move_their_own_row_alone(kept: Distributions):
    rows = compared(kept, NAMES, *night(5, 1500, classes=(8, 1, 1)))

    assert drifted(rows, 0.1, 0.1) == {"shares"}


def test_few_alerts_are_forgiven_what_chance_makes(kept: Distributions):
    rows = compared(kept, NAMES, *night(6, 30))

    assert max(row.psi for row in rows) > 0.25
    assert drifted(rows, 0.2, 0.15) == set()


def test_a_bundle_that_was_calibrated_since_is_compared_at_the_old_temperature(kept: Distributions):
    numbers, probabilities = night(7, 1500)

    rows = compared(kept, NAMES, numbers, tempered(probabilities, 3.0), temperature=3.0)

    assert drifted(rows) == set()
    assert drifted(compared(kept, NAMES, numbers, tempered(probabilities, 3.0))) >= {"AGN", "SN", "VS"}


def test_they_come_back_from_their_file(kept: Distributions, tmp_path: Path):
    kept.save(tmp_path)

    again = distributions.load(tmp_path)

    assert again is not None
    assert str(compared(again, NAMES, *night(8, 500))) == str(compared(kept, NAMES, *night(8, 500)))
    assert (tmp_path / distributions.FILE).stat().st_size < 30_000


def test_an_older_bundle_has_none_and_a_damaged_file_is_an_error(tmp_path: Path):
    assert distributions.load(tmp_path) is None

    (tmp_path / distributions.FILE).write_bytes(b"no zip")

    with pytest.raises(BundleError, match="should be whole"):
        distributions.load(tmp_path)


def test_a_class_that_was_never_answered_is_in_the_shares_alone():
    numbers, probabilities = night(9, 2000)
    of_first = probabilities.argmax(axis=1) == 0
    kept = measured(NAMES, numbers[of_first], FILLS, probabilities[of_first], CLASSES)

    assert drifted(compared(kept, NAMES, *night(12, 2000)), 0.1, 0.1) == {"shares"}
    with pytest.raises(UsageError, match="none of them is"):
        compared(kept, NAMES, numbers[~of_first], probabilities[~of_first])


def test_the_numbers_are_those_that_a_model_of_single_detections_reads():
    rng = np.random.default_rng(10)
    table = rng.uniform(0, 10, (50, len(metadata.FEATURES)))
    table[:5, metadata.FEATURES.index("sgscore1")] = np.nan
    table[:7, metadata.FEATURES.index("fwhm")] = np.nan
    raw = Raw(np.zeros((50, 63, 63, 3), np.float32), table)
    spec = InputSpec().fitted(raw)

    names, numbers, fills = columns_of(spec, spec.feed(raw))

    assert names == metadata.FEATURES_23
    missing = (numbers == np.array(fills)).sum(axis=0)
    assert (missing[names.index("sgscore1")], missing[names.index("fwhm")], missing[names.index("ra")]) == (5, 7, 0)


def test_those_of_a_sequence_are_its_last_detections_and_what_does_not_change():
    rng = np.random.default_rng(11)
    raw = RawSequences(
        np.zeros((4, 2, 63, 63, 3), np.float32),
        rng.uniform(0, 10, (4, 2, len(metadata.FEATURES))),
        59000.0 + np.arange(8.0).reshape(4, 2),
        np.full((4, 5), np.nan),
    )
    spec = SequenceSpec(2).fitted(raw)

    names, numbers, fills = columns_of(spec, spec.feed(raw))

    assert len(names) == numbers.shape[1] == len(fills) == len(spec.dynamic) + len(spec.static)
    assert numbers[:, names.index("dynamic/magpsf")].tolist() == spec.feed(raw)["dynamic"][:, -1, 6].tolist()
    assert (numbers[:, names.index("static/W1-W2")] == fills[names.index("static/W1-W2")]).all()


def test_nothing_has_no_distributions():
    with pytest.raises(UsageError, match="one alert at least"):
        measured(NAMES, np.empty((0, 3)), FILLS, np.empty((0, 3), np.float32), CLASSES)
