"""The little in which the two databases differ in what we ask of them, in one place."""

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection

AT_ONCE = 5_000  # values of one list in a statement; SQLite takes 32,766 parameters

Value = TypeVar("Value")


def insert(connection: Connection, table: sa.Table) -> Any:
    """Return an INSERT that knows ON CONFLICT."""
    return (postgresql if connection.dialect.name == "postgresql" else sqlite).insert(table)


def add(connection: Connection, table: sa.Table, rows: Sequence[dict[str, Any]]) -> int:
    """Insert those rows whose key is not there yet, and return how many; in the order in which no two writers block."""
    if not rows:
        return 0
    keys = list(table.primary_key.columns)
    ordered = sorted(rows, key=lambda row: tuple(row[column.name] for column in keys))
    return written(connection, insert(connection, table).on_conflict_do_nothing(), ordered)


def written(connection: Connection, statement: Any, rows: Sequence[dict[str, Any]]) -> int:
    """Run a statement for each row, and return how many rows of the table it wrote."""
    return connection.execute(statement, rows, execution_options={"preserve_rowcount": True}).rowcount


def parts(values: Sequence[Value], size: int = AT_ONCE) -> Iterator[Sequence[Value]]:
    """Yield the values, as many at once as a statement takes."""
    for start in range(0, len(values), size):
        yield values[start : start + size]


def storable(text: str) -> str:
    """Return a text that both databases take: PostgreSQL has no NUL, neither has half a surrogate pair."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()
