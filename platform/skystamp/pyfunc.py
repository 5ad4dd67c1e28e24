"""A bundle as MLflow loads it: `mlflow.pyfunc.load_model("models:/first-detection@champion")` answers like the bundle.

MLflow keeps the name of this module (`loader_module`) and the bundle's folder beside it, and calls `_load_pyfunc`:
nothing is pickled.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

from skystamp import bundle, inputs


class BundleModel:
    """The bundle behind MLflow's `predict`."""

    def __init__(self, loaded: bundle.Bundle) -> None:
        self.bundle = loaded

    def predict(
        self, model_input: Mapping[str, np.ndarray], params: dict[str, Any] | None = None
    ) -> Float32[np.ndarray, "alert class"]:
        """Return probabilities, axes (alert, class), for raw inputs.

        Parameters
        ----------
        model_input : mapping
            The arrays of `inputs.Raw` by name, ``stamps`` float32 (alert, y, x, band) in the survey's unit and
            ``metadata`` float64 (alert, feature) in the order of `metadata.FEATURES`, NaN where missing; for a temporal
            model those of `inputs.RawSequences`.
        params : ignored
            MLflow passes it.
        """
        del params
        arrays = {name: np.asarray(values) for name, values in model_input.items()}
        return self.bundle.predict(inputs.raw_of(self.bundle.spec, arrays))


def _load_pyfunc(path: str) -> BundleModel:
    return BundleModel(bundle.load(Path(path)))
