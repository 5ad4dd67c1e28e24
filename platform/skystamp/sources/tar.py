"""A tar archive as a stream -> its members' bytes, one after the other, in bounded memory.

    512 bytes of header │ data, padded to 512 │ header │ data │ ... │ two blocks of zeros

Our own loop around the standard library's header, because `tarfile` keeps every member it has seen (a night has a
million), trusts the sizes that extended headers declare, and ends at the first damaged header. Here a damaged header
costs one `Reject`, and reading goes on at the next block that is a header.
"""

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass

from skystamp.avro import Stream
from skystamp.errors import Reason, Reject

LARGEST_MEMBER = 1 << 28  # bytes; a night's packets have 6e4
_LARGEST_NAME = 1 << 16  # bytes of an extended header
_BLOCK = 512
_CHUNK = 1 << 20

_NAMING = (tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE)
_PASSED = (
    *(tarfile.GNUTYPE_LONGLINK, tarfile.XGLTYPE, tarfile.DIRTYPE, tarfile.LNKTYPE, tarfile.SYMTYPE),
    *(tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE),
)


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an archive."""

    name: str
    data: bytes


class _EndsEarlyError(Exception):
    """The stream ended inside a member."""


def members(stream: Stream, *, largest: int = LARGEST_MEMBER) -> Iterator[Member | Reject]:
    """Yield each file of the archive in order, or the `Reject` of what stands in its place.

    TOO_LARGE for a file of more than `largest` bytes; DAMAGED_ARCHIVE where headers are damaged or the archive ends
    before its mark. Folders and links are passed over.
    """
    try:
        yield from _walk(stream, largest)
    except _EndsEarlyError:
        yield Reject(Reason.DAMAGED_ARCHIVE, "the tar archive ends early")


def _walk(stream: Stream, largest: int) -> Iterator[Member | Reject]:
    long_name, damaged = "", False
    while (header := _header(stream)) != "end":
        if isinstance(header, str):
            if not damaged:
                yield Reject(Reason.DAMAGED_ARCHIVE, "a header of the tar archive is damaged")
            damaged, long_name = True, ""
            continue
        damaged = False
        if header.type in _NAMING and header.size <= _LARGEST_NAME:
            long_name = _named(header, _data(stream, header.size)) or long_name
        elif header.type in _PASSED:
            _pass(stream, header.size)
        else:
            yield _file(stream, header, long_name or header.name, largest)
            long_name = ""


def _header(stream: Stream) -> tarfile.TarInfo | str:
    """Return the next header, ``"end"`` at the archive's mark, or ``"damaged"``."""
    block = stream.read(_BLOCK)
    if len(block) < _BLOCK:
        raise _EndsEarlyError
    if not any(block):
        return "end"
    try:
        header = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
    except tarfile.HeaderError:
        return "damaged"
    return header if header.size >= 0 else "damaged"


def _file(stream: Stream, header: tarfile.TarInfo, name: str, largest: int) -> Member | Reject:
    if header.size > largest:
        _pass(stream, header.size)
        return Reject(Reason.TOO_LARGE, f"{name[:200]} should have at most {largest} bytes. Received: {header.size}")
    return Member(name, _data(stream, header.size))


def _data(stream: Stream, size: int) -> bytes:
    padded = size + -size % _BLOCK
    data = stream.read(padded)
    if len(data) < padded:
        raise _EndsEarlyError
    return data[:size]


def _pass(stream: Stream, size: int) -> None:
    left = size + -size % _BLOCK
    while left:
        got = len(stream.read(min(left, _CHUNK)))
        if not got:
            raise _EndsEarlyError
        left -= got


def _named(header: tarfile.TarInfo, data: bytes) -> str:
    """Return the name that an extended header gives the next member: GNU's own, or ``path`` of a pax header."""
    if header.type == tarfile.GNUTYPE_LONGNAME:
        return data.rstrip(b"\0").decode("utf-8", "surrogateescape")
    fields = (line.partition(b" ")[2].partition(b"=") for line in data.split(b"\n"))
    return next((value.decode("utf-8", "surrogateescape") for key, _, value in fields if key == b"path"), "")
