"""api: outcomes as JSON, bodies within limits, refusals with one sentence."""

import gzip
import json
import pickle

import pytest

from skystamp import api, classify, frames
from skystamp.api import Bodies, Refusal, Room, pages, refusals
from skystamp.classify import Rejection
from skystamp.errors import Reason, Reject
from tests import faking, making

AVRO = "application/avro"
LIMITS = Bodies(sent=1_000_000, unpacked=2_000_000)


def test_an_answer_has_the_outcomes_in_order_with_their_numbers_unrounded() -> None:
    bad = making.record(2, cutoutScience=None)
    outcomes = list(classify.packets(making.packet(making.record(1), bad), faking.model()))

    answer = json.loads(api.answer_json(outcomes))

    assert answer["counts"] == {"packets": 2, "classifications": 1, "rejections": 1}
    first, second = answer["outcomes"]
    assert first["probabilities"] == outcomes[0].probabilities
    assert first["class"] == outcomes[0].label
    assert (first["alert_id"], first["model"]) == (outcomes[0].alert_id, {"name": "first-detection", "version": "7"})
    assert (second["outcome"], second["reason"]) == ("rejection", "missing_cutout")
    assert second["sentence"] == Reason.MISSING_CUTOUT.sentence
    assert second["object_id"] == bad["objectId"]


def test_a_rule_stands_beside_the_models_own_answer() -> None:
    record = making.record(1, candidate={"ssdistnr": 0.5, "ssmagnr": 18.0, "ssnamenr": "Ceres"})

    (outcome,) = classify.packets(making.packet(record), faking.model())
    answer = json.loads(api.answer_json([outcome]))["outcomes"][0]

    assert answer["rules"] == [{"rule": "solar_system_match", "class": "asteroid", "detail": "Ceres at 0.5 arcsec"}]
    assert set(answer["probabilities"]) == {"AGN", "SN", "VS", "asteroid", "bogus"}


def test_an_ensembles_spread_is_answered() -> None:
    single, several = ([*classify.packets(making.packet(), model)] for model in (faking.model(), faking.ensemble()))

    first, second = json.loads(api.answer_json([*single, *several]))["outcomes"]

    assert first["spread"] is None
    assert second["spread"] == several[0].spread


def test_text_that_utf8_can_not_carry_is_answered_all_the_same() -> None:
    answer = api.answer_json([Rejection(Reason.UNKNOWN_SCHEMA, "schema \ud800")])

    assert json.loads(answer)["outcomes"][0]["detail"] == "schema \\ud800"


@pytest.mark.parametrize("kind", [AVRO, "application/octet-stream", "Application/Avro; charset=utf-8"])
def test_an_avro_body_is_taken_as_it_is_or_as_gzip(kind: str) -> None:
    packet = making.packet()
    LIMITS.check_headers(kind, "gzip", str(len(packet)))

    assert LIMITS.containers(packet, "") == [packet]
    assert LIMITS.containers(gzip.compress(packet), "gzip") == [packet]


@pytest.mark.parametrize(
    ("kind", "encoding", "length", "status"),
    [
        ("application/json", "", "", 415),
        ("", "", "", 415),
        (AVRO, "br", "", 415),
        (AVRO, "", "1000001", 413),
    ],
    ids=["json", "no-type", "brotli", "too-long"],
)
def test_a_body_is_refused_by_its_headers(kind: str, encoding: str, length: str, status: int) -> None:
    with pytest.raises(Refusal) as refused:
        LIMITS.check_headers(kind, encoding, length)

    assert refused.value.status == status


@pytest.mark.parametrize(
    ("body", "encoding", "status", "code"),
    [
        (b"", "", 400, "empty_body"),
        (b"junk", "", 400, "not_avro"),
        (making.packet()[:20], "", 400, "truncated_avro"),
        (gzip.compress(making.packet())[:-9], "gzip", 400, "truncated_gzip"),
        (b"\x1f\x8b" + b"\xff" * 30, "gzip", 400, "corrupt_gzip"),
        (gzip.compress(b"Obj\x01" + bytes(3_000_000)), "gzip", 413, "body_too_large"),
    ],
    ids=["empty", "junk", "cut-header", "cut-gzip", "bad-gzip", "bomb"],
)
def test_a_body_that_holds_no_container_is_refused(body: bytes, encoding: str, status: int, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        LIMITS.containers(body, encoding)

    assert (refused.value.status, refused.value.code) == (status, code)
    assert refused.value.body == {"error": {"code": code, "message": refused.value.message}}


def test_frames_are_taken_whatever_their_packets_are() -> None:
    items = [making.packet(), b"no Avro", b"", Reject(Reason.DAMAGED_ARCHIVE, "it ends early")]
    body = frames.pack(items)
    LIMITS.check_headers(frames.CONTENT_TYPE, "gzip", str(len(body)))

    for found in (
        LIMITS.containers(body, "", frames.CONTENT_TYPE),
        LIMITS.containers(gzip.compress(body), "gzip", frames.CONTENT_TYPE),
    ):
        assert found[:3] == items[:3]
        assert isinstance(found[3], Reject)
        assert (found[3].reason, found[3].detail) == (Reason.DAMAGED_ARCHIVE, "it ends early")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [(b"P", 400, "bad_frames"), (frames.pack([b"x"] * 10_001), 413, "too_many_packets")],
    ids=["cut", "too-many"],
)
def test_a_body_of_bad_frames_is_refused(body: bytes, status: int, code: str) -> None:
    with pytest.raises(Refusal) as refused:
        LIMITS.containers(body, "", frames.CONTENT_TYPE)

    assert (refused.value.status, refused.value.code) == (status, code)


def test_an_answer_says_which_outcomes_are_of_which_container() -> None:
    outcomes = [Rejection(Reason.NOT_AVRO, str(i)) for i in range(4)]

    assert json.loads(api.answer_json(outcomes))["containers"] == [4]
    assert json.loads(api.answer_json(outcomes, [1, 0, 3]))["containers"] == [1, 0, 3]


def test_room_is_given_back_however_a_request_ends() -> None:
    room = Room(10)

    def asks_too_much() -> None:
        with room.share() as share:
            share.take(8)
            share.take(8)

    with pytest.raises(Refusal) as refused:
        asks_too_much()

    assert (refused.value.status, refused.value.headers) == (503, {"Retry-After": "1"})
    assert room.free == 10


@pytest.mark.parametrize(
    "refusal",
    [refusals.busy(), refusals.unavailable(), refusals.too_slow(3.0), refusals.too_many(5)],
    ids=lambda refusal: refusal.code,
)
def test_a_refusal_crosses_processes(refusal: Refusal) -> None:
    again = pickle.loads(pickle.dumps(refusal))

    assert (again.status, again.body, again.headers) == (refusal.status, refusal.body, refusal.headers)


def test_the_page_lists_routes_and_escapes_what_it_is_told() -> None:
    document = {
        "info": {"title": "t", "description": "<script>alert(1)</script>", "version": "1"},
        "paths": {"/v1/classify": {"post": {"summary": "Classify <packets>", "responses": {}}}},
    }

    page = pages.page(document, "http://127.0.0.1:8000")

    assert "/v1/classify" in page
    assert "<script>alert" not in page
    assert "http://127.0.0.1:8000" in page
