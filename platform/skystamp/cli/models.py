"""`skystamp models`: the registered models with their aliases; `models promote` lets an alias name a version."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
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


def models(
    action: Annotated[Action, typer.Argument(help="list, or promote NAME VERSION.")] = Action.LIST,
    name: Annotated[str, typer.Argument(help="To promote: the model, as first-detection.")] = "",
    version: Annotated[str, typer.Argument(help="To promote: which version.")] = "",
    alias: Annotated[str, typer.Option(help="champion is served, challenger is proposed.")] = "champion",
    tracking_uri: Annotated[str, typer.Option(envvar="MLFLOW_TRACKING_URI", help="Of the model registry.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the list as JSON.")] = False,
) -> None:
    """List registered models, or let an alias name a version.

    The list has every version of every model: its aliases, when it was made, how well it tested. A service that
    follows an alias takes up the version that `promote` gives it.
    """
    from skystamp import tracking

    uri = tracking_uri or tracking.default_uri()
    if action is Action.PROMOTE:
        _promote(name, version, alias, uri)
    else:
        _list(uri, as_json=as_json)


def _promote(name: str, version: str, alias: str, uri: str) -> None:
    from skystamp import tracking

    if not name or not version:
        raise UsageError("promote needs a model and a version, as in: skystamp models promote first-detection 2")
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
    for column in ("model", "version", "aliases", "made (UTC)", "test accuracy", "study"):
        table.add_column(column)
    for model in found:
        made = datetime.fromtimestamp(model.created_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")
        tested, study = model.tags.get("test_accuracy", ""), model.tags.get("study", "")
        table.add_row(model.name, model.version, ", ".join(model.aliases), made, tested, study)
    _console.print(table)
