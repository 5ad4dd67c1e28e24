"""Reports in the store: one is out at a time, each step is kept, and who reads an old one moves nothing."""

import threading
from dataclasses import replace

import pytest

from skystamp.store import Report, ReportState, open_store
from tests.storing import NOW, alert, batch_of

KEY = ("ztf", "ZTF20a")


@pytest.fixture
def stored(store):
    store.record(batch_of(alert(0, 0.0, "ZTF20a")), now=NOW)
    return store


def new(address="https://tns.example/api", **changes):
    return replace(Report(*KEY, address, {"at_report": {"0": {"remarks": "x"}}}, "ada", NOW), **changes)


def test_a_report_is_claimed_once(stored):
    first, is_ours = stored.begin_report(new())
    second, is_also_ours = stored.begin_report(new(author="bea"))

    assert (is_ours, is_also_ours) == (True, False)
    assert second == first
    assert (first.state, first.number, first.updated) == (ReportState.SENT, 1, NOW)
    assert stored.reports_of([KEY]) == {KEY: [first]}


@pytest.mark.parametrize("state", [ReportState.UNKNOWN, ReportState.ACCEPTED, ReportState.POSTED])
def test_what_is_out_is_not_claimed_again(stored, state):
    first, _ = stored.begin_report(new())
    moved = stored.move_report(first, replace(first, state=state, updated=NOW + 1))

    assert stored.begin_report(new()) == (moved, False)


def test_what_did_not_leave_is_claimed_again_and_keeps_what_was_said(stored):
    first, _ = stored.begin_report(new())
    stored.move_report(first, replace(first, state=ReportState.BUILT, updated=NOW + 1, replies=({"at": 1.0},)))

    again, is_ours = stored.begin_report(new(author="bea", created=NOW + 2))

    assert is_ours
    assert (again.number, again.author, again.replies, again.updated) == (1, "bea", ({"at": 1.0},), NOW + 2)
    assert stored.reports_of([KEY])[KEY] == [again]


def test_after_a_rejected_one_comes_another(stored):
    first, _ = stored.begin_report(new())
    rejected = stored.move_report(first, replace(first, state=ReportState.REJECTED, updated=NOW + 1))

    second, _ = stored.begin_report(new(created=NOW + 2))

    assert stored.reports_of([KEY])[KEY] == [rejected, second]
    assert second.number == 2


def test_each_address_is_for_itself(stored):
    stored.begin_report(new())

    assert stored.begin_report(new("https://sandbox.example/api"))[1]
    assert len(stored.reports_of([KEY])[KEY]) == 2


def test_who_read_an_older_one_moves_nothing(stored):
    first, _ = stored.begin_report(new())
    posted = stored.move_report(first, replace(first, state=ReportState.POSTED, tns_name="AT 2026abc", updated=NOW + 1))

    assert stored.move_report(first, replace(first, state=ReportState.BUILT, updated=NOW + 2)) == posted


def test_two_steps_of_one_moment_differ(stored):
    first, _ = stored.begin_report(new())

    second = stored.move_report(first, replace(first, said="one"))

    assert second.updated > first.updated
    assert stored.move_report(first, replace(first, said="two")) == second


def test_of_many_at_once_one_claims(stored):
    url = stored.engine.url.render_as_string(hide_password=False)
    claimed = []

    def claim():
        opened = open_store(url)
        claimed.append(opened.begin_report(new())[1])
        opened.close()

    threads = [threading.Thread(target=claim) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(claimed) == [False, False, False, True]


def test_reports_are_listed_by_state_newest_first(stored):
    stored.record(batch_of(alert(1, 0.0, "ZTF20b")), now=NOW)
    first, _ = stored.begin_report(new())
    second, _ = stored.begin_report(new(object_id="ZTF20b", created=NOW + 1))
    done = stored.move_report(first, replace(first, state=ReportState.POSTED, updated=NOW + 1))

    assert stored.reports() == [second, done]
    assert stored.reports([ReportState.POSTED]) == [done]


def test_what_somebody_else_said_is_stored_whatever_it_is(stored):
    hostile = 'a\0"\ud800<script>'
    first, _ = stored.begin_report(new())
    said = {"at": float("nan"), "body": hostile, "deep": [{"x\0": hostile}]}

    stored.move_report(first, replace(first, said=hostile, tns_name=hostile, replies=(said,), updated=NOW + 1))

    (found,) = stored.reports_of([KEY])[KEY]
    assert found.said == found.tns_name == 'a\ufffd"?<script>'
    assert found.replies[0]["at"] is None
