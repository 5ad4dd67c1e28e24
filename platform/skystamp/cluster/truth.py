"""The truth of simulated objects as tables: written, read again, and the infrared catalogue that follows from it.

    Truth ... ──> lines  ──> labels.csv: objectId, class, then the columns of `synthetic.Truth`; empty = no such value
    text      ──> read   ──> Truth ...
    Truth ... ──> allwise ──> allwise.csv: AllWISE's own columns; an empty error = the magnitude is an upper limit

Both tables are the same bytes for the same truth. Values keep every digit, so that what is read is what was written.
"""

import csv
import io
import math
from collections.abc import Iterable, Iterator
from typing import Any

from skystamp import synthetic
from skystamp.errors import UsageError

_FLOATS = ("ra", "dec", "mjd_first", "redshift", "host_r", "host_offset", "own_g", "own_r")
_TRUTH = ("subtype", "ra", "dec", "mjd_first", "n_detections", "redshift", "host_r", "host_offset", "own_g", "own_r")
COLUMNS = ("objectId", "class", *_TRUTH)
ALLWISE = (
    "AllWISE",
    "RAJ2000",
    "DEJ2000",
    *("W1mag", "W2mag", "W3mag", "W4mag"),
    *("e_W1mag", "e_W2mag", "e_W3mag", "e_W4mag"),
)
HEADER = ",".join(COLUMNS) + "\n"


def lines(truths: Iterable[synthetic.Truth]) -> Iterator[str]:
    """Return the header and a line an object."""
    yield HEADER
    for truth in truths:
        values = [truth.object_id, truth.cls, *(getattr(truth, name) for name in _TRUTH)]
        yield ",".join("" if value is None else str(value) for value in values) + "\n"


def read(text: str) -> Iterator[synthetic.Truth]:
    """Return the objects of a table that `lines` wrote.

    Raises
    ------
    UsageError
        If its columns are not COLUMNS, as those of an older simulation.
    """
    rows = csv.DictReader(io.StringIO(text))
    if tuple(rows.fieldnames or ()) != COLUMNS:
        raise UsageError(f"the truth should have the columns {', '.join(COLUMNS)}. Received: {rows.fieldnames}")
    return map(_truth, rows)


def _truth(row: dict[str, str]) -> synthetic.Truth:
    values: dict[str, Any] = {name: float(row[name]) if row[name] else None for name in _FLOATS}
    return synthetic.Truth(
        object_id=row["objectId"],
        cls=row["class"],
        subtype=row["subtype"],
        n_detections=int(row["n_detections"]),
        **values,
    )


def allwise(truths: Iterable[synthetic.Truth]) -> Iterator[str]:
    """Return the header and a line for each source that the catalogue lists at and about each object."""
    yield ",".join(ALLWISE) + "\n"
    for truth in truths:
        for row in synthetic.catalogued(truth):
            magnitudes = ["" if math.isnan(value) else f"{value:.3f}" for value in (*row.mags, *row.errors)]
            yield ",".join([row.name, f"{row.ra:.7f}", f"{row.dec:.7f}", *magnitudes]) + "\n"
