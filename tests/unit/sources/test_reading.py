"""sources.reading: the same records by every way that packets travel, and damage in its place."""

import gzip
import io
import logging
import tarfile
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from skystamp import avro, sources, synthetic
from skystamp.avro import Decoded
from skystamp.errors import Reason, Reject


def tar_of(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as file:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            file.addfile(info, io.BytesIO(data))
    return out.getvalue()


def read(*paths: Path | str, history: bool = False) -> list[Decoded | Reject]:
    return [r for source in sources.find(paths).sources for r in sources.records(source, history=history)]


def identities(outcomes: list[Decoded | Reject]) -> list[int | Reason]:
    return [o.reason if isinstance(o, Reject) else o.record["candid"] for o in outcomes]


@pytest.fixture(scope="module")
def candids(packets: list[bytes]) -> list[int | Reason]:
    return identities([next(iter(avro.read(packet))) for packet in packets])


@pytest.fixture
def night(tmp_path: Path, packets: list[bytes]) -> Path:
    """Return a folder with the same three packets in every form."""
    single = {f"{i}.avro": packet for i, packet in enumerate(packets)}
    records = [next(iter(avro.read(packet, history=True))) for packet in packets]
    container = io.BytesIO()
    avro.write(container, [r.record for r in records if isinstance(r, Decoded)], synthetic.schema(), codec="snappy")
    forms = {
        "container.avro": container.getvalue(),
        "container.avro.gz": gzip.compress(container.getvalue()),
        "night.tar": tar_of(single),
        "night.tar.gz": gzip.compress(tar_of(single)),
        "night.tgz": gzip.compress(tar_of({f"{name}.gz": gzip.compress(data) for name, data in single.items()})),
    }
    for name, data in {**forms, **single}.items():
        (tmp_path / name).write_bytes(data)
    return tmp_path


@pytest.mark.parametrize(
    "name", ["container.avro", "container.avro.gz", "night.tar", "night.tar.gz", "night.tgz"], ids=str
)
def test_every_form_gives_the_same_records_in_order(night: Path, candids: list[int], name: str) -> None:
    assert identities(read(night / name)) == candids


def test_a_folder_of_any_mix_gives_all_of_them_in_the_order_of_the_names(night: Path, candids: list[int]) -> None:
    assert identities(read(night)) == candids * 6


def test_history_is_kept_on_request(night: Path) -> None:
    slim, whole = read(night / "night.tar.gz"), read(night / "night.tar.gz", history=True)

    assert isinstance(slim[0], Decoded)
    assert isinstance(whole[0], Decoded)
    assert "prv_candidates" not in slim[0].record
    assert "prv_candidates" in whole[0].record


def test_a_damaged_member_costs_itself_alone(tmp_path: Path, packets: list[bytes], candids: list[int]) -> None:
    files = {"0.avro": packets[0], "1.avro": b"not avro", "2.avro.gz": gzip.compress(packets[1])[:-2000]}
    (tmp_path / "n.tar").write_bytes(tar_of({**files, "3.avro": packets[2]}))

    found = identities(read(tmp_path))

    assert found == [candids[0], Reason.NOT_AVRO, Reason.DAMAGED_ARCHIVE, candids[2]]


@pytest.mark.parametrize("kept", [0.5, 0.9, 0.999])
def test_a_gzip_that_ends_early_keeps_what_came_before(night: Path, candids: list[int], kept: float) -> None:
    whole = (night / "night.tar.gz").read_bytes()
    (night / "cut.tar.gz").write_bytes(whole[: int(len(whole) * kept)])

    found = identities(read(night / "cut.tar.gz"))

    assert found[-1] is Reason.DAMAGED_ARCHIVE
    assert found[:-1] == candids[: len(found) - 1]


def test_a_container_cut_short_of_the_buffer_keeps_its_whole_packets(night: Path, candids: list[int]) -> None:
    whole = io.BytesIO()
    for packet in (night / f"{i}.avro" for i in range(3)):
        with gzip.GzipFile(fileobj=whole, mode="wb") as member:
            member.write(packet.read_bytes())
    (night / "cut.tar.gz").write_bytes(gzip.compress((night / "night.tar").read_bytes())[:-3000])
    (night / "cut.avro.gz").write_bytes((night / "container.avro.gz").read_bytes()[:-12])

    archive, container = identities(read(night / "cut.tar.gz")), identities(read(night / "cut.avro.gz"))

    assert archive == [*candids[:2], Reason.DAMAGED_ARCHIVE]
    assert container[-1] is Reason.DAMAGED_ARCHIVE


def test_what_is_no_gzip_by_its_name_is_a_reject(tmp_path: Path) -> None:
    (tmp_path / "a.tar.gz").write_bytes(b"this is no gzip file")

    assert identities(read(tmp_path)) == [Reason.DAMAGED_ARCHIVE]


def test_members_that_are_no_alert_files_are_named_once(
    tmp_path: Path, packets: list[bytes], candids: list[int], caplog: pytest.LogCaptureFixture
) -> None:
    files = {"README": b"read me", "a.json": b"{}", "misnamed.bin": packets[0]}
    (tmp_path / "n.tar").write_bytes(tar_of(files))

    with caplog.at_level(logging.WARNING):
        found = identities(read(tmp_path))

    assert found == candids[:1]
    assert [r.getMessage() for r in caplog.records] == [
        "n.tar: 2 members are no alert files and were passed over: README, a.json"
    ]


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def server(night: Path) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(night))) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def test_an_archive_behind_a_url_is_streamed(server: str, night: Path, candids: list[int]) -> None:
    found = sources.find([f"{server}/night.tar.gz"])

    assert found.size == (night / "night.tar.gz").stat().st_size
    assert identities(list(sources.records(found.sources[0]))) == candids
