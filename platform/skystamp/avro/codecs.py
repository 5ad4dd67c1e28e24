"""The codecs of Avro blocks, each as a function that unpacks at most so many bytes.

Sizes are bounded before memory is taken: a block may declare anything.
"""

import bz2
import lzma
import zlib
from collections.abc import Callable
from typing import Any, cast

import cramjam
import zstandard
from isal import isal_zlib

from skystamp.errors import Reason, Reject

NAMES = ("null", "deflate", "snappy", "zstandard", "bzip2", "xz")

_WORKING_MEMORY = 1 << 27  # bytes that a codec may take beside its output


def unpack(codec: str, data: bytes, limit: int) -> bytes:
    """Return the bytes of a block that was packed with `codec` (one of `NAMES`).

    Raises
    ------
    Reject
        TOO_LARGE if they would be more than `limit`; TRUNCATED_AVRO if the packed data are damaged.
    """
    try:
        return _CODECS[codec](data, limit)
    except _ERRORS as error:
        raise Reject(Reason.TRUNCATED_AVRO, f"a {codec} block does not unpack: {error}") from error


def pack(codec: str, data: bytes) -> bytes:
    """Return the bytes of a block packed with a codec that fastavro can not write here: ``zstandard`` alone."""
    return _PACKERS[codec](data)


def _null(data: bytes, limit: int) -> bytes:
    _bound(len(data), limit)
    return data


def _stream(new: Callable[[], Any]) -> Callable[[bytes, int], bytes]:
    def unpack_stream(data: bytes, limit: int) -> bytes:
        decompressor = new()
        out: bytes = decompressor.decompress(data, limit + 1)
        _bound(len(out), limit)
        if not decompressor.eof:
            raise EOFError("the packed data end early")
        return out

    return unpack_stream


def _snappy(data: bytes, limit: int) -> bytes:
    body, checksum = data[:-4], data[-4:]
    _bound(cramjam.snappy.decompress_raw_len(body), limit)
    out = bytes(cramjam.snappy.decompress_raw(body))
    if zlib.crc32(out).to_bytes(4, "big") != checksum:
        raise ValueError("the checksum differs")
    return out


def _zstandard(data: bytes, limit: int) -> bytes:
    size = zstandard.frame_content_size(data)
    out: bytes = _zstd().stream_reader(data).read(limit + 1)
    _bound(len(out), limit)
    if (size >= 0 and len(out) != size) or (size < 0 and not _is_whole_frame(data)):
        raise EOFError("the packed data end early")
    return out


def _is_whole_frame(data: bytes) -> bool:
    """Return whether a zstandard frame of unstated size, which was seen to stay within the limit, is all there."""
    unpacker = _zstd().decompressobj()
    unpacker.decompress(data)
    return bool(unpacker.eof)


def _zstd() -> zstandard.ZstdDecompressor:
    return zstandard.ZstdDecompressor(max_window_size=_WORKING_MEMORY)


def _bound(size: int, limit: int) -> None:
    if size > limit:
        raise Reject(Reason.TOO_LARGE, f"a block should unpack to at most {limit} bytes")


_ERRORS: tuple[type[Exception], ...] = (
    EOFError,
    OSError,
    ValueError,
    cast("type[Exception]", isal_zlib.error),  # its stub says that it is an instance
    lzma.LZMAError,
    cramjam.DecompressionError,
    zstandard.ZstdError,
)

_PACKERS: dict[str, Callable[[bytes], bytes]] = {"zstandard": lambda data: zstandard.ZstdCompressor().compress(data)}

_CODECS: dict[str, Callable[[bytes, int], bytes]] = {
    "null": _null,
    "deflate": _stream(lambda: isal_zlib.decompressobj(-15)),
    "snappy": _snappy,
    "zstandard": _zstandard,
    "bzip2": _stream(bz2.BZ2Decompressor),
    "xz": _stream(lambda: lzma.LZMADecompressor(memlimit=_WORKING_MEMORY)),
}
