"""Objects of the store by ALeRCE's names: a page of a list, or one."""

from collections.abc import Sequence
from typing import Any

from skystamp import avro
from skystamp.alerce_api import errors, magstats
from skystamp.alerce_api.asking import ObjectsAsked, plain, wanted
from skystamp.alerce_api.names import JD_OF_MJD, SURVEY, number
from skystamp.alert import Alert
from skystamp.store import ListedObject, ObjectFilter, Store

Row = dict[str, Any]


def page(store: Store, asked: ObjectsAsked) -> Row:
    """Return a page of objects; `total` is null unless it is asked for.

    Raises
    ------
    UsageError
        If too many objects are in the place asked for.
    """
    want = wanted(asked, store.scorers)
    found = store.listed(want.chosen) if want.chosen else []
    total = (store.count_listed(want.chosen) if want.chosen else 0) if asked.count else None
    shown, has_next = found[: asked.page_size], len(found) > asked.page_size
    alerts = store.alerts_of_objects([(SURVEY, one.object_id) for one in shown])
    return {
        "total": total,
        "page": asked.page,
        "next": asked.page + 1 if has_next else None,
        "has_next": has_next,
        "prev": asked.page - 1 if asked.page > 1 else None,
        "has_prev": asked.page > 1,
        "items": [_item(one, alerts[SURVEY, one.object_id], *want.named(one)) for one in shown],
    }


def one(store: Store, oid: str) -> Row:
    """Return one object.

    Raises
    ------
    Refusal
        404.
    """
    found = existing(store, oid)
    alerts = store.alerts_of_objects([(SURVEY, found.object_id)])[SURVEY, found.object_id]
    row = _object(found, alerts)
    keys = [(last.survey, last.alert_id) for last in alerts[-1:]]
    for content in store.contents(keys).values():
        candidate = avro.head_of(content).get("candidate") or {}
        row["mjdstarthist"] = _mjd(number(candidate, "jdstarthist"))
        row["mjdendhist"] = _mjd(number(candidate, "jdendhist"))
    return row


def existing(store: Store, oid: str) -> ListedObject:
    """Return an object with the answer that stands for it.

    Raises
    ------
    Refusal
        404.
    """
    for found in store.listed(ObjectFilter(SURVEY, names=(plain(oid[:64]),), limit=1)):
        if found.object_id == oid:
            return found
    raise errors.not_found("Object not found.", "object_not_found")


def _item(found: ListedObject, alerts: Sequence[Alert], name: str | None, version: str | None) -> Row:
    told = {"class": found.label, "classifier": name, "classifier_version": version, "probability": found.probability}
    return {**_object(found, alerts), **told}


def _object(found: ListedObject, alerts: Sequence[Alert]) -> Row:
    ra, dec, sigma_ra, sigma_dec = magstats.position(alerts)
    brightest, mean = magstats.colours(alerts)
    last = alerts[-1].metadata
    detections, looks = number(last, "ndethist"), number(last, "ncovhist")
    return {
        "oid": found.object_id,
        "ndethist": None if detections is None else str(int(detections)),
        "ncovhist": None if looks is None else int(looks),
        "mjdstarthist": None,
        "mjdendhist": None,
        "corrected": False,
        "stellar": magstats.is_stellar(alerts),
        "ndet": found.n_detections,
        "g_r_max": brightest,
        "g_r_max_corr": None,
        "g_r_mean": mean,
        "g_r_mean_corr": None,
        "firstmjd": found.first_mjd,
        "lastmjd": found.last_mjd,
        "deltajd": found.delta_mjd,
        "meanra": ra,
        "meandec": dec,
        "sigmara": sigma_ra,
        "sigmadec": sigma_dec,
        "step_id_corr": None,
    }


def _mjd(jd: float | None) -> float | None:
    return None if jd is None else jd - JD_OF_MJD
