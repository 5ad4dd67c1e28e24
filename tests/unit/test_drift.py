"""statistics.drift against SciPy and cases worked by hand; what chance makes against draws."""

import math

import numpy as np
import pytest
from scipy.stats import ks_2samp

from skystamp.statistics import drift


def test_psi_of_a_case_worked_by_hand():
    expected, observed = np.array([0.5, 0.5]), np.array([0.75, 0.25])

    found = drift.psi(expected, observed)

    assert found == pytest.approx(0.25 * math.log(1.5) - 0.25 * math.log(0.5))  # 0.2747
    assert found == pytest.approx(drift.psi(observed, expected))


def test_psi_of_the_same_shares_is_zero():
    assert drift.psi(np.array([0.2, 0.8]), np.array([0.2, 0.8])) == 0


def test_psi_refuses_an_empty_bin():
    with pytest.raises(ValueError, match="above 0"):
        drift.psi(np.array([1.0, 0.0]), np.array([0.5, 0.5]))


def test_an_empty_bin_is_rare_and_not_impossible():
    found = drift.fractions(np.array([[0, 9], [4, 5]]))

    assert found.tolist() == [[0.05, 0.95], [0.45, 0.55]]


@pytest.mark.parametrize("digits", [8, 1, 0], ids=["continuous", "ties", "few-values"])
def test_ks_is_that_of_scipy(digits: int):
    rng = np.random.default_rng(3)
    one, other = rng.normal(0, 1, 400).round(digits), rng.normal(0.2, 1.3, 700).round(digits)
    points = np.unique(one)

    le, lt = (count / 400 for count in drift.cumulative(one, points))
    found = drift.ks((le, lt), tuple(count / 700 for count in drift.cumulative(other, points)))

    assert found == pytest.approx(ks_2samp(one, other).statistic, abs=1e-12)


def test_ks_at_fewer_points_is_never_above_and_hardly_below():
    rng = np.random.default_rng(4)
    one, other = rng.normal(0, 1, 5000), rng.normal(0.1, 1, 5000)
    points = np.quantile(one, np.linspace(0, 1, 101))

    found = drift.ks(*(tuple(count / 5000 for count in drift.cumulative(each, points)) for each in (one, other)))

    whole = ks_2samp(one, other).statistic
    assert whole - 0.01 <= found <= whole


def test_missing_values_count_as_above_all():
    le, lt = drift.cumulative(np.array([np.nan, 1.0, 2.0]), np.array([1.0, 2.0]))

    assert (le.tolist(), lt.tolist()) == ([1, 2], [0, 1])


def test_chance_exceeds_what_it_is_said_to_as_often_as_it_is_said_to():
    rng, draws, (n, m), bins = np.random.default_rng(5), 2000, (500, 800), 10
    counts = [rng.multinomial(size, np.full(bins, 0.1), draws) for size in (n, m)]
    expected, observed = (drift.fractions(each) for each in counts)
    indices = np.array([drift.psi(a, b) for a, b in zip(expected, observed, strict=True)])

    above = float(np.mean(indices > drift.psi_by_chance((float(n), float(m)), bins, 0.05)))

    assert 0.03 < above < 0.07


def test_ks_by_chance_is_the_known_limit():
    assert drift.ks_by_chance((100.0, 100.0), 0.05) == pytest.approx(1.358 * math.sqrt(2 / 100), abs=1e-3)
    with pytest.raises(ValueError, match="both should have values"):
        drift.ks_by_chance((0.0, 10.0), 0.05)
