"""What TNS's answers mean, in the forms that it has and in those that it should not have."""

import json
import math

import pytest

from skystamp.tns import replies
from skystamp.tns.replies import Became, Malformed


def reply(*reports):
    return {"id_code": 200, "id_message": "OK", "data": {"feedback": {"at_report": list(reports)}}}


NEW = {"message": "Transient object was inserted.", "message_id": 100, "objname": "2026ob"}


@pytest.mark.parametrize(
    ("body", "became", "name"),
    [
        pytest.param(reply({"100": NEW, "internal_ids": {"a": "b"}}), Became.POSTED, "2026ob", id="new"),
        pytest.param(reply({"101": NEW, "at_rep": {"x": {"message": "ours"}}}), Became.POSTED, "2026ob", id="known"),
        pytest.param(
            {"data": {"feedback": {"at_report": {"0": {"100": NEW}}}}}, Became.POSTED, "2026ob", id="by number"
        ),
        pytest.param(reply({"at_rep": {"remarks": {"message": "not TNS's"}}}), Became.PENDING, "", id="worked on"),
        pytest.param(reply(), Became.PENDING, "", id="empty"),
        pytest.param({"data": []}, Became.PENDING, "", id="nothing"),
        pytest.param({}, Became.PENDING, "", id="less"),
        pytest.param(reply({"102": {"message": "Not posted."}}), Became.REJECTED, "", id="200 and not posted"),
        pytest.param(reply({"ra": {"value": [{"message": "Required field"}]}}), Became.REJECTED, "", id="a field"),
        pytest.param(
            reply({"5": {"message": "An identical AT report (sender, RA/DEC, discovery date) already exists."}}),
            Became.IDENTICAL,
            "",
            id="identical",
        ),
    ],
)
def test_the_feedback_says_what_became_of_a_report(body, became, name):
    found = replies.feedback(body)

    assert (found.became, found.name) == (became, name)


def test_messages_are_told_with_their_fields_once():
    found = replies.feedback(reply({"ra": {"value": [{"message": "Required field", "message_id": 3}] * 2}}))

    assert found.said == "ra: value: Required field"


@pytest.mark.parametrize("name", ["<b>x</b>", "", None, 7, "x" * 60, "a\nb"])
def test_a_name_that_is_none_is_malformed(name):
    with pytest.raises(Malformed):
        replies.feedback(reply({"100": {"objname": name}}))


@pytest.mark.parametrize("body", [{"data": [{"objname": "2020abc"}]}, {"data": {"reply": [{"objname": "2020abc"}]}}])
def test_a_search_is_read_in_both_forms(body):
    assert replies.names(body) == ["2020abc"]


@pytest.mark.parametrize("body", [{}, {"data": "none"}, {"data": [{"objname": "<img>"}]}])
def test_a_search_of_another_form_is_malformed(body):
    with pytest.raises(Malformed):
        replies.names(body)


@pytest.mark.parametrize("wrapped", [False, True])
def test_an_object_has_a_distance_names_and_a_kind(wrapped):
    one = {"objname": "2020abc", "name_prefix": "SN", "radeg": 150.0, "decdeg": 60.0 + 2 / 3600}
    one |= {"internal_names": ", ZTF20aaa, ATLAS20b", "object_type": {"name": "SN Ia"}}

    found = replies.transient({"data": {"reply": one} if wrapped else one}, 150.0, 60.0)

    assert (found.name, found.internal_names, found.kind) == ("SN 2020abc", ("ZTF20aaa", "ATLAS20b"), "SN Ia")
    assert found.distance == pytest.approx(2.0, rel=1e-6)


def test_an_object_without_a_place_or_a_type_is_one():
    found = replies.transient({"data": {"objname": "2020abc", "object_type": {"name": None}}}, 150.0, 60.0)

    assert math.isnan(found.distance)
    assert (found.name, found.internal_names, found.kind) == ("AT 2020abc", (), "")


@pytest.mark.parametrize("body", [{}, {"data": []}, {"data": {"objname": 5}}])
def test_an_object_of_another_form_is_malformed(body):
    with pytest.raises(Malformed):
        replies.transient(body, 0.0, 0.0)


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"data": {"report_id": 1234}}, "1234"),
        ({"data": {"report_id": "12-a"}}, "12-a"),
        ({"data": {"report_id": True}}, ""),
        ({"data": {"report_id": "<x>"}}, ""),
        ({"data": {}}, ""),
        ({"data": []}, ""),
    ],
)
def test_a_receipt_is_a_number(body, found):
    assert replies.receipt(body) == found


@pytest.mark.parametrize("text", ["", "<html>", "[]", '"x"', "[" * 100_000])
def test_what_is_no_json_object_is_malformed(text):
    with pytest.raises(Malformed):
        replies.parsed(text)


def test_words_are_one_short_printable_line():
    found = replies.short("a\x00\x1b[31m\n b" + "c" * 1000)

    assert found.startswith("a [31m b")
    assert len(found) == 300
    assert found.isprintable()


def test_a_deep_answer_is_read_and_ends():
    deep = json.loads('{"a":' * 200 + '{"message": "x"}' + "}" * 200)

    assert replies.feedback(reply(deep)).became is Became.PENDING


@pytest.mark.parametrize(
    ("one", "other", "arcsec"),
    [((0.0, 0.0), (1 / 3600, 0.0), 1.0), ((359.9999, 0.0), (0.0001, 0.0), 0.72), ((10.0, 60.0), (10.001, 60.0), 1.8)],
)
def test_distances_are_on_the_sky(one, other, arcsec):
    assert replies.distance(one, other) == pytest.approx(arcsec, rel=1e-4)
