"""Tests, intervals and the choice among equals: against SciPy and against answers worked out by hand."""

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from skystamp import statistics

RNG_SEED = 20
GOOD = [0.981, 0.979, 0.985, 0.983, 0.982]
LIKE_GOOD = [0.980, 0.984, 0.978, 0.983, 0.981]
BAD = [0.921, 0.915, 0.930, 0.918, 0.924]


def by_hand(first: list[int], second: list[int]) -> float:
    """Return the exact two-sided p of whole numbers, whose sums are exact."""
    pooled = [*first, *second]
    n, m = len(first), len(second)

    def distance(chosen: tuple[int, ...]) -> int:
        inside = sum(pooled[i] for i in chosen)
        return abs(m * inside - n * (sum(pooled) - inside))

    everything = [distance(chosen) for chosen in itertools.combinations(range(n + m), n)]
    return sum(d >= distance(tuple(range(n))) for d in everything) / len(everything)


def test_welch_agrees_with_its_formula():
    x, y = np.array([1.0, 2.0, 3.0, 4.0]), np.array([2.0, 4.0, 9.0])
    a, b = x.var(ddof=1) / 4, y.var(ddof=1) / 3

    found = statistics.welch(x, y)

    degrees = (a + b) ** 2 / (a**2 / 3 + b**2 / 2)
    t = (x.mean() - y.mean()) / math.sqrt(a + b)
    assert (found.t, found.degrees) == pytest.approx((t, degrees))
    assert found.p == pytest.approx(2 * stats.t.sf(abs(t), degrees))


@pytest.mark.parametrize(("second", "p"), [([1.0, 1.0, 1.0], 1.0), ([0.9, 0.9], 0.0)], ids=["same", "other"])
def test_welch_of_samples_that_do_not_vary(second: list[float], p: float):
    assert statistics.welch([1.0, 1.0], second).p == p


@pytest.mark.parametrize("first", [[], [0.9], [0.9, math.nan]], ids=["none", "one", "not a number"])
def test_welch_refuses_what_has_no_spread_to_measure(first: list[float]):
    with pytest.raises(ValueError, match="should be 2 finite values or more"):
        statistics.welch(first, GOOD)


def test_permutation_test_of_three_against_three_by_hand():
    """Of 20 regroupings only {1,2,3} | {4,5,6} and its mirror are as far apart."""
    found = statistics.permutation_test([1.0, 2.0, 3.0], [4.0, 5.0, 6.0])

    assert found == statistics.Permutation(difference=-3.0, p=0.1, exact=True, smallest_p=0.1)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ([1, 5, 5, 7], [2, 5, 9]),
        ([0, 0, 1], [0, 1, 1, 1, 0]),
        ([3, 3], [3, 3]),
        ([584, 590, 588], [571, 590, 569, 571]),
    ],
    ids=["unequal sizes", "ties", "all the same", "right answers of 600"],
)
def test_permutation_test_is_exact_for_samples_with_ties(first: list[int], second: list[int]):
    """Also for shares, whose means differ by rounding where those of whole numbers are the same."""
    expected = by_hand(first, second)

    assert statistics.permutation_test([float(v) for v in first], [float(v) for v in second]).p == expected
    assert statistics.permutation_test([v / 600 for v in first], [v / 600 for v in second]).p == expected


def test_permutation_test_counts_all_ways_of_ten_against_ten():
    rng = np.random.default_rng(RNG_SEED)
    x, y = rng.normal(0, 1, 10), rng.normal(0.8, 1, 10)

    found = statistics.permutation_test(x, y)

    reference = stats.permutation_test(
        (x, y), lambda a, b, axis: a.mean(axis) - b.mean(axis), n_resamples=np.inf, batch=20_000
    )
    assert found.exact
    assert found.p == pytest.approx(float(reference.pvalue), abs=1e-12)
    assert found.smallest_p == 2 / 184_756


def test_permutation_test_is_symmetric():
    one, other = statistics.permutation_test(GOOD, BAD[:3]), statistics.permutation_test(BAD[:3], GOOD)

    assert one.p == other.p
    assert one.difference == -other.difference


def test_sampled_permutation_test_adds_one_and_comes_near_the_exact():
    exact = statistics.permutation_test(GOOD, BAD)

    drawn = statistics.permutation_test(GOOD, BAD, ways=199, rng=np.random.default_rng(RNG_SEED))

    assert not drawn.exact
    assert (drawn.p * 200) == pytest.approx(round(drawn.p * 200))
    assert drawn.smallest_p == 1 / 200
    assert abs(drawn.p - exact.p) < 0.03
    far = statistics.permutation_test(np.zeros(30), np.ones(30), ways=99, rng=np.random.default_rng(0))
    assert far.p == 1 / 100


def test_drawing_wants_a_generator():
    with pytest.raises(ValueError, match="rng should be given"):
        statistics.permutation_test(GOOD, BAD, ways=10)


def test_p_is_uniform_where_there_is_no_difference():
    """Of exact p of 5 against 5 no more than a share alpha lies at or below alpha, and nearly that many do."""
    rng = np.random.default_rng(RNG_SEED)

    p = np.array([statistics.permutation_test(rng.normal(size=5), rng.normal(size=5)).p for _ in range(600)])

    for alpha in (0.05, 0.2, 0.5, 0.8):
        share = (p <= alpha + 1e-12).mean()
        assert share == pytest.approx(alpha, abs=3 * math.sqrt(alpha * (1 - alpha) / 600) + 1 / 126)


def test_paired_test_flips_signs_of_differences():
    """Differences 1, 2, 3, -1: of 16 signings those with |sum| >= 5 are +-(7: one), +-(5: two)."""
    found = statistics.paired_permutation_test([2.0, 4.0, 6.0, 1.0], [1.0, 2.0, 3.0, 2.0])

    assert found == statistics.Permutation(difference=1.25, p=6 / 16, exact=True, smallest_p=2 / 16)


def test_paired_test_sees_what_the_unpaired_one_can_not():
    splits = np.array([0.60, 0.70, 0.80, 0.90, 0.65, 0.75, 0.85, 0.95])

    assert statistics.paired_permutation_test(splits, splits + 0.01).p == 2 / 256
    assert statistics.permutation_test(splits, splits + 0.01).p > 0.5


def test_paired_test_refuses_samples_of_unequal_length():
    with pytest.raises(ValueError, match="of one length"):
        statistics.paired_permutation_test(GOOD, GOOD[:2])


def test_bootstrap_of_one_alert_an_object_is_scipys():
    right = np.random.default_rng(RNG_SEED).random(80) < 0.8

    found = statistics.bootstrap_interval(
        lambda alerts: float(right[alerts].mean()), [f"o{i:02}" for i in range(80)], rng=np.random.default_rng(1)
    )

    reference = stats.bootstrap(
        (right,), np.mean, n_resamples=1000, method="percentile", vectorized=False, rng=np.random.default_rng(1)
    ).confidence_interval
    assert found.estimate == right.mean()
    assert (found.low, found.high) == pytest.approx((reference.low, reference.high))


def test_bootstrap_draws_objects_with_all_their_alerts():
    """Ten alerts of one object that are right or wrong together say as little as one: the interval stays as wide."""
    right = np.random.default_rng(RNG_SEED).random(60) < 0.7
    many, objects = np.repeat(right, 10), np.repeat([f"o{i:02}" for i in range(60)], 10)

    one = statistics.bootstrap_interval(
        lambda alerts: float(right[alerts].mean()), [f"o{i:02}" for i in range(60)], rng=np.random.default_rng(1)
    )
    ten = statistics.bootstrap_interval(
        lambda alerts: float(many[alerts].mean()), objects.tolist(), rng=np.random.default_rng(1)
    )

    assert (ten.low, ten.high) == pytest.approx((one.low, one.high))
    assert ten.high - ten.low == pytest.approx(2 * 1.96 * float(right.std()) / math.sqrt(60), rel=0.15)


def test_bootstrap_wants_two_objects():
    with pytest.raises(ValueError, match="at least two objects"):
        statistics.bootstrap_interval(lambda alerts: 1.0, ["a", "a"], rng=np.random.default_rng(0))


def test_mcnemar_counts_only_objects_that_tell_the_models_apart():
    """8 for the first, 1 for the second: p = 2 (1 + 9) / 2**9."""
    first = np.array([True] * 8 + [False] + [True] * 50 + [False] * 5)
    second = np.array([False] * 8 + [True] + [True] * 50 + [False] * 5)

    found = statistics.mcnemar(first, second)

    assert (found.first_only, found.second_only) == (8, 1)
    assert found.p == pytest.approx(20 / 512)
    assert statistics.mcnemar(second, first).p == found.p


def test_mcnemar_of_models_that_agree_is_one():
    same = np.array([True, False, True])

    assert statistics.mcnemar(same, same).p == 1.0


def test_mcnemar_refuses_other_objects():
    with pytest.raises(ValueError, match="of the same objects"):
        statistics.mcnemar(np.array([True]), np.array([True, False]))


def test_the_fastest_of_equals_is_chosen_not_the_fastest_of_all():
    accuracies = {"slow": GOOD, "quick": LIKE_GOOD, "quickest": BAD}

    choice = statistics.fastest_of_equals(accuracies, {"slow": 3e-3, "quick": 2e-3, "quickest": 1e-3})

    assert (choice.chosen, choice.best, choice.equals) == ("quick", "slow", ("quick", "slow"))
    assert choice.p["slow"] == 1.0
    assert choice.p["quick"] == statistics.permutation_test(GOOD, LIKE_GOOD).p > 0.05
    assert choice.p["quickest"] == 2 / 252
    assert choice.testable
    assert "fastest of 2 that do not differ from the most accurate (slow) of 3" in choice.note


@pytest.mark.parametrize("seeds", [1, 2, 3])
def test_few_trainings_make_nothing_equal(seeds: int):
    """3 against 3 can not go below p = 0.1: not being told apart is no proof then."""
    accuracies = {"accurate": GOOD[:seeds], "quick": BAD[:seeds]}

    choice = statistics.fastest_of_equals(accuracies, {"accurate": 2.0, "quick": 1.0})

    assert choice.p["quick"] > 0.05
    assert (choice.chosen, choice.equals, choice.testable) == ("accurate", ("accurate",), False)
    assert "too few trainings" in choice.note


def test_the_same_mean_is_equal_whatever_the_number_of_trainings():
    choice = statistics.fastest_of_equals({"a": [0.9], "b": [0.9], "c": [0.8]}, {"a": 2.0, "b": 1.0, "c": 0.5})

    assert (choice.chosen, choice.equals, choice.testable) == ("b", ("b", "a"), False)


def test_four_trainings_are_enough_for_a_test():
    choice = statistics.fastest_of_equals({"a": GOOD[:4], "b": BAD[:4]}, {"a": 2.0, "b": 1.0})

    assert choice.p["b"] == 2 / 70
    assert (choice.chosen, choice.testable) == ("a", True)


def test_one_configuration_is_its_own_choice():
    choice = statistics.fastest_of_equals({"a": GOOD}, {"a": 1.0})

    assert (choice.chosen, choice.equals, choice.p, choice.testable) == ("a", ("a",), {"a": 1.0}, True)


def test_configurations_without_their_times_are_refused():
    with pytest.raises(ValueError, match="of the same configurations"):
        statistics.fastest_of_equals({"a": GOOD, "b": BAD}, {"a": 1.0})


def test_the_front_is_what_nothing_beats_in_both() -> None:
    scores = np.array([0.9, 0.8, 0.95, 0.8, 0.7])
    costs = np.array([2.0, 1.0, 5.0, 3.0, 1.0])

    assert statistics.front(scores, costs).tolist() == [True, True, True, False, False]


def test_equals_are_on_the_front_together() -> None:
    assert statistics.front(np.array([0.9, 0.9, 0.9]), np.array([2.0, 2.0, 3.0])).tolist() == [True, True, False]


def test_one_alone_is_the_front() -> None:
    assert statistics.front(np.array([0.5]), np.array([1.0])).tolist() == [True]


@pytest.mark.parametrize(("scores", "costs"), [([0.5], [1.0, 2.0]), ([np.nan], [1.0])])
def test_a_front_of_what_can_not_be_compared_is_refused(scores: list[float], costs: list[float]) -> None:
    with pytest.raises(ValueError, match="finite, one of each"):
        statistics.front(np.array(scores), np.array(costs))
