"""`skystamp classify`: packets and one model, or several by number of detections -> a Parquet table, a row a packet."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from skystamp.errors import UsageError

if TYPE_CHECKING:
    from skystamp.cluster.histories import Tally
    from skystamp.cluster.score import Scored

_console = Console(highlight=False)


def classify(
    paths: Annotated[list[str], typer.Argument(help="Avro files, tar archives or folders of them, also URLs.")],
    out: Annotated[Path, typer.Option(help="Parquet file for the outcomes, one row a packet.")],
    model: Annotated[
        list[str] | None,
        typer.Option(help="NAME@ALIAS, NAME/VERSION, or a bundle's folder; once for each of several models."),
    ] = None,
    routed: Annotated[
        str, typer.Option(help="Instead of --model: all models with this alias, each for its number of detections.")
    ] = "",
    catalogue: Annotated[
        str, typer.Option(help="AllWISE or the like in HATS layout, a folder or URL, that temporal models read.")
    ] = "",
    workers: Annotated[
        int | None,
        typer.Option(help="Ray workers; 0 for this process alone, the default for less than 200 MB.", min=0),
    ] = None,
    tracking_uri: Annotated[str, typer.Option(envvar="MLFLOW_TRACKING_URI", help="Of the model registry.")] = "",
    address: Annotated[str | None, typer.Option(envvar="RAY_ADDRESS", help="A running Ray cluster.")] = None,
) -> None:
    """Classify packets: one row each, in order, classification or rejection.

    Writes survey, object_id, alert_id, mjd, n_detections, outcome, class, a probability a class, model, model_version,
    flags and reason to a Parquet file, and prints the counts. One first-detection model answers each packet by itself.
    With temporal models beside it, each packet is answered by its object's detections up to it, in whatever file they
    are.
    """
    from skystamp.cluster import environment

    environment.apply(local=address is None)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from skystamp import sources

    if out.suffix != ".parquet":
        raise UsageError(f"--out should end in .parquet. Received: {out}")
    if bool(model) == bool(routed):
        raise UsageError("classify needs --model, once for each of several, or --routed ALIAS, and not both")
    found = sources.find(paths)
    if found.skipped:
        _console.print(f"{len(found.skipped)} files are no alert files and are skipped: {', '.join(found.skipped[:3])}")
    from skystamp import tracking
    from skystamp.cluster import histories, score

    uri = tracking_uri or tracking.default_uri()
    references = model or histories.routed(routed, uri)
    if routed:
        _console.print(f"Models: {', '.join(references)}")
    with rows_bar() as on_rows:
        if routed or catalogue or len(references) > 1:
            load = partial(histories.load, references, uri, catalogue or None)
            done, tally = histories.score_histories(found, load, out, workers=workers, address=address, on_rows=on_rows)
        else:
            alone = partial(tracking.load, references[0], uri)
            done, tally = score.score(found, alone, out, workers=workers, address=address, on_rows=on_rows), None
    show(done, out, tally)


@contextmanager
def rows_bar() -> Iterator[Callable[[int], object]]:
    """Show how many packets are done, and give what counts them; how many there are, no archive says beforehand."""
    columns = (SpinnerColumn(), TextColumn("{task.completed:.0f} packets"), TimeElapsedColumn())
    with Progress(*columns, console=_console) as progress:
        task = progress.add_task("packets", total=None)
        yield lambda rows: progress.advance(task, rows)


def show(done: "Scored", out: Path, tally: "Tally | None" = None) -> None:
    """Print what was answered: packets by class, by model and by rule, rejections by reason, and the rate."""
    classes = ", ".join(f"{name} {count}" for name, count in sorted(done.classes.items()))
    reasons = ", ".join(f"{name} {count}" for name, count in sorted(done.reasons.items()))
    _console.print(
        f"{done.packets} packets: {sum(done.classes.values())} classifications ({classes or 'none'}), "
        f"{sum(done.reasons.values())} rejections ({reasons or 'none'})"
    )
    if tally:
        for name, count in sorted(tally.packets.items()):
            _console.print(f"{name} answered {count} packets of {tally.objects[name]} objects")
        rules = ", ".join(f"{name} {count}" for name, count in sorted(tally.rules.items()))
        _console.print(f"Rules: {rules or 'none'}")
    place = f"{done.workers} workers, their start included" if done.workers else "in this process"
    _console.print(f"{done.rate:.0f} packets a second ({place}); outcomes in {out}")
