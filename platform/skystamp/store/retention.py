"""What the store lets go of: cutouts that are old enough, and rejected packets beyond a bound. Scores stay."""

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from skystamp.store import engine as engines
from skystamp.store import tables

AT_ONCE = 2_000  # rows of one transaction: others write in between
MAX_REJECTED_BYTES = 1 << 30  # of all rejected packets


def drop_cutouts(engine: Engine, older_than_mjd: float) -> int:
    """Drop the cutouts and the packets of detections before an MJD; return how many detections lost theirs."""
    table, dropped = tables.cutouts, 0
    while True:
        with engines.writing(engine) as connection:
            chosen = sa.select(table.c.survey, table.c.alert_id).where(table.c.mjd < older_than_mjd)
            keys = connection.execute(chosen.order_by(table.c.mjd).limit(AT_ONCE)).all()
            for survey in {row.survey for row in keys}:
                numbers = [row.alert_id for row in keys if row.survey == survey]
                for each in (table, tables.packets):
                    connection.execute(sa.delete(each).where(each.c.survey == survey, each.c.alert_id.in_(numbers)))
        dropped += len(keys)
        if len(keys) < AT_ONCE:
            return dropped


def drop_rejected_packets(connection: Connection, most_bytes: int = MAX_REJECTED_BYTES) -> int:
    """Drop the oldest rejected packets while all are larger than a bound; their rejections stay. Return how many."""
    table = tables.rejected_packets
    total = connection.execute(sa.select(sa.func.coalesce(sa.func.sum(table.c.size), 0))).scalar_one()
    dropped = _oldest(connection, int(total) - most_bytes)
    for start in range(0, len(dropped), AT_ONCE):
        connection.execute(sa.delete(table).where(table.c.digest.in_(dropped[start : start + AT_ONCE])))
    return len(dropped)


def _oldest(connection: Connection, over: int) -> list[str]:
    """Return the digests of the oldest rejected packets that are so many bytes together."""
    table, found = tables.rejected_packets, []
    if over > 0:
        oldest = sa.select(table.c.digest, table.c.size).order_by(table.c.received, table.c.size, table.c.digest)
        with connection.execute(oldest.execution_options(yield_per=100)) as rows:
            for row in rows:
                found.append(row.digest)
                over -= row.size
                if over <= 0:
                    break
    return found
