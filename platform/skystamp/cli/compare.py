"""`skystamp compare`: two models on the same objects -> one page with differences, intervals and p-values."""

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

_console = Console(highlight=False)


def compare(
    first: Annotated[str, typer.Argument(help="NAME@ALIAS, NAME/VERSION or a folder; trainings joined by commas.")],
    second: Annotated[str, typer.Argument(help="The other, likewise.")],
    data: Annotated[Path, typer.Option(help="Prepared data, a folder that `skystamp prepare` wrote.")],
    split: Annotated[str, typer.Option(help="train, validation or test.")] = "test",
    out: Annotated[Path, typer.Option(help="Folder for report.html and metrics.json.")] = Path("comparison"),
    log: Annotated[bool, typer.Option(help="Whether MLflow gets a run with both files and the p-values.")] = True,
    tracking_uri: Annotated[str, typer.Option(envvar="MLFLOW_TRACKING_URI", help="Of MLflow.")] = "",
) -> None:
    """Compare two models, or trainings of two configurations, on the same objects.

    Prints the difference of their scores, second minus first, with the interval over draws of objects that both share,
    McNemar's p, and the permutation test over trainings where each side has several; the page has them by class and by
    slice.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from skystamp import tracking
    from skystamp.cluster import evaluate as evaluations
    from skystamp.evaluation.report import p_value, percent, points

    uri = tracking_uri or tracking.default_uri()
    with _console.status("comparing"):
        written = evaluations.compare(first.split(","), second.split(","), data, out, uri, split=split, log=log)
    found = written.found
    for name, row in found["differences"].items():
        values = f"{percent(row['first'], 2)} and {percent(row['second'], 2)}"
        interval = f"{points(row['low'], 2)} to {points(row['high'], 2)}"
        _console.print(f"{name.replace('_', ' ')}: {values}, difference {points(row['difference'], 2)} ({interval})")
    mcnemar, over = found["mcnemar"], found["trainings"]
    only = f"{mcnemar['first_only']} right by the first alone, {mcnemar['second_only']} by the second alone"
    _console.print(f"McNemar p = {p_value(mcnemar['p'])}: {only}, of {found['objects']} objects")
    said = over["missing"] or f"p = {p_value(over['permutation_p'])} (least possible {p_value(over['smallest_p'])})"
    _console.print(f"permutation test over trainings: {said}")
    _console.print(f"{written.report} and {written.metrics}" + (f"; MLflow run {written.run}" if written.run else ""))
