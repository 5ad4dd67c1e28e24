"""What one version of a model answered in a span of time."""

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from skystamp.store import rows, tables
from skystamp.store.values import StoredOutcome


def scored(
    connection: Connection, model: str, version: str, span: tuple[float, float], *, limit: int
) -> list[StoredOutcome]:
    """Return what a version of a model answered for alerts of a span of time (MJD), oldest first, `limit` at most.

    Parameters
    ----------
    span : tuple of float
        From, and until but not at.
    """
    table = tables.outcomes
    chosen = (
        sa.select(table)
        .where(table.c.model == model, table.c.model_version == version)
        .where(table.c.mjd >= span[0], table.c.mjd < span[1])
        .order_by(table.c.mjd, table.c.survey, table.c.alert_id)
        .limit(limit)
    )
    return [rows.stored_outcome(row) for row in connection.execute(chosen).mappings()]
