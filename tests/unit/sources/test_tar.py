"""sources.tar: members in order and in bounded memory, damage in its place."""

import io
import tarfile
from collections.abc import Sequence

import pytest

from skystamp.errors import Reason, Reject
from skystamp.sources import tar

SIZES = (1000, 512, 0, 3000)


def archive(names: Sequence[str], form: int = tarfile.GNU_FORMAT, sizes: Sequence[int] = SIZES) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as file:
        for i, (name, size) in enumerate(zip(names, sizes, strict=True)):
            info = tarfile.TarInfo(name)
            info.size = size
            file.addfile(info, io.BytesIO(bytes([i + 1]) * size))
    return out.getvalue()


NAMES = ("night/1.avro", "night/2.avro", "night/3.avro", "night/4.avro")


def read(data: bytes, **limits: int) -> list[tar.Member | Reject]:
    return list(tar.members(io.BytesIO(data), **limits))


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_members_come_in_order_with_their_bytes(form: int) -> None:
    members = read(archive(NAMES, form))

    expected = [tar.Member(name, bytes([i + 1]) * SIZES[i]) for i, name in enumerate(NAMES)]
    assert members == expected


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names_belong_to_the_member_after_their_header(form: int) -> None:
    names = ["x" * 300 + ".avro", "short.avro"]

    members = read(archive(names, form, (10, 20)))

    assert [m.name for m in members if isinstance(m, tar.Member)] == names


def test_folders_and_links_are_passed_over() -> None:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as file:
        folder, link, real = tarfile.TarInfo("night"), tarfile.TarInfo("link.avro"), tarfile.TarInfo("a.avro")
        folder.type, link.type, link.linkname = tarfile.DIRTYPE, tarfile.SYMTYPE, "a.avro"
        for info in (folder, link, real):
            file.addfile(info, io.BytesIO())

    assert read(out.getvalue()) == [tar.Member("a.avro", b"")]


def test_a_member_over_the_limit_is_too_large_and_the_next_is_read() -> None:
    members = read(archive(NAMES), largest=1000)

    assert [m.reason if isinstance(m, Reject) else m.name for m in members] == [*NAMES[:3], Reason.TOO_LARGE]


@pytest.mark.parametrize("length", [100, 600, 1536, 2000, 3500, 4000])
def test_an_archive_that_ends_early_keeps_what_came_before_and_says_so(length: int) -> None:
    whole = read(archive(NAMES))

    members = read(archive(NAMES)[:length])

    assert members[:-1] == whole[: len(members) - 1]
    assert isinstance(members[-1], Reject)
    assert members[-1].reason is Reason.DAMAGED_ARCHIVE


def test_an_archive_cut_between_two_members_is_known_to_be_cut() -> None:
    cut = archive(NAMES)[: 512 + 1024]  # header and padded data of the first

    members = read(cut)

    assert [m.reason if isinstance(m, Reject) else m.name for m in members] == [NAMES[0], Reason.DAMAGED_ARCHIVE]


def test_a_damaged_header_costs_one_reject_and_its_member() -> None:
    data = bytearray(archive(NAMES))
    data[1536] ^= 0xFF  # the name in the second header: its checksum fails

    members = read(bytes(data))

    kinds = [m.reason if isinstance(m, Reject) else m.name for m in members]
    assert kinds == [NAMES[0], Reason.DAMAGED_ARCHIVE, *NAMES[2:]]


def test_a_huge_extended_header_is_not_read_into_memory() -> None:
    info = tarfile.TarInfo("././@LongLink")
    info.type, info.size = tarfile.GNUTYPE_LONGNAME, (1 << 33) - 1

    members = read(info.tobuf() + b"x" * 2048, largest=1 << 20)

    assert [m.reason for m in members if isinstance(m, Reject)] == [Reason.DAMAGED_ARCHIVE]
