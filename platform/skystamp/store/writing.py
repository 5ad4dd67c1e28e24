"""A batch -> one transaction: all of it or nothing, and the same batch again changes nothing.

    objects      whose revision is still the one that was read; if any is not, nothing is written: Outdated
    detections, cutouts, outcomes, rejections      added where their key is new
    moved, superseded                              places and outcomes of stored detections that a late packet changed

The first statement takes the objects' rows in the order of their names, so writers of one object wait for one another,
those of different objects do not (on PostgreSQL), and none waits in a circle.
"""

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from skystamp.store import dialects, rows, tables
from skystamp.store.values import AlertKey, Batch, Change, Offset, Rejected

MAX_PACKET_BYTES = 1 << 20  # of a rejected packet that is kept

_KEPT = {"survey", "object_id", "revision", "ra", "dec", "first_mjd", "last_mjd", "n_detections", "n_accepted"}


class Outdated(Exception):  # noqa: N818  nobody's fault: someone else was quicker
    """An object was changed by another writer since it was read: read again, think again, write again."""


def write(connection: Connection, batch: Batch, *, now: float) -> None:
    """Write a batch; `now` is the Unix time in s.

    Raises
    ------
    Outdated
        If an object was changed meanwhile; the caller's transaction should be rolled back.
    """
    _take(connection, batch.objects)
    _add_detections(connection, batch, now)
    _move(connection, batch)
    _supersede(connection, batch, now)
    _add_outcomes(connection, batch, now)
    _add_rejections(connection, batch.rejections, now)
    set_offsets(connection, batch.offsets, now)


def set_offsets(connection: Connection, offsets: Sequence[Offset], now: float) -> None:
    """Write how far sources were read."""
    if offsets:
        wanted = dialects.insert(connection, tables.offsets)
        changed = {name: wanted.excluded[name] for name in ("position", "updated")}
        values = [
            {"source": one.source, "partition": one.partition, "position": one.position, "updated": now}
            for one in sorted(offsets, key=lambda one: (one.source, one.partition))
        ]
        connection.execute(wanted.on_conflict_do_update(index_elements=["source", "partition"], set_=changed), values)


def _take(connection: Connection, changes: Sequence[Change]) -> None:
    """Write the objects' rows, and by that hold them, if each is as it was read."""
    if not changes:
        return
    table, wanted = tables.objects, dialects.insert(connection, tables.objects)
    statement = wanted.on_conflict_do_update(
        index_elements=["survey", "object_id"],
        set_={column.name: _new_value(column, wanted.excluded) for column in table.columns if not column.primary_key},
        where=table.c.revision == wanted.excluded.revision - 1,
    )
    made = [rows.object_row(change) for change in sorted(changes, key=lambda change: change.key)]
    if dialects.written(connection, statement, made) != len(made):
        raise Outdated


def _new_value(column: Any, excluded: Any) -> Any:
    """Return a column's new value; those of the outcome stay where no new one is given."""
    if column.name in _KEPT:
        return excluded[column.name]
    return sa.case((excluded["model"].is_(None), column), else_=excluded[column.name])


def _add_detections(connection: Connection, batch: Batch, now: float) -> None:
    if not batch.new:
        return
    made = [rows.detection_row(alert, detection, now) for alert, detection in batch.new]
    if dialects.add(connection, tables.detections, made) != len(made):  # the number is another object's by now
        raise Outdated
    dialects.add(connection, tables.cutouts, [rows.cutouts_row(alert) for alert, _ in batch.new])
    schemas, packets = rows.packet_rows((alert for alert, _ in batch.new), batch.contents)
    dialects.add(connection, tables.schemas, schemas)
    dialects.add(connection, tables.packets, packets)


def _move(connection: Connection, batch: Batch) -> None:
    if batch.moved:
        table = tables.detections
        changed: dict[str, Any] = {name: sa.bindparam(f"new_{name}") for name in ("place", "left_out", "n_accepted")}
        statement = sa.update(table).where(*_is_key(table)).values(changed)
        new = (rows.place_row(one) for one in sorted(batch.moved, key=lambda one: one.key))
        connection.execute(statement, [{f"new_{name}": value for name, value in row.items()} for row in new])


def _supersede(connection: Connection, batch: Batch, now: float) -> None:
    """Move all outcomes of these alerts, whatever their model, to `superseded`."""
    if not batch.superseded:
        return
    revisions = {one.key: change.seen for change in batch.objects for one in change.detections}
    old, kept = tables.outcomes, tables.superseded
    names = [column.name for column in old.columns]
    chosen = sa.select(old, sa.bindparam("new_revision", type_=sa.BigInteger), sa.bindparam("ended", type_=sa.Double))
    keys = [{**_key(key), "new_revision": revisions[key], "ended": now} for key in sorted(batch.superseded)]
    copied = sa.insert(kept).from_select([*names, "revision", "ended"], chosen.where(*_is_key(old)))
    connection.execute(copied, keys)
    connection.execute(sa.delete(old).where(*_is_key(old)), [_key(key) for key in sorted(batch.superseded)])


def _add_outcomes(connection: Connection, batch: Batch, now: float) -> None:
    """Add outcomes; of a stored one nothing changes, but that a challenger's is answered now."""
    if not batch.outcomes:
        return
    table = tables.outcomes
    made = [rows.outcome_row(one, shadow=batch.shadow, created=now) for one in batch.outcomes]
    if batch.shadow:
        dialects.add(connection, table, made)
        return
    names = [column.name for column in table.primary_key]
    wanted = dialects.insert(connection, table)
    statement = wanted.on_conflict_do_update(index_elements=names, set_={"shadow": False}, where=table.c.shadow)
    connection.execute(statement, sorted(made, key=lambda row: tuple(row[name] for name in names)))


def _add_rejections(connection: Connection, rejections: Sequence[Rejected], now: float) -> None:
    added, packets = [], {}
    for each in rejections:
        one, digest = each.rejection, each.digest
        names = {"survey": one.survey, "object_id": one.object_id}
        added.append(
            {
                "digest": digest,
                "position": each.position,
                "reason": one.reason.value,
                "detail": dialects.storable(one.detail),
                **{name: value and dialects.storable(value) for name, value in names.items()},
                "alert_id": one.alert_id,
                "mjd": one.mjd,
                "received": now,
            }
        )
        if 0 < len(each.packet) <= MAX_PACKET_BYTES:
            packets[digest] = {"digest": digest, "size": len(each.packet), "packet": each.packet, "received": now}
    dialects.add(connection, tables.rejections, added)
    dialects.add(connection, tables.rejected_packets, list(packets.values()))


def _is_key(table: sa.Table) -> tuple[Any, Any]:
    return (
        table.c.survey == sa.bindparam("new_survey", type_=sa.Text),
        table.c.alert_id == sa.bindparam("new_alert_id", type_=sa.BigInteger),
    )


def _key(key: AlertKey) -> dict[str, Any]:
    return {"new_survey": key[0], "new_alert_id": key[1]}
