"""One object's packets -> its detections and non-detections by ALeRCE's names.

    alerts that came ──────────────┐
    packets' own fields (pid, ...) ┼─> detections, in time order
    packets' history ──────────────┴─> earlier detections that never came as alerts, and upper limits

Magnitudes are those of the difference image. We correct none, so `corrected` is false and each ..._corr null.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from skystamp import avro
from skystamp.alerce_api.names import BAND, FID, JD_OF_MJD, SURVEY, number, text, whole
from skystamp.alert import Alert
from skystamp.avro import Record
from skystamp.hunter import curves, panel
from skystamp.store import AlertKey, Store
from skystamp.surveys import HISTORIES

Row = dict[str, Any]

_NUMBERS = (
    *("diffmaglim", "distnr", "magpsf", "magap", "sigmapsf", "sigmagap", "ra", "dec", "rb", "drb"),
    *("magapbig", "sigmagapbig"),
)
_WHOLE = ("pid", "nid", "rfid")
_UNKNOWN = (
    *("magpsf_corr", "magpsf_corr_ext", "magap_corr", "sigmapsf_corr", "sigmapsf_corr_ext", "sigmagap_corr"),
    *("step_id_corr", "phase"),
)
_POSITIVE = ("t", "true", "1")


@dataclass(frozen=True, slots=True)
class Known:
    """What the store has of an object: its alerts in time order, and the packets that tell of what was before them."""

    alerts: Sequence[Alert]
    histories: Mapping[AlertKey, Record]


def known(store: Store, oid: str) -> Known:
    """Return what the store has of an object."""
    key = (SURVEY, oid)
    return Known(store.alerts_of_objects([key])[key], panel.records_of(store, store.index([key])[key].detections))


def detections(store: Store, found: Known) -> list[Row]:
    """Return all detections of an object, in time order: alerts that came, and earlier ones that their packets tell."""
    keys = [(one.survey, one.alert_id) for one in found.alerts]
    stamps, contents = store.with_cutouts(keys), store.contents(keys)
    rows = {
        one.alert_id: _of_alert(one, avro.head_of(contents[key]) if key in contents else {}, key in stamps)
        for key, one in zip(keys, found.alerts, strict=True)
    }
    for (_, parent), record in found.histories.items():
        for one in record.get("prv_candidates") or []:
            if _is_detection(one) and one["candid"] not in rows:
                rows[one["candid"]] = _of_earlier(one, parent)
    return sorted(rows.values(), key=lambda row: (row["mjd"], row["candid"]))


def non_detections(found: Known) -> list[Row]:
    """Return the upper limits that an object's packets tell, in time order, each exposure once."""
    reader = HISTORIES[SURVEY]
    earlier = [one for record in found.histories.values() for one in reader(record)]
    looks = [one for one in curves.looks(found.alerts, earlier) if one.kind == "limit"]
    return [{"mjd": one.mjd, "fid": FID[one.band], "diffmaglim": one.magnitude} for one in looks]


def _of_alert(alert: Alert, head: Record, has_stamp: bool) -> Row:
    measured = {name: value for name, value in alert.metadata.items() if not math.isnan(value)}
    fields = {**(head.get("candidate") or {}), **measured, "ra": alert.ra, "dec": alert.dec}
    who = {"candid": str(alert.alert_id), "candid_alert": str(alert.alert_id), "parent_candid": None}
    return _row(alert.mjd, FID[alert.band], -1 if alert.is_negative else 1, fields, {**who, "has_stamp": has_stamp})


def _of_earlier(fields: Mapping[str, Any], parent: int) -> Row:
    sign = 1 if str(fields.get("isdiffpos")).strip().lower() in _POSITIVE else -1
    who = {"candid": str(fields["candid"]), "candid_alert": str(parent), "parent_candid": parent, "has_stamp": False}
    return _row(fields["jd"] - JD_OF_MJD, fields["fid"], sign, fields, who)


def _row(mjd: float, fid: int, sign: int, fields: Mapping[str, Any], who: Row) -> Row:
    return {
        "mjd": mjd,
        "fid": fid,
        "isdiffpos": sign,
        **who,
        **{name: whole(fields, name) for name in _WHOLE},
        **{name: number(fields, name) for name in _NUMBERS},
        "rbversion": text(fields, "rbversion"),
        "corrected": False,
        "dubious": False,
        **dict.fromkeys(_UNKNOWN),
    }


def _is_detection(fields: Any) -> bool:
    """Return whether an entry of a history is a detection with all that a light curve needs."""
    if not isinstance(fields, Mapping) or whole(fields, "candid") is None or fields.get("fid") not in BAND:
        return False
    return all(number(fields, name) is not None for name in ("jd", "magpsf", "ra", "dec"))
