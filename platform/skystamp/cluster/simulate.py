"""A simulation's settings -> a folder of Avro shards with the truth beside them, the same on any number of workers.

    OUT/simulation.json      the settings
    OUT/00000000.avro ...    a shard: the packets of objects 0 to shard_objects - 1, and so on
    OUT/truth/00000000.csv   its objects
    OUT/labels.csv           all objects: objectId, class, then the columns of `synthetic.Truth`
    OUT/allwise.csv          an infrared catalogue of their piece of sky, made from the truth alone

A shard is written whole or not at all. One that is there already is not made again, so an interrupted simulation goes
on where it stopped, and one without a catalogue gets it. A shard depends on the seed and on its objects alone, to the
last bit where OMP_NUM_THREADS is 1, as Ray sets it in its workers: sums of several threads round differently.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import Any

from skystamp import avro, synthetic
from skystamp.avro import Record
from skystamp.cluster import truth
from skystamp.errors import UsageError

CODECS = ("null", "deflate", "snappy", "zstandard")


@dataclass(frozen=True, slots=True)
class Simulation:
    """What is simulated. `night` (Julian date) makes all packets of one night; None spreads them over the survey."""

    objects: int
    seed: int = 1
    detections: int = 1
    first_share: float = 0.4
    priors: dict[str, float] = field(default_factory=lambda: dict(synthetic.PRIORS))
    night: float | None = None
    shard_objects: int = 250
    codec: str = "deflate"

    def __post_init__(self) -> None:
        """Refuse what can not be simulated."""
        if min(self.objects, self.detections, self.shard_objects) < 1 or self.seed < 0:
            raise UsageError(
                "objects, detections and objects a shard should be at least 1, the seed at least 0. Received: "
                f"{self.objects}, {self.detections}, {self.shard_objects}, {self.seed}"
            )
        if not 0.0 <= self.first_share <= 1.0:
            raise UsageError(f"the share of first detections should be from 0 to 1. Received: {self.first_share}")
        if self.codec not in CODECS:
            raise UsageError(f"the codec should be one of {', '.join(CODECS)}. Received: {self.codec}")
        if set(self.priors) - set(synthetic.CLASSES) or sum(self.priors.values()) <= 0:
            raise UsageError(f"classes should be of {', '.join(synthetic.CLASSES)}. Received: {', '.join(self.priors)}")

    @property
    def starts(self) -> range:
        """The first object of each shard."""
        return range(0, self.objects, self.shard_objects)


@dataclass(frozen=True, slots=True)
class Simulated:
    """What a run did: shards made and found, and packets made."""

    made: int
    found: int
    packets: int


def simulate(
    simulation: Simulation,
    out: Path,
    *,
    workers: int | None = None,
    address: str | None = None,
    on_shard: Callable[[int], object] = lambda _: None,
) -> Simulated:
    """Write what is missing of a simulation to the folder `out` and return what was done.

    Parameters
    ----------
    workers : int, optional
        Processes; 0 makes all in this one; all of the cluster's cores by default.
    address : str, optional
        Of a Ray cluster that shares `out`; by default one is started here.
    on_shard : callable
        Told the packets of each shard that was made, for a progress bar.

    Raises
    ------
    UsageError
        If `out` holds something else than this simulation.
    """
    _claim(simulation, out)
    missing = [start for start in simulation.starts if not _shard(out, start).exists()]
    write = partial(write_shard, simulation, out)
    packets = 0
    for made in map(write, missing) if workers == 0 else _on_ray(write, missing, workers, address):
        packets += made
        on_shard(made)
    _join_truth(simulation, out)
    return Simulated(len(missing), len(simulation.starts) - len(missing), packets)


def write_shard(simulation: Simulation, out: Path, start: int) -> int:
    """Write the shard that begins with object `start`, with its truth, and return its number of packets."""
    count = min(simulation.shard_objects, simulation.objects - start)
    records, truths = _night(simulation, start, count) if simulation.night else _survey(simulation, start, count)
    _replace(_truth(out, start), "".join(truth.lines(truths)).encode())
    part = _shard(out, start).with_suffix(".part")
    with part.open("wb") as file:
        avro.write(file, records, _schema(), codec=simulation.codec, sync=_sync(simulation.seed, start))
    part.replace(_shard(out, start))
    return len(records)


def _survey(simulation: Simulation, start: int, count: int) -> tuple[list[Record], list[synthetic.Truth]]:
    made = [
        synthetic.simulate_object(
            simulation.seed,
            index,
            priors=simulation.priors,
            max_detections=simulation.detections,
            first_share=simulation.first_share,
        )
        for index in range(start, start + count)
    ]
    return [record for one in made for record in one.records], [one.truth for one in made]


def _night(simulation: Simulation, start: int, count: int) -> tuple[list[Record], list[synthetic.Truth]]:
    night = synthetic.fresh_night(
        simulation.seed,
        count,
        jd=simulation.night or 0.0,
        priors=simulation.priors,
        first_share=simulation.first_share,
        start=start,
    )
    return night.records, list(night.truths.values())


def _on_ray(write: "partial[int]", starts: list[int], workers: int | None, address: str | None) -> Iterator[int]:
    if not starts:
        return
    import ray.data

    from skystamp.cluster import session

    with session.connected(address, cpus=workers), session.streaming():
        data = ray.data.from_items([{"start": start} for start in starts], override_num_blocks=len(starts))
        done = data.map(lambda row: {"packets": write(row["start"])}, num_cpus=1)
        yield from (int(row["packets"]) for row in done.iter_rows())


def _claim(simulation: Simulation, out: Path) -> None:
    """Make `out` this simulation's folder, or see that it is: only the number of objects may differ."""
    wanted = {key: value for key, value in asdict(simulation).items() if key != "objects"}
    file = out / "simulation.json"
    expected = {_shard(out, start).name for start in simulation.starts}
    if file.exists():
        found = json.loads(file.read_text())
        found.pop("objects", None)
        if found != wanted:
            changed = sorted(key for key in wanted if found.get(key) != wanted[key])
            raise UsageError(f"{out} should hold this simulation or nothing. Received: another {', '.join(changed)}")
    foreign = sorted(path.name for path in out.glob("*.avro") if path.name not in expected or not file.exists())
    if foreign:
        raise UsageError(f"{out} should hold this simulation or nothing. Received: {', '.join(foreign[:3])}")
    old = [path.name for path in sorted(out.glob("truth/*.csv")) if not path.read_text().startswith(truth.HEADER)]
    if old:
        raise UsageError(f"{out} should hold this version's truth: simulate it anew. Received: truth/{old[0]}, older")
    (out / "truth").mkdir(parents=True, exist_ok=True)
    _drop_short_tail(simulation, out)
    _replace(file, json.dumps(asdict(simulation), indent=1).encode())


def _drop_short_tail(simulation: Simulation, out: Path) -> None:
    """Remove a last shard with fewer objects than it has now: it was made when fewer were asked for."""
    for start in simulation.starts:
        file = _truth(out, start)
        count = min(simulation.shard_objects, simulation.objects - start)
        if file.exists() and len(file.read_text().splitlines()) - 1 != count:
            _shard(out, start).unlink(missing_ok=True)
            file.unlink()


def _join_truth(simulation: Simulation, out: Path) -> None:
    """Write the tables of all objects: labels.csv, and allwise.csv that follows from it."""
    parts = [_truth(out, start).read_text() for start in simulation.starts]
    labels = truth.HEADER + "".join(part.partition("\n")[2] for part in parts)
    _replace(out / "labels.csv", labels.encode())
    _replace(out / "allwise.csv", "".join(truth.allwise(truth.read(labels))).encode())


@cache
def _schema() -> dict[str, Any]:
    """Return the schema, keys sorted: fastavro's parser leaves them in the order of a set, new in each process."""
    ordered: dict[str, Any] = _sorted(synthetic.schema())
    return ordered


def _sorted(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {key: _sorted(schema[key]) for key in sorted(schema)}
    return [_sorted(item) for item in schema] if isinstance(schema, list) else schema


def _shard(out: Path, start: int) -> Path:
    return out / f"{start:08d}.avro"


def _truth(out: Path, start: int) -> Path:
    return out / "truth" / f"{start:08d}.csv"


def _sync(seed: int, start: int) -> bytes:
    return hashlib.sha256(f"skystamp {seed} {start}".encode()).digest()[:16]


def _replace(path: Path, content: bytes) -> None:
    part = path.with_suffix(path.suffix + ".part")
    part.write_bytes(content)
    part.replace(path)
