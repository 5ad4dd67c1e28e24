"""Labels -> a table that data sets read (`manifest.read_labels`): one row an object, its class by most people.

    objectId,class,quality,votes,people,survey,labelled
    ZTF20aaaaaaa,SN,confirmed,2,"Ada; Bea",ztf,2026-11-21T03:12:00Z

`quality` is ``confirmed`` when two people or more agree and fewer say anything else, ``single`` for one person's word,
``disputed`` where people differ; a disputed object has no class, so recipes leave it out as unlabelled.
"""

import csv
import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from skystamp import avro
from skystamp.alert import Alert
from skystamp.avro import Content, Record
from skystamp.errors import UsageError
from skystamp.hunter import vetting
from skystamp.hunter.query import moment
from skystamp.store import Label, ObjectKey, Store

COLUMNS = ("objectId", "class", "quality", "votes", "people", "survey", "labelled")
ROWS = 500  # objects of one file of packets
CONFIRMED, SINGLE, DISPUTED = "confirmed", "single", "disputed"

_MJD_OF_EPOCH, _DAY_S = 40_587.0, 86_400.0


@dataclass(frozen=True, slots=True)
class Labelled:
    """One row of the table."""

    object_id: str
    label: str
    quality: str
    votes: int
    people: tuple[str, ...]
    survey: str
    labelled: float  # Unix time of the last vote, s


def labelled(labels: Iterable[Label], *, source: str = "", required: int = vetting.REQUIRED) -> list[Labelled]:
    """Return the rows of the objects that these standing labels name, of one source or of all."""
    found: defaultdict[ObjectKey, list[Label]] = defaultdict(list)
    for one in labels:
        if source in ("", one.source):
            found[one.survey, one.object_id].append(one)
    return [_row(key, members, required) for key, members in sorted(found.items())]


def write_table(path: Path, rows: Sequence[Labelled]) -> None:
    """Write the table as CSV, in the place of what was there."""
    beside = path.with_name(f".{path.name}.new")
    path.parent.mkdir(parents=True, exist_ok=True)
    with beside.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows(_cells(one) for one in rows)
    beside.replace(path)


def write_packets(folder: Path, store: Store, rows: Sequence[Labelled]) -> int:
    """Write the packets of labelled objects that the store has whole, a container for `ROWS` of them; return how many.

    Each is the record as it came, put together from what is kept of it. Those whose cutouts or record are not kept any
    more are left out.

    Raises
    ------
    UsageError
        If the folder is not empty.
    """
    if folder.exists() and any(folder.iterdir()):
        raise UsageError(f"the folder should be new or empty. Received: {folder}")
    folder.mkdir(parents=True, exist_ok=True)
    written = 0
    for start in range(0, len(rows), ROWS):
        keys = [(one.survey, one.object_id) for one in rows[start : start + ROWS]]
        for number, (schema, records) in enumerate(_records(store, keys).items()):
            name = f"packets-{start // ROWS:05d}-{number}.avro"
            with (folder / name).open("wb") as file:
                avro.write(file, records, avro.parse_schema(json.loads(schema)))
            written += len(records)
    return written


def _records(store: Store, keys: Sequence[ObjectKey]) -> dict[bytes, list[Record]]:
    """Return the whole records of objects, by their schema, in time order."""
    detections = [one for history in store.index(keys).values() for one in history.detections]
    numbers = [one.key for one in detections]
    alerts, contents = store.alerts(numbers), store.contents(numbers)
    by_schema: defaultdict[bytes, list[Record]] = defaultdict(list)
    for one in detections:
        alert, content = alerts.get(one.key), contents.get(one.key)
        if alert and alert.cutouts and content:
            by_schema[content.schema].append(whole_record(alert, content))
    return dict(by_schema)


def whole_record(alert: Alert, content: Content) -> Record:
    """Return a record as it came, but for the names of its cutouts' files, which are not kept.

    Raises
    ------
    Reject
        If its history does not decode.
    """
    cutouts = {
        f"cutout{band.capitalize()}": {"fileName": f"candid{alert.alert_id}_{band}.fits.gz", "stampData": data}
        for band, data in alert.cutouts.items()
    }
    return {**avro.record_of(content), **cutouts}


def _row(key: ObjectKey, labels: Sequence[Label], required: int) -> Labelled:
    found = vetting.verdict(labels, required)
    quality = {vetting.CONFIRMED: CONFIRMED, vetting.DISPUTED: DISPUTED}.get(found.state, SINGLE)
    people = tuple(vote.author for vote in found.votes)
    label = "" if quality == DISPUTED else found.label
    return Labelled(key[1], label, quality, found.agree, people, key[0], found.votes[-1].created)


def _cells(one: Labelled) -> tuple[str | int, ...]:
    when = moment(_MJD_OF_EPOCH + one.labelled / _DAY_S)
    people = "; ".join(one.people)
    return one.object_id, one.label, one.quality, one.votes, people, one.survey, f"{when:%Y-%m-%dT%H:%M:%SZ}"
