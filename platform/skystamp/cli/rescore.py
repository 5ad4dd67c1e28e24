"""`skystamp rescore`: what a version of a model has not scored of the store's alerts, and nothing else, is scored."""

import json
import os
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict
from functools import partial
from threading import Event
from typing import TYPE_CHECKING, Annotated, Any

import typer

from skystamp.errors import UsageError

if TYPE_CHECKING:
    from skystamp.cluster.rescore import Job, Rescored

UNFINISHED = 1  # exit status: told to stop; the same command goes on


def rescore(
    model: Annotated[
        list[str], typer.Option(help="NAME@ALIAS, NAME/VERSION or a bundle's folder; repeatable, one after the other.")
    ],
    store: Annotated[
        str, typer.Option(envvar="SKYSTAMP_STORE", help="sqlite:///PATH or postgresql://USER@HOST/DATABASE.")
    ] = "sqlite:///.skystamp/store.db",
    tracking_uri: Annotated[str, typer.Option(envvar="MLFLOW_TRACKING_URI", help="Of the model registry.")] = "",
    catalogue: Annotated[str, typer.Option(help="AllWISE in HATS layout, for temporal models.")] = "",
    routed: Annotated[str, typer.Option(help="The alias of the models that are served beside it.")] = "champion",
    shadow: Annotated[
        bool | None,
        typer.Option(
            "--shadow/--answer",
            help="Whether scores are kept and never answered; by default those of any version but the champion's.",
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(help="Ray actors; 0 scores in this process, as it is for few alerts.", min=0)
    ] = None,
    address: Annotated[str, typer.Option(help="Of a running Ray cluster; by default one starts here.")] = "",
    page: Annotated[int, typer.Option(help="Alerts of one transaction.", min=1)] = 256,
    every: Annotated[float, typer.Option(help="Seconds between two lines of progress.", min=0.1)] = 10.0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say how many there are to score.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the summary as JSON.")] = False,
) -> None:
    """Score what a version has not scored: after a promotion, or to fill in what a challenger has missed.

    It remembers nothing of its own: interrupted or killed, the same command does the rest. SIGTERM and SIGINT finish
    what is on its way. Exit status 0: all that can be scored is; 1: stopped before that; 2: a fault.
    """
    from skystamp.cluster import environment

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    environment.apply(local=not address)
    uri = tracking_uri or _default_uri()
    done: list[dict[str, Any]] = []
    for reference in model:
        if done and not done[-1]["finished"]:
            break
        job, load = _job(reference, uri, store, routed, catalogue, shadow=shadow)
        done.append(_one(job, load, workers, address, page, every, dry_run=dry_run))
    if as_json:
        print(json.dumps(done, indent=1))
    if not all(each["finished"] for each in done):
        raise typer.Exit(UNFINISHED)


def _job(
    reference: str, uri: str, store: str, alias: str, catalogue: str, *, shadow: bool | None
) -> "tuple[Job, Callable[[], Any]]":
    from skystamp import routing, tracking
    from skystamp.cluster.histories import models
    from skystamp.cluster.rescore import Job

    found = tracking.resolve(reference, uri)
    champions = {name: tracking.alias_version(name, alias, uri) for name in routing.MODEL_FOR.values()}
    served = {name for name, version in champions.items() if version} | {found.name}
    exact = str(found.folder) if found.version.startswith("local-") else f"{found.name}/{found.version}"
    beside = [] if found.name == routing.FIRST_DETECTION else [_first(champions, alias, uri)]
    kept = champions.get(found.name) != found.version if shadow is None else shadow
    job = Job(store, found.name, found.version, tuple(sorted(served)), kept)
    return job, partial(models.load, [*beside, exact], uri, catalogue or None)


def _first(champions: dict[str, str | None], alias: str, uri: str) -> str:
    from skystamp import routing

    version = champions[routing.FIRST_DETECTION]
    if version is None:
        raise UsageError(f"{routing.FIRST_DETECTION} should have the alias {alias!r} in {uri}. Received: none")
    return f"{routing.FIRST_DETECTION}/{version}"


def _one(
    job: "Job",
    load: Callable[[], Any],
    workers: int | None,
    address: str,
    page: int,
    every_s: float,
    *,
    dry_run: bool,
) -> dict[str, Any]:
    from skystamp.cluster import rescore as scoring

    total = scoring.waiting(job)
    named = {"model": job.name, "version": job.version, "shadow": job.shadow, "unscored": total}
    _say(f"{job.name} version {job.version}{' in shadow' * job.shadow}: {total:,} alerts have no score of it")
    if dry_run or not total:
        return {**named, "scored": 0, "left": 0, "seconds": 0.0, "workers": 0, "finished": True}
    count = scoring.default_workers(total) if workers is None else workers
    count = max(count, 1) if address else count
    with ExitStack() as held:
        if count:
            from skystamp.cluster import session

            held.enter_context(session.connected(address or None, cpus=count))
        from skystamp.cli.stream import stopped_by_signals

        stop = stopped_by_signals()  # after Ray, which has a handler of its own
        progress = _Progress(job, total, every_s)
        done = scoring.rescore(job, load, workers=count, clock=time.time, page=page, stop=stop, told=progress)
    _say(_ended(job, done, stop))
    return {**named, **asdict(done), "rate": round(done.rate, 1)}


class _Progress:
    """Says now and then how far it is; a class because it knows when it last did."""

    def __init__(self, job: "Job", total: int, every_s: float) -> None:
        self._job, self._total, self._every_s = job, total, every_s
        self._started = self._told = time.monotonic()

    def __call__(self, scored: int, left: int) -> None:
        now = time.monotonic()
        if now - self._told < self._every_s:
            return
        self._told = now
        rate = (scored + left) / (now - self._started)
        rest = max(0, self._total - scored - left)
        _say(
            f"{self._job.name} version {self._job.version}: {scored:,} of {self._total:,} scored, {left:,} left, "
            f"{rate:.0f} a second, about {rest / rate:.0f} s to go"
        )


def _ended(job: "Job", done: "Rescored", stop: Event) -> str:
    told = f"{job.name} version {job.version}: {done.scored:,} scored in {done.seconds:.1f} s"
    if done.left:
        told += f"; {done.left:,} left without, for cutouts that are dropped"
    return told + ("; stopped, the same command goes on" if stop.is_set() else "")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _default_uri() -> str:
    from skystamp import tracking

    return tracking.default_uri()
