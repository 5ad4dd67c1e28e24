"""sources.unpacking: the bytes inside a gzip file, whatever the reads, and damage that costs none before it."""

import gzip
import io
import random

import pytest

from skystamp.sources.unpacking import DamagedStreamError, Unpacked

DATA = random.Random(3).randbytes(3 << 20)


def all_of(stream: Unpacked, sizes: list[int]) -> bytes:
    found, each = [], iter(sizes * 10_000)
    while data := stream.read(next(each)):
        found.append(data)
    return b"".join(found)


@pytest.mark.parametrize("sizes", [[-1], [1000], [1 << 20], [1, 7, 100_000], [5 << 20]], ids=str)
def test_reads_of_any_size_give_the_same_bytes(sizes: list[int]) -> None:
    assert all_of(Unpacked(io.BytesIO(gzip.compress(DATA, 1))), sizes) == DATA


def test_members_one_after_the_other_are_one_stream() -> None:
    packed = gzip.compress(b"first ") + gzip.compress(b"second")

    assert Unpacked(io.BytesIO(packed)).read() == b"first second"


@pytest.mark.parametrize("size", [10, 1000, 1 << 20])
def test_of_a_file_that_ends_early_all_that_came_before_is_given(size: int) -> None:
    packed = gzip.compress(DATA[:500_000], 1)
    stream = Unpacked(io.BytesIO(packed[: len(packed) // 2]))
    found: list[bytes] = []

    with pytest.raises(DamagedStreamError, match="end") as fault:
        found.extend(iter(lambda: stream.read(size), None))

    whole = b"".join([*found, fault.value.before])
    assert 240_000 < len(whole) < 250_100
    assert DATA.startswith(whole)


def test_a_wrong_checksum_is_damage_after_all_bytes() -> None:
    packed = bytearray(gzip.compress(b"all of it"))
    packed[-6] ^= 1

    with pytest.raises(DamagedStreamError, match="CRC") as fault:
        Unpacked(io.BytesIO(bytes(packed))).read()

    assert fault.value.before == b"all of it"


def test_what_is_no_gzip_is_damage_from_the_first_byte() -> None:
    with pytest.raises(DamagedStreamError) as fault:
        Unpacked(io.BytesIO(b"no gzip")).read(4)

    assert fault.value.before == b""
