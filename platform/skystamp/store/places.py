"""Which objects are near a place of the sky: a band of declination by its index, then the exact distance."""

import math

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from skystamp.errors import UsageError
from skystamp.store import tables

MOST = 5_000  # objects of one place

_READ = 4 * MOST  # rows of the band, in which a circle fills three quarters and more
_objects = tables.objects


def near(connection: Connection, ra: float, dec: float, radius: float) -> list[str]:
    """Return the names of the objects within `radius` of a place, all in deg, nearest first.

    An object is where its first detection was.

    Raises
    ------
    UsageError
        If there are too many.
    """
    wide, away = reach(dec, radius), sa.func.abs(_objects.c.ra - ra)
    band = _objects.c.dec.between(dec - radius, dec + radius)
    inside = sa.and_(band, sa.or_(away <= wide, away >= 360 - wide)) if wide < 180 else band
    columns = (_objects.c.object_id, _objects.c.ra, _objects.c.dec)
    found = connection.execute(sa.select(*columns).where(inside).limit(_READ)).all()
    apart = sorted((separation(ra, dec, row.ra, row.dec), row.object_id) for row in found)
    names = [name for distance, name in apart if distance <= radius]
    if len(names) > MOST or len(found) == _READ:
        raise UsageError(f"a place should have at most {MOST} objects; take a smaller radius")
    return names


def reach(dec: float, radius: float) -> float:
    """Return how far in right ascension a circle reaches, all in deg; 180 where it holds a pole."""
    if abs(dec) + radius >= 90:
        return 180.0
    return math.degrees(math.asin(math.sin(math.radians(radius)) / math.cos(math.radians(dec)))) * (1 + 1e-9)


def separation(ra: float, dec: float, other_ra: float, other_dec: float) -> float:
    """Return the angle between two places, all in deg; exact for small angles (haversine)."""
    south, north = math.radians(dec), math.radians(other_dec)
    across = math.sin(math.radians(other_ra - ra) / 2) ** 2 * math.cos(south) * math.cos(north)
    return 2 * math.degrees(math.asin(math.sqrt(min(1.0, math.sin((north - south) / 2) ** 2 + across))))
