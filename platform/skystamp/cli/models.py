"""`skystamp models`: the registered models with their aliases; promote, roll back, and what was done before."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from skystamp.errors import UsageError

_console = Console(highlight=False)


class Action(StrEnum):
    """What to do with registered models."""

    LIST = "list"
    PROMOTE = "promote"
    ROLLBACK = "rollback"
    HISTORY = "history"


def models(
    action: Annotated[
        Action, typer.Argument(help="list, promote NAME VERSION, rollback NAME, or history NAME.")
    ] = Action.LIST,
    name: Annotated[str, typer.Argument(help="The model, as first-detection.")] = "",
    version: Annotated[str, typer.Argument(help="To promote: which version.")] = "",
    alias: Annotated[str, typer.Option(help="champion is served, challenger runs in shadow.")] = "champion",
    measure: Annotated[
        bool, typer.Option(help="Time both versions here, in turn, instead of trusting what was logged.")
    ] = True,
    data: Annotated[
        list[Path] | None, typer.Option(help="Prepared data on whose test split both are scored; repeatable.")
    ] = None,
    max_accuracy_loss: Annotated[
        float, typer.Option(help="How far the test accuracy may be below the champion's.", min=0)
    ] = 0.01,
    max_calibration_loss: Annotated[
        float, typer.Option(help="How far the calibration error may be above the champion's.", min=0)
    ] = 0.02,
    max_slowdown: Annotated[
        float, typer.Option(help="How many times as long as the champion's an answer may take.", min=0)
    ] = 1.5,
    override: Annotated[
        list[str] | None,
        typer.Option(help="A check whose refusal is passed over: accuracy, calibration, latency; repeatable."),
    ] = None,
    why: Annotated[str, typer.Option(help="The reason, kept with the move; an override needs one.")] = "",
    by: Annotated[str, typer.Option(help="Who does it; by default this system's user.")] = "",
    tracking_uri: Annotated[str, typer.Option(envvar="MLFLOW_TRACKING_URI", help="Of the model registry.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List registered models, and choose which versions are served.

    The list has every version of every model: its aliases, when it was made, how well it tested. A service follows what
    champion names. `promote` asks a gate first: test accuracy, calibration error and latency against the champion's; a
    figure that is worse than allowed or missing refuses, with exit status 1. `rollback` asks none: it lets champion
    name the version that it named before. Both are recorded in MLflow and told by `history`.
    """
    from skystamp import tracking
    from skystamp.cli import promoting

    uri = tracking_uri or tracking.default_uri()
    if action is Action.LIST:
        _list(uri, as_json=as_json)
        return
    if not name or (action is Action.PROMOTE and not version):
        raise UsageError(f"{action} needs {_NEEDS[action]}, as in: skystamp models {action} {_EXAMPLES[action]}")
    if action is Action.HISTORY:
        promoting.tell_history(name, uri, as_json=as_json)
    elif action is Action.ROLLBACK:
        promoting.roll_back(name, uri, by=by, why=why, as_json=as_json)
    elif alias != tracking.CHAMPION:
        _name(name, version, alias, uri)
    else:
        allowed = tracking.Thresholds(max_accuracy_loss, max_calibration_loss, max_slowdown)
        asked = promoting.Asked(name, version, allowed, tuple(override or ()), why, by, measure, tuple(data or ()))
        promoting.promote(asked, uri, as_json=as_json)


_NEEDS = {
    Action.PROMOTE: "a model and a version",
    Action.ROLLBACK: "a model",
    Action.HISTORY: "a model",
}
_EXAMPLES = {
    Action.PROMOTE: "first-detection 2",
    Action.ROLLBACK: "first-detection",
    Action.HISTORY: "first-detection",
}


def _name(name: str, version: str, alias: str, uri: str) -> None:
    from skystamp import tracking

    before = tracking.alias_version(name, alias, uri)
    tracking.set_alias(name, alias, version, uri)
    _console.print(f"{name}@{alias} is version {version}" + (f", was {before}" if before else ""))


def _list(uri: str, *, as_json: bool) -> None:
    from skystamp import tracking

    found = tracking.registered(uri)
    if as_json:
        print(json.dumps([asdict(model) for model in found], indent=1))
        return
    if not found:
        raise UsageError(f"{uri} has no registered model yet; `make demo` or a study makes the first")
    table = Table()
    for column in ("model", "version", "aliases", "made (UTC)", "test accuracy", "calibration", "promoted", "study"):
        table.add_column(column)
    for model in found:
        made = datetime.fromtimestamp(model.created_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")
        told = [model.tags.get(tag, "") for tag in ("test_accuracy", "test_calibration_error", "promoted_at", "study")]
        table.add_row(model.name, model.version, ", ".join(model.aliases), made, *told)
    _console.print(table)
