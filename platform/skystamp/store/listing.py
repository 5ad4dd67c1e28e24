"""Lists of objects for programs: filters in any mixture, one page, in one query.

    ObjectFilter ── which index leads ── one SELECT ── [ListedObject]
                    names > class and probability > class and date > last date > date > name

A list is by the answer that stands for each object, or by the newest answer of some version (`answered`). Databases
guess badly which of ten filters is the narrow one, so the index is chosen here: columns that should not lead are hidden
behind an expression (`+ 0`). A place of the sky becomes the names of what is in it first.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from skystamp.store import answered, browsing, places, rows, tables
from skystamp.store.answered import Answered
from skystamp.store.tables import PROBABILITIES
from skystamp.store.values import ListedObject, ObjectFilter, Span

_objects = tables.objects
_OF_OBJECT = ("survey", "object_id", "ra", "dec", "first_mjd", "last_mjd", "n_detections")
_SPANS = ("first_mjd", "last_mjd", "n_detections")
_BY_NAME = ("survey", "object_id")
_BY_DATE = ("is_bogus_twice", "first_mjd")
_LARGE = 50_000  # objects of a class


def listed(connection: Connection, chosen: ObjectFilter) -> list[ListedObject]:
    """Return a page of objects; where names or a place are given and no order, as named, or nearest first.

    Raises
    ------
    UsageError
        If too many objects are in the place.
    """
    chosen, lead = _planned(connection, chosen)
    if chosen.names is None:
        return _read(connection, _page(chosen, lead))
    if not chosen.names:
        return []
    query, _ = _query(chosen, lead)
    return _sorted(_read(connection, query), chosen)[chosen.offset : chosen.offset + chosen.limit]


def count(connection: Connection, chosen: ObjectFilter) -> int:
    """Return how many objects there are on all pages.

    Raises
    ------
    UsageError
        If too many objects are in the place.
    """
    chosen, lead = _planned(connection, replace(chosen, order="probability" if chosen.label else None))
    if chosen.names is not None and not chosen.names:
        return 0
    query, _ = _query(chosen, lead)
    counted = query.with_only_columns(sa.func.count(), maintain_column_froms=True)
    return int(connection.execute(counted).scalar_one())


def _planned(connection: Connection, chosen: ObjectFilter) -> tuple[ObjectFilter, Collection[str]]:
    """Return the filter with a place as names, nearest first, and the columns of the index that should lead."""
    if chosen.place is not None:
        near = places.near(connection, *chosen.place)
        known = near if chosen.names is None else [name for name in near if name in set(chosen.names)]
        chosen = replace(chosen, names=tuple(known), place=None)
    lead = _lead(connection, chosen)
    is_alone = lead != _BY_NAME and _is_alone(connection, chosen.survey)
    return replace(chosen, survey="") if is_alone else chosen, lead


def _is_alone(connection: Connection, survey: str) -> bool:
    """Return whether the store has no other survey, so that indexes without it answer by themselves."""
    ends = [connection.execute(sa.select(end(_objects.c.survey))).scalar() for end in (sa.func.min, sa.func.max)]
    return ends == [survey, survey]


def _page(chosen: ObjectFilter, lead: Collection[str]) -> Any:
    """Return the query of one page, ordered."""
    each = _each(chosen)
    if each is None:
        return _cut(chosen, *_query(chosen, lead), lead)
    column, values = each
    ahead = replace(chosen, limit=chosen.limit + chosen.offset, offset=0)
    parts = [_cut(ahead, *_query(ahead, lead, column == value), lead).subquery() for value in values]
    merged = sa.union_all(*(sa.select(part) for part in parts)).subquery()
    order = merged.c[str(chosen.order)]
    query = sa.select(merged).order_by(order.desc() if chosen.descending else order, merged.c.object_id)
    return query.limit(chosen.limit).offset(chosen.offset)


def _each(chosen: ObjectFilter) -> tuple[Any, Sequence[Any]] | None:
    """Return the column and values by which a list of all classes is put together from parts that an index orders."""
    if chosen.label is not None or chosen.prefix or chosen.by is not None:
        return None
    if chosen.order == "probability":
        return _objects.c.label, tuple(PROBABILITIES)
    return (_objects.c.is_bogus_twice, (False, True)) if chosen.order == "first_mjd" else None


def _cut(chosen: ObjectFilter, query: Any, found: Answered, lead: Collection[str]) -> Any:
    """Return a query with its order and limits; equal ones by name."""
    name = chosen.order or "object_id"
    if name in found.columns:
        order: Any = found.columns[name]
    elif name == "delta_mjd":
        order = _objects.c.last_mjd - _objects.c.first_mjd
    else:
        order = _objects.c.object_id if name == "object_id" else _seen(name, lead)
    by = [order.desc() if chosen.descending else order, *([] if name == "object_id" else [_objects.c.object_id])]
    return query.order_by(*by).limit(chosen.limit).offset(chosen.offset)


def _lead(connection: Connection, chosen: ObjectFilter) -> Collection[str]:
    """Return the columns of the one index of `objects` that should lead."""
    if chosen.names is not None or chosen.prefix:
        return _BY_NAME
    if chosen.by is not None:
        return ()
    windowed = chosen.first_mjd is not None
    if chosen.label is not None and chosen.ranking == 1:
        if chosen.order == "first_mjd" or (windowed and not _is_long(connection, chosen)):
            return "label", "first_mjd"
        if chosen.order in (None, "object_id", "last_mjd") and _is_large(connection, chosen.label):
            return ("last_mjd",) if chosen.order == "last_mjd" else _BY_NAME
        return "label", "p_label"
    if chosen.order == "probability" and chosen.label is None:
        return "label", "p_label"
    if chosen.order == "first_mjd" or windowed:
        return _BY_DATE
    return ("last_mjd",) if chosen.order == "last_mjd" or chosen.last_mjd is not None else _BY_NAME


def _is_long(connection: Connection, chosen: ObjectFilter) -> bool:
    """Return whether a window has so many objects of a class that going by probability is the quicker way."""
    low, high = chosen.first_mjd or (None, None)
    window = (-1e9 if low is None else low, 1e9 if high is None else high)
    return chosen.order == "probability" and browsing.many(connection, _objects.c.label == chosen.label, window)


def _is_large(connection: Connection, label: str) -> bool:
    """Return whether a class has so many objects that going through all classes is quicker than sorting it."""
    some = sa.select(sa.literal(1)).where(_objects.c.label == label).limit(_LARGE).subquery()
    return int(connection.execute(sa.select(sa.func.count()).select_from(some)).scalar_one()) >= _LARGE


def _query(chosen: ObjectFilter, lead: Collection[str], *more: Any) -> tuple[Any, Answered]:
    """Return the query of all pages, in no order, with the answers that it is by."""
    found = answered.standing(chosen, lead) if chosen.by is None else answered.scored(chosen, chosen.by)
    wanted = [*found.wanted, *more]
    if chosen.survey:
        wanted.append(_seen("survey", lead) == chosen.survey)
    if chosen.names is not None:
        wanted.append(_objects.c.object_id.in_(chosen.names))
    if chosen.prefix:
        wanted += browsing.begins(_objects.c.object_id, chosen.prefix)
    if lead == _BY_DATE and not more:
        wanted.append(_objects.c.is_bogus_twice.in_((False, True)))  # that is all of them; the index begins with it
    for name in _SPANS:
        wanted += _inside(_seen(name, lead), getattr(chosen, name))
    columns = [*(_objects.c[name] for name in _OF_OBJECT), *(each.label(name) for name, each in found.columns.items())]
    return sa.select(*columns).select_from(found.table).where(*wanted), found


def _seen(name: str, lead: Collection[str]) -> Any:
    column: Any = _objects.c[name]
    if name in lead:
        return column
    return column.concat("") if name == "survey" else column + 0


def _inside(column: Any, span: Span | None) -> list[Any]:
    low, high = span or (None, None)
    return [*([column >= low] if low is not None else []), *([column <= high] if high is not None else [])]


def _read(connection: Connection, query: Any) -> list[ListedObject]:
    return [rows.listed_object(row) for row in connection.execute(query).mappings()]


def _sorted(found: list[ListedObject], chosen: ObjectFilter) -> list[ListedObject]:
    """Return objects that were named, in their order or in the order asked for; those without a value come last."""
    if chosen.order is None:
        place = {name: i for i, name in enumerate(chosen.names or ())}
        return sorted(found, key=lambda one: place[one.object_id])
    name = chosen.order
    by_name = sorted(found, key=lambda one: one.object_id)
    known = [one for one in by_name if getattr(one, name) is not None]
    rest = [one for one in by_name if getattr(one, name) is None]
    return sorted(known, key=lambda one: getattr(one, name), reverse=chosen.descending) + rest
