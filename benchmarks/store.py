"""The store with a million objects in it: alerts written, histories looked up, candidates listed, a second.

    python -m benchmarks.store [--objects N] [--alerts N] [--batch N] [--json] [--postgresql URL]

For SQLite, in a new file, and PostgreSQL, a server of its own on loopback where Debian's package is installed (or at
a URL, of an empty database). Prefilled are objects, detections and outcomes, one of each an object, by one statement a
table. Then, side by side in this process:

    write       new alerts of new objects with cutouts of 36 kB, by batches     baseline: one alert a transaction
    look up     histories of objects, a batch of them in two queries            baseline: one object a call
    candidates  the 1,000 most probable supernovae of all objects               baseline: the same without an index

Rounds are interleaved; the median counts.
"""

import argparse
import contextlib
import itertools
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import numpy as np
import sqlalchemy as sa

from skystamp.alert import Alert
from skystamp.classify import Classification
from skystamp.store import Batch, CandidateFilter, Change, Detection, Store, engine, open_store, tables
from tests import postgres

ROUNDS = 5
CUTOUT = 12_000  # bytes of each

_ROWS = {
    "objects": """
        'ztf', 'ZTF' || CAST(i AS TEXT), 1, (i * 7919 % 360000) / 1000.0, (i * 104729 % 180000) / 1000.0 - 90,
        59000 + i % 2000, 59000 + i % 2000, 1, 1, i, 'first-detection', '7',
        CASE i % 20 WHEN 0 THEN 'SN' WHEN 1 THEN 'AGN' WHEN 2 THEN 'bogus' WHEN 3 THEN 'asteroid' ELSE 'VS' END,
        0.4 + (i * 15485863 % 600000) / 1000000.0, 0.1, 0.4 + (i * 15485863 % 600000) / 1000000.0, 0.1, 0.1, 0.1, NULL,
        i % 7 = 0, i % 50 = 0, i % 20 = 2""",
    "detections": """
        'ztf', i, 'ZTF' || CAST(i AS TEXT), 59000 + i % 2000, (i * 7919 % 360000) / 1000.0,
        (i * 104729 % 180000) / 1000.0 - 90, 'g', i % 7 = 0, '{"magpsf": 18.5, "sigmapsf": 0.1}', NULL, NULL, NULL,
        'ztf.alert 4.02', 1, '', 1, 1700000000""",
    "outcomes": """
        'ztf', i, 'first-detection', '7', 'ZTF' || CAST(i AS TEXT), 59000 + i % 2000, 1, 'SN', 0.1, 0.6, 0.1, 0.1, 0.1,
        NULL, '[]', '[]', i < 0, 1700000000""",
}


def main() -> None:
    """Print the table, or with --json one object of `ratios` and `figures`."""
    parser = argparse.ArgumentParser(description="The store with a million objects in it.")
    parser.add_argument("--objects", type=int, default=1_000_000, help="that the store holds beforehand")
    parser.add_argument("--alerts", type=int, default=1_024, help="written in a round")
    parser.add_argument("--batch", type=int, default=256, help="alerts of a transaction")
    parser.add_argument("--postgresql", help="URL of an empty database; by default a server of its own")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    ratios: dict[str, float] = {}
    figures: dict[str, float] = {}
    for name, url in databases(arguments.postgresql):
        store = open_store(url)
        found = measure(store, arguments.objects, arguments.alerts, arguments.batch)
        store.close()
        figures |= {f"{name}_{key}": value for key, value in found.items()}
        ratios |= {f"{name}_{key}": value for key, value in ratios_of(found).items()}
        if not arguments.json:
            report(name, found, arguments.objects, arguments.batch)
    if arguments.json:
        print(json.dumps({"ratios": ratios, "figures": figures}))


def databases(given: str | None) -> Iterator[tuple[str, str]]:
    """Yield the name and the URL of an empty database of each kind that is to be had."""
    with tempfile.TemporaryDirectory(prefix="skystamp-store-") as folder:
        Path(folder).chmod(0o755)
        yield "sqlite", f"sqlite:///{folder}/store.db"
        if given:
            yield "postgresql", given
        elif postgres.binaries() is not None:
            with postgres.running(Path(folder) / "server") as server:
                yield "postgresql", server.make_database("bench")


def measure(store: Store, objects: int, alerts: int, size: int) -> dict[str, float]:
    """Return what one database does: alerts and look-ups a second, milliseconds a list, with the baseline of each."""
    started = time.perf_counter()
    prefill(store, objects)
    prefilled = time.perf_counter() - started
    fresh = fresh_alerts(np.random.default_rng(5))
    numbers = np.random.default_rng(4).choice(objects, min(alerts, objects), replace=False) + 1
    keys = [("ztf", f"ZTF{number}") for number in numbers.tolist()]
    few = max(alerts // 8, 1)
    tasks: dict[str, tuple[float, Callable[[], object]]] = {
        "write_per_s": (alerts, lambda: write(store, fresh, alerts, size)),
        "write_alone_per_s": (few, lambda: write(store, fresh, few, 1)),
        "look_up_per_s": (len(keys), lambda: look_up(store, keys, size)),
        "look_up_alone_per_s": (few, lambda: look_up(store, keys[:few], 1)),
        "candidates_ms": (0, lambda: list_candidates(store)),
        "candidates_unindexed_ms": (0, lambda: list_unindexed(store)),
    }
    times: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(ROUNDS):
        for name, (_, run) in tasks.items():
            begun = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - begun)
    seconds = {name: median(values) for name, values in times.items()}
    found = {name: count / seconds[name] if count else seconds[name] * 1e3 for name, (count, _) in tasks.items()}
    return {**found, "prefill_s": prefilled}


def prefill(store: Store, objects: int) -> None:
    """Fill the store with so many objects of one detection and one outcome each."""
    for name, row in _ROWS.items():
        columns = ", ".join(column.name for column in tables.metadata.tables[name].columns)
        numbers = "WITH RECURSIVE n(i) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT i + 1 FROM n WHERE i < :last)"
        with engine.writing(store.engine) as connection:
            connection.execute(
                sa.text(f"INSERT INTO {name} ({columns}) {numbers} SELECT {row} FROM n"),  # noqa: S608  our own texts
                {"last": objects},
            )
    with store.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("ANALYZE")


def fresh_alerts(rng: np.random.Generator) -> Iterator[Alert]:
    """Yield alerts of objects that nobody knows."""
    bands = {band: rng.bytes(CUTOUT) for band in ("science", "template", "difference")}
    metadata = {f"number{i}": float(i) + 0.25 for i in range(22)}
    for number in itertools.count(10**15):
        place = (float(number % 360), float(number % 90))
        name = f"ZTF99{number}"
        yield Alert("ztf", name, number, 60000.5, *place, "g", False, metadata, bands, None, "ztf.alert 4.02")


def write(store: Store, fresh: Iterator[Alert], count: int, size: int) -> None:
    """Write so many new alerts with their outcomes, `size` a transaction."""
    for start in range(0, count, size):
        store.record(batch_of(list(itertools.islice(fresh, min(size, count - start)))), now=1.7e9)


def batch_of(alerts: list[Alert]) -> Batch:
    """Return the batch of new objects' first alerts."""
    new = [
        (one, Detection(one.survey, one.object_id, one.alert_id, one.mjd, one.ra, one.dec, 1, "", 1)) for one in alerts
    ]
    said = [
        Classification(
            one.survey, one.object_id, one.alert_id, one.mjd, 1, {"AGN": 0.25, "SN": 0.75}, "first-detection", "7"
        )
        for one in alerts
    ]
    changes = [
        Change(one.survey, one.object_id, 0, (detection,), outcome)
        for (one, detection), outcome in zip(new, said, strict=True)
    ]
    return Batch(changes, new, outcomes=said)


def look_up(store: Store, keys: list[tuple[str, str]], size: int) -> None:
    """Read the histories of objects, `size` a call."""
    for start in range(0, len(keys), size):
        store.index(keys[start : start + size])


def list_candidates(store: Store) -> None:
    """List the thousand most probable supernovae."""
    if not store.candidates(CandidateFilter(limit=1000)):
        raise AssertionError("there should be candidates. Received: none")


def list_unindexed(store: Store) -> None:
    """List them as a database without our index has to: by looking at every object."""
    table = tables.objects
    wanted = (table.c.label + "" == "SN", ~table.c.is_negative, ~table.c.is_solar_system)
    with (
        engine.reading(store.engine) as connection,
        contextlib.closing(
            connection.execute(sa.select(table).where(*wanted).order_by((table.c.p_label + 0).desc()).limit(1000))
        ) as found,
    ):
        found.all()


def ratios_of(found: dict[str, float]) -> dict[str, float]:
    """Return how many times better than its baseline each is."""
    return {
        "write": found["write_per_s"] / found["write_alone_per_s"],
        "look_up": found["look_up_per_s"] / found["look_up_alone_per_s"],
        "candidates": found["candidates_unindexed_ms"] / found["candidates_ms"],
    }


def report(name: str, found: dict[str, float], objects: int, size: int) -> None:
    """Print what was measured of one database."""
    ratios = ratios_of(found)
    print(f"{name}: {objects} objects beforehand ({found['prefill_s']:.0f} s), batches of {size}")
    print(f"{'':34}{'ours':>10}{'baseline':>10}{'ratio':>8}")
    for title, key, base, ratio in (
        ("alerts written/s (one by one)", "write_per_s", "write_alone_per_s", "write"),
        ("histories/s (one by one)", "look_up_per_s", "look_up_alone_per_s", "look_up"),
        ("1,000 candidates, ms (no index)", "candidates_ms", "candidates_unindexed_ms", "candidates"),
    ):
        print(f"{title:34}{found[key]:10.0f}{found[base]:10.0f}{ratios[ratio]:8.1f}")


if __name__ == "__main__":
    main()
