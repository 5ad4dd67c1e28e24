"""A CSV or Parquet table, or a folder of such files -> its rows in batches, however large it is.

A CSV column is of the kind that its first 32 MB show; one that is empty there is read as text. Numbers that the
crossmatch needs are float64 in any case.
"""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import csv

from skystamp.errors import UsageError

BATCH_ROWS = 1 << 17
_BLOCK_BYTES = 32 << 20
_AHEAD = {"batch_readahead": 2, "fragment_readahead": 1}  # pyarrow's own 16 and 4 held 0.9 GB
_KINDS = {".csv": "csv", ".csv.gz": "csv", ".parquet": "parquet", ".parq": "parquet"}


class Table:
    """A table of rows that is read as often as it is asked for, never as a whole."""

    def __init__(self, path: Path) -> None:
        """Find the table's files and its columns.

        Raises
        ------
        UsageError
            If there is no such file, or it is no CSV or Parquet table.
        """
        self._path = path
        files = sorted(path.iterdir()) if path.is_dir() else [path]
        kinds = {_kind(file) for file in files} - {None}
        if not path.exists() or len(kinds) != 1:
            raise UsageError(
                f"the table should be a file, or a folder of files, in {', '.join(_KINDS)}. Received: {path}"
            )
        self._files = [str(file) for file in files if _kind(file)]
        (self._kind,) = kinds
        with self._told():
            self._schema = self._dataset(None).schema

    @property
    def names(self) -> list[str]:
        """The names of the columns."""
        return list(self._schema.names)

    def schema(self, numbers: Sequence[str]) -> pa.Schema:
        """Return the schema of the batches; `numbers` are float64, what is empty in a CSV file's beginning is text."""
        fields = []
        for field in self._schema:
            kind = pa.string() if pa.types.is_null(field.type) else field.type
            fields.append(pa.field(field.name, pa.float64() if field.name in numbers else kind))
        return pa.schema(fields)

    def batches(self, numbers: Sequence[str], *, only: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Yield the rows in order, `BATCH_ROWS` at most at a time.

        Parameters
        ----------
        numbers : sequence of str
            Columns that are to be float64.
        only : sequence of str, optional
            The columns to read; all by default.

        Raises
        ------
        UsageError
            If a file is damaged or a value is not of its column's kind.
        """
        with self._told():
            rows = self._dataset(self.schema(numbers) if self._kind == "csv" else None)
            for batch in rows.to_batches(columns=None if only is None else list(only), batch_size=BATCH_ROWS, **_AHEAD):
                if batch.num_rows:
                    schema = self.schema(numbers)
                    yield batch.cast(schema if only is None else pa.schema([schema.field(name) for name in only]))

    def _dataset(self, schema: pa.Schema | None) -> Any:
        from pyarrow import dataset  # brings pandas, which a crossmatch does without

        if self._kind == "parquet":
            return dataset.dataset(self._files, format="parquet")
        form = dataset.CsvFileFormat(read_options=csv.ReadOptions(block_size=_BLOCK_BYTES))
        return dataset.dataset(self._files, format=form, schema=schema)

    @contextlib.contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError) as error:
            raise UsageError(
                f"the table should be whole and each column of one kind. Received: {self._path} ({error})"
            ) from error


def _kind(path: Path) -> str | None:
    return next((kind for suffix, kind in _KINDS.items() if path.name.lower().endswith(suffix)), None)
