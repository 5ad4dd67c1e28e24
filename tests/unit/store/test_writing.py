"""A batch is written wholly or not at all, by however many, whatever ends the writer."""

import contextlib
import dataclasses
import multiprocessing
import os
import signal
import time

import pytest
import sqlalchemy as sa

from skystamp import live
from skystamp.classify import Rejection
from skystamp.errors import Reason
from skystamp.store import Batch, Offset, Outdated, Rejected, open_store, writing
from tests import storing
from tests.storing import MODELS, NOW, alert, arriving, batch_of, content, score

PROCESSES = multiprocessing.get_context("fork")  # with all that is imported here already


def test_what_is_written_is_read(store):
    one = alert(0, 0.0, ssdistnr=1.5, ssnamenr="42", ssmagnr=-999.0, sgscore1=-999.0)

    store.record(batch_of(one), now=NOW)

    key = ("ztf", one.alert_id)
    assert storing.same(store.alerts([key])[key], dataclasses.replace(one, solar_system=None)) is False
    read = store.alerts([key])[key]
    assert (read.solar_system.name, read.solar_system.distance) == ("42", 1.5)
    assert read.solar_system.magnitude != read.solar_system.magnitude  # NaN
    assert read.metadata["sgscore1"] != read.metadata["sgscore1"]
    assert {name: read.metadata[name] for name in ("magpsf", "ra", "rb")} == {
        name: one.metadata[name] for name in ("magpsf", "ra", "rb")
    }
    assert read.cutouts == one.cutouts
    (outcome,) = store.outcomes([key])[key]
    assert (outcome.classification, outcome.shadow, outcome.created) == (score(one), False, NOW)


def test_a_number_of_64_bits_is_kept_whole(store):
    one = dataclasses.replace(alert(0, 0.0), alert_id=2**63 - 1)

    store.record(batch_of(one), now=NOW)

    assert store.objects_of([("ztf", 2**63 - 1)]) == {("ztf", 2**63 - 1): ("ztf", one.object_id)}


def test_who_saw_another_revision_writes_nothing(store):
    one, other = alert(0, 0.0), alert(1, 1.0)
    store.record(batch_of(one), now=NOW)
    before = content(store)

    for seen in (0, 2):
        with pytest.raises(Outdated):
            store.record(dataclasses.replace(batch_of(other, seen=seen), offsets=[Offset("a", "", 1)]), now=NOW)

    assert content(store) == before


def test_a_stored_score_is_never_overwritten(store):
    one = alert(0, 0.0)
    store.record(batch_of(one), now=NOW)
    change = dataclasses.replace(batch_of(one, seen=1).objects[0], latest=None)

    store.record(Batch([change], outcomes=[score(one, p=0.25)]), now=NOW + 1)

    (stored,) = store.outcomes([("ztf", one.alert_id)])["ztf", one.alert_id]
    assert (stored.classification.probabilities["SN"], stored.created) == (0.75, NOW)


def test_a_fault_in_the_middle_of_a_batch_leaves_nothing_of_it(store, monkeypatch):
    def fail(*_):
        raise RuntimeError("the power went out")

    monkeypatch.setattr(writing, "_add_rejections", fail)

    with pytest.raises(RuntimeError):
        store.record(batch_of(alert(0, 0.0)), now=NOW)

    assert all(rows == [] for rows in content(store).values())


def test_rejections_are_kept_with_their_packets_up_to_a_bound(store):
    small, large = b"x" * 10, b"y" * (writing.MAX_PACKET_BYTES + 1)
    rejection = Rejection(Reason.NOT_AVRO, "no packet")

    store.record(Batch(rejections=[Rejected(rejection, "a", 0, small), Rejected(rejection, "b", 0, large)]), now=NOW)

    assert sorted((one.digest, len(one.packet)) for one in store.rejections()) == [("a", 10), ("b", 0)]


def test_the_oldest_rejected_packets_go_when_all_are_too_large(store):
    bounded = dataclasses.replace(store, max_rejected_bytes=25)
    for i in range(4):
        rejected = Rejected(Rejection(Reason.NOT_AVRO, "no packet"), str(i), 0, b"x" * 10)
        bounded.record(Batch(rejections=[rejected]), now=NOW + i)

    assert [(one.digest, len(one.packet)) for one in store.rejections()] == [("3", 10), ("2", 10), ("1", 0), ("0", 0)]


def test_an_offset_goes_with_its_batch_and_may_go_back(store):
    store.record(Batch(offsets=[Offset("kafka", "0", 5), Offset("kafka", "1", 7)]), now=NOW)
    store.set_offsets([Offset("kafka", "0", 3)], now=NOW)

    assert (store.offset("kafka", "0"), store.offset("kafka", "1"), store.offset("kafka", "2")) == (3, 7, None)


def test_outcomes_of_no_detection_are_refused_by_the_database(store):
    one = alert(0, 0.0)
    lonely = dataclasses.replace(batch_of(one), new=[])

    with pytest.raises(sa.exc.IntegrityError):
        store.record(lonely, now=NOW)


def write(url, count, say):
    """Write batches of 8 objects, one alert each, and say so after each."""
    store = open_store(url)
    for number in range(0, count, 8):
        alerts = [alert(number + k, 0.0, f"ZTF20{number + k:07d}") for k in range(8)]
        live.answer(store, MODELS, arriving(alerts), now=NOW)
        say.send(number)
    store.close()


def start_writer(url, count):
    """Start a process that writes, and return it with what it says."""
    heard, say = PROCESSES.Pipe(duplex=False)
    writer = PROCESSES.Process(target=write, args=(url, count, say))
    writer.start()
    say.close()
    return writer, heard


def all_heard(heard):
    said = []
    with contextlib.suppress(EOFError):
        while True:
            said.append(heard.recv())
    heard.close()
    return said


def test_a_killed_writer_leaves_a_whole_number_of_batches(store_url):
    open_store(store_url).close()
    writer, heard = start_writer(store_url, 100_000)
    said = [heard.recv() for _ in range(3)]
    time.sleep(0.013)
    os.kill(writer.pid, signal.SIGKILL)
    writer.join()
    said += all_heard(heard)

    store = open_store(store_url)
    counts = store.status().rows
    assert counts["detections"] in (8 * len(said), 8 * len(said) + 8)
    assert counts["detections"] == counts["outcomes"] == counts["cutouts"] == counts["objects"]
    write(store_url, 8 * len(said) + 8, Mute())
    assert store.status().rows["outcomes"] == 8 * len(said) + 8
    store.close()


def test_two_processes_that_write_the_same_packets_leave_single_rows(store_url):
    open_store(store_url).close()
    writers = [start_writer(store_url, 64) for _ in range(2)]
    said = [all_heard(heard) for _, heard in writers]
    for writer, _ in writers:
        writer.join()

    store = open_store(store_url)
    counts = store.status().rows
    store.close()
    assert [len(each) for each in said] == [8, 8]
    assert {counts[name] for name in ("detections", "outcomes", "cutouts", "objects")} == {64}
    assert counts["superseded"] == 0


class Mute:
    """What hears nothing."""

    def send(self, number):
        pass
