"""Containers of every codec, and containers that lie: each packet gives one outcome and nothing raises."""

import io
import resource
import zlib

import fastavro
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from skystamp import avro
from skystamp.avro import Decoded, Limits
from skystamp.errors import Reason, Reject
from tests import making

CODECS = ("null", "deflate", "snappy", "zstandard", "bzip2", "xz")
TINY = making.stamps.encode(making.image(0, (2, 2)))


def tiny(seed=0):
    """Return a record with cutouts of a few hundred bytes."""
    cutouts = {name: {"fileName": f"{name}.fits.gz", "stampData": TINY} for name in making.CUTOUTS}
    return making.record(seed, **cutouts)


def reasons(data, **options):
    return [item.reason if isinstance(item, Reject) else None for item in avro.read(data, **options)]


def schema_text():
    import json

    return json.dumps(making.schema_json())


def blocks_of(records, sizes, codec="null"):
    """Return a container with these records in blocks of these sizes."""
    rest, blocks = list(records), []
    for size in sizes:
        part, rest = rest[:size], rest[size:]
        data = making.body(*part)
        if codec == "deflate":
            packer = zlib.compressobj(wbits=-15)
            data = packer.compress(data) + packer.flush()
        blocks.append((len(part), data))
    return making.raw_container(schema_text(), blocks, codec=codec)


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("history", [False, True], ids=["slim", "with history"])
def test_container_of_each_codec_is_read_in_order(codec, history):
    records = [making.record(i, prv_candidates=making.history(i)) for i in range(12)]
    data = making.packet(*records, codec=codec)

    read = list(avro.read(data, history=history))

    assert [item.record["objectId"] for item in read] == [record["objectId"] for record in records]
    assert {item.schema for item in read} == {"ztf.alert"}
    assert [item.record for item in read] == [
        {key: value for key, value in record.items() if history or key not in ("prv_candidates", "fp_hists")}
        for record in fastavro.reader(io.BytesIO(making.packet(*records)))
    ]


@pytest.mark.parametrize("codec", [name for name in CODECS if name != "zstandard"])
def test_container_of_each_codec_is_read_by_fastavro(codec):
    assert len(list(fastavro.reader(io.BytesIO(making.packet(tiny(0), tiny(1), codec=codec))))) == 2


@pytest.mark.parametrize("sizes", [[1] * 6, [6], [2, 0, 3, 1], [5, 1]], ids=str)
@pytest.mark.parametrize("codec", ["null", "deflate"])
def test_records_may_stand_in_any_number_of_blocks(sizes, codec):
    read = list(avro.read(blocks_of([tiny(i) for i in range(6)], sizes, codec)))

    assert [item.record["candid"] for item in read] == [tiny(i)["candid"] for i in range(6)]


def test_many_records():
    data = making.container([tiny(i % 100) for i in range(2000)], codec="deflate")

    assert sum(isinstance(item, Decoded) for item in avro.read(data)) == 2000


def test_stream_is_read_block_by_block():
    data = blocks_of([making.record(i) for i in range(4)], [1, 1, 1, 1])
    stream = io.BytesIO(data)

    next(iter(avro.read(stream)))

    assert stream.tell() < len(data) // 2


def test_empty_container_is_a_packet_cut_after_its_header():
    assert reasons(making.container([])) == [Reason.TRUNCATED_AVRO]


def test_one_packet_is_written_and_read():
    record = tiny()

    (read,) = avro.read(avro.encode(record, making.schema()))

    assert read.record["candidate"]["magpsf"] == 18.5
    assert read.record["cutoutScience"] == record["cutoutScience"]


def test_equal_records_make_equal_files_with_a_given_marker():
    assert making.packet(tiny()) == making.packet(tiny())


@pytest.mark.parametrize("data", [b"", b"O", b"Obj", b"Obj\x02", b"hello, world", b"\x00" * 100], ids=repr)
def test_bytes_that_are_not_avro(data):
    assert reasons(data) == [Reason.NOT_AVRO]


@pytest.mark.parametrize("count", [1, 7, 300])
def test_each_record_of_an_unknown_schema_is_a_reject(count):
    schema = {"type": "record", "name": "other", "fields": [{"name": "a", "type": "int"}]}

    data = making.container([{"a": i} for i in range(count)], schema=fastavro.parse_schema(schema), codec="deflate")

    assert reasons(data) == [Reason.UNKNOWN_SCHEMA] * count


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "17", '"string"', '{"type": "recor', "\udcff" * 3, "[" * 100_000], ids=lambda t: t[:9]
)
def test_schema_that_is_none_is_unknown(text):
    data = making.raw_container(text.encode("utf-8", "surrogateescape"), [(2, making.body(tiny(), tiny()))])

    assert reasons(data) == [Reason.UNKNOWN_SCHEMA] * 2


def nested(depth):
    schema = {"type": "record", "name": "r0", "fields": [{"name": "a", "type": "int"}]}
    for i in range(1, depth):
        schema = {"type": "record", "name": f"r{i}", "fields": [{"name": "a", "type": schema}]}
    return schema


def with_field(schema):
    import json

    text = making.schema_json()
    text["fields"].insert(5, {"name": "extra", "type": schema})
    return json.dumps(text)


RECURSIVE = {"type": "record", "name": "tree", "fields": [{"name": "next", "type": ["null", "tree"]}]}
ENDLESS = {"type": "record", "name": "endless", "fields": [{"name": "next", "type": "endless"}]}


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "array", "items": "null"},
        {"type": "array", "items": {"type": "record", "name": "none", "fields": []}},
        {"type": "array", "items": {"type": "record", "name": "nulls", "fields": [{"name": "a", "type": "null"}]}},
        {"type": "array", "items": {"type": "array", "items": "null"}},
        ["null", {"type": "array", "items": "null"}],
        {"type": "map", "values": "null"},
        RECURSIVE,
        ENDLESS,
        nested(90),
        {"type": "fixed", "name": "huge", "size": 1 << 60},
    ],
    ids=[
        *("array of null", "array of nothing", "array of nulls", "array of arrays", "perhaps an array", "map"),
        *("recursive", "endless", "nested", "fixed"),
    ],
)
@pytest.mark.parametrize("history", [False, True], ids=["slim", "with history"])
def test_hostile_schema_raises_nothing_and_takes_no_memory(schema, history):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    huge = making.varint(1 << 50) * 4
    data = making.raw_container(with_field(schema), [(1, making.body(tiny())[:900] + huge + making.body(tiny()))])

    outcomes = list(avro.read(data, history=history))

    assert len(outcomes) == 1
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kB


def test_schema_nested_without_end_is_unknown():
    text = '{"type":"record","name":"a","fields":[{"name":"b","type":' * 5000

    assert reasons(making.raw_container(text, [(1, b"x" * 200)])) == [Reason.UNKNOWN_SCHEMA]


@pytest.mark.parametrize("codec", CODECS)
def test_bomb_in_a_block_is_too_large(codec):
    from tests.unit.avro.test_codecs import PACK

    data = making.raw_container(schema_text(), [(1, PACK[codec](bytes(5_000_000)))], codec=codec)

    assert reasons(data, limits=Limits(block=1_000_000)) == [Reason.TOO_LARGE]


def test_block_that_declares_gigabytes_is_too_large_and_never_read():
    data = making.raw_container(schema_text(), []) + making.varint(1) + making.varint(1 << 40) + b"x" * 100

    assert reasons(data) == [Reason.TOO_LARGE]


@pytest.mark.parametrize("count", [1 << 20, 1 << 40, 1 << 62])
def test_block_that_declares_more_records_than_it_can_hold_counts_as_one(count):
    assert reasons(making.raw_container(schema_text(), [(count, making.body(tiny()))])) == [Reason.TRUNCATED_AVRO]


@pytest.mark.parametrize(("count", "size"), [(-1, 10), (1, -10), (-(1 << 60), -(1 << 60))])
def test_negative_count_or_size_is_damage(count, size):
    data = making.raw_container(schema_text(), []) + making.varint(count) + making.varint(size) + b"x" * 100

    assert reasons(data) == [Reason.TRUNCATED_AVRO]


@pytest.mark.parametrize("codec", ["null", "deflate"])
def test_block_of_bytes_that_declares_no_record_is_damage(codec):
    from tests.unit.avro.test_codecs import PACK

    data = making.raw_container(schema_text(), [(0, PACK[codec](making.body(tiny())))], codec=codec)

    assert reasons(data) == [Reason.TRUNCATED_AVRO]


@pytest.mark.parametrize("codec", ["null", "deflate"])
def test_block_of_nothing_holds_no_packet_either(codec):
    from tests.unit.avro.test_codecs import PACK

    assert reasons(making.raw_container(schema_text(), [(0, PACK[codec](b""))], codec=codec)) == [Reason.TRUNCATED_AVRO]


def test_number_of_any_length_is_damage():
    assert reasons(making.raw_container(schema_text(), []) + b"\xff" * 1000) == [Reason.TRUNCATED_AVRO]


def test_header_of_gigabytes_is_too_large():
    head = b"Obj\x01" + making.varint(1) + making.varint(11) + b"avro.schema" + making.varint(1 << 40)

    assert reasons(head + b"x" * 1000) == [Reason.TOO_LARGE]


def test_header_of_a_million_pairs_is_too_large():
    pair = making.varint(1) + b"k" + making.varint(1) + b"v"

    assert reasons(b"Obj\x01" + making.varint(1 << 40) + pair * 400_000) == [Reason.TOO_LARGE]


def test_header_of_empty_pairs_without_end_is_too_large():
    assert reasons(b"Obj\x01" + making.varint(1 << 40) + b"\x00" * 3_000_000) == [Reason.TOO_LARGE]


def test_unknown_codec_is_not_avro_that_we_read():
    assert reasons(making.raw_container(schema_text(), [(1, b"x" * 200)], codec="lzo")) == [Reason.NOT_AVRO]


def test_header_in_blocks_with_a_size_is_read():
    text = schema_text().encode()
    pair = making.varint(11) + b"avro.schema" + making.varint(len(text)) + text
    data = b"Obj\x01" + making.varint(-1) + making.varint(len(pair)) + pair + making.varint(0) + making.SYNC
    body = making.body(tiny())

    read = list(avro.read(data + making.varint(1) + making.varint(len(body)) + body + making.SYNC))

    assert [item.record["objectId"] for item in read] == ["ZTF20test000"]


def test_wrong_marker_costs_its_block_and_what_follows():
    data = bytearray(blocks_of([tiny(i) for i in range(4)], [2, 2]))
    first = data.index(making.SYNC, data.index(making.SYNC) + 16)
    data[first] ^= 1

    assert reasons(bytes(data)) == [Reason.TRUNCATED_AVRO] * 2


def test_damaged_record_costs_itself_and_the_rest_of_its_block_alone():
    bodies = [bytearray(making.body(tiny(i))) for i in range(4)]
    bodies[1][0:12] = b"\xff" * 12  # the length of schemavsn
    data = making.raw_container(schema_text(), [(3, b"".join(bodies[:3])), (1, bytes(bodies[3]))])

    assert reasons(data) == [None, Reason.TRUNCATED_AVRO, Reason.TRUNCATED_AVRO, None]


def test_bytes_after_the_last_record_of_a_block_reject_it():
    data = making.raw_container(
        schema_text(), [(2, making.body(tiny(0), tiny(1)) + b"more"), (1, making.body(tiny(2)))]
    )

    assert reasons(data) == [None, Reason.TRUNCATED_AVRO, None]


def test_truncation_at_every_byte_gives_an_outcome_for_each_packet_it_can_know_of():
    records = [tiny(i) for i in range(3)]
    data = blocks_of(records, [1, 2])
    head = len(making.raw_container(schema_text(), []))
    first_end = head + len(making.raw_container(schema_text(), [(1, making.body(records[0]))])) - head

    for cut in [*range(0, head, 37), *range(head, len(data))]:
        outcomes = list(avro.read(data[:cut]))
        decoded = [item for item in outcomes if isinstance(item, Decoded)]
        assert len(decoded) == (1 if cut >= first_end else 0)
        assert len(outcomes) >= (0 if cut in (head, first_end) else 1)
        assert len(outcomes) <= 3
        assert all(item.reason in (Reason.NOT_AVRO, Reason.TRUNCATED_AVRO) for item in outcomes[len(decoded) :])


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=2000))
def test_arbitrary_bytes_give_outcomes(data):
    assert len(list(avro.read(data))) >= 1


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=500), st.sampled_from(CODECS), st.integers(1, 5))
def test_arbitrary_blocks_give_as_many_outcomes_as_they_declare(body, codec, count):
    outcomes = list(avro.read(making.raw_container(schema_text(), [(count, body)], codec=codec)))

    assert 1 <= len(outcomes) <= count


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=3000))
def test_arbitrary_bytes_after_a_header_raise_nothing(tail):
    assert all(
        isinstance(item, (Decoded, Reject)) for item in avro.read(making.raw_container(schema_text(), []) + tail)
    )
