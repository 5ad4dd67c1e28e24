"""Questions that people ask of the store: candidates, what there is, who labelled what."""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from skystamp.store import dialects, rows, tables
from skystamp.store.values import Candidate, CandidateFilter, Label

_PAGE = 5_000


def candidates(connection: Connection, chosen: CandidateFilter) -> list[Candidate]:
    """Return the objects that a filter lets through, most probable or newest first."""
    table = tables.objects
    wanted = [table.c.label == chosen.label, table.c.n_detections >= chosen.min_detections]
    if chosen.min_probability > 0:
        wanted.append(table.c.p_label >= chosen.min_probability)
    if chosen.first_mjd is not None:
        wanted.append(table.c.first_mjd.between(*chosen.first_mjd))
    wanted += [] if chosen.negative else [~table.c.is_negative]
    wanted += [] if chosen.solar_system else [~table.c.is_solar_system]
    order = table.c.first_mjd.desc() if chosen.newest_first else table.c.p_label.desc()
    query = sa.select(table).where(*wanted).order_by(order, table.c.object_id)
    found = connection.execute(query.limit(chosen.limit).offset(chosen.offset))
    return [rows.candidate(row) for row in found.mappings()]


def candidate(connection: Connection, survey: str, object_id: str) -> Candidate | None:
    """Return one object, None if it is not stored or has no outcome."""
    table = tables.objects
    chosen = sa.select(table).where(table.c.survey == survey, table.c.object_id == object_id)
    row = connection.execute(chosen.where(table.c.label.is_not(None))).mappings().one_or_none()
    return rows.candidate(row) if row else None


def counts(connection: Connection) -> dict[str, int]:
    """Return how many rows each table has."""
    return {
        table.name: connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()
        for table in tables.metadata.sorted_tables
    }


def outcome_counts(connection: Connection) -> dict[str, int]:
    """Return how many outcomes each model and version has; a challenger's are named so."""
    table = tables.outcomes
    by = (table.c.model, table.c.model_version, table.c.shadow)
    found = connection.execute(sa.select(*by, sa.func.count()).group_by(*by).order_by(*by))
    return {f"{model} {version}{' (shadow)' * shadow}": count for model, version, shadow, count in found}


def rejection_counts(connection: Connection) -> dict[str, int]:
    """Return how many rejections each reason has."""
    reason = tables.rejections.c.reason
    found = connection.execute(sa.select(reason, sa.func.count()).group_by(reason).order_by(reason))
    return {row[0]: row[1] for row in found}


def add_labels(connection: Connection, labels: list[Label]) -> None:
    """Add labels; the same again changes nothing."""
    dialects.add(connection, tables.labels, [_label_row(one) for one in labels])


def withdraw_label(connection: Connection, label: Label, now: float) -> None:
    """Withdraw a label that stands; it is kept, with the Unix time `now` (s)."""
    table = tables.labels
    key = [table.c[name] == value for name, value in _label_row(label).items() if table.c[name].primary_key]
    connection.execute(sa.update(table).where(*key, table.c.withdrawn.is_(None)).values(withdrawn=now))


def labels(connection: Connection, *, withdrawn: bool = False) -> Iterator[Label]:
    """Yield the labels that stand, or all, by object and time."""
    table = tables.labels
    chosen = sa.select(table).order_by(table.c.survey, table.c.object_id, table.c.created)
    if not withdrawn:
        chosen = chosen.where(table.c.withdrawn.is_(None))
    for row in connection.execute(chosen.execution_options(yield_per=_PAGE)).mappings():
        yield Label(**row)


def _label_row(label: Label) -> dict[str, Any]:
    return {name: getattr(label, name) for name in Label.__dataclass_fields__}
