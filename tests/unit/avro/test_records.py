"""The fast way over a block gives what fastavro gives, and leaves to the slow way whatever is unusual."""

import io
import json

import fastavro
import pytest

from skystamp import avro
from skystamp.avro import records as reading
from skystamp.avro.records import Plan, plan_of
from skystamp.errors import Reason, Reject
from tests import making

SCHEMA = json.dumps(making.schema_json()).encode()
HISTORY = ("prv_candidates", "fp_hists")


def without_history(record):
    return {key: value for key, value in record.items() if key not in HISTORY}


def both_ways(data, count=1, plan=None):
    """Return the records of a block by the fast way (None where it declines) and by the slow one."""
    plan = plan or plan_of(SCHEMA)
    try:
        fast = [record for record, *_ in reading._fast(data, count, plan.head)]
    except (reading._UnusualError, *reading.DECODE_ERRORS):
        fast = None
    return fast, [
        item.record if not isinstance(item, Reject) else item
        for item in plan._slow(data, count, history=False, contents=False)
    ]


CASES = {
    "no history": making.record(),
    "a history": making.record(prv_candidates=making.history(30)),
    "an empty history": making.record(prv_candidates=[], fp_hists=[]),
    "nulls": making.record(candidate=dict.fromkeys(("rb", "drb", "ssnamenr", "distnr", "jdendhist", "field", "tblid"))),
    "all nullable fields null": making.record(
        candidate={
            field["name"]: None
            for field in next(f for f in making.schema_json()["fields"] if f["name"] == "candidate")["type"]["fields"]
            if isinstance(field["type"], list)
        }
    ),
    "numbers of many bytes": making.record(candid=(1 << 62) + 3, candidate={"pid": -(1 << 62), "nid": -5, "fid": 2}),
    "text beyond ASCII": making.record(candidate={"ssnamenr": "Čeští 小行星", "programpi": ""}, publisher="é"),
    "gzip's first bytes in the head": making.record(candidate={"programpi": "\x1f\x08\x02"}),
    **{
        f"a file name of {length} bytes": making.record(
            **{k: {"fileName": "n" * length, "stampData": making.cutout(0)} for k in making.CUTOUTS}
        )
        for length in (1, 2, 13, 63, 64, 65, 127, 128, 200)
    },
    **{
        f"stamps of {size} bytes": making.record(
            **{k: {"fileName": "a.fits.gz", "stampData": b"\x1f\x8b\x08" + bytes(size - 3)} for k in making.CUTOUTS}
        )
        for size in (3, 63, 64, 8191, 8192, 100_000)
    },
}


@pytest.mark.parametrize("name", CASES)
def test_fast_way_is_the_slow_way(name):
    fast, slow = both_ways(making.body(CASES[name]))

    assert fast == slow


@pytest.mark.parametrize("name", CASES)
def test_packet_is_what_fastavro_reads(name):
    data = making.packet(CASES[name])

    (whole,), (slim,) = avro.read(data, history=True), avro.read(data)

    expected = next(fastavro.reader(io.BytesIO(data)))
    assert whole.record == expected
    assert slim.record == without_history(expected)


UNUSUAL = {
    "no science cutout": making.record(cutoutScience=None),
    "no cutouts": making.record(**dict.fromkeys(making.CUTOUTS)),
    "an empty stamp": making.record(cutoutTemplate={"fileName": "a", "stampData": b""}),
    "a plain FITS stamp": making.record(cutoutScience={"fileName": "a", "stampData": b"SIMPLE  =" + bytes(500)}),
    "an empty file name": making.record(cutoutScience={"fileName": "", "stampData": making.cutout(0)}),
    "a file name beyond ASCII": making.record(cutoutScience={"fileName": "ñandú", "stampData": making.cutout(0)}),
    "a long file name": making.record(cutoutScience={"fileName": "n" * 5000, "stampData": making.cutout(0)}),
}


@pytest.mark.parametrize("name", UNUSUAL)
def test_unusual_record_is_read_all_the_same(name):
    data = making.packet(UNUSUAL[name], making.record(1))

    read = [item.record for item in avro.read(data)]

    assert read == [without_history(record) for record in fastavro.reader(io.BytesIO(data))]


def test_gzip_bytes_in_the_history_are_no_cutout():
    history = [{**making.history(1)[0], "pdiffimfilename": "\x1f\x08 \x02\x06abc"}]
    data = bytearray(making.body(making.record(prv_candidates=history)))
    at = data.index(b"\x1f\x08 \x02\x06abc")
    data[at : at + 3] = b"\x1f\x8b\x08"  # no longer UTF-8, but nobody asked for the history

    fast, _ = both_ways(bytes(data))

    assert fast is None


@pytest.mark.parametrize("count", [1, 2, 5])
def test_several_records_in_a_block(count):
    records = [making.record(i, prv_candidates=making.history(i)) for i in range(count)]

    fast, slow = both_ways(making.body(*records), count)

    assert fast == slow
    assert [record["candid"] for record in fast] == [record["candid"] for record in records]


def test_schema_of_nullable_fields_alone_is_read():
    schema = making.schema_json()
    for field in schema["fields"]:
        if field["name"] in ("schemavsn", "publisher", "objectId", "candid"):
            field["type"] = ["null", field["type"]]
    data = making.container([making.record()], schema=avro.parse_schema(schema))

    (read,) = avro.read(data)

    assert read.record == without_history(next(fastavro.reader(io.BytesIO(data))))


def test_fields_in_another_order_are_read_the_slow_way():
    schema = making.schema_json()
    schema["fields"].insert(4, schema["fields"].pop(0))
    plan = plan_of(json.dumps(schema).encode())

    (read,) = avro.read(making.container([making.record()], schema=avro.parse_schema(schema)))

    assert plan.head is None
    assert read.record["objectId"] == "ZTF20test000"


@pytest.mark.parametrize("name", ["objectId", "candid", "candidate", "schemavsn", *making.CUTOUTS])
def test_schema_that_lacks_a_field_of_an_alert_is_unknown(name):
    schema = making.schema_json()
    next(field for field in schema["fields"] if field["name"] == name)["name"] = "something_else"

    with pytest.raises(Reject, match=f"lacks the fields .*{name}") as caught:
        plan_of(json.dumps(schema).encode())

    assert caught.value.reason is Reason.UNKNOWN_SCHEMA


def test_plan_is_made_once_for_equal_schemas():
    assert plan_of(bytes(bytearray(SCHEMA))) is plan_of(SCHEMA)


def test_plan_of_the_survey_takes_the_fast_way():
    plan = plan_of(SCHEMA)

    assert isinstance(plan, Plan)
    assert plan.head is not None
    assert plan.name == "ztf.alert"


def test_record_beyond_the_largest_is_too_large_with_its_history_alone(monkeypatch):
    monkeypatch.setattr(reading, "LARGEST", 50_000)
    data = making.packet(making.record(prv_candidates=making.history(200)), making.record(1))

    assert [item.reason if isinstance(item, Reject) else None for item in avro.read(data, history=True)] == [
        Reason.TOO_LARGE,
        None,
    ]
    assert not any(isinstance(item, Reject) for item in avro.read(data))


@pytest.mark.real
def test_every_real_record_is_read_as_fastavro_reads_it(real_alerts):
    for path in sorted((real_alerts / "ztf").glob("*.avro")):
        data = path.read_bytes()
        expected = list(fastavro.reader(io.BytesIO(data)))

        assert [item.record for item in avro.read(data, history=True)] == expected
        assert [item.record for item in avro.read(data)] == [without_history(record) for record in expected]
