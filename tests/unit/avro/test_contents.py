"""A record's bytes without its pixels give the whole record back, history and all, however it was written."""

import pytest

from skystamp import avro
from skystamp.avro.records import Content
from skystamp.errors import Reason, Reject
from tests import making


def content_of(data: bytes) -> list[Content]:
    return [item.content for item in avro.read(data, contents=True)]


@pytest.mark.parametrize("codec", ["null", "deflate"])
def test_record_comes_back_with_its_history_and_without_pixels(codec):
    records = [making.record(i, prv_candidates=making.history(i)) for i in range(3)]

    found = [avro.record_of(one) for one in content_of(making.packet(*records, codec=codec))]

    assert [len(one["prv_candidates"]) for one in found] == [0, 1, 2]
    assert [one["candid"] for one in found] == [one["candid"] for one in records]
    assert not any("cutoutScience" in one for one in found)
    assert found[2]["candidate"]["magpsf"] == records[2]["candidate"]["magpsf"]


def test_pixels_are_no_part_of_it():
    data = making.packet(making.record())

    (found,) = content_of(data)

    assert not found.whole
    assert making.cutout(0) not in found.data
    assert len(found.data) < 1000


def test_record_of_an_unusual_packet_comes_back_too():
    unusual = making.record()
    unusual["cutoutScience"] = None

    (found,) = content_of(making.packet(unusual))

    assert found.whole
    assert avro.record_of(found)["objectId"] == unusual["objectId"]


def test_contents_are_not_kept_unless_asked_for():
    assert [item.content for item in avro.read(making.packet())] == [None]


def test_what_is_packed_comes_back_and_a_bomb_does_not():
    (found,) = content_of(making.packet(making.record(prv_candidates=making.history(9))))

    assert avro.unpacked(avro.packed(found.data)) == found.data
    with pytest.raises(Reject, match="at most"):
        avro.unpacked(avro.packed(bytes(1 << 23)))


def test_damage_in_the_history_is_told_when_it_is_read():
    (found,) = content_of(making.packet(making.record(prv_candidates=making.history(9))))

    with pytest.raises(Reject) as told:
        avro.record_of(Content(found.data[:-60], found.schema))

    assert told.value.reason is Reason.TRUNCATED_AVRO


@pytest.mark.parametrize("whole", [False, True])
def test_a_head_is_the_record_without_history_and_pixels(whole):
    record = making.record(1, prv_candidates=making.history(2))
    data = making.body(record) if whole else content_of(making.packet(record))[0].data
    content = Content(data, content_of(making.packet(record))[0].schema, whole)

    head, found = avro.head_of(content), avro.record_of(content)

    assert head["candidate"] == found["candidate"]
    assert "cutoutScience" not in head
    assert ("prv_candidates" in head) == whole


def test_a_damaged_head_is_told():
    (content,) = content_of(making.packet(making.record()))

    with pytest.raises(Reject) as raised:
        avro.head_of(Content(content.data[:20], content.schema))

    assert raised.value.reason is Reason.TRUNCATED_AVRO
