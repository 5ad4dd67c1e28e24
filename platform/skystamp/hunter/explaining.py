"""The seam to what explains a model's answer: pictures to lay over the stamps, and the numbers that spoke most.

The page knows no model. Whoever serves it may give an `Explainer`; without one the page says that none is set.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32

from skystamp.alert import Alert


@dataclass(frozen=True, slots=True)
class Spoke:
    """A number that a model read, and what it added to the probability."""

    name: str
    value: float
    added: float


@dataclass(frozen=True)
class Why:
    """What each pixel and number of one alert added to the probability of the class that was answered.

    Attributes
    ----------
    model, label : str
        Who answered, and what.
    probability : float
        Of the class.
    pixels : mapping of str to array
        By band, float32 (y, x): the central pixels of its stamp; positive spoke for the class.
    numbers : sequence of Spoke
        Strongest first.
    """

    model: str
    label: str
    probability: float
    pixels: Mapping[str, Float32[np.ndarray, "height width"]]
    numbers: Sequence[Spoke]

    @property
    def most(self) -> float:
        """The greatest that a pixel added or took, the end of the scale."""
        return max((float(np.abs(values).max()) for values in self.pixels.values()), default=0.0)


Explainer = Callable[[Sequence[Alert], int], Why]
"""The alerts of an object, with cutouts, and the number of the one that is asked about -> why.

Raises `errors.UsageError` where the model can not answer for it, `errors.Reject` where a stamp can not be read.
"""
