"""Small valid ZTF records and packets for tests: every field of the schema, cutouts from a seed, any field changed."""

import io
import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from skystamp import avro, stamps

SCHEMA_FILE = Path(__file__).parents[1] / "platform" / "skystamp" / "surveys" / "ztf_alert.avsc"
CUTOUTS = ("cutoutScience", "cutoutTemplate", "cutoutDifference")
SYNC = b"sixteen bytes ok"

CANDIDATE = {
    "jd": 2459000.5,
    "fid": 1,
    "pid": 1250123456789,
    "isdiffpos": "t",
    "candid": 1250123456789015001,
    "ra": 150.0,
    "dec": 2.5,
    "ranr": 150.0,
    "decnr": 2.5,
    "magpsf": 18.5,
    "sigmapsf": 0.125,
    "diffmaglim": 20.5,
    "fwhm": 2.25,
    "classtar": 0.75,
    "ndethist": 1,
    "ncovhist": 120,
    "sgscore1": 0.5,
    "distpsnr1": 1.25,
    "sgscore2": 0.25,
    "distpsnr2": 7.5,
    "sgscore3": 0.75,
    "distpsnr3": 9.5,
    "rb": 0.875,
    "drb": 0.9375,
    "distnr": 0.625,
    "magnr": 19.25,
    "chinr": 0.5,
    "sharpnr": -0.125,
    "ssdistnr": -999.0,
    "ssmagnr": -999.0,
    "ssnamenr": "null",
    "nmtchps": 4,
    "rfid": 123456,
    "jdstartref": 2458000.5,
    "jdendref": 2458300.5,
    "nframesref": 15,
    "rbversion": "t17_f5_c3",
    "drbversion": "d6_m7",
    "programid": 1,
    "nmatches": 300,
}


@cache
def schema() -> dict[str, Any]:
    """Return the parsed ZTF 4.02 schema."""
    return avro.parse_schema(schema_json())


def schema_json() -> dict[str, Any]:
    """Return the ZTF 4.02 schema as JSON has it, a fresh copy to spoil."""
    return dict(json.loads(SCHEMA_FILE.read_text()))


def image(seed: int, shape: tuple[int, int] = (63, 63)) -> np.ndarray:
    """Return noise with a source in its middle, float32."""
    y, x = np.indices(shape) - (np.array(shape)[:, None, None] - 1) / 2
    noise = np.random.default_rng(seed).normal(100, 5, shape)
    return (noise + 200 * np.exp(-(x**2 + y**2) / 8)).astype(np.float32)


@cache
def cutout(seed: int) -> bytes:
    """Return the bytes of a cutout."""
    return stamps.encode(image(seed))


def record(seed: int = 0, candidate: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """Return a valid record of one first detection; `candidate` changes fields of the candidate, `changes` others."""
    number = CANDIDATE["candid"] + seed
    made = {
        "schemavsn": "4.02",
        "publisher": "a test",
        "objectId": f"ZTF20test{seed:03d}",
        "candid": number,
        "candidate": {**CANDIDATE, "candid": number, **(candidate or {})},
        "prv_candidates": None,
        "fp_hists": None,
    }
    for i, name in enumerate(CUTOUTS):
        made[name] = {"fileName": f"candid{number}_{name}.fits.gz", "stampData": cutout(10 * (seed % 7) + i)}
    return {**made, **changes}


def packet(*records: dict[str, Any], codec: str = "null") -> bytes:
    """Return a container of one block with these records, or with one valid record; always the same bytes."""
    return container(list(records) or [record()], codec=codec)


def container(records: list[dict[str, Any]], *, codec: str = "null", schema: dict[str, Any] | None = None) -> bytes:
    """Return a container of records, written with the marker `SYNC`."""
    out = io.BytesIO()
    avro.write(out, records, schema or globals()["schema"](), codec=codec, sync=SYNC)
    return out.getvalue()


def history(n: int) -> list[dict[str, Any]]:
    """Return n previous detections."""
    names = ("jd", "fid", "pid", "candid", "isdiffpos", "ra", "dec", "magpsf", "sigmapsf", "programid")
    one = {name: CANDIDATE[name] for name in names}
    return [{**one, "jd": one["jd"] - i - 1, "diffmaglim": 20.0, "ranr": 150.0, "decnr": 2.5} for i in range(n)]


def varint(value: int) -> bytes:
    """Return Avro's zigzag encoding of a whole number of any size."""
    rest, out = (value << 1 if value >= 0 else (-value << 1) - 1), bytearray()
    while rest > 0x7F:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*out, rest])


def raw_container(
    schema_text: bytes | str, blocks: list[tuple[int, bytes]], *, codec: str = "null", sync: bytes = SYNC
) -> bytes:
    """Return a container put together by hand: any schema text, blocks of (declared count, packed bytes)."""
    text = schema_text.encode() if isinstance(schema_text, str) else schema_text
    pairs = [(b"avro.schema", text), (b"avro.codec", codec.encode())]
    head = b"Obj\x01" + varint(len(pairs))
    head += b"".join(varint(len(k)) + k + varint(len(v)) + v for k, v in pairs) + varint(0) + sync
    return head + b"".join(varint(count) + varint(len(data)) + data + sync for count, data in blocks)


def body(*records: dict[str, Any]) -> bytes:
    """Return the unpacked bytes of records, as they stand in a block."""
    import fastavro

    out = io.BytesIO()
    for one in records:
        fastavro.schemaless_writer(out, schema(), one)
    return out.getvalue()
