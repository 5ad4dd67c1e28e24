"""Scores against answers worked out by hand."""

import numpy as np
import pytest

from skystamp import metrics

LABELS = np.array([0, 0, 0, 1, 1, 2])
PREDICTED = np.array([0, 0, 1, 1, 1, 0])
MATRIX = np.array([[2, 1, 0], [0, 2, 0], [1, 0, 0]])


def test_confusion_matrix_counts_true_by_row_and_predicted_by_column():
    assert np.array_equal(metrics.confusion_matrix(LABELS, PREDICTED, 3), MATRIX)


def test_confusion_matrix_keeps_rows_of_classes_that_do_not_occur():
    assert metrics.confusion_matrix(LABELS, PREDICTED, 5).shape == (5, 5)


def test_confusion_matrix_refuses_a_class_it_has_no_row_for():
    with pytest.raises(ValueError, match=r"should be in 0\.\.1\. Received: 0\.\.2"):
        metrics.confusion_matrix(LABELS, PREDICTED, 2)


def test_recall_precision_and_f1_of_each_class():
    assert metrics.recall(MATRIX) == pytest.approx([2 / 3, 1, 0])
    assert metrics.precision(MATRIX) == pytest.approx([2 / 3, 2 / 3, np.nan], nan_ok=True)
    assert metrics.f1(MATRIX) == pytest.approx([2 / 3, 4 / 5, 0])


def test_summaries_of_a_matrix():
    assert metrics.accuracy(MATRIX) == pytest.approx(4 / 6)
    assert metrics.balanced_accuracy(MATRIX) == pytest.approx((2 / 3 + 1 + 0) / 3)
    assert metrics.macro_f1(MATRIX) == pytest.approx((2 / 3 + 4 / 5 + 0) / 3)


def test_means_leave_out_a_class_that_never_occurs():
    matrix = np.array([[3, 1, 0], [0, 4, 0], [0, 0, 0]])

    assert np.isnan(metrics.recall(matrix)[2])
    assert metrics.balanced_accuracy(matrix) == pytest.approx((0.75 + 1) / 2)
    assert metrics.macro_f1(matrix) == pytest.approx((6 / 7 + 8 / 9) / 2)


def test_scores_without_examples_are_nan_and_warn_of_nothing():
    nothing = metrics.scores(np.zeros((0, 3), np.float32), np.zeros(0, np.int64))

    assert all(np.isnan(value) for value in nothing.values())


def test_cross_entropy_is_the_mean_surprise_of_the_true_class():
    probabilities = np.array([[0.5, 0.5], [0.25, 0.75]])

    assert metrics.cross_entropy(probabilities, np.array([0, 0])) == pytest.approx((np.log(2) + np.log(4)) / 2)


def test_cross_entropy_of_a_certain_mistake_is_large_and_finite():
    assert 60 < metrics.cross_entropy(np.array([[0.0, 1.0]]), np.array([0])) < 100


@pytest.mark.parametrize(
    ("row", "expected"), [([0.2] * 5, np.log(5)), ([1, 0, 0, 0, 0], 0.0)], ids=["uniform", "certain"]
)
def test_entropy_of_known_predictions(row, expected):
    assert metrics.entropy(np.array([row], dtype=np.float64)) == pytest.approx(expected)


def test_calibration_error_is_the_gap_between_confidence_and_accuracy():
    probabilities = np.tile([0.8, 0.2], (10, 1))
    labels = np.array([0] * 6 + [1] * 4)

    assert metrics.expected_calibration_error(probabilities, labels) == pytest.approx(0.2)


def test_calibration_error_weighs_bins_by_their_counts():
    probabilities = np.array([[0.9, 0.1]] * 3 + [[0.6, 0.4]])
    labels = np.array([0, 0, 0, 1])

    assert metrics.expected_calibration_error(probabilities, labels) == pytest.approx((3 * 0.1 + 0.6) / 4)


def test_calibration_bins_hold_certainty_and_every_example():
    counts, confidence, right = metrics.calibration_bins(np.array([[1.0, 0.0], [0.55, 0.45]]), np.array([0, 1]), 10)

    assert counts.tolist() == [0, 0, 0, 0, 0, 1, 0, 0, 0, 1]
    assert (confidence[9], right[9], right[5]) == (1, 1, 0)
    assert np.isnan(confidence[0])


def test_scores_and_class_scores_agree_with_their_functions():
    probabilities = np.eye(3, dtype=np.float32)[PREDICTED]

    found = metrics.scores(probabilities, LABELS)
    by_class = metrics.class_scores(MATRIX, ("SN", "VS", "AGN"))

    assert found["accuracy"] == pytest.approx(4 / 6)
    assert found["macro_f1"] == metrics.macro_f1(MATRIX)
    assert by_class["recall_SN"] == pytest.approx(2 / 3)
    assert len(by_class) == 9


def test_class_scores_want_a_name_for_each_row():
    with pytest.raises(ValueError, match="should name each row"):
        metrics.class_scores(MATRIX, ("SN", "VS"))
