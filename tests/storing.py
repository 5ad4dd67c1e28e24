"""What tests write to stores and how they compare them: alerts of one object, fake models, all that a store holds."""

import math
from typing import Any

import sqlalchemy as sa

from skystamp import classify, surveys
from skystamp.alert import Alert
from skystamp.classify import Classification, Models
from skystamp.live import Arrival
from skystamp.store import Batch, Change, Detection, Store, tables
from skystamp.store import engine as engines
from tests import faking, making

JD = 2459000.5
NOW = 1.7e9  # Unix time, s
BY_NAME = {"first-detection": faking.model(), **{f"temporal-{n}": faking.temporal(n) for n in range(2, 6)}}
MODELS = Models(BY_NAME)

_OF_THE_RUN = {"received", "created", "revision", "ended", "updated"}


def alert(number: int, days: float, name: str = "ZTF20aaaaaaa", **candidate: Any) -> Alert:
    """Return an alert of an object, `days` after the first night."""
    made = making.record(number % 7, {"jd": JD + days, "magpsf": 18.0 + number / 10, **candidate}, objectId=name)
    made["candid"] = made["candidate"]["candid"] = 1250123456789015000 + number
    return surveys.read(made, "ztf.alert")


def nightly(count: int, name: str = "ZTF20aaaaaaa", first: int = 0) -> list[Alert]:
    """Return one alert a night."""
    return [alert(first + i, float(i), name) for i in range(count)]


def arriving(alerts: list[Alert]) -> list[Arrival]:
    """Return alerts as if each had come in a packet of its own."""
    return [Arrival(one, f"packet of {one.alert_id} {hash_of(one)}".encode()) for one in alerts]


def hash_of(one: Alert) -> int:
    """Return a number that tells alerts with different cutouts apart."""
    return len(one.cutouts["science"])


def batch_of(*alerts: Alert, seen: int = 0, version: str = "7", p: float = 0.75) -> Batch:
    """Return the batch of alerts of one object that nobody knows yet, scored by one version."""
    placed = [
        Detection(one.survey, one.object_id, one.alert_id, one.mjd, one.ra, one.dec, place, "", place)
        for place, one in enumerate(alerts, 1)
    ]
    said = [score(one, version, p) for one in alerts]
    change = Change("ztf", alerts[0].object_id, seen, placed, said[-1])
    return Batch([change], list(zip(alerts, placed, strict=True)), outcomes=said)


def score(one: Alert, version: str = "7", p: float = 0.75) -> Classification:
    """Return a classification that says SN with probability p, and else AGN."""
    found = {"AGN": 1 - p, "SN": p, "VS": 0.0, "asteroid": 0.0, "bogus": 0.0}
    said = (classify.flags_of(one), classify.rules_of(one))
    return Classification("ztf", one.object_id, one.alert_id, one.mjd, 1, found, "first-detection", version, *said)


def content(store: Store, *, without: tuple[str, ...] = ("superseded",)) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows of all tables but what depends on the run: times of ours, revisions, what was superseded."""
    with engines.reading(store.engine) as connection:
        return {
            table.name: sorted((_row(row) for row in connection.execute(sa.select(table)).mappings()), key=repr)
            for table in tables.metadata.sorted_tables
            if table.name not in without
        }


def _row(row: Any) -> tuple[Any, ...]:
    return tuple((name, _comparable(value)) for name, value in row.items() if name not in _OF_THE_RUN)


def _comparable(value: Any) -> Any:
    if isinstance(value, float):  # models answer alike in batches of any size but for the last bits
        return f"{value:.5g}" if 0 < abs(value) < 1 else round(value, 6)
    if isinstance(value, dict):
        return tuple((name, _comparable(each)) for name, each in value.items())
    return repr(value) if isinstance(value, list) else value


def same(one: Alert, other: Alert) -> bool:
    """Return whether two alerts are equal where NaN equals NaN."""
    plain = [[*each.metadata.items()] for each in (one, other)]
    rest = [(each.cutouts, each.solar_system, each.alert_id, each.mjd, each.band, each.schema) for each in (one, other)]
    return rest[0] == rest[1] and all(
        a[0] == b[0] and (a[1] == b[1] or (math.isnan(a[1]) and math.isnan(b[1]))) for a, b in zip(*plain, strict=True)
    )


def expected(alerts: list[Alert]) -> dict[int, classify.Outcome]:
    """Return what `classify.histories` answers for each alert number, given all of them."""
    return {one.alert_id: said for one, said in zip(alerts, classify.histories(alerts, MODELS), strict=True)}
