"""TNS's numbers for what our surveys measure with, and what it has to be told of each survey: one table.

Sources: TNS's own table of values (``/api/get/values``), as it stands in ALeRCE's reports for ZTF
(``alercebroker/TNS_upload``: instrument 196, filters 110 to 112) and in those of Lasair's assistants for Rubin
(``lvra``: instrument 287, filters u 160, g 161 to y 165; SkyPortal's pull request 6010 has 287 and 161 too). Names of
Rubin objects are by the observatory's rule: ``LSST-P-DO-`` and the number of the DiaObject.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from skystamp.errors import UsageError

AB_MAGNITUDE = "1"  # flux_units
POSSIBLE_SUPERNOVA = "1"  # at_type
OTHER_ARCHIVE = "0"  # archiveid


@dataclass(frozen=True, slots=True)
class Instrument:
    """What TNS is told of a survey.

    Attributes
    ----------
    number : str
        TNS's of the instrument.
    filters : mapping of str to str
        TNS's number of each band.
    exposure_s : float
        Of one visit.
    from_start : bool
        Whether our times are of the exposure's start; else they are of its middle.
    floor : float
        Smallest error of a position that is told, arcsec.
    prefix : str
        Before the survey's own name of an object.
    name : str
        For people.
    """

    number: str
    filters: Mapping[str, str]
    exposure_s: float
    from_start: bool
    floor: float
    prefix: str
    name: str


INSTRUMENTS = {
    "ztf": Instrument("196", {"g": "110", "r": "111", "i": "112"}, 30.0, True, 0.085, "", "ZTF"),
    "lsst": Instrument(
        "287",
        {"u": "160", "g": "161", "r": "162", "i": "163", "z": "164", "y": "165"},
        30.0,
        False,  # midpointMjdTai
        0.085,
        "LSST-P-DO-",
        "LSST",
    ),
}
"""By the name of the survey."""


def instrument(survey: str) -> Instrument:
    """Return what TNS is told of a survey.

    Raises
    ------
    UsageError
        If it is of no survey that is known.
    """
    if survey not in INSTRUMENTS:
        raise UsageError(f"the survey should be one of {', '.join(INSTRUMENTS)}. Received: {survey!r}")
    return INSTRUMENTS[survey]


def filter_of(survey: str, band: str) -> str:
    """Return TNS's number of a survey's filter.

    Raises
    ------
    UsageError
        If TNS has none, as far as we know.
    """
    known = instrument(survey).filters
    if band not in known:
        raise UsageError(f"a band of {survey} should be one of {', '.join(known)}. Received: {band!r}")
    return known[band]


def internal_name(survey: str, object_id: str) -> str:
    """Return the name under which TNS knows an object as this survey's."""
    return f"{instrument(survey).prefix}{object_id}"
