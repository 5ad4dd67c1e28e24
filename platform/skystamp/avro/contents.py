"""A packet without its pixels: the bytes of its record up to the cutouts, and back to the record when people ask.

    read(..., contents=True) ── slice, no decoding ──> Content ── packed ──> bytes of a store
                                                          └────── record_of ──> record, history and all

The live path pays for a copy of 40 kB; what it costs to read the history is paid by who looks at it.
"""

import io
from functools import lru_cache
from typing import Any

import fastavro
from isal import isal_zlib

from skystamp.avro.records import CUTOUTS, DECODE_ERRORS, LARGEST, Content, Record, part_of, plan_of
from skystamp.errors import Reason, Reject


def packed(data: bytes) -> bytes:
    """Return bytes as a store keeps them."""
    out: bytes = isal_zlib.compress(data, 1)
    return out


def unpacked(data: bytes) -> bytes:
    """Return what `packed` was given.

    Raises
    ------
    Reject
        TOO_LARGE for more than a record may have.
    """
    unpacker = isal_zlib.decompressobj()
    out: bytes = unpacker.decompress(data, LARGEST + 1)
    if len(out) > LARGEST:
        raise Reject(Reason.TOO_LARGE, f"a record should have at most {LARGEST} bytes")
    return out


def record_of(content: Content) -> Record:
    """Return the record with its history, without the bytes of its cutouts.

    Raises
    ------
    Reject
        UNKNOWN_SCHEMA or TRUNCATED_AVRO: the history was never looked at before.
    """
    try:
        found = fastavro.schemaless_reader(io.BytesIO(content.data), _reader_of(content.schema, content.whole), None)
    except DECODE_ERRORS as error:
        raise Reject(Reason.TRUNCATED_AVRO, f"the record does not decode: {type(error).__name__} {error}") from error
    record: Record = dict(found)
    return {name: value for name, value in record.items() if name not in CUTOUTS}


def head_of(content: Content) -> Record:
    """Return the record without its history and its cutouts, which is some ten times quicker.

    Raises
    ------
    Reject
        As `record_of`.
    """
    head = None if content.whole else plan_of(content.schema).head
    if head is None:
        return record_of(content)
    try:
        found = fastavro.schemaless_reader(io.BytesIO(content.data), head, None)
    except DECODE_ERRORS as error:
        raise Reject(Reason.TRUNCATED_AVRO, f"the record does not decode: {type(error).__name__} {error}") from error
    return dict(found)


@lru_cache(maxsize=16)
def _reader_of(schema: bytes, whole: bool) -> Any:
    parsed = plan_of(schema).schema
    if whole:
        return parsed
    return part_of(parsed, [field["name"] for field in parsed["fields"] if field["name"] not in CUTOUTS])
