"""`skystamp models`: the registered models with their aliases; `promote` lets an alias name a version."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from skystamp.cli.faults import told
from skystamp.errors import UsageError

app = typer.Typer(help="List registered models, or let an alias name a version.", invoke_without_command=True)
_console = Console(highlight=False)

TrackingUri = Annotated[str, typer.Option(envvar="MLFLOW_TRACKING_URI", help="Of the model registry.")]


@app.callback()
@told
def models(
    context: typer.Context,
    tracking_uri: TrackingUri = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List every version of every registered model: aliases, when it was made, how well it tested."""
    context.obj = tracking_uri
    if context.invoked_subcommand is None:
        _list(tracking_uri, as_json=as_json)


@app.command()
@told
def promote(
    context: typer.Context,
    name: Annotated[str, typer.Argument(help="Of the registered model, as first-detection.")],
    version: Annotated[str, typer.Argument(help="Which version.")],
    alias: Annotated[str, typer.Option(help="champion is served, challenger is proposed.")] = "champion",
) -> None:
    """Let an alias name a version; a service that follows the alias takes the version up."""
    from skystamp import tracking

    uri = context.obj or tracking.default_uri()
    before = tracking.alias_version(name, alias, uri)
    tracking.set_alias(name, alias, version, uri)
    _console.print(f"{name}@{alias} is version {version}" + (f", was {before}" if before else ""))


def _list(tracking_uri: str, *, as_json: bool) -> None:
    from skystamp import tracking

    uri = tracking_uri or tracking.default_uri()
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
