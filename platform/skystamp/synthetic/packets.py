"""Whole packets: cutouts as gzipped FITS, records as Avro.

Makes bytes out of images and records, in the form in which ZTF sends them: a bare FITS header of one block,
big-endian float32, gzip; one Avro container for one alert.
"""

import gzip
import json
from functools import cache
from importlib.resources import files
from typing import Any

import numpy as np

from skystamp import avro
from skystamp.synthetic.images import Triplet

Record = dict[str, Any]
SIDE = 63
_HALF = SIDE // 2
_BLOCK = 2880
_EPOCH = 1_500_000_000  # gzip's own clock reads this, so that equal images are equal bytes


def _header() -> bytes:
    cards = [
        "SIMPLE  =  T",
        f"BITPIX  = {-32:20d}",
        f"NAXIS   = {2:20d}",
        f"NAXIS1  = {SIDE:20d}",
        f"NAXIS2  = {SIDE:20d}",
        "BUNIT   = 'DN      '",
        "END",
    ]
    return "".join(card.ljust(80) for card in cards).ljust(_BLOCK).encode("ascii")


def fits_bytes(image: np.ndarray) -> bytes:
    """Return a 63 x 63 float32 image as a gzipped FITS file."""
    data = np.ascontiguousarray(image, dtype=">f4").tobytes()
    padding = b"\0" * (-len(data) % _BLOCK)
    return gzip.compress(_header() + data + padding, compresslevel=4, mtime=_EPOCH)


def cutouts(triplet: Triplet, row: int, column: int, sign: int, candid: int, image: str) -> dict[str, Record]:
    """Return the three cutouts about pixel (row, column), masked pixels NaN.

    ``sign`` is -1 where the difference is taken the other way round, template minus science: ZTF sends the
    difference in which the candidate is positive.
    """
    rows, columns = slice(row - _HALF, row + _HALF + 1), slice(column - _HALF, column + _HALF + 1)
    names = {
        "cutoutScience": (triplet.science, f"candid{candid}_{image}_targ_sci.fits.gz"),
        "cutoutTemplate": (triplet.template, f"candid{candid}_ref.fits.gz"),
        "cutoutDifference": (
            triplet.difference * sign,
            f"candid{candid}_{image}_targ_{'scimref' if sign > 0 else 'refmsci'}.fits.gz",
        ),
    }
    masked = triplet.masked[rows, columns]
    return {
        key: {"fileName": name, "stampData": fits_bytes(np.where(masked, np.nan, pixels[rows, columns]))}
        for key, (pixels, name) in names.items()
    }


def _schema_text() -> dict[str, Any]:
    text = files("skystamp.surveys").joinpath("ztf_alert.avsc").read_text(encoding="utf-8")
    return dict(json.loads(text))


@cache
def schema() -> dict[str, Any]:
    """Return the parsed Avro schema of the packets, ZTF 4.02."""
    return avro.parse_schema(_schema_text())


def write_packet(record: Record) -> bytes:
    """Return one record as one packet: an Avro container that holds this alert alone."""
    return avro.encode(record, schema())


@cache
def previous_columns() -> tuple[str, ...]:
    """Return the names of the columns of a previous candidate, in the schema's order."""
    listed = next(f for f in _schema_text()["fields"] if f["name"] == "prv_candidates")
    return tuple(f["name"] for f in listed["type"][1]["items"]["fields"])
