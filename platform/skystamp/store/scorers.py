"""Which versions of which models have scores: a few steps through an index, however many scores there are."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from skystamp.store import tables
from skystamp.store.tables import PROBABILITIES
from skystamp.store.values import Scorer

_outcomes = tables.outcomes


def scorers(connection: Connection) -> list[Scorer]:
    """Return every model and version that has scores, challengers too, with its classes in our order."""
    return [
        Scorer(model, version, _classes(connection, model, version))
        for model in _steps(connection, _outcomes.c.model)
        for version in _steps(connection, _outcomes.c.model_version, _outcomes.c.model == model)
    ]


def _steps(connection: Connection, column: Any, *where: Any) -> list[str]:
    """Return the different values of a column, each one step of the index further than the one before."""
    values: list[str] = []
    while True:
        after = [column > values[-1]] if values else []
        value = connection.execute(sa.select(sa.func.min(column)).where(*where, *after)).scalar()
        if value is None:
            return values
        values.append(value)


def _classes(connection: Connection, model: str, version: str) -> tuple[str, ...]:
    """Return the classes of a version: those with a probability in any one of its scores."""
    columns = [_outcomes.c[name] for name in PROBABILITIES.values()]
    mine = (_outcomes.c.model == model, _outcomes.c.model_version == version)
    row = connection.execute(sa.select(*columns).where(*mine).limit(1)).one()
    return tuple(name for name, value in zip(PROBABILITIES, row, strict=True) if value is not None)
