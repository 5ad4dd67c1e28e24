"""`skystamp evaluate`: models and prepared data -> one page with scores, figures and mistakes, and its numbers."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

_console = Console(highlight=False)


def evaluate(
    model: Annotated[
        list[str],
        typer.Option(help="NAME@ALIAS, NAME/VERSION or a bundle's folder; several are trainings of one configuration."),
    ],
    data: Annotated[Path, typer.Option(help="Prepared data, a folder that `skystamp prepare` wrote.")],
    split: Annotated[str, typer.Option(help="train, validation or test.")] = "test",
    out: Annotated[Path, typer.Option(help="Folder for report.html and metrics.json.")] = Path("evaluation"),
    log: Annotated[bool, typer.Option(help="Whether MLflow gets a run with both files and the scores.")] = True,
    tracking_uri: Annotated[str, typer.Option(envvar="MLFLOW_TRACKING_URI", help="Of MLflow.")] = "",
) -> None:
    """Score models on prepared data and write a report that opens without a network.

    The page has confusion matrices, scores by class, supernovae against the rest with an operating table, calibration,
    slices by magnitude, band, galactic latitude and detections, sky maps, features, times, and the surest mistakes with
    their stamps; with several models, the spread over them. The same numbers go to metrics.json.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from skystamp import tracking
    from skystamp.cluster import evaluate as evaluations

    with _console.status("evaluating"):
        written = evaluations.evaluate(model, data, out, tracking_uri or tracking.default_uri(), split=split, log=log)
    _console.print(_table(written.found))
    _console.print(f"{written.report} and {written.metrics}" + (f"; MLflow run {written.run}" if written.run else ""))


def _table(found: Mapping[str, Any]) -> Table:
    from skystamp.evaluation.report import spread_percent

    scores, title = found["scores"], f"{found['label']}: {found['objects']} objects, {found['split']}"
    table = Table(title=title, caption=f"accuracy {spread_percent(scores['accuracy'])}")
    for column in ("class", "objects", "precision", "recall", "F1"):
        table.add_column(column, justify="left" if column == "class" else "right")
    for name, row in found["by_class"].items():
        table.add_row(name, str(row["objects"]), *(spread_percent(row[kind]) for kind in ("precision", "recall", "f1")))
    return table
