"""Positions to their nearest infrared source a second, beside astropy's match_to_catalog_sky.

    python -m benchmarks.crossmatch [--json] [--sources 1000000] [--positions 5000] [--rounds 5]

The sky has a million random sources in partitions of at most 50,000 rows; half of the positions are within 2 arcsec of
one. Cold: a catalogue just opened reads what it needs, and astropy reads the table and builds its tree. Warm: both ask
again with everything in memory. Either way both give the same matches, which is checked first.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from astropy import units
from astropy.coordinates import SkyCoord

from skystamp import crossmatch
from skystamp.crossmatch import Catalogue

NAMES = ("ra", "dec", "w1mpro", "w2mpro", "w3mpro", "w4mpro")
PARTITION_ROWS = 50_000
RADIUS = 2.0 * units.arcsec


def main() -> None:
    """Print the table, or with --json one object of `ratios` and `figures`."""
    parser = argparse.ArgumentParser(description="Crossmatch with a catalogue in HATS layout, beside astropy.")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--sources", type=int, default=1_000_000, help="rows of the catalogue")
    parser.add_argument("--positions", type=int, default=5_000, help="positions of a call")
    parser.add_argument("--rounds", type=int, default=5, help="timed rounds")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        found = measure(Path(place), arguments.sources, arguments.positions, arguments.rounds)
    report(found, arguments.sources, arguments.positions, as_json=arguments.json)


def measure(place: Path, sources: int, positions: int, rounds: int) -> dict[str, float]:
    """Return median seconds of each way, after checking that both give the same matches."""
    rng = np.random.default_rng(7)
    table, folder = place / "table.parquet", place / "catalogue"
    ra, dec = sky(rng, sources)
    pq.write_table(pa.table(dict(zip(NAMES, (ra, dec, *rng.normal(14, 1, (4, sources))), strict=True))), table)
    started = time.perf_counter()
    crossmatch.build_catalogue(table, folder, partition_rows=PARTITION_ROWS)
    seconds = {"build": time.perf_counter() - started}
    asked_ra, asked_dec = sky(rng, positions)
    near = rng.integers(0, sources, positions // 2)
    asked_ra[: len(near)], asked_dec[: len(near)] = ra[near], np.clip(dec[near] + 1 / 3600, -90, 90)
    catalogue, tree = crossmatch.open_catalogue(str(folder)), plain_sources(table)
    same(catalogue.match(asked_ra, asked_dec), plain(tree, asked_ra, asked_dec))
    return seconds | timed(
        rounds,
        {
            "cold": lambda: crossmatch.open_catalogue(str(folder)).match(asked_ra, asked_dec),
            "astropy_cold": lambda: plain(plain_sources(table), asked_ra, asked_dec),
            "warm": lambda: catalogue.match(asked_ra, asked_dec),
            "astropy_warm": lambda: plain(tree, asked_ra, asked_dec),
            "one_warm": lambda: one_by_one(catalogue, asked_ra, asked_dec),
        },
    )


def timed(rounds: int, ways: dict[str, Callable[[], object]]) -> dict[str, float]:
    """Return median seconds of each, a round of all after the other."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(rounds):
        for name, run in ways.items():
            start = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - start)
    return {name: median(values) for name, values in times.items()}


def sky(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return positions (deg) spread evenly over the sphere."""
    return rng.uniform(0, 360, count), np.degrees(np.arcsin(rng.uniform(-1, 1, count)))


def one_by_one(catalogue: Catalogue, ra: np.ndarray, dec: np.ndarray, calls: int = 100) -> None:
    """Match single positions, as a live service does."""
    for i in range(calls):
        catalogue.match(ra[i : i + 1], dec[i : i + 1])


# -------------------------------------------------------------------------------------------------- the plain reference


def plain_sources(table: Path) -> tuple[SkyCoord, np.ndarray]:
    """Return every source's position and magnitudes, read from the table."""
    rows = pq.read_table(table)
    ra, dec, *magnitudes = (rows.column(name).to_numpy() for name in NAMES)
    return SkyCoord(ra, dec, unit="deg"), np.stack(magnitudes, axis=1)


def plain(sources: tuple[SkyCoord, np.ndarray], ra: np.ndarray, dec: np.ndarray) -> np.ndarray:
    """Return distance and magnitudes of the nearest source within the radius, by astropy's tree."""
    index, distance, _ = SkyCoord(ra, dec, unit="deg").match_to_catalog_sky(sources[0])
    found = np.column_stack([distance.to_value(units.arcsec), sources[1][index]])
    found[distance > RADIUS] = np.nan
    return found


def same(ours: np.ndarray, reference: np.ndarray) -> None:
    """Stop if the two ways do not give the same matches."""
    if not np.allclose(ours, reference, atol=1e-6, equal_nan=True):
        raise AssertionError("both ways should give the same matches. Received: a difference")


def report(found: dict[str, float], sources: int, positions: int, *, as_json: bool) -> None:
    """Print what was measured."""
    rates = {name: positions / found[name] for name in ("cold", "warm", "astropy_cold", "astropy_warm")}
    ratios = {name: rates[name] / rates[f"astropy_{name}"] for name in ("cold", "warm")}
    figures = {f"{name}_positions_per_s": rate for name, rate in rates.items()}
    figures |= {"sources": sources, "positions": positions, "build_rows_per_s": sources / found["build"]}
    figures |= {"one_position_ms": found["one_warm"] / 100 * 1e3}
    if as_json:
        print(json.dumps({"ratios": ratios, "figures": figures}))
        return
    print(f"{positions} positions a call, {sources} sources; built {figures['build_rows_per_s']:.0f} rows/s")
    print(f"{'positions/s':22}{'cold':>12}{'warm':>12}")
    print(f"{'astropy':22}{rates['astropy_cold']:12.0f}{rates['astropy_warm']:12.0f}")
    print(f"{'skystamp':22}{rates['cold']:12.0f}{rates['warm']:12.0f}")
    print(f"{'ratio':22}{ratios['cold']:12.1f}{ratios['warm']:12.1f}")
    print(f"one position alone, warm: {figures['one_position_ms']:.2f} ms")


if __name__ == "__main__":
    main()
