"""Packets in, outcomes out: one for each, in order, with the same answer whatever way a packet comes."""

import gzip
import io

import numpy as np
import pytest

from skystamp import avro, classify, inputs, stamps, surveys, taxonomy
from skystamp.classify import Classification, Rejection, RuleOutcome
from skystamp.errors import Reason, Reject
from tests import faking, making

MODEL = faking.model()


def outcomes(data, **options):
    return list(classify.packets(data, MODEL, **options))


def with_cutout(data, name="cutoutTemplate"):
    return making.packet(making.record(**{name: {"fileName": "a.fits.gz", "stampData": data}}))


def test_packet_is_classified():
    (outcome,) = outcomes(making.packet())

    assert isinstance(outcome, Classification)
    assert (outcome.survey, outcome.object_id, outcome.alert_id) == ("ztf", "ZTF20test000", 1250123456789015001)
    assert (outcome.mjd, outcome.n_detections) == (59000.0, 1)
    assert (outcome.model, outcome.model_version) == ("first-detection", "7")
    assert tuple(outcome.probabilities) == taxonomy.FIRST_DETECTION
    assert sum(outcome.probabilities.values()) == pytest.approx(1)
    assert outcome.label == max(outcome.probabilities, key=outcome.probabilities.get)


def test_answer_is_that_of_the_model_for_the_inputs_of_the_packet():
    record = making.record(4)
    raw, _, _ = inputs.collect([surveys.read(record, "ztf.alert")])

    (outcome,) = outcomes(making.packet(record))

    expected = faking.predict(classify_feed(raw))[0].tolist()
    assert list(outcome.probabilities.values()) == expected


def classify_feed(raw):
    made = inputs.make(MODEL.bundle.spec, raw)
    return {"stamps": made.stamps, "metadata": made.metadata}


def test_outcomes_are_in_the_order_of_the_packets():
    records = [making.record(i) for i in range(20)]
    records[3] = making.record(3, cutoutScience=None)
    records[11] = making.record(11, candidate={"ra": -999.0})

    result = outcomes(making.packet(*records))

    assert [outcome.object_id for outcome in result] == [record["objectId"] for record in records]
    assert [i for i, outcome in enumerate(result) if isinstance(outcome, Rejection)] == [3, 11]


@pytest.mark.parametrize("batch", [1, 3, 7, 256])
def test_batch_changes_no_answer(batch):
    data = making.packet(*[making.record(i, {"fwhm": i / 4}) for i in range(10)], codec="deflate")

    assert outcomes(data, batch=batch) == outcomes(data)


def test_packets_alone_and_in_a_container_get_the_same_answers():
    records = [making.record(i) for i in range(5)]

    alone = [outcome for record in records for outcome in outcomes(making.packet(record))]

    assert alone == outcomes(making.packet(*records))


def test_stream_gives_what_bytes_give():
    data = making.packet(making.record(0), making.record(1))

    assert outcomes(io.BytesIO(data)) == outcomes(data)


def test_model_is_not_asked_where_every_packet_is_rejected():
    assert [outcome.reason for outcome in outcomes(with_cutout(b"no"))] == [Reason.NOT_GZIP]


@pytest.mark.parametrize(
    ("candidate", "flags"),
    [
        ({}, ()),
        ({"isdiffpos": "f"}, ("negative_difference",)),
        ({"ndethist": 2}, ("not_first_detection",)),
        ({"isdiffpos": "0", "ndethist": 9}, ("negative_difference", "not_first_detection")),
    ],
    ids=str,
)
def test_flags(candidate, flags):
    (outcome,) = outcomes(making.packet(making.record(candidate=candidate)))

    assert outcome.flags == flags


def test_solar_system_match_is_a_rule_outcome_beside_the_answer_of_the_model():
    plain, matched = making.record(), making.record(candidate={"ssnamenr": "433", "ssdistnr": 1.26, "ssmagnr": 16.0})

    without, with_match = outcomes(making.packet(plain, matched))[0], outcomes(making.packet(matched))[0]

    assert with_match.rules == (RuleOutcome("solar_system_match", "asteroid", "433 at 1.3 arcsec"),)
    assert without.rules == ()
    assert with_match.probabilities == without.probabilities


def test_rejection_has_the_identity_that_could_be_read():
    (outcome,) = outcomes(making.packet(making.record(2, cutoutDifference=None)))

    assert (outcome.reason, outcome.survey) == (Reason.MISSING_CUTOUT, "ztf")
    assert (outcome.object_id, outcome.alert_id) == ("ZTF20test002", 1250123456789015003)


def test_rejection_of_a_stamp_has_its_time_too():
    (outcome,) = outcomes(with_cutout(stamps.encode(making.image(0, (63, 40)))))

    assert (outcome.reason, outcome.mjd) == (Reason.WRONG_SHAPE, 59000.0)


def other_schema():
    schema = avro.parse_schema({"type": "record", "name": "other", "fields": [{"name": "a", "type": "int"}]})
    return making.container([{"a": 1}], schema=schema)


GOOD = making.cutout(0)
ONE_OF_EACH = {
    Reason.NOT_AVRO: b"not Avro",
    Reason.TRUNCATED_AVRO: making.packet()[:-100],
    Reason.UNKNOWN_SCHEMA: other_schema(),
    Reason.TOO_LARGE: with_cutout(gzip.compress(bytes(3_000_000))),
    Reason.MISSING_FIELD: making.packet(making.record(candidate={"magpsf": -999.0})),
    Reason.BAD_FIELD: making.packet(making.record(candidate={"isdiffpos": "perhaps"})),
    Reason.MISSING_CUTOUT: making.packet(making.record(cutoutScience=None)),
    Reason.NOT_GZIP: with_cutout(b"hello"),
    Reason.TRUNCATED_GZIP: with_cutout(GOOD[:-20]),
    Reason.CORRUPT_GZIP: with_cutout(GOOD[:3000] + bytes(64) + GOOD[3064:]),
    Reason.NOT_FITS: with_cutout(gzip.compress(b"no image")),
    Reason.WRONG_SHAPE: with_cutout(stamps.encode(making.image(0, (62, 63)))),
}
BY_SOURCES = {Reason.DAMAGED_ARCHIVE}  # the tar or gzip around packets: tests/unit/sources


@pytest.mark.parametrize("reason", ONE_OF_EACH)
def test_fault_gives_one_rejection_with_its_reason(reason):
    (outcome,) = outcomes(ONE_OF_EACH[reason])

    assert outcome.reason is reason
    assert outcome.detail


def test_every_reason_is_tested():
    assert set(ONE_OF_EACH) | BY_SOURCES == set(Reason)


def test_record_and_reject_of_the_reader_are_both_outcomes():
    items = [*avro.read(making.packet()), Reject(Reason.DAMAGED_ARCHIVE, "night.tar ends early")]

    first, second = classify.records(items, MODEL)

    assert isinstance(first, Classification)
    assert second == Rejection(Reason.DAMAGED_ARCHIVE, "night.tar ends early")


def test_no_records_have_no_outcomes():
    assert classify.records([], MODEL) == []


def test_columns_of_the_results_table():
    result = outcomes(making.packet(making.record(0, {"ssnamenr": "433", "ssdistnr": 1.0}), making.record(1)))
    rows = classify.columns([*result, Rejection(Reason.NOT_AVRO, "no")])

    assert tuple(rows) == classify.COLUMNS
    assert rows["outcome"] == ["classification", "classification", "rejection"]
    assert rows["class"][:2] == [outcome.label for outcome in result]
    assert rows["class"][2] is None
    assert rows["p_AGN"][:2] == [outcome.probabilities["AGN"] for outcome in result]
    assert rows["p_satellite"] == [None] * 3
    assert rows["flags"] == [["solar_system_match"], [], []]
    assert rows["reason"] == [None, None, "not_avro"]
    assert rows["model_version"] == ["7", "7", None]


def test_columns_are_the_stable_ones():
    stable = (
        *("survey", "object_id", "alert_id", "mjd", "n_detections", "outcome", "class"),
        *("p_AGN", "p_SN", "p_VS", "p_asteroid", "p_bogus", "p_satellite"),
        *("model", "model_version", "flags", "reason"),
    )

    assert classify.COLUMNS[: len(stable)] == stable


@pytest.mark.real
def test_real_packets_give_one_outcome_each_and_rejections_for_odd_shapes_alone(real_alerts):
    import csv

    with (real_alerts / "ztf" / "index.csv").open() as file:
        expected = {int(row["candid"]): row["shape_ok"] == "1" for row in csv.DictReader(file)}

    result = [o for path in sorted((real_alerts / "ztf").glob("*.avro")) for o in outcomes(path.read_bytes())]

    assert {o.alert_id: isinstance(o, Classification) for o in result} == expected
    assert len(result) == len(expected)
    assert {o.reason for o in result if isinstance(o, Rejection)} == {Reason.WRONG_SHAPE}
    assert all(np.isfinite(list(o.probabilities.values())).all() for o in result if isinstance(o, Classification))


def test_an_ensemble_says_how_far_its_members_are_apart():
    (alone,) = outcomes(making.packet())

    (outcome,) = classify.packets(making.packet(), faking.ensemble())

    p = alone.probabilities
    assert outcome.probabilities == pytest.approx({name: (p[name] + (name == "AGN")) / 2 for name in p})
    assert outcome.spread == pytest.approx({name: abs(p[name] - (name == "AGN")) / 2 for name in p}, abs=1e-6)
    assert classify.columns([outcome, alone])["spread"] == [outcome.spread[outcome.label], None]
