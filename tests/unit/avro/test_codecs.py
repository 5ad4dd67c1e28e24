"""Each codec unpacks what it packed, and never more than it may."""

import bz2
import lzma
import tracemalloc
import zlib

import cramjam
import pytest
import zstandard

from skystamp.avro import codecs
from skystamp.errors import Reason, Reject

DATA = bytes(range(256)) * 40


def deflate(data):
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


def snappy(data):
    return bytes(cramjam.snappy.compress_raw(data)) + zlib.crc32(data).to_bytes(4, "big")


PACK = {
    "null": bytes,
    "deflate": deflate,
    "snappy": snappy,
    "zstandard": zstandard.ZstdCompressor().compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
}
PACKED = [name for name in codecs.NAMES if name != "null"]


def rejected(codec, data, limit=1 << 20):
    with pytest.raises(Reject) as caught:
        codecs.unpack(codec, data, limit)
    return caught.value


def test_every_codec_is_tested():
    assert set(PACK) == set(codecs.NAMES)


@pytest.mark.parametrize("codec", codecs.NAMES)
@pytest.mark.parametrize("data", [DATA, b"", b"x"], ids=["data", "nothing", "one byte"])
def test_block_unpacks_to_what_was_packed(codec, data):
    assert codecs.unpack(codec, PACK[codec](data), 1 << 20) == data


@pytest.mark.parametrize("codec", codecs.NAMES)
def test_block_may_be_as_large_as_the_limit(codec):
    assert codecs.unpack(codec, PACK[codec](DATA), len(DATA)) == DATA


@pytest.mark.parametrize("codec", codecs.NAMES)
def test_block_one_byte_over_the_limit_is_too_large(codec):
    assert rejected(codec, PACK[codec](DATA), len(DATA) - 1).reason is Reason.TOO_LARGE


@pytest.mark.parametrize("codec", PACKED)
@pytest.mark.parametrize("cut", [0, 1, 5, -5, -1])
def test_block_that_ends_early_is_truncated(codec, cut):
    packed = PACK[codec](DATA)

    assert rejected(codec, packed[:cut]).reason is Reason.TRUNCATED_AVRO


@pytest.mark.parametrize("codec", PACKED)
def test_block_of_other_bytes_is_truncated(codec):
    assert rejected(codec, b"these are not packed data at all").reason in (Reason.TRUNCATED_AVRO, Reason.TOO_LARGE)


@pytest.mark.parametrize("codec", PACKED)
def test_bomb_is_too_large_before_it_takes_memory(codec):
    bomb, limit = PACK[codec](bytes(50_000_000)), 1 << 20

    tracemalloc.start()
    reason = rejected(codec, bomb, limit).reason
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert reason is Reason.TOO_LARGE
    assert peak < 16 * limit


def test_snappy_length_that_lies_is_too_large_or_truncated():
    huge = b"\xff\xff\xff\xff\x0f" + b"x" * 20

    assert rejected("snappy", huge).reason is Reason.TOO_LARGE


def test_wrong_snappy_checksum_is_truncated():
    packed = snappy(DATA)

    assert rejected("snappy", packed[:-4] + b"\x00\x00\x00\x00").reason is Reason.TRUNCATED_AVRO


def test_zstandard_window_of_gigabytes_is_refused():
    packed = zstandard.ZstdCompressor(
        compression_params=zstandard.ZstdCompressionParameters(window_log=30)
    ).compressobj()
    data = packed.compress(bytes(1000)) + packed.flush()

    assert rejected("zstandard", data).reason is Reason.TRUNCATED_AVRO


def streamed(data):
    """Return a zstandard frame that does not state its size."""
    packer = zstandard.ZstdCompressor().compressobj()
    return packer.compress(data) + packer.flush()


def test_zstandard_frame_of_unstated_size_is_unpacked():
    assert codecs.unpack("zstandard", streamed(DATA), 1 << 20) == DATA


@pytest.mark.parametrize("cut", [1, 5, -5, -1])
def test_zstandard_frame_of_unstated_size_that_ends_early_is_truncated(cut):
    assert rejected("zstandard", streamed(DATA)[:cut]).reason is Reason.TRUNCATED_AVRO


def test_xz_dictionary_of_gigabytes_is_refused():
    packed = lzma.compress(DATA, filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 27}])

    assert rejected("xz", packed).reason is Reason.TRUNCATED_AVRO
