"""What models said of an object, by ALeRCE's names: probabilities, classifiers with their classes, features."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from skystamp import metadata
from skystamp.alerce_api import errors
from skystamp.alerce_api.names import FID, STANDING, SURVEY, ranked, standing_version
from skystamp.classify import Classification
from skystamp.store import ListedObject, Store, StoredOutcome

Row = dict[str, Any]


def probabilities(
    store: Store, found: ListedObject, classifier: str | None = None, version: str | None = None
) -> list[Row]:
    """Return one row a class of the answer that stands, then of each model and version its newest answer.

    A challenger's answers are among them where its version is asked for, and only there.
    """
    rows = _standing(found)
    key = (SURVEY, found.object_id)
    for one in _newest(store.outcomes_of_objects([key])[key], version):
        rows += _rows(one.model, one.model_version, one.label, one.probabilities)
    return [
        row
        for row in rows
        if classifier in (None, row["classifier_name"]) and version in (None, row["classifier_version"])
    ]


def classifiers(store: Store) -> list[Row]:
    """Return every classifier and version that has scores, each under our name and under `STANDING`."""
    found = store.scorers()
    own = [_classifier(one.model, one.version, one.classes) for one in found]
    return own + [_classifier(STANDING, standing_version(one.model, one.version), one.classes) for one in found]


def classes(store: Store, classifier: str, version: str) -> list[Row]:
    """Return the classes of a classifier's version.

    Raises
    ------
    Refusal
        404.
    """
    for one in classifiers(store):
        if (one["classifier_name"], one["classifier_version"]) == (classifier, version):
            return [{"name": name} for name in one["classes"]]
    raise errors.not_found("Classifier not found.", "classifier_not_found")


def features(store: Store, found: ListedObject, fid: int | None = None, version: str | None = None) -> list[Row]:
    """Return the metadata that first-detection models read beside the stamps, of the detection that was answered last.

    They are no features of a light curve. Null is what the packet has not; `version` is the packet's schema.
    """
    key = (SURVEY, found.alert_id if found.alert_id is not None else -1)
    alert = store.alerts([key], with_cutouts=False).get(key)
    if alert is None or fid not in (None, FID[alert.band]) or version not in (None, alert.schema):
        return []
    told = {"fid": FID[alert.band], "version": alert.schema}
    values = metadata.table([alert])[0]
    return [
        {"name": name, "value": float(value) if np.isfinite(value) else None, **told}
        for name, value in zip(metadata.FEATURES, values, strict=True)
    ]


def _standing(found: ListedObject) -> list[Row]:
    if found.label is None:
        return []
    return _rows(STANDING, standing_version(found.model, found.model_version), found.label, found.probabilities)


def _newest(outcomes: Iterable[StoredOutcome], version: str | None) -> list[Classification]:
    """Return each model's and version's answer for its last detection in time; outcomes come in that order."""
    last: dict[tuple[str, str], Classification] = {}
    for one in outcomes:
        said = one.classification
        if not one.shadow or said.model_version == version:
            last[said.model, said.model_version] = said
    return [last[key] for key in sorted(last)]


def _rows(name: str, version: str, label: str, said: Any) -> list[Row]:
    return [
        {
            "classifier_name": name,
            "classifier_version": version,
            "class_name": each,
            "probability": probability,
            "ranking": place,
        }
        for each, probability, place in ranked(label, said)
    ]


def _classifier(name: str, version: str, known: Sequence[str]) -> Row:
    return {"classifier_name": name, "classifier_version": version, "classes": list(known)}
