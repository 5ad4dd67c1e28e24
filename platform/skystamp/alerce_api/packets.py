"""Stamps and packets of one detection: cutouts as received, pictures of them, and the packet put together again.

A packet is kept as its record's bytes, its schema and its three cutouts. Put together it has every value that came,
but for the names of the cutouts' files, which nobody keeps; it is not the same file byte by byte.
"""

import json
import math
from typing import Any

from skystamp import avro, stamps
from skystamp.alerce_api import errors
from skystamp.alerce_api.names import SURVEY
from skystamp.alert import Alert
from skystamp.avro import Content
from skystamp.hunter import pictures
from skystamp.hunter.exporting import whole_record
from skystamp.store import Store

_LARGEST = 1 << 63


def cutout(store: Store, oid: str, candid: int, band: str) -> bytes:
    """Return a cutout as it came: gzip of a FITS image.

    Raises
    ------
    Refusal
        404 if there is no such detection, or its cutouts were dropped.
    """
    alert = _alert(store, oid, candid)
    if band not in alert.cutouts:
        raise errors.not_found("The stamps of this detection are not kept any more.", "stamps_dropped")
    return alert.cutouts[band]


def picture(store: Store, oid: str, candid: int, band: str, stretch: str) -> bytes:
    """Return a cutout as a PNG, north up, by a stretch of the Hunter page.

    Raises
    ------
    Refusal
        404 as `cutout`.
    Reject
        If the cutout is no image.
    """
    return pictures.png(stamps.decode(cutout(store, oid, candid, band)), stretch)


def packet(store: Store, oid: str, candid: int) -> bytes:
    """Return the packet of a detection, put together again: an Avro container with one record.

    Raises
    ------
    Refusal
        404 if there is no such detection, or its packet or cutouts are not kept.
    Reject
        If its record does not decode.
    """
    alert, content = _alert(store, oid, candid), _content(store, candid)
    if not alert.cutouts:
        raise errors.not_found("The packet of this detection is not kept any more.", "packet_dropped")
    return avro.encode(whole_record(alert, content), avro.parse_schema(json.loads(content.schema)))


def record(store: Store, oid: str, candid: int) -> dict[str, Any]:
    """Return the record of a detection without its cutouts, as JSON has it; `candid` of the candidate is a text.

    Raises
    ------
    Refusal
        404 if there is no such detection, or its packet is not kept.
    Reject
        If its record does not decode.
    """
    _alert(store, oid, candid)
    found = avro.record_of(_content(store, candid))
    found["candidate"] = {**found["candidate"], "candid": str(candid)}
    plain: dict[str, Any] = _plain(found)
    return plain


def _alert(store: Store, oid: str, candid: int) -> Alert:
    key = (SURVEY, candid)
    found = store.alerts([key]).get(key) if 0 <= candid < _LARGEST else None
    if found is None or found.object_id != oid:
        raise errors.not_found("AVRO not found: there is no such detection of this object.", "detection_not_found")
    return found


def _content(store: Store, candid: int) -> Content:
    key = (SURVEY, candid)
    found = store.contents([key])
    if key not in found:
        sentence = "The packet of this detection is not kept: it came before packets were, or was dropped."
        raise errors.not_found(sentence, "packet_dropped")
    return found[key]


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value.hex() if isinstance(value, bytes) else value
