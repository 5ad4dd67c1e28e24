"""Reports sent to a server on loopback: never twice, whatever it answers, and each step recorded."""

import json
import threading
from dataclasses import replace

import pytest

from skystamp.errors import UsageError
from skystamp.store import ReportState
from skystamp.tns import People, TnsError
from tests import tns_server
from tests.tns_server import KEY, NAME, OBJECT, REPLY, REPORT, SEARCH, Fault

OBJECT_KEY = ("ztf", "ZTF23aaa")
CONFIRMED = People(confirm=2, differ=0, required=2)


def sent(desk):
    return desk.send(desk.draft(OBJECT_KEY, CONFIRMED), "ada")


def stored(desk):
    return desk.store.reports_of([OBJECT_KEY]).get(OBJECT_KEY, [])


def test_a_confirmed_candidate_is_posted_and_all_of_it_is_recorded(desk, fake):
    fake.polls = 2

    done = sent(desk)

    assert (done.state, done.tns_name, done.report_id) == (ReportState.POSTED, f"AT {NAME}", "1000")
    assert [one["state"] for one in done.replies] == ["accepted", "posted"]
    assert stored(desk) == [done]
    assert (done.author, done.address) == ("ada", fake.address)
    assert len(fake.of(REPLY)) == 3
    assert desk.sleep.__self__.slept == [10.0, 10.0]


def test_exactly_what_was_shown_is_sent_by_a_marked_bot(desk, fake):
    draft = desk.draft(OBJECT_KEY, CONFIRMED)

    desk.send(draft, "ada")

    (asked,) = fake.of(REPORT)
    assert asked.data == draft.content
    assert set(asked.fields) == {"api_key", "data"}
    assert {one.agent for one in fake.asked} == {'tns_marker{"tns_id":42,"type":"bot","name":"a_bot"}'}


def test_a_draft_sends_nothing(desk, fake):
    draft = desk.draft(OBJECT_KEY, CONFIRMED)

    assert draft.objections == []
    assert {one.path for one in fake.asked} == {SEARCH}
    assert stored(desk) == []


def test_without_a_key_a_draft_is_shown_and_nobody_is_asked(desk, fake):
    draft = replace(desk, key="").draft(OBJECT_KEY, CONFIRMED)

    assert draft.content
    assert [one.guard.value for one in draft.objections] == ["tns_unasked"]
    assert "the bot's key" in draft.fault
    assert fake.asked == []


def test_what_is_missing_is_not_sent(desk, settings, fake):
    lacking = replace(desk, settings=replace(settings, reporting_group=""))

    with pytest.raises(UsageError, match="reporting_group"):
        lacking.send(desk.draft(OBJECT_KEY, CONFIRMED), "ada")

    assert fake.of(REPORT) == []


def test_what_a_guard_stops_is_not_sent(desk, fake):
    draft = desk.draft(OBJECT_KEY, People(1, 0, 2))

    with pytest.raises(UsageError, match="unconfirmed"):
        desk.send(draft, "ada")

    assert fake.of(REPORT) == []
    assert stored(desk) == []


def test_a_known_transient_stops_it_unless_it_is_passed_by_name_and_that_is_recorded(desk, fake):
    fake.know("2020xyz", 150.0, 2.5 + 3 / 3600, "ATLAS20abc")
    draft = desk.draft(OBJECT_KEY, CONFIRMED)

    assert [(one.guard.value, one.overridable) for one in draft.objections] == [("on_tns", True)]
    assert "AT 2020xyz (not classified; ATLAS20abc) 3.0 arcsec away" in draft.objections[0].sentence
    done = desk.send(draft, "ada", {"on_tns": "a foreground variable"})

    assert done.overridden == ({"code": "on_tns", "why": "a foreground variable"},)
    assert done.state is ReportState.POSTED


def test_our_own_name_on_tns_is_never_passed(desk, fake):
    fake.know("2020xyz", 150.001, 2.5, "ATLAS20abc, ZTF23aaa")  # beyond five arcsec: found by its name
    draft = desk.draft(OBJECT_KEY, CONFIRMED)

    assert [one.guard.value for one in draft.objections] == ["reported"]
    with pytest.raises(UsageError, match="override should be of"):
        desk.send(draft, "ada", {"reported": "again"})


@pytest.mark.parametrize("header", ["Retry-After", "x-rate-limit-reset"])
def test_a_rate_limit_is_waited_for(desk, fake, header):
    fake.faults[REPORT].append(Fault(429, {"id_code": 429}, {header: "7"}))

    done = sent(desk)

    assert done.state is ReportState.POSTED
    assert len(fake.of(REPORT)) == 2
    assert desk.sleep.__self__.slept[0] == 7.0


def test_a_rate_limit_beyond_patience_is_told_and_the_report_may_be_sent_again(desk, fake):
    fake.faults[REPORT].append(Fault(429, {}, {"Retry-After": "3600"}))

    with pytest.raises(TnsError, match="back in 3600 s"):
        sent(desk)

    assert [one.state for one in stored(desk)] == [ReportState.BUILT]
    assert sent(desk).state is ReportState.POSTED
    assert [one.number for one in stored(desk)] == [1]


def test_after_an_error_tns_is_asked_whether_it_arrived_and_it_is_not_sent_again(desk, fake):
    fake.faults[REPORT].append(Fault(500, keeps=True))

    done = sent(desk)

    assert (done.state, done.tns_name) == (ReportState.POSTED, f"AT {NAME}")
    assert len(fake.of(REPORT)) == 1
    assert [one["state"] for one in done.replies] == ["unknown", "posted"]
    assert fake.of(SEARCH)[-2].data == {"internal_name": "ZTF23aaa", "internal_name_exact_match": 1}


def test_what_did_not_arrive_is_sent_again(desk, fake):
    fake.faults[REPORT] += [Fault(500), Fault(502)]

    done = sent(desk)

    assert done.state is ReportState.POSTED
    assert len(fake.of(REPORT)) == 3
    assert len(fake.reports) == 1
    assert [one["state"] for one in done.replies] == ["unknown", "built", "unknown", "built", "accepted", "posted"]


def test_no_report_is_sent_again_while_tns_does_not_say(desk, fake):
    fake.faults[REPORT].append(Fault(500, keeps=True))
    draft = desk.draft(OBJECT_KEY, CONFIRMED)
    fake.faults[SEARCH] += [Fault(503)] * 3

    done = desk.send(draft, "ada")

    assert done.state is ReportState.UNKNOWN
    assert len(fake.of(REPORT)) == 1
    assert "may have arrived" in done.said
    with pytest.raises(UsageError, match="reported"):
        sent(desk)
    assert desk.follow(done).tns_name == f"AT {NAME}"
    assert len(fake.of(REPORT)) == 1


def test_a_slow_answer_is_unclear_and_asked_for(desk, fake):
    fake.faults[REPORT].append(Fault(200, {}, keeps=True, slow_s=0.5))
    hasty = replace(desk, patience=replace(desk.patience, timeout_s=0.2))

    done = hasty.send(desk.draft(OBJECT_KEY, CONFIRMED), "ada")

    assert done.state is ReportState.POSTED
    assert len(fake.of(REPORT)) == 1


@pytest.mark.parametrize("body", ["<html>maintenance</html>", "[]", {"id_code": 200, "data": {}}, '{"data": NaN'])
def test_an_answer_that_is_none_is_unclear(desk, fake, body):
    fake.faults[REPORT].append(Fault(200, body, keeps=True))

    done = sent(desk)

    assert done.replies[0]["state"] == "unknown"
    assert done.state is ReportState.POSTED
    assert len(fake.of(REPORT)) == 1


def test_200_is_not_posted_where_the_feedback_says_so(desk, fake):
    fake.feedback = {"discovery_datetime": [{"message": "Required field", "message_id": 3}]}

    done = sent(desk)

    assert done.state is ReportState.REJECTED
    assert done.said == "discovery_datetime: Required field"
    assert done.tns_name is None


def test_after_a_rejection_another_report_may_follow(desk, fake):
    fake.feedback = {"110": {"message": "The report is not valid."}}
    sent(desk)
    fake.feedback = None

    again = sent(desk)

    assert [(one.number, one.state) for one in stored(desk)] == [(1, ReportState.REJECTED), (2, ReportState.POSTED)]
    assert again.number == 2


def test_a_report_that_is_wrong_is_rejected_at_once(desk, fake):
    said = {"id_code": 400, "data": {"feedback": {"at_report": [{"ra": {"value": {"message": "Bad value"}}}]}}}
    fake.faults[REPORT].append(Fault(400, said))

    done = sent(desk)

    assert done.state is ReportState.REJECTED
    assert "ra: value: Bad value" in done.said
    assert fake.of(REPLY) == []


def test_what_tns_works_on_for_long_is_asked_for_again_by_its_receipt(desk, fake):
    fake.polls = 8

    waiting = sent(desk)
    done = desk.follow(waiting)

    assert waiting.state is ReportState.ACCEPTED
    assert "not said yet" in waiting.said
    assert done.state is ReportState.POSTED
    assert {one.fields["report_id"] for one in fake.of(REPLY)} == {"1000"}
    assert len(fake.of(REPORT)) == 1


def test_feedback_without_a_word_is_waited_for(desk, fake):
    fake.faults[REPLY].append(Fault(200, {"data": {"feedback": {"at_report": [{"at_rep": {}}]}}}))

    assert sent(desk).state is ReportState.POSTED
    assert len(fake.of(REPLY)) == 2


def test_an_error_of_the_reply_is_asked_again(desk, fake):
    fake.faults[REPLY] += [Fault(500), Fault(200, "no json")]

    waiting = sent(desk)

    assert waiting.state is ReportState.ACCEPTED
    assert desk.follow(waiting).state is ReportState.POSTED


def test_a_report_that_tns_has_already_is_found_by_our_name(desk, fake):
    said = "An identical AT report (sender, RA/DEC, discovery date) already exists."
    fake.feedback = {"999": {"message": said, "message_id": 5}}
    fake.know("2026old", 150.0, 2.5)
    draft = desk.draft(OBJECT_KEY, CONFIRMED)
    fake.know("2026old", 150.0, 2.5, "ZTF23aaa")

    done = desk.send(draft, "ada", {"on_tns": "ours, of another day"})

    assert (done.state, done.tns_name) == (ReportState.POSTED, "AT 2026old")


def test_a_wrong_key_is_told_plainly_and_is_in_no_message_and_no_record(desk, fake, settings):
    draft = desk.draft(OBJECT_KEY, CONFIRMED)
    wrong = replace(desk, key="not-the-key")

    with pytest.raises(TnsError, match="does not let this bot in \\(401\\)") as caught:
        wrong.send(draft, "ada")

    assert [one.state for one in stored(desk)] == [ReportState.BUILT]
    assert "not-the-key" not in str(caught.value)
    assert "not-the-key" not in json.dumps([one.replies for one in stored(desk)], default=str)
    assert "not-the-key" not in repr(wrong)


def test_nobody_there_is_told_and_it_may_be_sent_again(desk, fake, settings):
    draft = desk.draft(OBJECT_KEY, CONFIRMED)
    gone = replace(desk, settings=replace(settings, address="http://127.0.0.1:9/api"))

    with pytest.raises(TnsError, match="can not be reached"):
        gone.send(draft, "ada")

    assert [one.state for one in stored(desk)] == [ReportState.BUILT]
    assert sent(desk).state is ReportState.POSTED


def test_of_two_senders_at_once_one_sends(desk, fake):
    draft = desk.draft(OBJECT_KEY, CONFIRMED)
    faults = []

    def send():
        try:
            desk.send(draft, "ada")
        except UsageError as fault:
            faults.append(str(fault))

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(fake.of(REPORT)) == 1
    assert len(faults) == 3


def test_who_died_on_the_way_is_resumed_after_a_while(desk, fake, clock):
    draft = desk.draft(OBJECT_KEY, CONFIRMED)
    claimed, _ = desk.store.begin_report(desk._new(draft, "ada", {}))
    fake._take(draft.content)  # it arrived

    assert desk.follow(claimed) == claimed  # its sender may be at it still
    clock.now += 1000

    assert desk.follow(claimed).state is ReportState.POSTED
    assert fake.of(REPORT) == []


def test_who_died_before_it_left_may_send_again(desk, fake, clock):
    claimed, _ = desk.store.begin_report(desk._new(desk.draft(OBJECT_KEY, CONFIRMED), "ada", {}))
    clock.now += 1000

    assert desk.follow(claimed).state is ReportState.BUILT
    assert sent(desk).state is ReportState.POSTED


def test_a_report_on_the_sandbox_is_none_on_the_real_server(desk, fake, settings):
    sent(desk)
    with tns_server.running() as other:
        elsewhere = replace(desk, settings=replace(settings, address=other.address))

        done = sent(elsewhere)

    assert done.number == 1
    assert len(stored(desk)) == 2


def test_hostile_words_of_a_server_are_one_short_line(desk, fake):
    fake.feedback = {"x": {"message": "<script>\x00\x1b[2J" + "y" * 5000 + KEY}}

    done = sent(desk)

    assert done.state is ReportState.REJECTED
    assert len(done.said) <= 300
    assert done.said.isprintable()


def test_hostile_names_are_no_names(desk, fake):
    fake.feedback = {"100": {"message": "inserted", "objname": "<img src=x>"}}

    done = sent(desk)

    assert done.state is ReportState.ACCEPTED
    assert done.tns_name is None


def test_objects_are_looked_at_a_few_at_most(desk, fake):
    for i in range(20):
        fake.know(f"2020a{i}", 150.0, 2.5)

    draft = desk.draft(OBJECT_KEY, CONFIRMED)

    assert len(fake.of(OBJECT)) == 5
    assert {one.guard.value for one in draft.objections} == {"on_tns"}
