"""Questions that the live path asks of the store: each one query a survey, however many objects or alerts it names."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from skystamp.alert import Alert
from skystamp.avro import Content
from skystamp.store import dialects, rows, tables
from skystamp.store.values import AlertKey, Detection, History, ObjectKey, Rejected, StoredOutcome

_PLACES = [
    tables.detections.c[name]
    for name in ("survey", "object_id", "alert_id", "mjd", "ra", "dec", "place", "left_out", "n_accepted")
]


def histories(connection: Connection, keys: Sequence[ObjectKey]) -> dict[ObjectKey, History]:
    """Return each object's stored detections in time order and its revision; an empty history where there is none."""
    known, found = tables.objects, tables.detections
    revisions = {
        (row["survey"], row["object_id"]): row["revision"]
        for row in by_name(connection, sa.select(known.c.survey, known.c.object_id, known.c.revision), known, keys)
    }
    members: defaultdict[ObjectKey, list[Detection]] = defaultdict(list)
    for row in by_name(connection, sa.select(*_PLACES), found, keys):
        members[row["survey"], row["object_id"]].append(rows.detection(row))
    in_time = {key: tuple(sorted(each, key=lambda one: (one.mjd, one.alert_id))) for key, each in members.items()}
    return {key: History(revisions.get(key, 0), in_time.get(key, ())) for key in keys}


def objects_of(connection: Connection, keys: Sequence[AlertKey]) -> dict[AlertKey, ObjectKey]:
    """Return the object of each alert that is stored."""
    table = tables.detections
    chosen = sa.select(table.c.survey, table.c.alert_id, table.c.object_id)
    found = by_name(connection, chosen, table, keys, "alert_id")
    return {(row["survey"], row["alert_id"]): (row["survey"], row["object_id"]) for row in found}


def alerts(connection: Connection, keys: Sequence[AlertKey], *, with_cutouts: bool = True) -> dict[AlertKey, Alert]:
    """Return the alerts that are stored, by key; without cutouts if not asked for or dropped."""
    table, images = tables.detections, tables.cutouts
    if not with_cutouts:
        chosen = sa.select(table)
    else:
        same = sa.and_(images.c.survey == table.c.survey, images.c.alert_id == table.c.alert_id)
        bands = (images.c.science, images.c.template, images.c.difference)
        chosen = sa.select(table, *bands).select_from(table.outerjoin(images, same))
    found = (rows.alert(row) for row in by_name(connection, chosen, table, keys, "alert_id"))
    return {(one.survey, one.alert_id): one for one in found}


def alerts_of_objects(connection: Connection, keys: Sequence[ObjectKey]) -> dict[ObjectKey, list[Alert]]:
    """Return the alerts of each object without their cutouts, in time order; an empty list where there is none."""
    table = tables.detections
    found: dict[ObjectKey, list[Alert]] = {key: [] for key in keys}
    for row in by_name(connection, sa.select(table).order_by(table.c.mjd, table.c.alert_id), table, keys):
        found[row["survey"], row["object_id"]].append(rows.alert(row))
    return found


def with_cutouts(connection: Connection, keys: Sequence[AlertKey]) -> set[AlertKey]:
    """Return those alerts whose cutouts are kept."""
    table = tables.cutouts
    found = by_name(connection, sa.select(table.c.survey, table.c.alert_id), table, keys, "alert_id")
    return {(row["survey"], row["alert_id"]) for row in found}


def contents(connection: Connection, keys: Sequence[AlertKey]) -> dict[AlertKey, Content]:
    """Return the packets of alerts, by key, of those that have one."""
    table, texts = tables.packets, tables.schemas
    chosen = sa.select(table, texts.c.text).join(texts, texts.c.digest == table.c.schema)
    found = by_name(connection, chosen, table, keys, "alert_id")
    return {(row["survey"], row["alert_id"]): rows.content(row) for row in found}


def outcomes(connection: Connection, keys: Sequence[AlertKey]) -> dict[AlertKey, list[StoredOutcome]]:
    """Return the outcomes of each alert, by model, version; an empty list where there is none."""
    return _outcomes(connection, keys, "alert_id")


def outcomes_of_objects(connection: Connection, keys: Sequence[ObjectKey]) -> dict[ObjectKey, list[StoredOutcome]]:
    """Return the outcomes of all alerts of each object, by time, model, version."""
    return _outcomes(connection, keys, "object_id")


def superseded(connection: Connection, keys: Sequence[ObjectKey]) -> dict[ObjectKey, list[StoredOutcome]]:
    """Return what was answered for each object before a late packet changed its sequence, oldest first."""
    return _outcomes(connection, keys, "object_id", tables.superseded, tables.superseded.c.revision)


def unscored(
    connection: Connection,
    model: str,
    version: str,
    *,
    counts: tuple[int, int | None] = (1, None),
    shadow: bool = False,
    after: AlertKey = ("", -1),
    limit: int = 1000,
) -> list[tuple[AlertKey, ObjectKey]]:
    """Return a page of alerts that a model's version has not scored, by key, those after a key.

    Parameters
    ----------
    counts : tuple
        Fewest and most accepted detections that the alert is answered for.
    shadow : bool
        Whether a challenger's score counts.
    """
    table, done = tables.detections, tables.outcomes
    same = (done.c.survey == table.c.survey, done.c.alert_id == table.c.alert_id)
    by = (done.c.model == model, done.c.model_version == version)
    scored = sa.exists().where(*same, *by, *(() if shadow else (~done.c.shadow,)))
    fewest, most = counts
    chosen = (
        sa.select(table.c.survey, table.c.alert_id, table.c.object_id)
        .where(sa.tuple_(table.c.survey, table.c.alert_id) > sa.tuple_(*map(sa.literal, after)))
        .where(table.c.n_accepted >= fewest, *(() if most is None else (table.c.n_accepted <= most,)), ~scored)
        .order_by(table.c.survey, table.c.alert_id)
        .limit(limit)
    )
    return [((row.survey, row.alert_id), (row.survey, row.object_id)) for row in connection.execute(chosen)]


def rejections(connection: Connection, *, limit: int = 100) -> list[Rejected]:
    """Return the newest rejections with their packets; no bytes where they are not kept."""
    table, packets = tables.rejections, tables.rejected_packets
    joined = table.outerjoin(packets, table.c.digest == packets.c.digest)
    chosen = sa.select(table, packets.c.packet).select_from(joined).order_by(table.c.received.desc()).limit(limit)
    return [rows.rejected(row) for row in connection.execute(chosen).mappings()]


def offset(connection: Connection, source: str, partition: str) -> int | None:
    """Return how far a source was read, None if it never was."""
    table = tables.offsets
    return connection.execute(
        sa.select(table.c.position).where(table.c.source == source, table.c.partition == partition)
    ).scalar_one_or_none()


def _outcomes(
    connection: Connection,
    keys: Sequence[Any],
    column: str,
    table: sa.Table = tables.outcomes,
    *order: Any,
) -> dict[Any, list[StoredOutcome]]:
    found: dict[Any, list[StoredOutcome]] = {key: [] for key in keys}
    by = (*order, *(table.c[name] for name in ("mjd", "alert_id", "model", "model_version")))
    for row in by_name(connection, sa.select(table).order_by(*by), table, keys, column):
        found[row["survey"], row[column]].append(rows.stored_outcome(row))
    return found


def by_name(
    connection: Connection, chosen: Any, table: sa.Table, keys: Sequence[tuple[str, Any]], column: str = "object_id"
) -> Iterator[Any]:
    """Yield the chosen rows whose survey and `column` are one of the keys."""
    by_survey: defaultdict[str, list[Any]] = defaultdict(list)
    for survey, name in dict.fromkeys(keys):
        by_survey[survey].append(name)
    for survey, names in by_survey.items():
        for part in dialects.parts(names):
            found = connection.execute(chosen.where(table.c.survey == survey, table.c[column].in_(part)))
            yield from found.mappings()
