"""Explanations, one at a time and the last few kept: one costs seconds of a core, and people go back and forth."""

import base64
import threading
from collections import OrderedDict

import numpy as np
from jaxtyping import Float32

from skystamp.api import Refusal
from skystamp.errors import Reject, UsageError
from skystamp.hunter import pictures
from skystamp.hunter.explaining import Explainer, Why
from skystamp.store import Store

KEPT = 64


class Whys:
    """Explains alerts of a store; a class because it holds what was explained."""

    def __init__(self, store: Store, explainer: Explainer | None) -> None:
        self._store, self._explainer = store, explainer
        self._found: OrderedDict[tuple[str, int], Why] = OrderedDict()
        self._lock = threading.Lock()

    def why(self, survey: str, alert_id: int) -> Why:
        """Return why the model answered as it did for an alert.

        Raises
        ------
        Refusal
            404 if no model is set or the images are not in the store; 422 where the model can not answer.
        """
        if self._explainer is None:
            raise Refusal(404, "no_explainer", "No model is set that explains (setting `explain` of the page).")
        with self._lock:
            if (survey, alert_id) not in self._found:
                self._found[survey, alert_id] = self._explained(self._explainer, survey, alert_id)
                while len(self._found) > KEPT:
                    self._found.popitem(last=False)
            return self._found[survey, alert_id]

    def _explained(self, explainer: Explainer, survey: str, alert_id: int) -> Why:
        named = self._store.objects_of([(survey, alert_id)]).get((survey, alert_id))
        detections = self._store.index([named])[named].detections if named else ()
        alerts = self._store.alerts([one.key for one in detections]) if detections else {}
        own = alerts.get((survey, alert_id))
        if own is None or not own.cutouts:
            raise Refusal(404, "no_cutout", "The detection's images are not in the store, or were dropped.")
        try:
            return explainer([one for one in alerts.values() if one.cutouts], alert_id)
        except (Reject, UsageError) as fault:
            raise Refusal(422, "no_explanation", f"The model can not explain this: {fault}.") from fault


def overlay_uri(values: Float32[np.ndarray, "height width"], most: float) -> str:
    """Return the picture of what spoke for and against, as an address that holds it."""
    return "data:image/png;base64," + base64.b64encode(pictures.overlay(values, most)).decode()
