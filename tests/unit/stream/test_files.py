"""stream.files: folders and archives as a feed that resumes where it stopped."""

import gzip
import io
import json
import tarfile
from pathlib import Path

import pytest

from skystamp import avro, sources
from skystamp.errors import Reason, Reject
from skystamp.sources.feeds import Message
from skystamp.stream import FileFeed, Journal
from tests import making


def tar(path: Path, files: dict[str, bytes]) -> None:
    with tarfile.open(path, "w:gz") as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))


@pytest.fixture
def night(tmp_path: Path) -> Path:
    folder = tmp_path / "night"
    folder.mkdir()
    for i in range(3):
        (folder / f"{i}.avro").write_bytes(making.packet(making.record(i)))
    tar(folder / "b.tar.gz", {f"{i}.avro": making.packet(making.record(10 + i)) for i in range(4)})
    (folder / "c.avro.gz").write_bytes(gzip.compress(making.packet(making.record(20))))
    return folder


def feed_of(folder: Path, state: Path | None = None) -> FileFeed:
    return FileFeed(sources.find([folder]), None if state is None else Journal(state))


def drain(feed: FileFeed, most: int = 100) -> list[Message]:
    messages: list[Message] = []
    while not feed.ended() and len(messages) < most:
        messages += feed.read(most - len(messages), 0.0, lambda _: None)
    return messages


def data(messages: list[Message]) -> list[bytes | Reject]:
    return [message.data for message in messages]


EXPECTED = [making.packet(making.record(i)) for i in (0, 1, 2, 10, 11, 12, 13, 20)]


def test_packets_come_in_order_as_they_are(night: Path) -> None:
    assert data(drain(feed_of(night))) == EXPECTED


@pytest.mark.parametrize("stop", range(9))
def test_a_stopped_feed_goes_on_at_the_first_message_that_is_not_answered(
    night: Path, tmp_path: Path, stop: int
) -> None:
    feed = feed_of(night, tmp_path / "state")
    messages = drain(feed, 100)
    feed.answered(messages[:stop])
    feed.close()

    again = feed_of(night, tmp_path / "state")

    assert data(drain(again)) == EXPECTED[stop:]
    again.close()


def test_what_was_answered_out_of_order_is_read_again_from_the_first_gap(night: Path, tmp_path: Path) -> None:
    feed = feed_of(night, tmp_path / "state")
    messages = drain(feed)
    feed.answered(messages[4:])
    feed.answered(messages[:3])
    feed.save()
    feed.close()

    again = feed_of(night, tmp_path / "state")

    assert data(drain(again)) == EXPECTED[3:7]
    again.close()


def test_files_that_come_later_are_read_wherever_they_sort(night: Path, tmp_path: Path) -> None:
    feed = feed_of(night, tmp_path / "state")
    feed.answered(drain(feed))
    feed.close()
    (night / "0a.avro").write_bytes(making.packet(making.record(50)))

    again = feed_of(night, tmp_path / "state")

    assert data(drain(again)) == [making.packet(making.record(50))]
    again.close()


def test_a_large_container_comes_in_parts_and_resumes_within(tmp_path: Path) -> None:
    blocks = [(20, making.body(*[making.record(20 * i + j) for j in range(20)])) for i in range(10)]
    path = tmp_path / "all.avro"
    path.write_bytes(making.raw_container(making.SCHEMA_FILE.read_text(), blocks))
    feed = FileFeed(sources.find([path]), Journal(tmp_path / "state"))

    messages = drain(feed, 1000)
    feed.answered(messages[:1])
    feed.close()
    again = FileFeed(sources.find([path]), Journal(tmp_path / "state"))

    assert len(messages) > 2
    assert sum(message.packets for message in messages) == 200
    assert data(drain(again, 1000)) == data(messages[1:])
    again.close()


def test_damage_is_a_message_that_tells_it_or_travels_as_it_is(tmp_path: Path) -> None:
    tar(tmp_path / "a.tar.gz", {f"{i}.avro": making.packet(making.record(i)) for i in range(40)})
    whole = (tmp_path / "a.tar.gz").read_bytes()
    (tmp_path / "a.tar.gz").write_bytes(whole[: len(whole) * 9 // 10])
    (tmp_path / "b.avro").write_bytes(b"junk")
    (tmp_path / "c.avro.gz").write_bytes(b"no gzip")

    messages = drain(feed_of(tmp_path))

    faults = [message.data for message in messages if isinstance(message.data, Reject)]
    assert [fault.reason for fault in faults] == [Reason.DAMAGED_ARCHIVE] * 2
    assert b"junk" in data(messages)
    assert making.packet(making.record(0)) in data(messages)


def test_a_held_feed_gives_nothing_and_loses_nothing(night: Path) -> None:
    feed = feed_of(night)
    first = feed.read(2, 0.0, lambda _: None)

    feed.hold(True)
    held = feed.read(100, 0.0, lambda _: None)
    feed.hold(False)

    assert (len(first), held, feed.ended()) == (2, [], False)
    assert data(first + drain(feed)) == EXPECTED


def test_a_file_that_is_named_twice_is_read_once(night: Path) -> None:
    feed = FileFeed(sources.find([night / "0.avro", night / "0.avro"]))

    assert len(drain(feed)) == 1
    assert feed.lag() == {}


def test_a_read_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skystamp.stream.files._READ", 100_000)
    for i in range(20):
        (tmp_path / f"{i:02d}.avro").write_bytes(making.packet(making.record(i)))
    feed = feed_of(tmp_path)

    assert len(feed.read(1000, 0.0, lambda _: None)) < 5


@pytest.mark.parametrize("cut", [-2000, -5])
def test_of_a_small_gzip_that_ends_early_the_whole_packets_are_sent_and_one_rejection_stands_for_the_rest(
    tmp_path: Path, cut: int
) -> None:
    packed = gzip.compress(
        making.raw_container(json.dumps(making.schema_json()), [(1, making.body(making.record(i))) for i in range(4)])
    )
    (tmp_path / "a.avro.gz").write_bytes(packed[:cut])

    messages = drain(feed_of(tmp_path))

    whole, fault = data(messages)
    assert isinstance(whole, bytes)
    assert [item.record["candid"] for item in avro.read(whole) if not isinstance(item, Reject)] == [
        making.CANDIDATE["candid"] + i for i in range(3 if cut < -100 else 4)
    ]
    assert isinstance(fault, Reject)
    assert fault.reason is Reason.DAMAGED_ARCHIVE
