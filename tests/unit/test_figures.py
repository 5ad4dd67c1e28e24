"""What the figures show, read back from their axes."""

import sys

import numpy as np
import pytest

from skystamp.figures import calibration_figure, confusion_figure, learning_curve_figure

MATRIX = np.array([[8, 2, 0], [1, 9, 0], [0, 0, 0]])
HISTORY = {
    "iteration": [10.0, 20.0, 30.0],
    "train_loss": [1.0, 0.7, 0.5],
    "loss": [1.1, 0.8, 0.9],
    "accuracy": [0.3, 0.6, 0.7],
    "macro_f1": [0.2, 0.5, 0.6],
}


def test_confusion_figure_writes_counts_classes_and_scores():
    figure = confusion_figure(MATRIX, ("SN", "VS", "AGN"), "Test")

    (axes,) = figure.axes
    assert [text.get_text() for text in axes.texts][:2] == ["8\n80%", "2\n20%"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["SN", "VS", "AGN"]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["SN (80%)", "VS (90%)", "AGN (none)"]
    assert "accuracy 0.850" in axes.get_title()


def test_confusion_figure_refuses_too_few_classes():
    with pytest.raises(ValueError, match="a row and a column a class"):
        confusion_figure(MATRIX, ("SN", "VS"))


def test_learning_curve_draws_each_score_and_marks_the_best():
    figure = learning_curve_figure(HISTORY, best_iteration=20)

    lines = {line.get_label(): line for axes in figure.axes for line in axes.lines}
    assert set(lines) == {"train loss", "validation loss", "accuracy", "macro f1", "best, 20"}
    assert list(lines["validation loss"].get_ydata()) == HISTORY["loss"]


def test_learning_curve_of_a_training_with_one_validation():
    figure = learning_curve_figure({name: values[:1] for name, values in HISTORY.items()})

    assert len(figure.axes) == 2


def test_calibration_figure_has_a_bar_for_each_bin_in_use():
    figure = calibration_figure(np.array([[0.95, 0.05], [0.55, 0.45]]), np.array([0, 0]))

    assert len(figure.axes[0].patches) == 2


@pytest.mark.parametrize(
    "draw",
    [
        lambda: confusion_figure(MATRIX, ("SN", "VS", "AGN")),
        lambda: learning_curve_figure(HISTORY, 20),
        lambda: calibration_figure(np.array([[0.95, 0.05]]), np.array([0])),
    ],
    ids=["confusion", "learning curve", "calibration"],
)
def test_figures_are_drawn_without_pyplot(draw, tmp_path):
    pyplot = "matplotlib.pyplot" in sys.modules

    draw().savefig(tmp_path / "figure.png")

    assert (tmp_path / "figure.png").stat().st_size > 5000
    assert ("matplotlib.pyplot" in sys.modules) == pyplot
