"""The public face of `avro`: packets are written and read, and no bytes raise."""

import io

import fastavro
import pytest

from skystamp import avro
from skystamp.avro import Decoded, Limits
from skystamp.errors import Reason, Reject
from tests import making


def test_packet_is_written_and_read():
    record = making.record(2, prv_candidates=making.history(3))
    packet = avro.encode(record, making.schema())

    (item,) = avro.read(packet, history=True)

    assert isinstance(item, Decoded)
    assert item.schema == "ztf.alert"
    assert item.record == next(fastavro.reader(io.BytesIO(packet)))


def test_history_is_left_out_unless_asked_for():
    packet = avro.encode(making.record(prv_candidates=making.history(3)), making.schema())

    (slim,) = avro.read(packet)

    assert "prv_candidates" not in slim.record
    assert "cutoutScience" in slim.record


@pytest.mark.parametrize("codec", ["null", "deflate", "snappy", "zstandard", "bzip2", "xz"])
def test_written_container_says_its_codec_and_is_read(codec):
    data = making.container([making.record(0), making.record(1)], codec=codec)

    assert codec.encode() in data[: data.index(making.SYNC)]
    assert [item.record["candid"] for item in avro.read(data)] == [making.record(i)["candid"] for i in range(2)]


def test_schema_is_parsed_without_touching_other_schemas():
    first = avro.parse_schema({"type": "record", "name": "same", "fields": [{"name": "a", "type": "int"}]})
    second = avro.parse_schema({"type": "record", "name": "same", "fields": [{"name": "b", "type": "string"}]})

    assert [schema["fields"][0]["name"] for schema in (first, second)] == ["a", "b"]


def test_limits_are_the_callers():
    packet = avro.encode(making.record(), making.schema())

    (reject,) = avro.read(packet, limits=Limits(block=10_000))

    assert isinstance(reject, Reject)
    assert reject.reason is Reason.TOO_LARGE
