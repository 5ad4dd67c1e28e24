"""ROC and operating table: against the Mann-Whitney statistic of SciPy, and against five objects counted by hand."""

import numpy as np
import pytest
from scipy import stats

from skystamp.evaluation import Judged, operating

# probabilities of SN of two supernovae, then of three others
GIVEN = np.array([0.9, 0.4, 0.6, 0.4, 0.1])
OWN = np.array([True, True, False, False, False])


def by_hand() -> Judged:
    probabilities = np.stack([1 - GIVEN, GIVEN], axis=1)[None].astype(np.float32)
    return Judged(("AGN", "SN"), OWN.astype(np.int64), probabilities, np.array(list("abcde")), np.arange(5))


def test_curve_of_five_objects_is_the_one_counted_by_hand():
    curve = operating.roc(GIVEN, OWN)

    assert curve.thresholds.tolist() == [np.inf, 0.9, 0.6, 0.4, 0.1]
    assert curve.true_rate.tolist() == [0, 0.5, 0.5, 1, 1]
    assert curve.false_rate == pytest.approx([0, 0, 1 / 3, 2 / 3, 1])
    assert curve.area == pytest.approx((3 + 1 + 0.5) / 6)  # pairs in the right order, a tie counted half


def test_area_is_the_share_of_pairs_in_the_right_order(one):
    scores, own = np.round(one.probabilities[0, :, 1], 1), one.labels == 1

    found = operating.roc(scores, own).area

    statistic = stats.mannwhitneyu(scores[own], scores[~own]).statistic
    assert found == pytest.approx(statistic / (own.sum() * (~own).sum()))


def test_threshold_of_a_rate_lets_no_more_false_positives_through(one):
    scores, own = one.probabilities[0, :, 1].astype(np.float64), one.labels == 1

    for rate in (0.0, 0.01, 0.1, 0.5, 1.0):
        threshold = operating.roc(scores, own).threshold_of(rate)

        assert (scores[~own] >= threshold).mean() <= rate


def test_where_the_highest_score_is_wrong_a_rate_of_zero_lets_nothing_through():
    threshold = operating.roc(np.array([0.9, 0.5]), np.array([False, True])).threshold_of(0.0)

    assert np.isfinite(threshold)
    assert threshold > 0.9


def test_table_counts_what_a_list_holds():
    rows = {
        (row["choice"], row["threshold"] and row["threshold"]["mean"]): row for row in operating.table(by_hand(), "SN")
    }

    half = rows["threshold", 0.5]
    assert [half[name]["mean"] for name in ("candidates", "found", "false_positives")] == [2, 1, 1]
    assert (half["completeness"]["mean"], half["purity"]["mean"]) == (0.5, 0.5)
    assert half["false_rate"]["mean"] == pytest.approx(1 / 3)
    assert rows["most probable class", None]["candidates"]["mean"] == 2
    assert np.isnan(rows["threshold", 0.95]["purity"]["mean"])


def test_rates_have_a_threshold_in_each_training(three):
    row = operating.table(three, "SN")[-1]

    assert len(row["threshold"]["values"]) == 3
    assert max(row["false_rate"]["values"]) <= operating.FALSE_RATES[-1]


def test_a_class_without_objects_has_a_table_without_rates(one):
    rest = one.take(np.flatnonzero(one.names != "SN"))

    rows = operating.table(rest, "SN")

    assert [row["false_rate"]["mean"] for row in rows[:1]] == [rows[0]["candidates"]["mean"] / len(rest)]
    assert np.isnan(rows[0]["completeness"]["mean"])
    assert np.isnan(operating.rocs(rest, "SN")[0].area)


def test_curves_by_threshold_agree_with_the_table():
    purity, completeness = operating.by_threshold(by_hand(), "SN", np.array([0.5, 0.95]))

    assert completeness.tolist() == [[0.5, 0.0]]
    assert purity[0, 0] == 0.5
    assert np.isnan(purity[0, 1])
