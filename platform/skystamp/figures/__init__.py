"""Pictures of how models did: of a training, of an evaluation's scores, of the sky, of alerts.

    training.py    confusion matrix, learning curve, calibration
    scores.py      confusion with its spread, ROC, thresholds, reliability, histograms, slices
    sky.py         Aitoff maps of answers with the galactic plane and the ecliptic
    features.py    distributions of the metadata, class by class
    alerts.py      an alert's stamps
    studies.py     accuracy against the cost of an answer, the confidence of answers by configuration
    drawing.py     colours, axes, and figures as what a page can hold

Each function returns a `matplotlib.figure.Figure` made without pyplot, so nothing global changes and many threads
may draw at once. `figure.savefig(path)` writes it.
"""

from skystamp.figures.alerts import stamps_figure
from skystamp.figures.drawing import as_png, as_svg
from skystamp.figures.features import features_figure
from skystamp.figures.scores import (
    confusion_spread_figure,
    histograms_figure,
    reliability_figure,
    roc_figure,
    slices_figure,
    thresholds_figure,
)
from skystamp.figures.sky import sky_figure
from skystamp.figures.studies import confidence_figure, tradeoff_figure
from skystamp.figures.training import calibration_figure, confusion_figure, learning_curve_figure

__all__ = [
    "as_png",
    "as_svg",
    "calibration_figure",
    "confidence_figure",
    "confusion_figure",
    "confusion_spread_figure",
    "features_figure",
    "histograms_figure",
    "learning_curve_figure",
    "reliability_figure",
    "roc_figure",
    "sky_figure",
    "slices_figure",
    "stamps_figure",
    "thresholds_figure",
    "tradeoff_figure",
]
