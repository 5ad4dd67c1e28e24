"""What `skystamp models` does to a champion: promote through the gate, roll back, tell the history."""

import getpass
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer
from rich.console import Console
from rich.table import Table

from skystamp.errors import BundleError, UsageError

if TYPE_CHECKING:
    from skystamp.tracking import Figures, Thresholds
    from skystamp.tracking.promotion import Move

REFUSED = 1  # exit status: the gate refused

_console = Console(highlight=False)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to become champion, and how the gate is to look at it; see `cli.models`."""

    name: str
    version: str
    allowed: "Thresholds"
    override: tuple[str, ...] = ()
    why: str = ""
    by: str = ""
    measure: bool = True
    data: tuple[Path, ...] = ()


def promote(asked: Asked, uri: str, *, as_json: bool) -> None:
    """Let `champion` name a version if the gate lets it pass or is overridden, and say so; else exit with 1.

    Raises
    ------
    UsageError
        If there is no such version or check, or an override has no reason.
    BundleError
        If the version does not load: no override helps it.
    """
    from skystamp import tracking
    from skystamp.tracking import gate, promotion

    _check(asked)
    before = tracking.alias_version(asked.name, tracking.CHAMPION, uri)
    tracking.described(asked.name, asked.version, uri)
    if before == asked.version:
        _console.print(f"{asked.name}@champion is version {before} already")
        return
    new, champion = _figures(asked, before, uri)
    refused = gate.judge(new, champion, asked.allowed)
    overridden = tuple(check for check in gate.CHECKS if check in refused and check in asked.override)
    move = promotion.Move(
        asked.name,
        asked.version,
        before,
        asked.by or getpass.getuser(),
        why=asked.why,
        overridden=overridden,
        refused=refused,
        figures=new,
        champion=champion,
        allowed=asked.allowed,
    )
    passed = set(refused) <= set(overridden)
    if passed:
        promotion.make(move, uri, now=datetime.now(UTC))
    _tell(move, done=passed, as_json=as_json)


def roll_back(name: str, uri: str, *, by: str, why: str, as_json: bool) -> None:
    """Let `champion` name the version that it named before, and say so.

    Raises
    ------
    UsageError
        If none is recorded.
    """
    from skystamp import tracking
    from skystamp.tracking import promotion

    before = tracking.alias_version(name, tracking.CHAMPION, uri)
    version = promotion.champion_before(name, uri)
    move = promotion.Move(name, version, before, by or getpass.getuser(), kind=promotion.ROLLBACK, why=why)
    promotion.make(move, uri, now=datetime.now(UTC))
    _tell(move, done=True, as_json=as_json)


def tell_history(name: str, uri: str, *, as_json: bool) -> None:
    """Print the recorded moves of a model's champion, newest first."""
    from skystamp.tracking import promotion

    found = promotion.history(name, uri)
    if as_json:
        print(json.dumps(found, indent=1))
        return
    table = Table()
    columns = ("at", "kind", "from", "to", "by", "overridden", "why")
    for column in columns:
        table.add_column(column)
    for each in found:
        table.add_row(*(str(each[column]) for column in columns))
    _console.print(table)


def _check(asked: Asked) -> None:
    from skystamp.tracking import gate

    unknown = sorted(set(asked.override) - set(gate.CHECKS))
    if unknown:
        raise UsageError(f"--override should be of {', '.join(gate.CHECKS)}. Received: {', '.join(unknown)}")
    if asked.override and not asked.why:
        raise UsageError("--override should come with its reason, as in: --why 'the test set is too easy'")


def _figures(asked: Asked, before: str | None, uri: str) -> "tuple[Figures, Figures | None]":
    """Return the figures of the version and of the champion, as logged or, where that is asked for, as measured now."""
    from skystamp import tracking
    from skystamp.tracking import promotion

    versions = {"new": asked.version, **({"champion": before} if before else {})}
    known = {key: promotion.recorded(asked.name, version, uri) for key, version in versions.items()}
    if asked.measure or asked.data:
        folders = {key: tracking.resolve(f"{asked.name}/{each}", uri).folder for key, each in versions.items()}
        known = _measured(asked, folders, known)
    return known["new"], known.get("champion")


def _measured(asked: Asked, folders: Mapping[str, Path], known: "dict[str, Figures]") -> "dict[str, Figures]":
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from skystamp import bundle, classify, routing
    from skystamp.classify import Model
    from skystamp.cluster import measuring

    new = Model(asked.name, asked.version, bundle.load(folders["new"]))
    if asked.name in routing.MODEL_FOR.values():
        classify.require_detections(asked.name, new)
    try:
        return measuring.side_by_side(asked.name, folders, known, measure=asked.measure, data=asked.data)
    except BundleError as error:  # the champion's: the new one has loaded
        typer.echo(f"the champion can not be measured: {error}", err=True)
        alone = {"new": known["new"]}
        found = measuring.side_by_side(asked.name, folders, alone, measure=asked.measure, data=asked.data)
        return {"champion": replace(known["champion"], latency_s=None), **found}  # one of another day does not compare


def _tell(move: "Move", *, done: bool, as_json: bool) -> None:
    for check, sentence in move.refused.items():
        typer.echo(f"{check}{' (overridden)' if check in move.overridden else ''}: {sentence}", err=True)
    if as_json:
        print(json.dumps(_plain(move, done=done), indent=1))
    elif done:
        was = f", was {move.before}" if move.before else ""
        _console.print(f"{move.model}@champion is version {move.version}{was}")
    if not done:
        left = [check for check in move.refused if check not in move.overridden]
        told = " ".join(f"--override {check}" for check in left)
        typer.echo(
            f"{move.model}@champion stays version {move.before or 'none'}; past the gate: {told} --why", err=True
        )
        raise typer.Exit(REFUSED)


def _plain(move: "Move", *, done: bool) -> dict[str, Any]:
    return {
        "done": done,
        "model": move.model,
        "version": move.version,
        "before": move.before,
        "kind": move.kind,
        "by": move.by,
        "why": move.why,
        "refused": dict(move.refused),
        "overridden": list(move.overridden),
        "figures": move.figures and asdict(move.figures),
        "champion": move.champion and asdict(move.champion),
    }
