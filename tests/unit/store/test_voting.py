"""Votes: one stands a person and object, undo brings the one before back, nothing is deleted."""

import threading

import pytest

from skystamp.store import Label, open_store
from tests.storing import NOW, alert, batch_of


@pytest.fixture
def stored(store):
    for i, name in enumerate(("ZTF20a", "ZTF20b")):
        store.record(batch_of(alert(i, 0.0, name)), now=NOW)
    return store


def say(store, label, author="ada", name="ZTF20a", when=NOW):
    return store.vote(Label("ztf", name, label, author, when, "hunter"))


def standing(store, name="ZTF20a"):
    return [(one.author, one.label) for one in store.labels_of([("ztf", name)]).get(("ztf", name), [])]


def test_a_new_vote_takes_the_place_of_the_one_before(stored):
    assert say(stored, "SN")
    assert say(stored, "bogus", when=NOW + 1)
    assert not say(stored, "bogus", when=NOW + 2)
    assert say(stored, "SN", author="bea", when=NOW + 3)

    assert standing(stored) == [("ada", "bogus"), ("bea", "SN")]
    assert [(one.label, one.withdrawn) for one in stored.labels(withdrawn=True)] == [
        ("SN", NOW + 1),
        ("bogus", None),
        ("SN", None),
    ]


def test_votes_at_the_same_moment_are_both_kept(stored):
    say(stored, "SN")
    say(stored, "bogus")

    assert standing(stored) == [("ada", "bogus")]
    assert len(stored.labels(withdrawn=True)) == 2


def test_undo_brings_back_what_was_said_before_and_then_goes_further(stored):
    say(stored, "VS", name="ZTF20b")
    say(stored, "SN", when=NOW + 1)
    say(stored, "bogus", when=NOW + 2)

    undone = [stored.undo_vote("ada", "hunter", now=NOW + 3 + i) for i in range(4)]

    assert [one and (one.object_id, one.label) for one in undone] == [
        ("ZTF20a", "bogus"),
        ("ZTF20a", "SN"),
        ("ZTF20b", "VS"),
        None,
    ]
    assert stored.labels() == []


def test_undo_and_withdrawal_touch_ones_own_votes_alone(stored):
    say(stored, "SN", author="bea")
    stored.add_labels([Label("ztf", "ZTF20a", "SN", "ada", NOW, "tns")])

    assert stored.undo_vote("ada", "hunter", now=NOW + 1) is None
    assert not stored.withdraw_vote(("ztf", "ZTF20a"), "ada", "hunter", now=NOW + 1)
    assert stored.withdraw_vote(("ztf", "ZTF20a"), "bea", "hunter", now=NOW + 1)
    assert standing(stored) == [("ada", "SN")]


def test_of_many_votes_at_once_by_one_person_one_stands(stored):
    url = stored.engine.url.render_as_string(hide_password=False)

    def vote(label):
        opened = open_store(url)
        say(opened, label)
        opened.close()

    threads = [threading.Thread(target=vote, args=(label,)) for label in ("SN", "bogus", "VS", "AGN")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(standing(stored)) == 1
    assert len(stored.labels(withdrawn=True)) == 4


def test_labels_of_many_objects_are_asked_for_at_once(stored):
    say(stored, "SN")

    assert set(stored.labels_of([("ztf", f"ZTF20{i}") for i in range(9000)] + [("ztf", "ZTF20a")])) == {
        ("ztf", "ZTF20a")
    }
