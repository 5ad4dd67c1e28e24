"""The whole way with models of this process, again from the start when another writer was quicker."""

from collections.abc import Mapping, Sequence

from skystamp import classify
from skystamp.classify import Models, Outcome
from skystamp.errors import StoreUnavailable
from skystamp.live.arriving import Arrival
from skystamp.live.planning import Plan, Served, plan, plan_stored
from skystamp.live.settling import settle
from skystamp.store import AlertKey, ObjectKey, Outdated, Store

ATTEMPTS = 20  # each that fails means that another writer of one of the objects got on


def answer(store: Store, models: Models, arrivals: Sequence[Arrival], *, now: float) -> list[Outcome]:
    """Return the outcome of each arrival, in order, when the store has all of them.

    Parameters
    ----------
    now : float
        Unix time, s.

    Raises
    ------
    StoreUnavailable
        If the store is; nothing was written.
    """
    served = Served.of(models)
    for _ in range(ATTEMPTS):
        made = plan(store, arrivals, served)
        outcomes, batch = settle(made, asked(made, models))
        try:
            store.record(batch, now=now)
        except Outdated:
            continue
        return outcomes
    raise StoreUnavailable(f"objects should change less often. Received: others' changes in {ATTEMPTS} attempts")


def rescore(
    store: Store,
    models: Models,
    model: str,
    keys: Mapping[AlertKey, ObjectKey],
    *,
    now: float,
    shadow: bool = False,
    served: Served | None = None,
) -> int:
    """Score stored alerts by the model of this name where its version has not; return how many it scored now.

    Those that another model answers are left as they are, and those whose cutouts are dropped.

    Parameters
    ----------
    models : Models
        That one, and the first-detection model, which the rule `BOGUS_TWICE` asks.
    model : str
        Its name in `routing.MODEL_FOR`.
    keys : mapping of AlertKey to ObjectKey
        The alerts.
    now : float
        Unix time, s.
    shadow : bool
        Whether the scores are a challenger's: kept, never answered.
    served : Served, optional
        All that are served, by which each alert has its model; by default `models` are.

    Raises
    ------
    StoreUnavailable
        If the store is; nothing was written.
    """
    served = served or Served.of(models)
    for _ in range(ATTEMPTS):
        made = plan_stored(store, keys, served, model=model, shadow=shadow)
        _, batch = settle(made, asked(made, models), shadow=shadow)
        try:
            store.record(batch, now=now)
        except Outdated:
            continue
        return len(batch.outcomes)
    raise StoreUnavailable(f"objects should change less often. Received: others' changes in {ATTEMPTS} attempts")


def asked(made: Plan, models: Models) -> classify.Answers:
    """Return the models' answers to a plan's questions."""
    return classify.ask(made.questions, made.seen, made.raw, models)
