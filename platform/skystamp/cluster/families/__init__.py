"""The model families: what differs between training a first-detection model and a temporal one.

    settings {learning_rate: 1e-3, crop: 21, ...} ── Family.configuration ──> Configuration: spec, network, training
    prepared data ── Family.load ──> labelled raw inputs

Settings are flat, with the papers' names, as a search space gives them and MLflow shows them.
"""

from skystamp import routing
from skystamp.cluster.families import single, temporal
from skystamp.cluster.families.configuration import Configuration, Family, Labelled
from skystamp.errors import UsageError

__all__ = ["Configuration", "Family", "Labelled", "of"]


def of(name: str) -> Family:
    """Return the family of a registered model, by its name in `routing.MODEL_FOR`.

    Raises
    ------
    UsageError
        If there is no such name.
    """
    detections = {model: n for n, model in routing.MODEL_FOR.items()}
    if name not in detections:
        raise UsageError(f"the model should be one of {', '.join(detections)}. Received: {name}")
    return single.family() if name == routing.FIRST_DETECTION else temporal.family(name, detections[name])
