"""`skystamp simulate`: a seed -> a folder of Avro shards of synthetic alerts, with their truth."""

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from skystamp.errors import UsageError

_console = Console(highlight=False)


def simulate(
    objects: Annotated[int, typer.Option(help="Objects to simulate.", min=1)],
    out: Annotated[Path, typer.Option(help="Folder for the shards, labels.csv and allwise.csv.")],
    seed: Annotated[int, typer.Option(help="Fixes everything; other seeds share no object.", min=0)] = 1,
    detections: Annotated[int, typer.Option(help="Successive detections an object at most.", min=1)] = 1,
    first_share: Annotated[
        float, typer.Option(help="Share of objects that begin with their very first detection.", min=0, max=1)
    ] = 0.4,
    classes: Annotated[
        str, typer.Option(help="Classes, equally likely, or with weights: AGN,SN=2. Default: all but satellite.")
    ] = "",
    night: Annotated[float | None, typer.Option(help="One night alone: its Julian date, as 2460235.5.")] = None,
    shard_objects: Annotated[int, typer.Option(help="Objects a shard.", min=1)] = 250,
    codec: Annotated[str, typer.Option(help="Avro codec: null, deflate, snappy or zstandard.")] = "deflate",
    workers: Annotated[
        int | None, typer.Option(help="Processes on Ray; 0 for this one alone. Default: all cores.", min=0)
    ] = None,
    address: Annotated[str | None, typer.Option(envvar="RAY_ADDRESS", help="A running Ray cluster.")] = None,
) -> None:
    """Simulate ZTF alerts of known class; run again to go on where it stopped.

    Simulates whole packets, in parallel, into Avro shards with labels.csv (objectId, class and the truth) and
    allwise.csv (an infrared catalogue of the same sky) beside them.
    The same options give the same bytes on any number of workers.
    """
    from skystamp.cluster import environment

    environment.apply(local=address is None)
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # sums of several threads round differently
    from skystamp.cluster.simulate import Simulation
    from skystamp.cluster.simulate import simulate as simulated

    chosen = {"priors": priors(classes)} if classes else {}
    simulation = Simulation(
        objects, seed, detections, first_share, night=night, shard_objects=shard_objects, codec=codec, **chosen
    )
    started = time.monotonic()
    with shards_bar(len(simulation.starts), shown=workers == 0) as on_shard:
        done = simulated(simulation, out, workers=workers, address=address, on_shard=on_shard)
    seconds = time.monotonic() - started
    if done.found:
        _console.print(f"{done.found} of {len(simulation.starts)} shards were there already and are kept.")
    _console.print(
        f"{done.packets} packets in {done.made} shards in {seconds:.0f} s; all {objects} objects are in {out}"
    )


def priors(text: str) -> dict[str, float]:
    """Return the weight of each class in ``AGN,SN=2``.

    Raises
    ------
    UsageError
        If a weight is no number.
    """
    weights = {}
    for item in text.split(","):
        name, _, weight = item.strip().partition("=")
        try:
            weights[name] = float(weight or 1)
        except ValueError as error:
            raise UsageError(f"a class's weight should be a number, as in AGN,SN=2. Received: {item}") from error
    return weights


@contextmanager
def shards_bar(shards: int, *, shown: bool) -> Iterator[Callable[[int], object]]:
    """Show a progress bar and give what advances it; Ray shows its own, so none where not `shown`."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=_console, disable=not shown) as progress:
        task = progress.add_task("shards", total=shards)
        yield lambda _: progress.advance(task)
