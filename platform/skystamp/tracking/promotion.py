"""Moves of the alias `champion`, each recorded in MLflow: who, when, from, to, figures, what was overridden and why.

    the version          tags promoted_at, promoted_by, promoted_from, promotion_run, promotion_overrides, promotion_why
    the model            tag `CHAMPIONS`: the versions that were champion, the present one last, for `rollback`
    `promotions`         an experiment with one run a move: parameters, figures of both as metrics

What is recorded is written before the alias moves, so that no move goes unrecorded.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from mlflow.exceptions import MlflowException

from skystamp.errors import UsageError
from skystamp.tracking import gate, registry
from skystamp.tracking.gate import Figures, Thresholds
from skystamp.tracking.registry import CHALLENGER, CHAMPION
from skystamp.tracking.runs import FAILED, open_tracker

CHAMPIONS = "champions"
EXPERIMENT = "promotions"
REMEMBERED = 50  # versions that were champion

PROMOTION, ROLLBACK = "promotion", "rollback"


@dataclass(frozen=True, slots=True)
class Move:
    """One change of a model's champion.

    Attributes
    ----------
    refused : mapping of str to str
        The gate's sentence for each check that failed; all of them are in `overridden` when the move is made.
    """

    model: str
    version: str
    before: str | None
    by: str
    kind: str = PROMOTION
    why: str = ""
    overridden: Sequence[str] = ()
    refused: Mapping[str, str] = field(default_factory=dict)
    figures: Figures | None = None
    champion: Figures | None = None
    allowed: Thresholds | None = None


def recorded(name: str, version: str, uri: str) -> Figures:
    """Return the figures that a version was registered with: its tags, else the metrics of its run.

    Raises
    ------
    UsageError
        If there is no such model or version.
    """
    found = registry.described(name, version, uri)

    def figure(*names: str) -> float | None:
        for each in names:
            if each in found.tags:
                return _number(found.tags[each])
            if each in found.metrics:
                return found.metrics[each]
        return None

    return Figures(
        figure("test_accuracy"),
        figure("test_calibration_error"),
        figure("inference_s_batch_1"),
        found.tags.get("data_hash", ""),
    )


def make(move: Move, uri: str, *, now: datetime) -> str:
    """Record a move and let `champion` name its version; return the id of the run that records it.

    A version that was `challenger` is so no more.

    Raises
    ------
    UsageError
        If there is no such model or version.
    """
    registry.described(move.model, move.version, uri)
    tracker = open_tracker(EXPERIMENT, uri)
    arrow = f"{move.model} {move.before or 'none'} -> {move.version}"
    run = tracker.start(arrow, tags={"model": move.model, "kind": move.kind})
    try:
        _record(tracker, run, move, now)
        _tag(move, run, uri, now)
        registry.set_alias(move.model, CHAMPION, move.version, uri)
    except (MlflowException, UsageError):
        tracker.finish(run, FAILED)
        raise
    if registry.alias_version(move.model, CHALLENGER, uri) == move.version:
        registry.drop_alias(move.model, CHALLENGER, uri)
    tracker.finish(run)
    return run


def champions(name: str, uri: str) -> list[str]:
    """Return the versions of a model that were champion, oldest first, the present one last, as far as recorded."""
    told = registry.model_tags(name, uri).get(CHAMPIONS, "[]")
    return [str(version) for version in json.loads(told)]


def champion_before(name: str, uri: str) -> str:
    """Return the version that was champion before the present one.

    Raises
    ------
    UsageError
        If none is recorded.
    """
    now = registry.alias_version(name, CHAMPION, uri)
    before = earlier(champions(name, uri), now)
    if now is None or not before:
        raise UsageError(f"{name} should have had a champion before {now or 'none'}. Received: no record of one")
    return before[-1]


def history(name: str, uri: str) -> list[dict[str, Any]]:
    """Return the recorded moves of a model's champion, newest first, as plain values."""
    tracker = open_tracker(EXPERIMENT, uri)
    found = tracker.client.search_runs([tracker.experiment_id], f"tags.model = '{name}'", max_results=1000)
    return [
        {
            **{key: run.data.tags.get(key, "") for key in ("model", "kind")},
            **{key: run.data.params.get(key, "") for key in ("at", "by", "from", "to", "overridden", "why")},
            "done": run.info.status == "FINISHED",
            "figures": dict(run.data.metrics),
            "run": run.info.run_id,
        }
        for run in found
    ]


def earlier(known: Sequence[str], now: str | None) -> list[str]:
    """Return those of the known champions that came before the present one, which may have been set by other means."""
    kept = list(known)
    if now in kept:
        kept = kept[: len(kept) - 1 - kept[::-1].index(now)]
    while kept and kept[-1] == now:
        kept.pop()
    return kept


def after(known: Sequence[str], move: Move) -> list[str]:
    """Return the champions that are known after a move: a rollback forgets what it leaves."""
    before = earlier(known, move.before)
    if move.kind == ROLLBACK:
        return [*earlier(before, move.version), move.version]
    return [*before, *([move.before] if move.before else []), move.version][-REMEMBERED:]


def _record(tracker: Any, run: str, move: Move, now: datetime) -> None:
    params = {
        "at": now.astimezone(UTC).isoformat(timespec="seconds"),
        "by": move.by,
        "from": move.before or "none",
        "to": move.version,
        "overridden": ",".join(move.overridden) or "none",
        "why": move.why or "none",
        **({} if move.allowed is None else asdict(move.allowed)),
    }
    metrics = {
        f"{whose}_{name}": value
        for whose, figures in (("new", move.figures), ("champion", move.champion))
        for name, value in gate.shown(figures).items()
    }
    tracker.log(run, params=params, metrics=metrics)
    if move.refused:
        tracker.log_text(run, "\n".join(f"{name}: {text}" for name, text in move.refused.items()), "refused.txt")


def _tag(move: Move, run: str, uri: str, now: datetime) -> None:
    tags = {
        "promoted_at": now.astimezone(UTC).isoformat(timespec="seconds"),
        "promoted_by": move.by,
        "promoted_from": move.before or "none",
        "promotion_kind": move.kind,
        "promotion_run": run,
        "promotion_overrides": ",".join(move.overridden) or "none",
        "promotion_why": move.why or "none",
    }
    registry.tag_version(move.model, move.version, tags, uri)
    stack = after(champions(move.model, uri), move)
    registry.tag_model(move.model, {CHAMPIONS: json.dumps(stack)}, uri)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
