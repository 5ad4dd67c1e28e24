"""Why a model answered as it did for one object: what each pixel and each number added to the probability of a class.

    alerts of an object ── subject ──> raw inputs of one ── explain(bundle, raw) ──> Explanation ── png ──> bytes

    integrated.py   integrated gradients: how the probability grows on the straight way from the baseline to the inputs
    occlusion.py    what the probability loses when a patch of a stamp, or a number, is put back to the baseline
    explaining.py   both for a bundle, with the names of bands and features
    picture.py      stamps with both laid over them, and the numbers that matter most

The baseline is an object that says nothing: every stamp flat at its own median, which is its sky, and every number the
mean of the training split (0 where it is standardised). Both methods answer for the bundle as it is, to the very
probability that it gives.
"""

from skystamp.explanation.explaining import Explanation, Number, baseline_of, explain
from skystamp.explanation.integrated import integrated_gradients
from skystamp.explanation.occlusion import occlusion
from skystamp.explanation.picture import figure, png
from skystamp.explanation.subject import subject

__all__ = [
    "Explanation",
    "Number",
    "baseline_of",
    "explain",
    "figure",
    "integrated_gradients",
    "occlusion",
    "png",
    "subject",
]
