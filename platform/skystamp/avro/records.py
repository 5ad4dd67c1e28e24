"""A block's bytes -> its records, twice: a fast way for what surveys send and a slow one for every other valid block.

The middle third of a ZTF packet is its history, a thousand nullable numbers that no model reads and that cost more to
step over than all the rest:

    schemavsn publisher objectId candid candidate │ prv_candidates fp_hists │ cutoutScience  Template  Difference
    ───────── head: fastavro, prefix schema ───── │ ── stepped over ─────── │ ── by hand: file name, bytes ─────

The fast way looks for the first gzip cutout after the head, and takes the find only if three cutouts stand there and
the block ends exactly after its last record. If anything is unusual the whole block goes the slow way, fastavro with
the writer's schema. What the fast way gives up is a check of bytes that nobody asked for: damage inside the history
goes unseen unless `history` is asked for.
"""

import dataclasses
import io
import json
import struct
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import fastavro
from fastavro.schema import SchemaParseException
from isal import isal_zlib

from skystamp.errors import Reason, Reject

Record = dict[str, Any]

HEAD = ("schemavsn", "publisher", "objectId", "candid", "candidate")
CUTOUTS = ("cutoutScience", "cutoutTemplate", "cutoutDifference")

_GZIP = b"\x1f\x8b\x08"
_LONGEST_NAME = 256  # bytes of a cutout's file name
LARGEST = 1 << 22  # bytes of one record that is read with its history, which takes 60 times as much memory
_DEEPEST = 8  # records inside records; an alert has 2
_PRIMITIVES = frozenset(("boolean", "int", "long", "float", "double", "bytes", "string"))
DECODE_ERRORS = (
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    ValueError,
    OverflowError,
    MemoryError,
    struct.error,
    RecursionError,
)


@dataclass(frozen=True, slots=True)
class Content:
    """The bytes of one record and the writer's schema (JSON): up to the cutouts, or the `whole` of an unusual one."""

    data: bytes
    schema: bytes
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Decoded:
    """One record with the name of its schema, for example ``"ztf.alert"``, and its bytes where they are asked for."""

    record: Record
    schema: str
    content: Content | None = dataclasses.field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Plan:
    """How to read the records of one writer's schema."""

    name: str
    text: bytes
    schema: Any  # the writer's, parsed by fastavro
    slim: Any  # the reader's: the same without history
    head: Any | None  # the writer's first fields, where the fast way applies

    def decode(self, data: bytes, count: int, *, history: bool, contents: bool = False) -> Iterator[Decoded | Reject]:
        """Yield `count` records or rejects from the unpacked bytes of one block."""
        if self.head is not None and not history:
            try:
                records = _fast(data, count, self.head)
            except (_UnusualError, *DECODE_ERRORS):
                pass  # the slow way decides, and says what is wrong
            else:
                for record, start, end in records:
                    yield Decoded(record, self.name, self._content(data, start, end) if contents else None)
                return
        yield from self._slow(data, count, history=history, contents=contents)

    def _content(self, data: bytes, start: int, end: int, *, whole: bool = False) -> Content | None:
        return Content(data[start:end], self.text, whole) if end - start <= LARGEST else None

    def _slow(self, data: bytes, count: int, *, history: bool, contents: bool) -> Iterator[Decoded | Reject]:
        stream = io.BytesIO(data)
        for i in range(count):
            start = stream.tell()
            try:
                record = fastavro.schemaless_reader(stream, self.schema, self.slim)
                size = stream.tell() - start
                if history and size <= LARGEST:
                    stream.seek(start)
                    record = fastavro.schemaless_reader(stream, self.schema, None)
            except DECODE_ERRORS as error:
                detail = f"record {i + 1} of {count} in its block does not decode: {type(error).__name__} {error}"
                reject = Reject(Reason.TRUNCATED_AVRO, detail[:300])
                yield from (reject for _ in range(i, count))
                return
            if i == count - 1 and stream.tell() < len(data):
                detail = f"{len(data) - stream.tell()} bytes are left in the block after its last record"
                yield Reject(Reason.TRUNCATED_AVRO, detail)
            elif history and size > LARGEST:
                yield Reject(Reason.TOO_LARGE, f"a record should have at most {LARGEST} bytes. Received: {size}")
            else:
                content = self._content(data, start, stream.tell(), whole=True) if contents else None
                yield Decoded(record, self.name, content)


def plan_of(schema: bytes) -> Plan:
    """Return how to read records written with this schema (JSON).

    Raises
    ------
    Reject
        UNKNOWN_SCHEMA if it is not the schema of an alert: a record with the head fields of `HEAD`, of primitives
        and one record of primitives, and the fields of `CUTOUTS`.
    """
    return _plan_of(_SchemaText(schema))


@dataclass(frozen=True, slots=True)
class _SchemaText:
    """Schemas as keys of a cache: 28 kB that come with every packet, and Python's own hash of them takes 8 us."""

    json: bytes

    def __hash__(self) -> int:
        return int(isal_zlib.crc32(self.json))


@lru_cache(maxsize=64)
def _plan_of(schema: _SchemaText) -> Plan:
    try:
        raw = json.loads(schema.json)
        parsed: Any = fastavro.parse_schema(raw, named_schemas={})
    except (ValueError, SchemaParseException, *DECODE_ERRORS) as error:
        raise Reject(Reason.UNKNOWN_SCHEMA, f"the schema does not parse: {str(error)[:200]}") from error
    if not isinstance(parsed, dict) or parsed.get("type") != "record":
        raise Reject(Reason.UNKNOWN_SCHEMA, "the schema should be one record")
    names = [field["name"] for field in parsed["fields"]]
    missing = [name for name in (*HEAD, *CUTOUTS) if name not in names]
    if missing:
        raise Reject(Reason.UNKNOWN_SCHEMA, f"schema {str(parsed['name'])[:80]!r} lacks the fields {missing}")
    for field in parsed["fields"]:
        name, inside = field["name"], (parsed["name"],)
        if not _bounded(field["type"], arrays=name not in (*HEAD, *CUTOUTS), inside=inside):
            raise Reject(Reason.UNKNOWN_SCHEMA, f"field {name[:80]!r} of the schema is of a type that no alert has")
    slim = {**parsed, "fields": [f for f in parsed["fields"] if f["name"] in (*HEAD, *CUTOUTS)]}
    return Plan(parsed["name"], schema.json, parsed, _whole(slim, parsed), _head_of(parsed, names))


def _head_of(parsed: Any, names: list[str]) -> Any | None:
    if tuple(names[: len(HEAD)]) != HEAD or tuple(names[-3:]) != CUTOUTS:
        return None
    cutout_type = parsed["fields"][-3]["type"]
    options = cutout_type if isinstance(cutout_type, list) else []
    if len(options) != 2 or options[0] != "null" or _leaf_names(options[1]) != ["fileName", "stampData"]:
        return None
    return _whole({**parsed, "fields": parsed["fields"][: len(HEAD)]}, parsed)


def part_of(parsed: Any, names: Collection[str]) -> Any:
    """Return the schema of some of a record's fields, parsed."""
    return _whole({**parsed, "fields": [f for f in parsed["fields"] if f["name"] in names]}, parsed)


def _leaf_names(schema: Any) -> list[str]:
    return [field["name"] for field in schema.get("fields", [])] if isinstance(schema, dict) else []


def _whole(part: dict[str, Any], parsed: Any) -> Any:
    """Return a schema cut out of a parsed one, parsed again on its own, with the named types it lost."""
    definitions = {definition["name"]: definition for definition in _definitions(parsed)}
    clean = _inlined(part, definitions, set())
    return fastavro.parse_schema(clean, named_schemas={})


def _definitions(schema: Any) -> Iterator[dict[str, Any]]:
    if isinstance(schema, list):
        for option in schema:
            yield from _definitions(option)
    elif isinstance(schema, dict):
        if "name" in schema and "fields" in schema:
            yield schema
            for field in schema["fields"]:
                yield from _definitions(field["type"])
        elif schema.get("type") == "array":
            yield from _definitions(schema["items"])


def _inlined(schema: Any, definitions: dict[str, dict[str, Any]], seen: set[str]) -> Any:
    """Return the schema with each named type defined where it first occurs and fastavro's own marks removed."""
    if isinstance(schema, list):
        return [_inlined(option, definitions, seen) for option in schema]
    if isinstance(schema, str):
        return (
            _inlined(definitions[schema], definitions, seen) if schema in definitions and schema not in seen else schema
        )
    out = {key: value for key, value in schema.items() if not key.startswith("__")}
    if "fields" in out:
        if out["name"] in seen:
            return out["name"]
        seen.add(out["name"])
        out["fields"] = [{**field, "type": _inlined(field["type"], definitions, seen)} for field in out["fields"]]
    elif out.get("type") == "array":
        out["items"] = _inlined(out["items"], definitions, seen)
    return out


def _bounded(schema: Any, *, arrays: bool, inside: tuple[str, ...] = ()) -> bool:
    """Return whether a value takes no more time and depth than its bytes allow.

    Each part of it has to cost a byte at least, or an array may declare 2**60 of them: no null outside a union, no
    empty record. No type may hold itself, and arrays (of records) are for the history alone.
    """
    if isinstance(schema, list):
        return all(option == "null" or _bounded(option, arrays=arrays, inside=inside) for option in schema)
    if isinstance(schema, str):
        return schema != "null" and schema not in inside
    if "fields" in schema:
        inside = (*inside, schema["name"])
        kinds = [field["type"] for field in schema["fields"]]
        return (
            len(kinds) > 0 and len(inside) < _DEEPEST and all(_bounded(k, arrays=arrays, inside=inside) for k in kinds)
        )
    if schema.get("type") == "array":
        return arrays and "fields" in schema["items"] and _bounded(schema["items"], arrays=True, inside=inside)
    return schema.get("type") in _PRIMITIVES


# ------------------------------------------------------------------------------------------------------- the fast way


class _UnusualError(Exception):
    """The block is not what surveys send; the slow way reads it."""


def _fast(data: bytes, count: int, head: Any) -> list[tuple[Record, int, int]]:
    """Return each record, where it starts, and where its cutouts do."""
    stream, end, records = io.BytesIO(data), 0, []
    for _ in range(count):
        start = end
        stream.seek(start)
        record: Record = fastavro.schemaless_reader(stream, head, None)
        cutouts = end = _first_cutout(data, stream.tell())
        for name in CUTOUTS:
            record[name], end = _cutout(data, end)
        records.append((record, start, cutouts))
    if end != len(data):
        raise _UnusualError
    return records


def _first_cutout(data: bytes, start: int) -> int:
    """Return where the first cutout's union tag stands: before its file name, its length and its gzip bytes."""
    gzip = data.find(_GZIP, start)
    if gzip <= start:
        raise _UnusualError
    name_end = gzip - 1
    while data[name_end - 1] >= 0x80:  # the length's earlier bytes; a file name is ASCII
        name_end -= 1
    earliest = max(start, name_end - _LONGEST_NAME)
    tag = data.rfind(b"\x02", earliest, name_end)
    while tag >= 0:
        size, name = _long(data, tag + 1)
        if name + size == name_end:
            return tag
        tag = data.rfind(b"\x02", earliest, tag)
    raise _UnusualError


def _cutout(data: bytes, at: int) -> tuple[dict[str, Any], int]:
    if data[at] != 2:
        raise _UnusualError
    size, at = _long(data, at + 1)
    name, at = data[at : at + size], at + size
    size, at = _long(data, at)
    stamp = data[at : at + size]
    if size <= 0 or len(stamp) < size or not stamp.startswith(_GZIP):
        raise _UnusualError
    return {"fileName": name.decode("utf-8"), "stampData": stamp}, at + size


def _long(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (value >> 1) ^ -(value & 1), at
        shift += 7
        if shift > 63:
            raise _UnusualError
