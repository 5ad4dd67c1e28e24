"""Which answers a list of objects is by: the one that stands for each object, or the newest of each of some versions.

Both give the same columns: model, model_version, label, probability (of the label), alert_id, and p_agn .. p_satellite.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from skystamp import taxonomy
from skystamp.store import tables
from skystamp.store.tables import PROBABILITIES
from skystamp.store.values import ObjectFilter, Scorer

_objects, _outcomes = tables.objects, tables.outcomes


@dataclass(frozen=True, slots=True)
class Answered:
    """The table of answers joined with that of objects, its columns by name, and the filters that concern answers."""

    table: Any
    columns: Mapping[str, Any]
    wanted: Sequence[Any]


def standing(chosen: ObjectFilter, lead: Collection[str]) -> Answered:
    """Return the answers that stand; columns outside the index `lead` are hidden from the databases' planners."""
    label: Any = _objects.c.label if "label" in lead else _objects.c.label.concat("")
    probability: Any = _objects.c.p_label if "p_label" in lead else _objects.c.p_label + 0
    same = [(_objects.c.model, chosen.model), (_objects.c.model_version, chosen.version)]
    wanted = [column == value for column, value in same if value is not None]
    return _answered(chosen, _objects, _objects, label, probability, wanted)


def scored(chosen: ObjectFilter, by: Sequence[Scorer]) -> Answered:
    """Return the newest answer of each of some models, in one version, for each object, a challenger's too."""
    table = _outcomes
    joined = table.join(
        _objects, sa.and_(table.c.survey == _objects.c.survey, table.c.object_id == _objects.c.object_id)
    )
    models, versions = {one.model for one in by}, {one.version for one in by}
    newest = sa.or_(_objects.c.alert_id == table.c.alert_id, ~_later())  # the first is quicker and nearly always true
    wanted = [table.c.model.in_(models), table.c.model_version.in_(versions), newest]
    return _answered(chosen, table, joined, table.c.label, _of_label(table), wanted)


def ranking(table: sa.Table, label: str) -> Any:
    """Return the place of a class that is not the answer's: after the answer's, by probability, then in our order."""
    own: Any = table.c[PROBABILITIES[label]]
    earlier = taxonomy.CLASSES[: taxonomy.CLASSES.index(label)]
    place: Any = sa.literal(1)
    for name, column in PROBABILITIES.items():
        if name != label:
            ahead = table.c[column] >= own if name in earlier else table.c[column] > own
            place = place + sa.case((sa.or_(table.c.label == name, ahead), 1), else_=0)
    return place


def _answered(
    chosen: ObjectFilter, table: sa.Table, joined: Any, label: Any, probability: Any, wanted: Sequence[Any]
) -> Answered:
    mine, shown = list(wanted), label
    if chosen.label is not None and chosen.ranking == 1:
        mine.append(label == chosen.label)
    elif chosen.label is not None:
        shown, probability = sa.literal(chosen.label), table.c[PROBABILITIES[chosen.label]]
        mine += [label != chosen.label, probability.is_not(None), ranking(table, chosen.label) == chosen.ranking]
    if chosen.min_probability is not None:
        mine.append(probability >= chosen.min_probability)
    same = {name: table.c[name] for name in ("alert_id", "model", "model_version", *PROBABILITIES.values())}
    return Answered(joined, {**same, "label": shown, "probability": probability}, mine)


def _of_label(table: sa.Table) -> Any:
    """Return the probability of the answer's class; 0 where a rule gave one that the model does not know."""
    return sa.case(*((table.c.label == name, sa.func.coalesce(table.c[p], 0.0)) for name, p in PROBABILITIES.items()))


def _later() -> Any:
    """Return whether the same version answered for a later detection of the object."""
    one, other = _outcomes, _outcomes.alias("later")
    same = [other.c[name] == one.c[name] for name in ("survey", "object_id")]
    same += [other.c[name].concat("") == one.c[name] for name in ("model", "model_version")]  # the object's index leads
    newer = sa.tuple_(other.c.mjd, other.c.alert_id) > sa.tuple_(one.c.mjd, one.c.alert_id)
    return sa.exists().where(*same, newer).correlate(one)
