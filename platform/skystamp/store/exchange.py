"""The store <-> a folder of Parquet files, one folder a table: for backups, other databases, and analysis elsewhere.

    FOLDER/detections/part-00000.parquet ...    columns as in the tables; metadata, flags, rules, spread as JSON texts

Importing adds objects that the store does not have, with all their rows, and leaves those it has as they are. Objects
come last, so an import that was interrupted is completed by the same command. Nothing else should write meanwhile.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from skystamp.errors import StoreError
from skystamp.store import dialects, tables
from skystamp.store import engine as engines

ROWS = 2_000  # of a page; with cutouts some 100 MB
PAGES = 50  # of a file

_OF_OBJECT = ("detections", "cutouts", "packets", "outcomes", "superseded", "objects")
_ORDER = ("schemas", *_OF_OBJECT[:-1], "rejections", "rejected_packets", "labels", "reports", "offsets", "objects")
_TYPES: dict[type, pa.DataType] = {
    sa.Text: pa.string(),
    sa.BigInteger: pa.int64(),
    sa.Double: pa.float64(),
    sa.Boolean: pa.bool_(),
    sa.JSON: pa.string(),
    sa.LargeBinary: pa.large_binary(),
}


def export_parquet(engine: Engine, folder: Path, *, with_cutouts: bool = True) -> dict[str, int]:
    """Write all tables, as of one moment, to a folder that does not exist yet; return the rows of each.

    Raises
    ------
    StoreError
        If the folder exists and is not empty.
    """
    if folder.exists() and any(folder.iterdir()):
        raise StoreError(f"the folder should be new or empty. Received: {folder}")
    with engines.reading(engine) as connection:
        return {
            name: _export(connection, tables.metadata.tables[name], folder / name)
            for name in _ORDER
            if with_cutouts or name != "cutouts"
        }


def import_parquet(engine: Engine, folder: Path) -> dict[str, int]:
    """Add the rows of a folder that `export_parquet` wrote; return how many of each table were added.

    Raises
    ------
    StoreError
        If a table is missing or has other columns.
    """
    known = sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []
    if set(known) - set(_ORDER) or "objects" not in known:
        raise StoreError(f"the folder should hold tables of {_ORDER}. Received: {folder} with {known}")
    return {name: _import(engine, tables.metadata.tables[name], folder / name) for name in _ORDER if name in known}


def _export(connection: Connection, table: sa.Table, folder: Path) -> int:
    folder.mkdir(parents=True)
    schema = _schema(table)
    chosen = sa.select(table).order_by(*table.primary_key.columns)
    pages = connection.execute(chosen.execution_options(yield_per=ROWS)).mappings().partitions()
    written, pages_written, writer = 0, 0, pq.ParquetWriter(folder / "part-00000.parquet", schema)
    for page in pages:
        if pages_written and pages_written % PAGES == 0:
            writer.close()
            writer = pq.ParquetWriter(folder / f"part-{pages_written // PAGES:05d}.parquet", schema)
        writer.write_table(pa.Table.from_pylist([_plain(table, row) for row in page], schema))
        written, pages_written = written + len(page), pages_written + 1
    writer.close()
    return written


def _import(engine: Engine, table: sa.Table, folder: Path) -> int:
    added = 0
    for page in _pages(table, folder):
        with engines.writing(engine) as connection:
            wanted = _without_known(connection, table, page)
            added += dialects.add(connection, table, [_typed(table, row) for row in wanted])
    return added


def _pages(table: sa.Table, folder: Path) -> Iterator[list[dict[str, Any]]]:
    for path in sorted(folder.glob("*.parquet")):
        with pq.ParquetFile(path) as file:
            names = file.schema_arrow.names
            if names != [name for name in _schema(table).names if name in names or not _added_later(table, name)]:
                raise StoreError(f"{path} should have the columns {_schema(table).names}. Received: {names}")
            later = dict.fromkeys(set(_schema(table).names) - set(names))
            for batch in file.iter_batches(ROWS):
                yield [{**later, **row} for row in batch.to_pylist()]


def _without_known(connection: Connection, table: sa.Table, page: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the rows of objects that the store does not have; of other tables all."""
    if table.name not in _OF_OBJECT:
        return page
    known, found = tables.objects, set()
    for part in dialects.parts(sorted({row["object_id"] for row in page})):
        chosen = sa.select(known.c.survey, known.c.object_id).where(known.c.object_id.in_(part))
        found |= {(row.survey, row.object_id) for row in connection.execute(chosen)}
    return [row for row in page if (row["survey"], row["object_id"]) not in found]


def _added_later(table: sa.Table, name: str) -> bool:
    """Return whether a column is one that exports of an older revision have not."""
    return (table.name, name) in {("outcomes", "spread"), ("superseded", "spread")}


def _schema(table: sa.Table) -> pa.Schema:
    return pa.schema([(column.name, _TYPES[type(column.type)]) for column in table.columns])


def _json_columns(table: sa.Table) -> list[str]:
    return [column.name for column in table.columns if isinstance(column.type, sa.JSON)]


def _plain(table: sa.Table, row: Mapping[Any, Any]) -> dict[str, Any]:
    return {**row, **{name: json.dumps(row[name]) for name in _json_columns(table)}}


def _typed(table: sa.Table, row: Mapping[Any, Any]) -> dict[str, Any]:
    texts = {name: row[name] for name in _json_columns(table)}
    return {**row, **{name: None if text is None else json.loads(text) for name, text in texts.items()}}
