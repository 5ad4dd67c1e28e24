"""The alerts of an object -> the raw inputs of one of them, as a model reads it."""

from collections.abc import Sequence

import numpy as np

from skystamp import inputs
from skystamp.alert import Alert
from skystamp.classify import Matcher, as_of
from skystamp.classify.sequenced import crossmatched
from skystamp.errors import UsageError
from skystamp.inputs import InputSpec, Raw, RawSequences, Spec


def subject(
    alerts: Sequence[Alert], alert_id: int, spec: Spec, catalogue: Matcher | None = None
) -> tuple[Raw | RawSequences, tuple[Alert, ...]]:
    """Return the raw inputs of one alert, and the alerts that they are made of.

    Parameters
    ----------
    alerts : sequence of Alert
        Of one object or several, the one in question among them, in any order.
    alert_id : int
        Which is asked about. A model of sequences reads its object's first detections up to it.
    spec : InputSpec or SequenceSpec
        Of the model.
    catalogue : Matcher, optional
        For AllWISE; without one its inputs are missing.

    Raises
    ------
    UsageError
        If the alert is not there, or its object has too few accepted detections for the model up to it.
    Reject
        If a stamp of the alert can not be read.
    """
    wanted = next((alert for alert in alerts if alert.alert_id == alert_id), None)
    if wanted is None:
        raise UsageError(f"the alert {alert_id} should be among the packets. Received: {len(alerts)} others")
    own = [wanted] if isinstance(spec, InputSpec) else [a for a in alerts if a.object_id == wanted.object_id]
    raw, kept, rejects = inputs.collect(own, side=spec.side, crop=spec.crop)
    if own.index(wanted) in rejects:
        raise rejects[own.index(wanted)]
    seen = [own[i] for i in kept]
    if isinstance(spec, InputSpec):
        return raw, (wanted,)
    accepted = as_of(seen)[seen.index(wanted)].accepted
    if len(accepted) < spec.detections:
        raise UsageError(
            f"{wanted.object_id} should have {spec.detections} accepted detections up to {alert_id}. "
            f"Received: {len(accepted)}"
        )
    members = accepted[: spec.detections]
    wise, _ = crossmatched([seen[members[0]]], spec, catalogue)
    mjd = np.array([alert.mjd for alert in seen])
    return RawSequences.gathered(raw, mjd, np.array([members], np.int64), wise), tuple(seen[i] for i in members)
