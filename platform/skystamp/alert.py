"""One alert, the same for every survey: what the platform knows of a detection before any pixel is decoded.

Units stop here: every number below has the unit its comment gives, and modules above never look at a
survey's own record again.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

BANDS = ("science", "template", "difference")
"""The three cutouts of an alert, in the order of the channels of a stamp."""


@dataclass(frozen=True, slots=True)
class SolarSystemMatch:
    """The known solar-system object nearest to the detection, as the packet reports it."""

    name: str
    distance: float  # arcsec
    magnitude: float  # V band, mag; NaN where the packet has none


@dataclass(frozen=True, slots=True)
class Previous:
    """An earlier look at an alert's position, as its packet reports it: a detection, or an upper limit.

    `alert_id` and the magnitudes are None and NaN for a limit; `limit` is the faintest point source that would have
    been seen (5 sigma).
    """

    mjd: float  # days, UTC
    band: str
    limit: float  # mag
    alert_id: int | None = None
    magnitude: float = math.nan  # mag, of the difference
    error: float = math.nan  # mag
    is_negative: bool = False


@dataclass(frozen=True, slots=True)
class Alert:
    """One detection of one object.

    Attributes
    ----------
    survey : str
        ``"ztf"``.
    object_id : str
        The survey's name of the object.
    alert_id : int
        The survey's number of this detection (ZTF: candid).
    mjd : float
        Start of the exposure, days, UTC.
    ra, dec : float
        deg, ICRS.
    band : str
        Filter: ``"g"``, ``"r"`` or ``"i"``.
    is_negative : bool
        Whether the source is fainter tonight than in the template.
    metadata : mapping of str to float
        The survey's own numbers by the survey's own names, in its units; NaN where the packet has none.
    cutouts : mapping of str to bytes
        The image bytes of each of `BANDS`, as received.
    solar_system : SolarSystemMatch or None
        None where the packet names no object.
    schema : str
        Name and version of the schema, for example ``"ztf.alert 4.02"``.
    """

    survey: str
    object_id: str
    alert_id: int
    mjd: float
    ra: float
    dec: float
    band: str
    is_negative: bool
    metadata: Mapping[str, float]
    cutouts: Mapping[str, bytes]
    solar_system: SolarSystemMatch | None
    schema: str
