"""Our values <-> rows of the tables. NaN is null and comes back as NaN; what was stored comes back equal."""

import hashlib
import math
from collections.abc import Iterable, Mapping
from typing import Any

from skystamp import avro
from skystamp.alert import BANDS, Alert, SolarSystemMatch
from skystamp.avro import Content
from skystamp.classify import (
    BOGUS_TWICE,
    NEGATIVE_DIFFERENCE,
    SOLAR_SYSTEM_RULE,
    Classification,
    Rejection,
    RuleOutcome,
)
from skystamp.errors import Reason
from skystamp.store.dialects import storable
from skystamp.store.tables import PROBABILITIES
from skystamp.store.values import AlertKey, Candidate, Change, Detection, ListedObject, Rejected, StoredOutcome

Row = dict[str, Any]


def detection_row(alert: Alert, detection: Detection, received: float) -> Row:
    """Return an alert, but its cutouts, as a row of `detections`."""
    match = alert.solar_system
    return {
        **place_row(detection),
        "object_id": alert.object_id,
        "mjd": alert.mjd,
        "ra": alert.ra,
        "dec": alert.dec,
        "band": alert.band,
        "is_negative": alert.is_negative,
        "metadata": {name: _null(value) for name, value in alert.metadata.items()},
        "ss_name": storable(match.name) if match else None,
        "ss_distance": match.distance if match else None,
        "ss_magnitude": _null(match.magnitude) if match else None,
        "schema": alert.schema,
        "received": received,
    }


def place_row(detection: Detection) -> Row:
    """Return a detection's key and its place in the sequence."""
    return {
        "survey": detection.survey,
        "alert_id": detection.alert_id,
        "place": detection.place,
        "left_out": detection.left_out,
        "n_accepted": detection.count,
    }


def cutouts_row(alert: Alert) -> Row:
    """Return an alert's cutouts as a row of `cutouts`."""
    key = {"survey": alert.survey, "alert_id": alert.alert_id, "object_id": alert.object_id}
    return {**key, "mjd": alert.mjd, **{band: alert.cutouts[band] for band in BANDS}}


def packet_rows(alerts: Iterable[Alert], contents: Mapping[AlertKey, Content]) -> tuple[list[Row], list[Row]]:
    """Return the rows of `schemas` and of `packets`, of those alerts whose content is known."""
    digests = {text: hashlib.sha256(text).hexdigest() for text in {one.schema for one in contents.values()}}
    schemas = [{"digest": digest, "text": avro.packed(text)} for text, digest in digests.items()]
    known = [(alert, contents[_key(alert)]) for alert in alerts if _key(alert) in contents]
    packets = [
        {"survey": alert.survey, "alert_id": alert.alert_id, "object_id": alert.object_id}
        | {"schema": digests[one.schema], "whole": one.whole, "content": avro.packed(one.data)}
        for alert, one in known
    ]
    return schemas, packets


def content(row: Mapping[Any, Any]) -> Content:
    """Return the bytes of a row of `packets` beside one of `schemas`."""
    return Content(avro.unpacked(bytes(row["content"])), avro.unpacked(bytes(row["text"])), row["whole"])


def detection(row: Mapping[Any, Any]) -> Detection:
    """Return what a row of `detections` says to its object's sequence."""
    places = (row["place"], row["left_out"], row["n_accepted"])
    return Detection(row["survey"], row["object_id"], row["alert_id"], row["mjd"], row["ra"], row["dec"], *places)


def alert(row: Mapping[Any, Any]) -> Alert:
    """Return the alert of a row of `detections` beside one of `cutouts`; no cutouts where these are null or absent."""
    return Alert(
        survey=row["survey"],
        object_id=row["object_id"],
        alert_id=row["alert_id"],
        mjd=row["mjd"],
        ra=row["ra"],
        dec=row["dec"],
        band=row["band"],
        is_negative=row["is_negative"],
        metadata={name: _nan(value) for name, value in row["metadata"].items()},
        cutouts={band: bytes(row[band]) for band in BANDS} if row.get("science") is not None else {},
        solar_system=None
        if row["ss_name"] is None
        else SolarSystemMatch(row["ss_name"], row["ss_distance"], _nan(row["ss_magnitude"])),
        schema=row["schema"],
    )


def outcome_row(one: Classification, *, shadow: bool, created: float) -> Row:
    """Return a classification as a row of `outcomes`."""
    return {
        "survey": one.survey,
        "alert_id": one.alert_id,
        "model": one.model,
        "model_version": one.model_version,
        "object_id": one.object_id,
        "mjd": one.mjd,
        "n_detections": one.n_detections,
        "label": one.label,
        **_probabilities(one),
        "flags": list(one.flags),
        "rules": [[rule.rule, rule.label, storable(rule.detail)] for rule in one.rules],
        "shadow": shadow,
        "created": created,
        "spread": one.spread,
    }


def stored_outcome(row: Mapping[Any, Any]) -> StoredOutcome:
    """Return the classification of a row of `outcomes` or `superseded`."""
    found = Classification(
        survey=row["survey"],
        object_id=row["object_id"],
        alert_id=row["alert_id"],
        mjd=row["mjd"],
        n_detections=row["n_detections"],
        probabilities=_of_classes(row),
        model=row["model"],
        model_version=row["model_version"],
        flags=tuple(row["flags"]),
        rules=tuple(RuleOutcome(*rule) for rule in row["rules"]),
        spread=row["spread"],
    )
    return StoredOutcome(found, row["shadow"], row["created"])


def rejected(row: Mapping[Any, Any]) -> Rejected:
    """Return the rejection of a row of `rejections` beside one of `rejected_packets`."""
    identity = (row["survey"], row["object_id"], row["alert_id"], row["mjd"])
    rejection = Rejection(Reason(row["reason"]), row["detail"], *identity)
    return Rejected(rejection, row["digest"], row["position"], bytes(row["packet"] or b""))


def object_row(change: Change) -> Row:
    """Return what becomes of an object as a row of `objects`; the columns of its outcome are null where it stays."""
    ordered = sorted(change.detections, key=lambda one: (one.mjd, one.alert_id))
    row: Row = {
        "survey": change.survey,
        "object_id": change.object_id,
        "revision": change.seen + 1,
        "ra": ordered[0].ra,
        "dec": ordered[0].dec,
        "first_mjd": ordered[0].mjd,
        "last_mjd": ordered[-1].mjd,
        "n_detections": len(ordered),
        "n_accepted": sum(one.place > 0 for one in ordered),
    }
    return {**row, **_latest(change.latest)}


def candidate(row: Mapping[Any, Any]) -> Candidate:
    """Return a row of `objects` that has an outcome."""
    same = {name: row[name] for name in Candidate.__dataclass_fields__ if name != "probabilities"}
    return Candidate(**same, probabilities=_of_classes(row))


def listed_object(row: Mapping[Any, Any]) -> ListedObject:
    """Return a row of a list of objects."""
    same = {name: row[name] for name in ListedObject.__dataclass_fields__ if name != "probabilities"}
    return ListedObject(**same, probabilities=_of_classes(row))


def _latest(one: Classification | None) -> Row:
    rules = {rule.rule for rule in one.rules} if one else set()
    return {
        "alert_id": one.alert_id if one else None,
        "model": one.model if one else None,
        "model_version": one.model_version if one else None,
        "label": one.label if one else None,
        "p_label": one.probabilities.get(one.label, 0.0) if one else None,
        **(_probabilities(one) if one else dict.fromkeys(PROBABILITIES.values())),
        "is_negative": one is not None and NEGATIVE_DIFFERENCE in one.flags,
        "is_solar_system": SOLAR_SYSTEM_RULE in rules,
        "is_bogus_twice": BOGUS_TWICE in rules,
    }


def _probabilities(one: Classification) -> Row:
    return {column: one.probabilities.get(name) for name, column in PROBABILITIES.items()}


def _of_classes(row: Mapping[Any, Any]) -> dict[str, float]:
    return {name: row[column] for name, column in PROBABILITIES.items() if row[column] is not None}


def _key(alert: Alert) -> AlertKey:
    return alert.survey, alert.alert_id


def _null(value: float) -> float | None:
    return None if math.isnan(value) else value


def _nan(value: float | None) -> float:
    return math.nan if value is None else value
