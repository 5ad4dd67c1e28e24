"""Avro object containers: bytes in, one record or one `Reject` per packet out, in order; and records written.

    container ── header: schema, codec ── blocks (count, bytes) ── records
    container.py                          container.py, codecs.py   records.py, contents.py

Two promises. Whatever the bytes, reading raises nothing: a fault becomes a `Reject` in the place of the packet it
cost (a damaged record costs itself and, as its end can not be found, the rest of its block). And nothing unpacks to
more than `Limits` allow.
"""

import io
from collections.abc import Iterable, Iterator
from typing import Any

import fastavro

from skystamp.avro.container import Block, Limits, Stream, blocks, pack, read_header
from skystamp.avro.contents import head_of, packed, record_of, unpacked
from skystamp.avro.records import Content, Decoded, Plan, Record, plan_of
from skystamp.errors import Reason, Reject

EMPTY = "the container holds no record; a packet that is cut after its header looks so"

__all__ = [
    "EMPTY",
    "Content",
    "Decoded",
    "Limits",
    "Record",
    "Stream",
    "encode",
    "head_of",
    "packed",
    "parse_schema",
    "read",
    "record_of",
    "unpacked",
    "write",
]


def read(
    source: bytes | Stream, *, history: bool = False, contents: bool = False, limits: Limits | None = None
) -> Iterator[Decoded | Reject]:
    """Yield one `Decoded` or one `Reject` for each packet of an Avro container, in order.

    Parameters
    ----------
    source : bytes or binary file
        One container, read from its start, block by block.
    history : bool
        Whether records keep their history (previous candidates, forced photometry). Leaving it out is much faster.
    contents : bool
        Whether each comes with its bytes but for the cutouts, from which `record_of` reads the history later.
    limits : Limits, optional
        What is too large.
    """
    stream = io.BytesIO(source) if isinstance(source, bytes) else source
    limits = limits or Limits()
    try:
        header = read_header(stream, limits)
    except Reject as reject:
        yield reject
        return
    try:
        plan: Plan | Reject = plan_of(header.schema)
    except Reject as reject:
        plan = reject
    any_block = False
    for block in blocks(stream, header, limits):
        any_block = True
        yield from _outcomes(block, plan, history=history, contents=contents)
    if not any_block:
        yield Reject(Reason.TRUNCATED_AVRO, EMPTY)


def _outcomes(block: Block, plan: Plan | Reject, *, history: bool, contents: bool) -> Iterator[Decoded | Reject]:
    fault = block.damage or (plan if isinstance(plan, Reject) else None)
    if fault is not None:
        yield from (fault for _ in range(block.count))
    elif isinstance(plan, Plan):
        yield from plan.decode(block.data, block.count, history=history, contents=contents)


def parse_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema in the parsed form that `encode` and `write` take."""
    parsed: dict[str, Any] = fastavro.parse_schema(schema, named_schemas={})
    return parsed


def encode(record: Record, schema: dict[str, Any], *, codec: str = "null") -> bytes:
    """Return one packet: a container with one record."""
    out = io.BytesIO()
    write(out, [record], schema, codec=codec)
    return out.getvalue()


def write(
    out: Any, records: Iterable[Record], schema: dict[str, Any], *, codec: str = "deflate", sync: bytes = b""
) -> None:
    """Write a container (codec ``null``, ``deflate``, ``snappy``, ``zstandard``, ``bzip2`` or ``xz``).

    `out` is a binary file. With 16 bytes of `sync`, the marker between blocks, equal records make equal files; by
    default it is random.
    """
    if codec != "zstandard":
        fastavro.writer(out, schema, records, codec=codec, sync_marker=sync)
        return
    plain = io.BytesIO()  # fastavro packs zstandard with a library of its own choice, which Python 3.11 lacks
    fastavro.writer(plain, schema, records, codec="null", sync_marker=sync)
    plain.seek(0)
    pack(out, plain, codec)
