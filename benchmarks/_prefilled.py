"""A store that has seen a survey: a million objects, and packets of some of them and of new ones.

One object in four has two detections and one in sixteen three; each detection has an outcome. Cutouts are kept of the
first `KNOWN` objects alone, as retention leaves them, and packets of known objects are of these. Rows are made by one
statement a table, which a database does a hundred times faster than it takes them from us.
"""

import itertools
import math
import random
import struct
from collections.abc import Sequence
from threading import Lock
from typing import Any

import sqlalchemy as sa

from skystamp import surveys, synthetic
from skystamp.store import Store, engine, tables

KNOWN = 4_000  # objects that packets of the load come back to
SHARE_KNOWN = 0.4  # of the packets
LATER_JD = 2460500.5  # after all nights that are stored
FIRST_NUMBER, MARK = 10**15, "ZTF20marking!"  # of the load's alerts; what stands in the place of a name
STEP = 10  # between two objects' alert numbers

# Of object i, counted from 1.
_COUNT = "(1 + (CASE WHEN i % 4 = 0 THEN 1 ELSE 0 END) + (CASE WHEN i % 16 = 0 THEN 1 ELSE 0 END))"
_MJD = "(58000 + i % 1990)"
_PLACE = {"ra": "(i * 7919 % 360000) / 1000.0", "dec": "(i * 104729 % 110000) / 1000.0 - 30"}
_PROBABILITIES = {"p_agn": "0.1", "p_sn": "0.4", "p_vs": "0.2", "p_asteroid": "0.2", "p_bogus": "0.1"}
_BY = {"model": "'first-detection'", "model_version": "'0'"}
_NAMES = {
    "sqlite": "'ZTF19' || substr('00000000' || CAST(i AS TEXT), -8)",
    "postgresql": "'ZTF19' || lpad(CAST(i AS TEXT), 8, '0')",
}


class Load:
    """Packets without end, each of its own number; may be asked by several threads.

    A packet is a simulated one in whose bytes the name, the number and the time are replaced, which costs next to
    nothing: the load should not take the machine from the service.

    Parameters
    ----------
    records : sequence of records
        Whose cutouts, numbers and histories the packets have.
    objects : int
        Of the store, with cutouts, that packets come back to.
    first : int
        The first alert's number.
    share : float
        Of the packets that are of known objects.
    """

    def __init__(
        self,
        records: Sequence[dict[str, Any]],
        objects: int,
        first: int = FIRST_NUMBER + 1,
        share: float = SHARE_KNOWN,
    ) -> None:
        self._packets = [synthetic.write_packet(_marked(record)) for record in records]
        self._objects, self._share = objects, share
        self._numbers = itertools.count(first)
        self._lock = Lock()
        self._rng = random.Random(1)  # noqa: S311  no secret

    def packet(self) -> tuple[int, bytes]:
        """Return a new alert's number and its packet."""
        with self._lock:
            number, draw, known = next(self._numbers), self._rng.random(), self._rng.randrange(self._objects)
        name = object_name(known + 1) if draw < self._share else f"ZTF20{number % 10**8:08d}"
        data = self._packets[number % len(self._packets)]
        return number, _replaced(data, name, number, LATER_JD + number % 10**6 / 4)


def _marked(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record whose name, number and time stand for others."""
    candidate = {**record["candidate"], "candid": FIRST_NUMBER, "jd": LATER_JD}
    return {**record, "objectId": MARK, "candid": FIRST_NUMBER, "candidate": candidate}


def _replaced(packet: bytes, name: str, number: int, jd: float) -> bytes:
    for mark, value in ((MARK, name), (_long(FIRST_NUMBER), _long(number)), (_double(LATER_JD), _double(jd))):
        packet = packet.replace(_bytes(mark), _bytes(value))
    return packet


def _bytes(value: str | bytes) -> bytes:
    return value.encode() if isinstance(value, str) else value


def _double(value: float) -> bytes:
    return struct.pack("<d", value)


def _long(value: int) -> bytes:
    """Return a number as Avro writes it; all from `FIRST_NUMBER` on are equally long."""
    rest, out = value << 1, bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*out, rest])


def simulated(count: int) -> list[dict[str, Any]]:
    """Return the first records of simulated objects of the usual mix."""
    return [synthetic.simulate_object(7, index).records[0] for index in range(count)]


def object_name(number: int) -> str:
    """Return the name of a stored object, by its number from 1."""
    return f"ZTF19{number:08d}"


def prefill(store: Store, objects: int, records: Sequence[dict[str, Any]]) -> None:
    """Fill an empty store; one that was filled before is left as it is.

    Raises
    ------
    ValueError
        If it holds another number of objects.
    """
    there = filled(store)
    if there >= objects:
        return
    if there:
        raise ValueError(f"a store to fill should be empty. Received: one with {there} objects")
    alert = surveys.read(records[0], "ztf.alert")
    metadata = {name: None if math.isnan(value) else value for name, value in alert.metadata.items()}
    with engine.writing(store.engine) as connection:
        for table, most in (("objects", 1), ("detections", 3), ("outcomes", 3)):
            for k in range(most):
                _fill(connection, table, k, objects, metadata)
        _fill_cutouts(connection, min(objects, KNOWN), records)
    with store.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("ANALYZE")


def filled(store: Store) -> int:
    """Return how many objects a store was filled with."""
    with engine.reading(store.engine) as connection:
        chosen = sa.select(sa.func.count()).where(tables.objects.c.object_id < "ZTF20")
        return int(connection.execute(chosen.select_from(tables.objects)).scalar_one())


def newest(store: Store) -> int:
    """Return the largest number of an alert of the load that a store holds, or the one before the first."""
    with engine.reading(store.engine) as connection:
        found = connection.execute(sa.select(sa.func.max(tables.detections.c.alert_id))).scalar_one()
    return max(int(found or 0), FIRST_NUMBER)


def _fill(connection: sa.Connection, name: str, k: int, objects: int, metadata: dict[str, Any]) -> None:
    """Insert the rows of one table, of each object's detection number k, from 0."""
    table = tables.metadata.tables[name]
    values = {"survey": "'ztf'", "object_id": _NAMES[connection.dialect.name], **_VALUES[name](k)}
    columns = [column.name for column in table.columns if column.name in values]
    numbers = "WITH RECURSIVE n(i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < :last)"
    chosen = f"SELECT {', '.join(values[column] for column in columns)} FROM n WHERE {k} < {_COUNT}"  # noqa: S608
    statement = sa.text(f"INSERT INTO {name} ({', '.join(columns)}) {numbers} {chosen}")
    parameters: dict[str, Any] = {"last": objects}
    if name == "detections":
        statement = statement.bindparams(sa.bindparam("metadata", type_=table.c.metadata.type))
        parameters["metadata"] = metadata
    connection.execute(statement, parameters)


def _of_objects(_: int) -> dict[str, str]:
    return {
        "revision": "1",
        **_PLACE,
        "first_mjd": _MJD,
        "last_mjd": f"{_MJD} + {_COUNT} - 1",
        "n_detections": _COUNT,
        "n_accepted": _COUNT,
        "alert_id": f"i * {STEP} + {_COUNT} - 1",
        **_BY,
        "label": "CASE i % 20 WHEN 0 THEN 'SN' WHEN 1 THEN 'AGN' WHEN 2 THEN 'bogus' ELSE 'VS' END",
        "p_label": "0.4 + (i * 15485863 % 600000) / 1000000.0",
        **_PROBABILITIES,
        "is_negative": "i % 7 = 0",
        "is_solar_system": "i % 50 = 0",
        "is_bogus_twice": "i < 0",
    }


def _of_detections(k: int) -> dict[str, str]:
    return {
        "alert_id": f"i * {STEP} + {k}",
        "mjd": f"{_MJD} + {k}",
        **_PLACE,
        "band": "'g'",
        "is_negative": "i % 7 = 0",
        "metadata": ":metadata",
        "schema": "'ztf.alert 4.02'",
        "place": f"{k + 1}",
        "left_out": "''",
        "n_accepted": f"{k + 1}",
        "received": "1700000000",
    }


def _of_outcomes(k: int) -> dict[str, str]:
    return {
        "alert_id": f"i * {STEP} + {k}",
        **_BY,
        "mjd": f"{_MJD} + {k}",
        "n_detections": "1",
        "label": "'SN'",
        **_PROBABILITIES,
        "flags": "'[]'",
        "rules": "'[]'",
        "shadow": "i < 0",
        "created": "1700000000",
    }


_VALUES = {"objects": _of_objects, "detections": _of_detections, "outcomes": _of_outcomes}


def _fill_cutouts(connection: sa.Connection, known: int, records: Sequence[dict[str, Any]]) -> None:
    """Give the detections of the known objects the cutouts of some records."""
    chosen = sa.select(tables.detections.c.alert_id, tables.detections.c.object_id, tables.detections.c.mjd)
    found = connection.execute(chosen.where(tables.detections.c.alert_id < (known + 1) * STEP)).mappings().all()
    bands = [surveys.read(record, "ztf.alert").cutouts for record in records]
    for start in range(0, len(found), 500):
        made = [{**row, "survey": "ztf", **bands[row["alert_id"] % len(bands)]} for row in found[start : start + 500]]
        connection.execute(sa.insert(tables.cutouts), made)
