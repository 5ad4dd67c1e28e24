"""`skystamp labels`: what people said on the Hunter page, as the labels of the next training set."""

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from skystamp.cli.faults import told
from skystamp.cli.store import DEFAULT, Url, existing
from skystamp.errors import UsageError

_console = Console(highlight=False)

app = typer.Typer(name="labels", no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def labels() -> None:
    """Export what people said of objects on the Hunter page."""


def export(
    out: Annotated[Path, typer.Argument(help="CSV file to write, for example labels.csv.")],
    url: Url = DEFAULT,
    source: Annotated[str, typer.Option(help="Only labels from here; hunter is the page. By default all.")] = "",
    required: Annotated[int, typer.Option(help="People who have to agree for the quality `confirmed`.", min=1)] = 2,
    packets: Annotated[
        Path | None, typer.Option(help="Folder to write the packets of these objects to, as the store has them.")
    ] = None,
) -> None:
    """Write the labels that stand as a table that `skystamp prepare vetted` reads: one row an object.

    With --packets also the alerts of these objects, some hundreds in a file, so that the folder is a data set.
    """
    from skystamp.hunter import exporting

    if out.suffix != ".csv":
        raise UsageError(f"the table should be a .csv file. Received: {out}")
    with existing(url) as store:
        rows = exporting.labelled(store.labels(), source=source, required=required)
        exporting.write_table(out, rows)
        written = exporting.write_packets(packets, store, rows) if packets else 0
    counts = Counter((row.label or "no class", row.quality) for row in rows)
    _console.print(f"{len(rows)} objects in {out}")
    for (label, quality), count in sorted(counts.items()):
        _console.print(f"  {label:12}{quality:12}{count:>8}")
    if packets:
        _console.print(f"{written} packets in {packets}")


app.command()(told(export))
