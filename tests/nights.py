"""A night for tests: any number of distinct packets of objects with several detections, from a few simulated ones."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from skystamp import synthetic

FIRST_JD = 2459000.5
MOST = 7  # detections of an object


@dataclass(frozen=True)
class Night:
    """Packets in the order of their detections' times, and how they are sent: late, twice, and with poison between."""

    ordered: list[bytes]
    sent: list[bytes]
    poison: list[bytes]


def simulated(count: int, seed: int = 7) -> list[dict[str, Any]]:
    """Return the first record of so many simulated objects, without its history, which nothing here reads."""
    records = (synthetic.simulate_object(seed, index).records[0] for index in range(count))
    return [{**record, "prv_candidates": None, "fp_hists": None} for record in records]


def night(pool: Sequence[dict[str, Any]], count: int, rng: random.Random, prefix: str = "ZTF20") -> Night:
    """Return a night of so many packets, a thirtieth of which are sent twice, with a hundredth of poison besides."""
    records: list[dict[str, Any]] = []
    while len(records) < count:
        records += _object(pool, len(records), min(rng.randint(1, MOST), count - len(records)), rng, prefix)
    records.sort(key=lambda record: record["candidate"]["jd"])
    ordered = [synthetic.write_packet(record) for record in records]
    poison = [
        rng.choice(ordered)[: rng.randrange(5, 20_000)] if i % 2 else rng.randbytes(50) for i in range(count // 100 + 1)
    ]
    sent = [*ordered, *rng.choices(ordered, k=count // 30 + 1), *poison]
    late = {id(packet): i + rng.uniform(0, count / 3) for i, packet in enumerate(ordered)}
    sent.sort(key=lambda packet: late.get(id(packet), rng.uniform(0, count)))
    return Night(ordered, sent, poison)


def _object(
    pool: Sequence[dict[str, Any]], first: int, detections: int, rng: random.Random, prefix: str
) -> list[dict[str, Any]]:
    name, made = f"{prefix}{_letters(first)}", []
    jd = FIRST_JD + rng.uniform(0, 30)
    ra, dec = rng.uniform(0, 360), rng.uniform(-30, 80)
    for i in range(detections):
        record, candid = rng.choice(pool), 1_250_000_000_000_000_000 + first + i
        candidate = {"candid": candid, "jd": jd, "ra": ra, "dec": dec, "magpsf": rng.uniform(16, 20.5)}
        made.append({**record, "objectId": name, "candid": candid, "candidate": {**record["candidate"], **candidate}})
        jd += rng.choice([0.1, 0.9, 2.0, 3.1])  # some too close to the one before
    return made


def _letters(number: int) -> str:
    """Return a number as ZTF's seven letters."""
    letters = ""
    for _ in range(7):
        number, rest = divmod(number, 26)
        letters = chr(ord("a") + rest) + letters
    return letters
