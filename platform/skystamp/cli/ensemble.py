"""`skystamp ensemble`: trainings of one configuration -> one model that answers with their mean and its spread."""

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

_console = Console(highlight=False)


def ensemble(
    members: Annotated[list[str], typer.Argument(help="NAME@ALIAS, NAME/VERSION or bundles' folders; two or more.")],
    out: Annotated[Path, typer.Option(help="Folder of the ensemble's bundle; new or empty.")],
    data: Annotated[
        list[Path] | None,
        typer.Option(help="Prepared data on whose validation split it is scored and calibrated; repeatable."),
    ] = None,
    register: Annotated[
        bool, typer.Option(help="Whether it is registered under its model's name and proposed.")
    ] = False,
    tracking_uri: Annotated[str, typer.Option(envvar="MLFLOW_TRACKING_URI", help="Of the model registry.")] = "",
) -> None:
    """Make one bundle of several trainings of one configuration.

    It answers with the mean of their probabilities; each answer has a spread, their standard deviation, class by class.
    It is served, scored and evaluated like any bundle, and takes as many times as long as it has members.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from skystamp import tracking
    from skystamp.cluster import ensembling

    uri = tracking_uri or tracking.default_uri()
    made = ensembling.assemble(members, out, uri, tuple(data or ()))
    scores = made.about.get("validation")
    said = f", validation accuracy {scores['accuracy']:.4f}" if scores else ""
    _console.print(f"{out}: {made.name} of {len(made.members)}, temperature {made.temperature:.3f}{said}")
    if register:
        version, alias = ensembling.register(out, uri)
        _console.print(f"registered as {made.name}/{version}, {made.name}@{alias}")
