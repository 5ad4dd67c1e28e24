"""`skystamp catalog build`: a table of sources -> a catalogue in HATS layout; `catalog match`: positions -> matches."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from skystamp.cli.faults import told
from skystamp.errors import UsageError

_console = Console(highlight=False)

app = typer.Typer(name="catalog", no_args_is_help=True, rich_markup_mode=None)

Columns = Annotated[
    list[str] | None,
    typer.Option("--column", help="A column's name where it is not known: W1=my_w1. Of ra, dec, W1 to W4; repeatable."),
]


@app.callback()
def catalog() -> None:
    """Make a catalogue to crossmatch with, in HATS layout, or match positions with one."""


def build(
    table: Annotated[Path, typer.Argument(help="A CSV or Parquet file with positions and W1 to W4, or a folder.")],
    out: Annotated[Path, typer.Option(help="Folder to make.")],
    name: Annotated[str, typer.Option(help="What the catalogue calls itself. Default: the folder's name.")] = "",
    column: Columns = None,
    partition_rows: Annotated[int, typer.Option(help="Rows of a partition at most.", min=1)] = 1_000_000,
) -> None:
    """Make a catalogue in HATS layout of a table.

    The table may be larger than memory. All its columns are kept; `hats` and `lsdb` read the result.
    """
    from skystamp.crossmatch import build_catalogue

    made = {"hats_creation_date": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M%Z")}
    columns = named(column or [])
    started = time.monotonic()
    built = build_catalogue(table, out, name=name, columns=columns, partition_rows=partition_rows, properties=made)
    if built.left_out:
        _console.print(f"{built.left_out} rows have no position on the sky and are left out.")
    seconds = time.monotonic() - started
    _console.print(f"{built.rows} sources in {built.partitions} partitions in {seconds:.0f} s: {out}")


def match(
    positions: Annotated[Path, typer.Argument(help="A CSV or Parquet file with columns ra and dec (ICRS, deg).")],
    catalogue: Annotated[str, typer.Option(help="Folder or URL of a catalogue in HATS layout.")],
    out: Annotated[Path, typer.Option(help="File to write: .csv or .parquet.")],
    column: Columns = None,
    position_column: Annotated[
        list[str] | None, typer.Option(help="A column of the positions where it is not known: ra=raMean; repeatable.")
    ] = None,
) -> None:
    """Match positions with a catalogue.

    Writes the positions' rows in their order with the distance (arcsec) of the nearest source within 2 arcsec and its
    magnitudes W1 to W4, empty where there is none.
    """
    from skystamp.crossmatch import match_table, open_catalogue

    opened = open_catalogue(catalogue, columns=named(column or []))
    done = match_table(opened, positions, out, columns=named(position_column or []))
    _console.print(f"{done.matched} of {done.rows} positions have a source of {opened.name} within 2 arcsec: {out}")


def named(pairs: Sequence[str]) -> dict[str, str]:
    """Return our name of each column and the table's, of texts as ``W1=my_w1``.

    Raises
    ------
    UsageError
        If a text is of another form.
    """
    wrong = [pair for pair in pairs if not all(pair.partition("="))]
    if wrong:
        raise UsageError(f"a column should be given as OURS=THEIRS, as in W1=my_w1. Received: {', '.join(wrong)}")
    return {ours: theirs for ours, _, theirs in (pair.partition("=") for pair in pairs)}


for _command in (build, match):
    app.command()(told(_command))
