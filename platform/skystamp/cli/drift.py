"""`skystamp drift`: how far a night is from what a model was validated on; exit status 1 if too far."""

import json
import math
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from skystamp.errors import UsageError

if TYPE_CHECKING:
    from skystamp.bundle import Bundle
    from skystamp.distributions import Distributions, Row
    from skystamp.night import Night

DRIFTED = 1  # exit status

_EPOCH = datetime(1858, 11, 17, tzinfo=UTC)  # of the MJD
_console = Console(highlight=False)


@dataclass(frozen=True, slots=True)
class Limits:
    """How far away is too far; None for what is not judged."""

    psi: float
    ks: float
    shares_psi: float | None

    def passed_by(self, row: "Row") -> bool:
        """Return whether a row is farther away than it may be, and than chance makes it."""
        if row.kind == "classes":
            return self.shares_psi is not None and row.drifted(self.shares_psi, math.inf)
        return row.drifted(self.psi, self.ks)


def drift(
    model: Annotated[str, typer.Option(help="NAME@ALIAS, NAME/VERSION or a bundle's folder.")],
    data: Annotated[
        list[str] | None, typer.Option(help="Packets to score and compare: files, archives, folders, URLs; repeatable.")
    ] = None,
    store: Annotated[
        str, typer.Option(envvar="SKYSTAMP_STORE", help="Without --data: the store whose answers are compared.")
    ] = "",
    since: Annotated[str, typer.Option(help="Of a store: from this date (UTC) or MJD.")] = "",
    until: Annotated[str, typer.Option(help="Of a store: until this date (UTC) or MJD.")] = "",
    against: Annotated[
        list[str] | None, typer.Option(help="Compare with these packets, not with what the bundle keeps; repeatable.")
    ] = None,
    catalogue: Annotated[str, typer.Option(help="AllWISE in HATS layout, for temporal models.")] = "",
    max_psi: Annotated[float, typer.Option(help="Population stability index above which a number drifted.")] = 0.2,
    max_ks: Annotated[float, typer.Option(help="Kolmogorov-Smirnov distance above which a number drifted.")] = 0.15,
    max_shares_psi: Annotated[
        float | None, typer.Option(help="The same of the shares of the classes, which are not judged by default.")
    ] = None,
    min_alerts: Annotated[int, typer.Option(help="Fewer than this are too few to say anything.", min=1)] = 100,
    max_packets: Annotated[int, typer.Option(help="Packets or answers to read, at most.", min=1)] = 20_000,
    track: Annotated[bool, typer.Option("--track/--no-track", help="Whether MLflow gets the table.")] = True,
    experiment: Annotated[str, typer.Option(help="Of MLflow.")] = "drift",
    tracking_uri: Annotated[str, typer.Option(envvar="MLFLOW_TRACKING_URI", help="Of MLflow and its registry.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print the table as JSON.")] = False,
) -> None:
    """Compare a night with what a model was validated on: what it reads, and what it answers.

    Exit status 0: no number is farther away than --max-psi or --max-ks, or than chance alone would make it; 1: some
    are; 2: a fault, too few alerts, or a bundle without distributions.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from skystamp import bundle, crossmatch, distributions, tracking

    span = _span(since, until) if not data else (-math.inf, math.inf)
    if not (data or store):
        raise UsageError("drift needs --data, or --store with --since and --until")
    uri = tracking_uri or tracking.default_uri()
    found = tracking.resolve(model, uri)
    before = None if against else _kept(distributions.load(found.folder), model)
    loaded = bundle.load(found.folder)
    matcher = crossmatch.open_catalogue(catalogue) if catalogue else None
    if before is None:
        before = _measured(_packets(against or [], loaded, matcher, max_packets), loaded, min_alerts)
    if data:
        night = _packets(data, loaded, matcher, max_packets)
    else:
        night = _stored(store, loaded, (found.name, found.version), span, matcher, max_packets)
    _require(night, min_alerts)
    rows = distributions.compared(
        before, night.names, night.numbers, night.probabilities, temperature=loaded.temperature
    )
    limits = Limits(max_psi, max_ks, max_shares_psi)
    told = _told(found.name, found.version, night, before, rows, limits, most=max_packets)
    if track:
        _track(told, rows, experiment, uri)
    print(json.dumps(told, indent=1)) if as_json else _show(told)
    if told["drifted"]:
        raise typer.Exit(DRIFTED)


def mjd_of(text: str) -> float:
    """Return the MJD of a date, a date with time (UTC if it does not say), or an MJD.

    Raises
    ------
    UsageError
        If it is none of them.
    """
    try:
        return float(text)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(f"a time should be a date as 2026-11-21, or an MJD. Received: {text!r}") from error
    return ((moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH).total_seconds() / 86400


def _span(since: str, until: str) -> tuple[float, float]:
    if not (since and until):
        raise UsageError("a store needs --since and --until, as in: --since 2026-11-20 --until 2026-11-21")
    found = mjd_of(since), mjd_of(until)
    if not found[0] < found[1]:
        raise UsageError(f"--since should be before --until. Received: {since}, {until}")
    return found


def _kept(found: "Distributions | None", model: str) -> "Distributions":
    if found is None:
        raise UsageError(
            f"{model} keeps no distributions, as no model from before there were any; train it again, or name packets "
            "to compare with by --against"
        )
    return found


def _packets(paths: Sequence[str], bundle: "Bundle", matcher: Any, most: int) -> "Night":
    from skystamp import night, sources

    items = chain.from_iterable(sources.records(source) for source in sources.find(list(paths)).sources)
    return night.of_packets(items, bundle, catalogue=matcher, most=most)


def _stored(
    url: str, bundle: "Bundle", key: tuple[str, str], span: tuple[float, float], matcher: Any, most: int
) -> "Night":
    from skystamp import night
    from skystamp.store import open_store

    opened = open_store(url)
    try:
        return night.of_store(opened, bundle, *key, span, catalogue=matcher, most=most)
    finally:
        opened.close()


def _measured(night: "Night", bundle: "Bundle", least: int) -> "Distributions":
    from skystamp import distributions

    _require(night, least)
    return distributions.measured(
        night.names, night.numbers, night.fills, night.probabilities, bundle.classes, temperature=bundle.temperature
    )


def _require(night: "Night", least: int) -> None:
    if len(night) < least:
        raise UsageError(
            f"there should be {least} objects at least (--min-alerts): fewer say nothing. Received: {len(night)} of "
            f"{night.packets} packets; left out: {dict(night.left_out) or 'none'}"
        )


def _told(
    name: str,
    version: str,
    night: "Night",
    before: "Distributions",
    rows: "Sequence[Row]",
    limits: Limits,
    *,
    most: int,
) -> dict[str, Any]:
    """Return what is printed and logged; plain values, None for NaN."""
    table = [{**asdict(row), "drifted": limits.passed_by(row)} for row in rows]
    plain = [{k: None if isinstance(v, float) and math.isnan(v) else v for k, v in row.items()} for row in table]
    return {
        "model": name,
        "version": version,
        "packets": night.packets,
        "objects": len(night),
        "compared_with": int(before.answered.sum()),
        "left_out": dict(night.left_out),
        "notes": _notes(night, most),
        "limits": asdict(limits),
        "drifted": [row["name"] for row in table if row["drifted"]],
        "rows": sorted(plain, key=lambda row: -float(row["psi"])),
    }


def _notes(night: "Night", most: int) -> list[str]:
    notes = ["without --catalogue: what the model reads of it counts as missing"] if night.no_catalogue else []
    cut = f"the first {most} alone were read (--max-packets); what came after them is not in this"
    return [*notes, cut] if night.packets >= most else notes


def _track(told: dict[str, Any], rows: "Sequence[Row]", experiment: str, uri: str) -> None:
    from skystamp import tracking

    tracker = tracking.open_tracker(experiment, uri)
    run = tracker.start(f"{told['model']} {told['version']}", tags={"drifted": ", ".join(told["drifted"])[:4000]})
    tracker.log(
        run,
        params={name: told[name] for name in ("model", "version", "packets", "objects", "compared_with")},
        metrics={
            "drifted": float(len(told["drifted"])),
            **{f"{what}/{row.kind}/{row.name}": getattr(row, what) for row in rows for what in ("psi", "ks")},
        },
    )
    tracker.log_json(run, told, "drift.json")
    tracker.log_text(run, _markdown(told), "drift.md")
    tracker.finish(run)


_HEAD = ("number", "PSI (chance)", "KS (chance)", "missing (before)", "*")


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    name = f"p({row['name']})" if row["kind"] == "score" else row["name"]
    pairs = [(row["psi"], row["psi_by_chance"]), (row["ks"], row["ks_by_chance"])]
    shown = ["" if value is None else f"{value:.3f} ({chance:.3f})" for value, chance in pairs]
    before, now = row["missing"]
    missing = f"{now:.1%} ({before:.1%})" if row["kind"] == "metadata" else ""
    return name, *shown, missing, "*" if row["drifted"] else ""


def _markdown(told: dict[str, Any]) -> str:
    lines = [_HEAD, ("---",) * len(_HEAD), *(_cells(row) for row in told["rows"])]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)


def _show(told: dict[str, Any]) -> None:
    _console.print(
        f"{told['model']} version {told['version']}: {told['objects']} objects of {told['packets']} packets, compared "
        f"with {told['compared_with']}"
    )
    for note in told["notes"]:
        _console.print(note)
    for reason, count in told["left_out"].items():
        _console.print(f"left out: {count} ({reason})")
    table = Table()
    for name in _HEAD:
        table.add_column(name)
    for row in told["rows"]:
        table.add_row(*_cells(row))
    _console.print(table)
    names = ", ".join(told["drifted"])
    _console.print(f"* drifted: {names}" if names else "no drift")
