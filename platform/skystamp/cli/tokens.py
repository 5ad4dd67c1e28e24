"""`skystamp tokens`: give out tokens for the service, see which there are, take them back."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from skystamp.cli.faults import told
from skystamp.errors import UsageError

_console = Console(highlight=False)

DEFAULT = Path(".skystamp/tokens.json")

app = typer.Typer(name="tokens", no_args_is_help=True, rich_markup_mode=None)

File = Annotated[
    Path, typer.Option("--file", envvar="SKYSTAMP_TOKENS", help="What the service's setting `tokens` names.")
]
Name = Annotated[str, typer.Argument(help="Whose it is; stands in logs. Letters, digits, dot, dash, underscore.")]


@app.callback()
def tokens() -> None:
    """Give out tokens for the service, see which there are, take them back."""


def add(
    name: Name,
    scopes: Annotated[str, typer.Option(help="What it allows: of classify, read, label, admin; with commas.")],
    rate: Annotated[
        float | None, typer.Option(help="Packets a second that it may ask of one ingress replica.", min=0)
    ] = None,
    days: Annotated[float | None, typer.Option(help="Days until it ends; without this, never.", min=0)] = None,
    file: File = DEFAULT,
) -> None:
    """Make a token and print it, once: the file holds its digest alone.

    The service sees it within a second; it needs no restart.
    """
    from skystamp.api import tokens as of

    known = {scope.value: scope for scope in of.Scope}
    wanted = [part.strip() for part in scopes.split(",") if part.strip()]
    if not wanted or set(wanted) - set(known):
        raise UsageError(f"scopes should be of {', '.join(known)}. Received: {scopes}")
    expires = datetime.now(UTC) + timedelta(days=days) if days is not None else None
    secret = of.add(file, name, {known[one] for one in wanted}, rate=rate, expires=expires)
    typer.echo(f"{file} has {name}; this is shown once:", err=True)
    print(secret)


def list_(file: File = DEFAULT) -> None:
    """Print name, scopes, rate and end of each token."""
    from skystamp.api import tokens as of

    for token in of.read(file):
        rate = f"{token.rate:g}/s" if token.rate else "any rate"
        ends = f"until {token.expires:%Y-%m-%d %H:%M} UTC" if token.expires else "no end"
        ended = ", ended" if token.expires and token.expires <= datetime.now(UTC) else ""
        _console.print(f"{token.name:24} {','.join(sorted(token.scopes)):28} {rate:12} {ends}{ended}")


def revoke(name: Name, file: File = DEFAULT) -> None:
    """Take a token back; the service refuses it within a second."""
    from skystamp.api import tokens as of

    of.revoke(file, name)
    _console.print(f"{file} no longer has {name}")


for _command, _name in ((add, ""), (list_, "list"), (revoke, "")):
    app.command(_name or None)(told(_command))
