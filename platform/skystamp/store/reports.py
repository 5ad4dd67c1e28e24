"""Reports to the Transient Name Server: one at a time of an object at an address, each step of it written down.

    begin   built ─> sent      by one sender alone: what is sent, unknown, accepted or posted is nobody's to send again
    move    sent ─> accepted ─> posted, rejected; sent ─> unknown ─> posted, built      if it is still as it was read

A rejected report stays, and the next one gets the next number.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import fields, replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from skystamp.store import dialects, tables
from skystamp.store.reading import by_name
from skystamp.store.values import ObjectKey, Report, ReportState

_TICK_S = 1e-6

_table = tables.reports


def begin(connection: Connection, report: Report) -> tuple[Report, bool]:
    """Claim a report as being sent, and return it with True; or the one that forbids it with False."""
    objects = tables.objects
    own = sa.select(objects.c.revision).where(
        objects.c.survey == report.survey, objects.c.object_id == report.object_id
    )
    connection.execute(own.with_for_update())  # others wait; SQLite has one writer anyway
    last = _last(connection, report)
    if last and last.state not in (ReportState.BUILT, ReportState.REJECTED):
        return last, False
    if last and last.state is ReportState.BUILT:
        return _write(connection, last, replace(report, number=last.number, replies=last.replies)), True
    claimed = replace(report, number=last.number + 1 if last else 1, state=ReportState.SENT, updated=report.created)
    connection.execute(sa.insert(_table).values(_row(claimed)))
    return claimed, True


def move(connection: Connection, before: Report, after: Report) -> Report:
    """Write a report's new state if it is still as it was read; return what is stored then."""
    after = replace(after, updated=max(after.updated, before.updated + _TICK_S))
    changed = {name: value for name, value in _row(after).items() if not _table.c[name].primary_key}
    is_same = (_table.c.state == before.state.value, _table.c.updated == before.updated)
    done = connection.execute(sa.update(_table).where(*_is(before), *is_same).values(changed))
    return after if done.rowcount else _read(connection.execute(sa.select(_table).where(*_is(before))).mappings().one())


def reports_of(connection: Connection, keys: Sequence[ObjectKey]) -> dict[ObjectKey, list[Report]]:
    """Return the reports of each object, oldest first; objects without any are left out."""
    found: defaultdict[ObjectKey, list[Report]] = defaultdict(list)
    chosen = sa.select(_table).order_by(_table.c.created, _table.c.number)
    for row in by_name(connection, chosen, _table, keys):
        found[row["survey"], row["object_id"]].append(_read(row))
    return dict(found)


def reports(connection: Connection, states: Sequence[ReportState] = ()) -> list[Report]:
    """Return the reports in some states, or all, newest first."""
    chosen = sa.select(_table).order_by(_table.c.created.desc(), _table.c.object_id)
    if states:
        chosen = chosen.where(_table.c.state.in_([state.value for state in states]))
    return [_read(row) for row in connection.execute(chosen).mappings()]


def _write(connection: Connection, before: Report, report: Report) -> Report:
    return move(connection, before, replace(report, state=ReportState.SENT, updated=report.created))


def _last(connection: Connection, report: Report) -> Report | None:
    names = ("survey", "object_id", "address")
    own = [_table.c[name] == getattr(report, name) for name in names]
    row = connection.execute(sa.select(_table).where(*own).order_by(_table.c.number.desc()).limit(1)).mappings().first()
    return _read(row) if row else None


def _is(report: Report) -> list[Any]:
    return [_table.c[column.name] == getattr(report, column.name) for column in _table.primary_key]


def _row(report: Report) -> dict[str, Any]:
    """Return a report as a row; whatever came from elsewhere is made so that both databases take it."""
    row = {field.name: getattr(report, field.name) for field in fields(Report)}
    row |= {"state": report.state.value, "said": dialects.storable(report.said)}
    row |= {name: row[name] and dialects.storable(row[name]) for name in ("report_id", "tns_name")}
    return row | {name: _storable(row[name]) for name in ("content", "overridden", "replies")}


def _read(row: Any) -> Report:
    lists = {name: tuple(row[name]) for name in ("overridden", "replies")}
    return Report(**{**row, **lists, "state": ReportState(row["state"])})


def _storable(value: Any) -> Any:
    """Return JSON that both databases take: numbers that JSON has not become null."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, str):
        return dialects.storable(value)
    if isinstance(value, dict):
        return {dialects.storable(str(name)): _storable(each) for name, each in value.items()}
    return [_storable(each) for each in value] if isinstance(value, (list, tuple)) else value
