"""Two stores, compared row by row: all that does not depend on the run, probabilities but for their last bits."""

import hashlib
import math
from typing import Any

import sqlalchemy as sa

from skystamp.store import Store, tables
from skystamp.store import engine as engines

Rows = dict[tuple[Any, ...], tuple[Any, ...]]
CLOSE = 2e-5  # between probabilities of batches of different size

_OF_THE_RUN = {"received", "created", "revision", "ended", "updated"}
_OF_ANOTHER_STORY = {"superseded", "offsets", "labels"}  # how it came, and what nobody writes here


def contents(store: Store, *, objects: str = "") -> dict[str, Rows]:
    """Return all rows by table and key; with `objects`, of those whose name begins so, and no rejected bytes."""
    with engines.reading(store.engine) as connection:
        return {
            table.name: _rows(connection, table, objects)
            for table in tables.metadata.sorted_tables
            if table.name not in _OF_ANOTHER_STORY and (not objects or "object_id" in table.c)
        }


def differences(found: dict[str, Rows], wanted: dict[str, Rows]) -> list[str]:
    """Return in what two stores differ, a line each."""
    told = []
    for name, rows in wanted.items():
        if name not in found:
            continue
        have = found[name]
        told += [f"{name}: {key} is lost" for key in rows.keys() - have.keys()]
        told += [f"{name}: {key} is too many" for key in have.keys() - rows.keys()]
        told += [
            f"{name}: {key} has {have[key]}, should have {row}"
            for key, row in rows.items()
            if key in have and not all(map(_same, have[key], row))
        ]
    return told


def _rows(connection: Any, table: sa.Table, objects: str) -> Rows:
    keys = [column.name for column in table.primary_key]
    rest = [column.name for column in table.columns if column.name not in {*keys, *_OF_THE_RUN}]
    chosen = sa.select(table)
    if objects:
        chosen = chosen.where(table.c.object_id.startswith(objects))
    found = connection.execute(chosen.execution_options(yield_per=500)).mappings()
    return {tuple(row[name] for name in keys): tuple(_short(row[name]) for name in rest) for row in found}


def _short(value: Any) -> Any:
    if isinstance(value, bytes | memoryview):
        return hashlib.sha256(value).hexdigest()
    return sorted(value.items()) if isinstance(value, dict) else value


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=CLOSE)
    return bool(one == other)
