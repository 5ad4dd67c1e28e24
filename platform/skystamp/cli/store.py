"""`skystamp store`: make or upgrade the database, see what it holds, let go of old cutouts, Parquet out and in."""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from skystamp.cli.faults import told
from skystamp.errors import UsageError

if TYPE_CHECKING:
    from skystamp.store import Store

_console = Console(highlight=False)

DEFAULT = "sqlite:///.skystamp/store.db"
DAY_S = 86_400.0
MJD_OF_EPOCH = 40_587.0  # of Unix time 0

app = typer.Typer(name="store", no_args_is_help=True, rich_markup_mode=None)

Url = Annotated[
    str,
    typer.Option("--store", envvar="SKYSTAMP_STORE", help="sqlite:///PATH or postgresql://USER@HOST/DATABASE."),
]


@app.callback()
def store() -> None:
    """Look after the store: objects, detections with their cutouts, outcomes, rejections, labels."""


def upgrade(url: Url = DEFAULT) -> None:
    """Make the tables, or bring those of an older version up to this one.

    Stop what writes to the store before; make a copy of it if it matters.
    """
    from skystamp.store import engine, migrations

    made = engine.make_engine(url)
    done = migrations.upgrade(made)
    made.dispose()
    _console.print(f"{engine.shown(url)} is of revision {migrations.newest()}" + (", as before" * (not done)))


def status(
    url: Url = DEFAULT,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Say what the store holds: rows, outcomes by model and version, rejections by reason."""
    with existing(url) as opened:
        found = opened.status()
    if as_json:
        print(json.dumps(asdict(found), indent=1))
        return
    _console.print(f"{found.url}, revision {found.revision}")
    for title, counts in (("rows", found.rows), ("outcomes", found.outcomes), ("rejections", found.rejections)):
        _show(title, counts)


def prune(
    url: Url = DEFAULT,
    days: Annotated[
        float | None, typer.Option("--cutouts-older-than", help="Drop cutouts of detections so many days ago.", min=0)
    ] = None,
    mjd: Annotated[float | None, typer.Option("--before-mjd", help="Drop cutouts of detections before an MJD.")] = None,
) -> None:
    """Drop old cutouts; metadata and scores stay.

    Alerts of an object whose first cutouts are dropped are still answered as before by the versions that have answered
    for it; a new version can not score those. SQLite reuses the space, its file does not shrink.
    """
    if (days is None) == (mjd is None):
        raise UsageError("prune should be told either --cutouts-older-than DAYS or --before-mjd MJD")
    before = mjd if mjd is not None else MJD_OF_EPOCH + time.time() / DAY_S - (days or 0.0)
    with existing(url) as opened:
        dropped = opened.drop_cutouts(before)
    _console.print(f"{dropped} detections before MJD {before:.2f} have lost their cutouts")


def export(
    out: Annotated[Path, typer.Argument(help="Folder to make.")],
    url: Url = DEFAULT,
    cutouts: Annotated[bool, typer.Option(help="Whether the image bytes come along.")] = True,
) -> None:
    """Write all tables as Parquet, as of one moment."""
    with existing(url) as opened:
        _show(f"written to {out}", opened.export_parquet(out, with_cutouts=cutouts))


def import_(
    folder: Annotated[Path, typer.Argument(help="What `skystamp store export` wrote.")],
    url: Url = DEFAULT,
) -> None:
    """Add objects of an export that the store does not have; those that it has stay as they are.

    Nothing else should write to the store meanwhile. Interrupted, the same command completes it.
    """
    from skystamp.store import open_store

    opened = open_store(url)
    try:
        _show(f"added from {folder}", opened.import_parquet(folder))
    finally:
        opened.close()


@contextmanager
def existing(url: str) -> "Iterator[Store]":
    """Yield the store at a URL, which has to exist."""
    from skystamp.store import open_store

    opened = open_store(url, create=False)
    try:
        yield opened
    finally:
        opened.close()


def _show(title: str, counts: Mapping[str, int]) -> None:
    _console.print(title)
    for name, count in counts.items():
        _console.print(f"  {name:32}{count:>12}")


for _command, _name in ((upgrade, ""), (status, ""), (prune, ""), (export, ""), (import_, "import")):
    app.command(_name or None)(told(_command))
