"""Questions that people ask of the store: candidates, what there is, who labelled what."""

from collections.abc import Collection, Iterator
from functools import partial
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from skystamp import taxonomy
from skystamp.store import dialects, rows, tables
from skystamp.store.values import Candidate, CandidateFilter, Label

_PAGE = 5_000
_MANY = 10_000  # objects of a class and a time that are sorted by hand
_LAST = "zzzzzzzz"  # after all names that begin the same, in the order of both databases

_objects = tables.objects


def candidates(connection: Connection, chosen: CandidateFilter) -> list[Candidate]:
    """Return the objects that a filter lets through, most probable or newest first."""
    found = _listed(connection, chosen)
    if chosen.bogus_twice and chosen.label != taxonomy.BOGUS:
        found += _bogus_twice(connection, chosen)
        found.sort(key=partial(_order, chosen))
    return found[chosen.offset : chosen.offset + chosen.limit]


def named(connection: Connection, surveys: Collection[str], prefix: str, *, limit: int = 100) -> list[Candidate]:
    """Return the objects whose name begins so, by name, whatever was answered for them."""
    own = (_objects.c.survey.in_(surveys), _objects.c.label.is_not(None))
    found = connection.execute(
        sa.select(_objects)
        .where(*own, *begins(_objects.c.object_id, prefix))
        .order_by(_objects.c.object_id)
        .limit(limit)
    )
    return [rows.candidate(row) for row in found.mappings()]


def begins(column: Any, prefix: str) -> list[Any]:
    """Return the conditions under which a name begins so, of which an index knows how to use the first two."""
    exact = sa.func.substr(column, 1, len(prefix)) == prefix
    return [column >= prefix, column <= prefix + _LAST, exact]


def newest(connection: Connection, label: str) -> float | None:
    """Return when the newest object of a class was first seen (MJD), None if there is none."""
    chosen = sa.select(sa.func.max(_objects.c.first_mjd)).where(_objects.c.label == label)
    return connection.execute(chosen).scalar_one_or_none()


def _listed(connection: Connection, chosen: CandidateFilter) -> list[Candidate]:
    is_class, score = _objects.c.label == chosen.label, _objects.c.p_label
    wanted = [is_class, _objects.c.n_detections >= chosen.min_detections]
    if chosen.min_probability > 0:
        wanted.append(score >= chosen.min_probability)
    wanted += [] if chosen.negative else [~_objects.c.is_negative]
    wanted += [] if chosen.solar_system else [~_objects.c.is_solar_system]
    wanted += [] if chosen.bogus_twice else [~_objects.c.is_bogus_twice]
    first: Any = _objects.c.first_mjd
    if chosen.newest_first:
        order = first
    elif chosen.first_mjd is None or many(connection, is_class, chosen.first_mjd):
        order, first = score, first + 0  # no index is used for what is added to: the order's is the better one
    else:
        order = score + 0
    if chosen.first_mjd is not None:
        wanted.append(first.between(*chosen.first_mjd))
    query = sa.select(_objects).where(*wanted).order_by(order.desc(), _objects.c.object_id)
    found = connection.execute(query.limit(chosen.limit + chosen.offset))
    return [rows.candidate(row) for row in found.mappings()]


def _bogus_twice(connection: Connection, chosen: CandidateFilter) -> list[Candidate]:
    """Return the twice-bogus objects whose most probable class is asked for, of the newest `_MANY` of the time."""
    newest = sa.select(_objects).where(_objects.c.is_bogus_twice).order_by(_objects.c.first_mjd.desc())
    if chosen.first_mjd is not None:
        newest = newest.where(_objects.c.first_mjd.between(*chosen.first_mjd))
    table = newest.limit(_MANY).subquery()
    own = table.c[tables.PROBABILITIES[chosen.label]]
    others = [table.c[name] for name in tables.PROBABILITIES.values() if name != own.name]
    wanted = [own >= sa.func.coalesce(other, 0.0) for other in others]
    wanted += [own >= chosen.min_probability, table.c.n_detections >= chosen.min_detections]
    wanted += [] if chosen.negative else [~table.c.is_negative]
    wanted += [] if chosen.solar_system else [~table.c.is_solar_system]
    order = table.c.first_mjd if chosen.newest_first else own
    query = sa.select(table).where(*wanted).order_by(order.desc(), table.c.object_id)
    found = connection.execute(query.limit(chosen.limit + chosen.offset))
    return [rows.candidate(row) for row in found.mappings()]


def many(connection: Connection, is_class: Any, between: tuple[float, float]) -> bool:
    """Return whether so many objects are of a time that it is quicker to go through the most probable of all times."""
    some = sa.select(sa.literal(1)).where(is_class, _objects.c.first_mjd.between(*between)).limit(_MANY).subquery()
    return connection.execute(sa.select(sa.func.count()).select_from(some)).scalar_one() >= _MANY


def _order(chosen: CandidateFilter, one: Candidate) -> tuple[float, str]:
    return -(one.first_mjd if chosen.newest_first else one.probabilities.get(chosen.label, 0.0)), one.object_id


def candidate(connection: Connection, survey: str, object_id: str) -> Candidate | None:
    """Return one object, None if it is not stored or has no outcome."""
    chosen = sa.select(_objects).where(_objects.c.survey == survey, _objects.c.object_id == object_id)
    row = connection.execute(chosen.where(_objects.c.label.is_not(None))).mappings().one_or_none()
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
