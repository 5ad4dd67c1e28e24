"""From packet bytes to model inputs: alerts a second on one core, beside what one would write first.

    python -m benchmarks.decode [--packets DIR_OR_FILE] [--json] [--alerts N] [--rounds N]

Ours is the path of every packet: `avro.read`, `surveys.read`, `inputs.collect`, `inputs.make`. The plain reference is
`fastavro.reader` a packet, `gzip.decompress` and `astropy.io.fits` a cutout, coordinates by `SkyCoord` over the whole
batch, the same preprocessing in a few lines of NumPy. Both read the same single-packet containers, a batch at a time,
on one thread, timed in processor time; rounds are interleaved, so that a busy machine slows both, and the median is
shown. The run stops if their answers differ.

Without --packets it makes its own at the start: simulated packets of all classes, with their histories, 76 kB each in
the mean, as ZTF sends them.
"""

import argparse
import gzip
import io
import json
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import fastavro
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning

from skystamp import avro, inputs, metadata, surveys
from skystamp.alert import Alert
from skystamp.avro import Decoded
from skystamp.errors import Reject, UsageError
from skystamp.inputs import Inputs, InputSpec

CUTOUTS = ("cutoutScience", "cutoutTemplate", "cutoutDifference")
CROP = slice(21, 42)


def main() -> None:
    """Print the table, or with --json one object of `ratios` and `figures`."""
    parser = argparse.ArgumentParser(description="Packet bytes to model inputs, beside a plain reference.")
    parser.add_argument("--packets", type=Path, help="an Avro file, or a folder of them; simulated packets by default")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    parser.add_argument("--alerts", type=int, default=200, help="packets of a round")
    parser.add_argument("--rounds", type=int, default=7, help="timed rounds of each path")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", AstropyWarning)  # of headers that old pipelines wrote
    packets = from_files(arguments.packets, arguments.alerts) if arguments.packets else simulated(arguments.alerts)
    source = str(arguments.packets or "simulated packets with their histories")
    report(measure(packets, arguments.rounds), packets, source, as_json=arguments.json)


def simulated(count: int) -> list[bytes]:
    """Return single-packet containers of simulated alerts, some with long histories and some with none."""
    from skystamp import synthetic

    objects = (synthetic.simulate_object(5, i, max_detections=1) for i in range(count))
    return [synthetic.write_packet(one.records[0]) for one in objects]


def from_files(place: Path, count: int) -> list[bytes]:
    """Return single-packet containers, without a codec as ZTF's, of the first alerts that have whole stamps."""
    packets: list[bytes] = []
    for path in sorted(place.rglob("*.avro")) if place.is_dir() else [place]:
        with path.open("rb") as file:
            reader = fastavro.reader(file)
            schema = avro.parse_schema(reader.writer_schema)
            for record in reader:
                packet = avro.encode(record, schema)
                if not isinstance(alert_of(packet), Reject):
                    packets.append(packet)
                if len(packets) == count:
                    return packets
    if not packets:
        raise UsageError(f"there should be alerts with whole stamps. Received: {place}")
    return packets


def alert_of(packet: bytes) -> Alert | Reject:
    """Return the alert of a packet, or why it gives no inputs."""
    (item,) = avro.read(packet)
    if isinstance(item, Reject):
        return item
    alert = surveys.read(item.record, item.schema)
    _, _, rejects = inputs.collect([alert])
    return rejects.get(0, alert)


def measure(packets: list[bytes], rounds: int) -> dict[str, float]:
    """Return the median microseconds an alert of both paths and of each stage of ours, after checking their answers."""
    spec = fitted(packets)
    same(ours(packets, spec), plain(packets, spec))
    paths: dict[str, Callable[[], object]] = {
        "path": lambda: ours(packets, spec),
        "reference": lambda: plain(packets, spec),
        **stages(packets, spec),
    }
    times: dict[str, list[float]] = {name: [] for name in paths}
    for _ in range(rounds):
        for name, run in paths.items():
            start = time.process_time()
            run()
            times[name].append((time.process_time() - start) / len(packets) * 1e6)
    return {name: median(values) for name, values in times.items()}


# ------------------------------------------------------------------------------------------------------------- our path


def ours(packets: list[bytes], spec: InputSpec) -> Inputs:
    """Return the inputs of packets by the library."""
    alerts = [surveys.read(item.record, item.schema) for packet in packets for item in decoded(packet)]
    raw, _, _ = inputs.collect(alerts, side=spec.side, crop=spec.crop)
    return inputs.make(spec, raw)


def decoded(packet: bytes) -> list[Decoded]:
    """Return the record of a packet that is known to be good."""
    return [item for item in avro.read(packet) if isinstance(item, Decoded)]


def fitted(packets: list[bytes]) -> InputSpec:
    """Return the default spec with the statistics of these packets."""
    alerts = [surveys.read(item.record, item.schema) for packet in packets for item in decoded(packet)]
    return inputs.fitted(InputSpec(), metadata.table(alerts))


def stages(packets: list[bytes], spec: InputSpec) -> dict[str, Callable[[], object]]:
    """Return the steps of our path by name, each with what it needs made beforehand."""
    items = [item for packet in packets for item in decoded(packet)]
    alerts = [surveys.read(item.record, item.schema) for item in items]
    raw, _, _ = inputs.collect(alerts, side=spec.side, crop=spec.crop)
    return {
        "avro": lambda: [decoded(packet) for packet in packets],
        "surveys": lambda: [surveys.read(item.record, item.schema) for item in items],
        "collect": lambda: inputs.collect(alerts, side=spec.side, crop=spec.crop),
        "make": lambda: inputs.make(spec, raw),
    }


# -------------------------------------------------------------------------------------------------- the plain reference


def plain(packets: list[bytes], spec: InputSpec) -> tuple[np.ndarray, np.ndarray]:
    """Return the stamps and metadata of packets as a script with fastavro and astropy would."""
    records = [next(iter(fastavro.reader(io.BytesIO(packet)))) for packet in packets]
    stamps = np.stack([np.stack([image(record[name]["stampData"]) for name in CUTOUTS], -1) for record in records])
    return plain_stamps(stamps[:, CROP, CROP]), plain_metadata([record["candidate"] for record in records], spec)


def image(cutout: bytes) -> np.ndarray:
    """Return the pixels of a gzipped FITS cutout."""
    with fits.open(io.BytesIO(gzip.decompress(cutout))) as hdus:
        return np.array(hdus[0].data, np.float32)


def plain_stamps(crops: np.ndarray) -> np.ndarray:
    """Return crops scaled per channel from 0 to 1, with 0 for what is not finite."""
    known = np.where(np.isfinite(crops), crops, np.nan)
    with np.errstate(invalid="ignore", divide="ignore"):
        known = known - np.fmin.reduce(known, axis=(1, 2), keepdims=True)
        known = known / np.fmax.reduce(known, axis=(1, 2), keepdims=True)
    return np.nan_to_num(known, nan=0.0, posinf=0.0, neginf=0.0)


def plain_metadata(candidates: list[dict[str, Any]], spec: InputSpec) -> np.ndarray:
    """Return the features of the spec, clipped and standardised, column by column."""
    sky = SkyCoord([c["ra"] for c in candidates], [c["dec"] for c in candidates], unit="deg")
    ecliptic, galactic = sky.barycentricmeanecliptic, sky.galactic
    made = {
        "ecl_lat": ecliptic.lat.deg,
        "ecl_long": ecliptic.lon.deg,
        "gal_lat": galactic.b.deg,
        "gal_long": galactic.l.deg,
        "isdiffpos": np.array([float(c["isdiffpos"] in ("t", "1")) for c in candidates]),
        "non_detections": np.array([float(c["ncovhist"] - c["ndethist"]) for c in candidates]),
    }
    columns = []
    for name, mean, deviation in zip(spec.features, spec.means, spec.deviations, strict=True):
        values = made[name] if name in made else column(candidates, name)
        values = np.where(np.isnan(values), spec.missing.get(name, mean), values)
        low, high = spec.clips.get(name, (None, None))
        clipped = values if low is None and high is None else np.clip(values, low, high)
        columns.append((clipped - mean) / deviation)
    return np.stack(columns, axis=1).astype(np.float32)


def column(candidates: list[dict[str, Any]], name: str) -> np.ndarray:
    """Return one field of the candidates with NaN for none."""
    values = np.array([np.nan if c[name] is None else c[name] for c in candidates], float)
    return np.where(values <= -999, np.nan, values)


def same(inputs_made: Inputs, reference: tuple[np.ndarray, np.ndarray]) -> None:
    """Stop if the two paths differ: stamps in a bit, metadata by more than rounding."""
    stamps, table = reference
    if not np.array_equal(inputs_made.stamps, stamps):
        raise AssertionError("the stamps of the two paths should be equal. Received: a difference")
    if not np.allclose(inputs_made.metadata, table, rtol=1e-6, atol=1e-6):
        worst = np.abs(inputs_made.metadata - table).max()
        raise AssertionError(f"the metadata of the two paths should be equal. Received: a difference of {worst:.2g}")


def report(found: dict[str, float], packets: list[bytes], source: str, *, as_json: bool) -> None:
    """Print what was measured."""
    ratio = found["reference"] / found["path"]
    figures = {
        "alerts_per_s": 1e6 / found["path"],
        "reference_alerts_per_s": 1e6 / found["reference"],
        "alerts": len(packets),
        "mean_packet_kb": float(np.mean([len(packet) for packet in packets])) / 1e3,
        **{f"{name}_us": value for name, value in found.items()},
    }
    if as_json:
        print(json.dumps({"ratios": {"decode": ratio}, "figures": figures}))
        return
    print(f"{len(packets)} alerts of {figures['mean_packet_kb']:.0f} kB, one core: {source}")
    print(f"{'':22}{'alerts/s':>10}{'us/alert':>10}{'ratio':>8}")
    print(f"{'fastavro and astropy':22}{1e6 / found['reference']:10.0f}{found['reference']:10.0f}{1:8.1f}")
    print(f"{'skystamp':22}{1e6 / found['path']:10.0f}{found['path']:10.0f}{ratio:8.1f}")
    for name in ("avro", "surveys", "collect", "make"):
        print(f"{'  ' + name:22}{'':10}{found[name]:10.0f}")


if __name__ == "__main__":
    main()
