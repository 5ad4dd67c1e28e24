"""`skystamp tns`: reports of confirmed candidates to the Transient Name Server, shown first and sent when asked to."""

import getpass
import json
import os
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from skystamp.cli.faults import told
from skystamp.cli.store import DEFAULT, Url, existing
from skystamp.errors import UsageError

if TYPE_CHECKING:
    from skystamp.store import ObjectKey, Report, Store
    from skystamp.tns import Desk, Draft

STOPPED = 1  # exit status: a guard or TNS refused
UNDECIDED = 3  # exit status: TNS has not said yet

FILE = Path(".skystamp/tns.toml")

_LISTED = ("survey", "object_id", "number", "state", "tns_name", "report_id", "author", "created", "address", "said")

_console = Console(highlight=False, markup=False, soft_wrap=True)

app = typer.Typer(name="tns", no_args_is_help=True, rich_markup_mode=None)

Objects = Annotated[list[str], typer.Argument(help="Names of objects; SURVEY/NAME where the survey is not ztf.")]
File = Annotated[
    Path | None,
    typer.Option("--settings", help=f"TOML file of who reports where; by default {FILE}, if there is one."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@app.callback()
def tns() -> None:
    """Report confirmed candidates to the Transient Name Server; the bot's key is SKYSTAMP_TNS_KEY."""


def report(
    names: Objects,
    url: Url = DEFAULT,
    settings: File = None,
    send: Annotated[bool, typer.Option("--send", help="Send; without it nothing leaves but questions.")] = False,
    override: Annotated[
        list[str] | None, typer.Option(help="A guard to pass by name, if it is one that can be; with --why.")
    ] = None,
    why: Annotated[str, typer.Option(help="Why the guards are passed; recorded.")] = "",
    required: Annotated[int, typer.Option(help="People who have to say supernova.", min=1)] = 2,
    as_json: Json = False,
) -> None:
    """Show the bulk AT report of each object and what speaks against it; with --send, send it and wait for TNS.

    Exit status 1: something speaks against one of them, or TNS rejected it. 3: TNS has not said yet; `follow` asks.
    """
    overrides = dict.fromkeys(override or [], why)
    states = []
    with existing(url) as store:
        desk = _desk(store, settings)
        for key in map(_key, names):
            draft = _draft(desk, key, required)
            _show(draft, as_json=as_json)
            states.append(_sent(desk, draft, overrides) if send else _would(draft, overrides))
    raise typer.Exit(max(states, key=(0, UNDECIDED, STOPPED).index))


def follow(
    names: Annotated[list[str] | None, typer.Argument(help="Names of objects; by default all that wait.")] = None,
    url: Url = DEFAULT,
    settings: File = None,
) -> None:
    """Ask TNS what became of reports that it has not spoken of, and write it down. Exit status 3: some still wait."""
    from skystamp.tns import OPEN

    with existing(url) as store:
        desk, wanted = _desk(store, settings), {_key(name) for name in names or []}
        waiting = [one for one in store.reports(OPEN) if one.address == desk.settings.address]
        found = [desk.follow(one) for one in waiting if not wanted or one.key in wanted]
    _list(found)
    raise typer.Exit(max((_status(one) for one in found), key=(0, UNDECIDED, STOPPED).index, default=0))


def show(names: Objects, url: Url = DEFAULT) -> None:
    """Print all that is recorded of objects' reports as JSON: as sent, by whom, and what TNS answered when."""
    from dataclasses import asdict

    with existing(url) as store:
        found = store.reports_of([_key(name) for name in names])
    print(json.dumps([asdict(one) for reports in found.values() for one in reports], indent=1))


def list_(url: Url = DEFAULT, as_json: Json = False) -> None:
    """Print the reports, newest first: object, state, name on TNS, who, when, to which server."""
    with existing(url) as store:
        found = store.reports()
    if as_json:
        names = (
            "survey",
            "object_id",
            "number",
            "state",
            "tns_name",
            "report_id",
            "author",
            "created",
            "address",
            "said",
        )
        print(json.dumps([{name: getattr(one, name) for name in names} for one in found], indent=1))
    else:
        _list(found)


def _desk(store: "Store", file: Path | None) -> "Desk":
    from skystamp import tns as of

    chosen = file or FILE
    settings = of.read(chosen) if file or chosen.exists() else of.Settings()
    return of.Desk(store, settings, os.environ.get(of.KEY, ""), time.time, time.sleep)


def _draft(desk: "Desk", key: "ObjectKey", required: int) -> "Draft":
    from skystamp.hunter import reporting, vetting

    verdict = vetting.verdict(desk.store.labels_of([key]).get(key, []), required)
    return desk.draft(key, reporting.people(verdict, required))


def _show(draft: "Draft", *, as_json: bool) -> None:
    if as_json:
        against = [{"guard": one.guard.value, "said": one.sentence} for one in draft.objections]
        print(json.dumps({"object": draft.subject.object_id, "report": draft.content, "against": against}, indent=1))
        return
    _console.print(json.dumps(draft.content, indent=1, ensure_ascii=False))
    if draft.fault:
        _console.print(draft.fault)
    for one in draft.objections:
        _console.print(f"{one.guard.value}{' (--override passes it)' * one.overridable}: {one.sentence}")


def _would(draft: "Draft", overrides: dict[str, str]) -> int:
    from skystamp.tns import guards

    left = guards.standing(draft.objections, overrides)
    said = "nothing was sent; it should not be" if left else "nothing was sent; --send does"
    typer.echo(f"{draft.subject.object_id}: {said}", err=True)
    return STOPPED if left else 0


def _sent(desk: "Desk", draft: "Draft", overrides: dict[str, str]) -> int:
    """Send a draft, or ask about the report that is out already, and return the exit status."""
    from skystamp.tns import OPEN

    try:
        is_out = draft.last is not None and draft.last.state in OPEN
        one = desk.follow(draft.last) if is_out and draft.last else desk.send(draft, getpass.getuser(), overrides)
    except UsageError as fault:
        typer.echo(f"skystamp: {fault}", err=True)
        return STOPPED
    _list([one])
    return _status(one)


def _status(one: "Report") -> int:
    from skystamp.store import ReportState
    from skystamp.tns import OPEN

    if one.state is ReportState.POSTED:
        return 0
    return UNDECIDED if one.state in OPEN else STOPPED


def _list(found: "Iterable[Report]") -> None:
    for one in found:
        when = datetime.fromtimestamp(one.created, UTC)
        name = one.tns_name or "-"
        line = f"{one.object_id:16} {one.state.value:9} {name:14} {one.author}, {when:%Y-%m-%d %H:%M}, {one.address}"
        _console.print(f"{line}{': ' * bool(one.said)}{one.said}")


def _key(name: str) -> "ObjectKey":
    survey, _, rest = name.partition("/")
    return (survey, rest) if rest else ("ztf", name)


for _command, _name in ((report, ""), (follow, ""), (show, ""), (list_, "list")):
    app.command(_name or None)(told(_command))
