"""One object and the store -> all that the page shows of it.

Earlier looks come from the packets themselves (`avro.record_of`): from the newest one, and from as many before it as
reach further back, since a packet tells a month.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from skystamp import avro
from skystamp.alert import Alert, Previous
from skystamp.avro import Record
from skystamp.errors import Reject
from skystamp.hunter import curves, vetting
from skystamp.hunter.curves import LightCurve, Probabilities
from skystamp.hunter.listing import Row, newest_report, row
from skystamp.store import AlertKey, Detection, Label, ObjectKey, Store, StoredOutcome
from skystamp.surveys import HISTORIES

REACH = 25.0  # days that a packet's history is relied on to reach back
MOST_PACKETS = 40

_CONE_ARCSEC = 10
_SURVEY = "P%2FPanSTARRS%2FDR1%2Fcolor-z-zg-g"
_MEASURED = (
    *("magpsf", "sigmapsf", "diffmaglim", "fwhm", "classtar", "chinr", "sharpnr", "rb", "drb"),
    *("ndethist", "ncovhist", "distnr", "magnr"),
)


@dataclass(frozen=True, slots=True)
class Shown:
    """A detection with its alert and what was answered for it, newest model last."""

    detection: Detection
    alert: Alert
    outcomes: Sequence[StoredOutcome]

    @property
    def numbers(self) -> dict[str, float]:
        """The measured numbers that people look at, by the survey's names."""
        return {name: self.alert.metadata[name] for name in _MEASURED if name in self.alert.metadata}


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A Pan-STARRS source near the detection; NaN for what the packet does not say."""

    distance: float  # arcsec
    sgscore: float  # 1 a star, 0 a galaxy
    name: str
    magnitudes: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Panel:
    """All about one object."""

    row: Row
    shown: Sequence[Shown]
    outcomes: Sequence[StoredOutcome]
    superseded: Sequence[StoredOutcome]
    light: LightCurve | None
    probabilities: Probabilities | None
    neighbours: Sequence[Neighbour]
    links: Mapping[str, str]
    history_lacks: bool  # no packet is kept: earlier looks are unknown

    @property
    def votes(self) -> Sequence[Label]:
        """What people say of it now."""
        return self.row.verdict.votes


def panel(
    store: Store, key: ObjectKey, label: str, required: int = vetting.REQUIRED, address: str = ""
) -> Panel | None:
    """Return what is shown of an object, None if it is not stored or nothing was answered for it.

    `address` is that of the TNS server whose report is shown; "" for any.
    """
    found = store.candidate(*key)
    if found is None:
        return None
    detections = store.index([key])[key].detections
    alerts = store.alerts([one.key for one in detections], with_cutouts=False)
    records = records_of(store, detections)
    outcomes = store.outcomes_of_objects([key])[key]
    known = [one for one in detections if one.key in alerts]
    looks = curves.looks([alerts[one.key] for one in known], _earlier(key[0], records.values()))
    first = known[0] if known else None
    return Panel(
        row=replace(
            row(found, label, store.labels_of([key]).get(key, []), required),
            report=newest_report(store.reports_of([key]).get(key, []), address),
        ),
        shown=[Shown(one, alerts[one.key], _of(outcomes, one.alert_id)) for one in known],
        outcomes=outcomes,
        superseded=store.superseded([key])[key],
        light=curves.light_curve(looks),
        probabilities=curves.probabilities(outcomes),
        neighbours=_neighbours(alerts[first.key], records.get(first.key)) if first else [],
        links=links(key[1], found.ra, found.dec),
        history_lacks=not records,
    )


def record(store: Store, key: AlertKey) -> Record | None:
    """Return an alert's packet without its images, None if it is not kept.

    Raises
    ------
    Reject
        If its history does not decode.
    """
    content = store.contents([key]).get(key)
    return avro.record_of(content) if content else None


def links(name: str, ra: float, dec: float) -> dict[str, str]:
    """Return where else an object can be looked up, by name of the place; ra and dec in deg."""
    place = f"{ra:.6f}%20{dec:+.6f}".replace("+", "%2B")
    sky = f"ra={ra:.6f}&decl={dec:.6f}&radius={_CONE_ARCSEC}"
    ned = f"search_type=Near%20Position%20Search&in_csys=Equatorial&in_equinox=J2000.0&ra={ra:.6f}d&dec={dec:.6f}d"
    return {
        "ALeRCE": f"https://alerce.online/object/{quote(name, safe='')}",
        "NED": f"https://ned.ipac.caltech.edu/conesearch?{ned}&radius={_CONE_ARCSEC / 60:.4f}",
        "TNS": f"https://www.wis-tns.org/search?{sky}&coords_unit=arcsec",
        "SIMBAD": f"https://simbad.cds.unistra.fr/simbad/sim-coo?Coord={place}&Radius={_CONE_ARCSEC}&Radius.unit=arcsec",
        "Aladin": f"https://aladin.cds.unistra.fr/AladinLite/?target={place}&fov=0.02&survey={_SURVEY}",
    }


def records_of(store: Store, detections: Sequence[Detection]) -> dict[AlertKey, Record]:
    """Return the packets, with their histories, of the first detection and of those that reach back from the last."""
    if not detections:
        return {}
    wanted = [detections[-1]]
    for one in reversed(detections[:-1]):
        if wanted[-1].mjd - one.mjd >= REACH and len(wanted) < MOST_PACKETS:
            wanted.append(one)
    wanted.append(detections[0])
    found = {}
    for key, content in store.contents([one.key for one in wanted]).items():
        try:
            found[key] = avro.record_of(content)
        except Reject:  # its history was damaged when it came; what models read was not, so it has an outcome
            continue
    return found


def _earlier(survey: str, records: Iterable[Record]) -> list[Previous]:
    reader = HISTORIES.get(survey)
    return [one for record in records for one in reader(record)] if reader else []


def _of(outcomes: Sequence[StoredOutcome], alert_id: int) -> list[StoredOutcome]:
    mine = [one for one in outcomes if one.classification.alert_id == alert_id]
    return sorted(mine, key=lambda one: one.created)


def _neighbours(alert: Alert, record: Record | None) -> list[Neighbour]:
    """Return the three nearest Pan-STARRS sources, as far as the packet knows them."""
    candidate = (record or {}).get("candidate") or {}
    found = []
    for i in ("1", "2", "3"):
        distance = alert.metadata.get(f"distpsnr{i}", math.nan)
        if math.isnan(distance):
            continue
        magnitudes = {band: _number(candidate.get(f"s{band}mag{i}")) for band in "griz"}
        name = str(candidate.get(f"objectidps{i}") or "")
        found.append(Neighbour(distance, alert.metadata.get(f"sgscore{i}", math.nan), name, magnitudes))
    return found


def _number(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) and -999.0 < value < math.inf else math.nan
