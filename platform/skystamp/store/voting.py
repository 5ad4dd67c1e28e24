"""People's words on objects: of each person one stands, a new one withdraws the one before, undo brings it back.

Nothing is deleted: a withdrawn label stays with the time. Votes of one person on one object go one after the other.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from skystamp.store import browsing, tables
from skystamp.store.reading import by_name
from skystamp.store.values import Label, ObjectKey

_TICK_S = 1e-6

_table = tables.labels


def labels_of(connection: Connection, keys: Sequence[ObjectKey]) -> dict[ObjectKey, list[Label]]:
    """Return the labels that stand of each object, oldest first; objects without any are left out."""
    found: defaultdict[ObjectKey, list[Label]] = defaultdict(list)
    chosen = sa.select(_table).where(_table.c.withdrawn.is_(None)).order_by(_table.c.created)
    for row in by_name(connection, chosen, _table, keys):
        found[row["survey"], row["object_id"]].append(Label(**row))
    return dict(found)


def vote(connection: Connection, label: Label) -> bool:
    """Let a label stand in the place of what its author said of the object before; False if it is said already."""
    _hold(connection, label)
    before = _standing(connection, *_is_of(label))
    if [one.label for one in before] == [label.label]:
        return False
    now = _later(connection, label, label.created)
    for one in before:
        browsing.withdraw_label(connection, one, now)
    browsing.add_labels(connection, [replace(label, created=now)])
    return True


def undo(connection: Connection, author: str, source: str, now: float) -> Label | None:
    """Withdraw the last label that an author gave and return it, None if none stands; what it replaced stands again."""
    mine = _standing(connection, _table.c.author == author, _table.c.source == source)
    if not mine:
        return None
    last = mine[-1]
    _hold(connection, last)
    now = _later(connection, last, now)
    browsing.withdraw_label(connection, last, now)
    replaced = sa.select(_table).where(*_is_of(last), _table.c.withdrawn == last.created)
    for row in connection.execute(replaced.order_by(_table.c.created.desc()).limit(1)).mappings():
        again = now + _TICK_S  # a later undo must not take what ended just now for what this one replaced
        browsing.add_labels(connection, [replace(Label(**row), created=again, withdrawn=None)])
    return last


def withdraw(connection: Connection, key: ObjectKey, author: str, source: str, now: float) -> bool:
    """Withdraw what an author says of an object; False if nothing stands."""
    mine = (_table.c.survey == key[0], _table.c.object_id == key[1], _table.c.author == author)
    standing = _standing(connection, *mine, _table.c.source == source)
    for one in standing:
        browsing.withdraw_label(connection, one, now)
    return bool(standing)


def _standing(connection: Connection, *wanted: Any) -> list[Label]:
    chosen = sa.select(_table).where(*wanted, _table.c.withdrawn.is_(None)).order_by(_table.c.created)
    return [Label(**row) for row in connection.execute(chosen).mappings()]


def _later(connection: Connection, label: Label, now: float) -> float:
    """Return a time, `now` if it can be, after all that its author has said of the object; it is part of a key."""
    chosen = sa.select(sa.func.max(_table.c.created)).where(*_is_of(label)[:3])
    latest = connection.execute(chosen).scalar_one_or_none()
    return now if latest is None else max(now, latest + _TICK_S)


def _is_of(label: Label) -> list[Any]:
    return [_table.c[name] == getattr(label, name) for name in ("survey", "object_id", "author", "source")]


def _hold(connection: Connection, label: Label) -> None:
    """Keep others from voting on the object until the transaction ends; SQLite has one writer anyway."""
    objects = tables.objects
    own = sa.select(objects.c.revision).where(objects.c.survey == label.survey, objects.c.object_id == label.object_id)
    connection.execute(own.with_for_update())
