"""A night of packets and the same night of a store give a model the same numbers."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from skystamp import avro, live, night
from skystamp.classify import Model, Models
from skystamp.store import Store, open_store
from tests import faking, making

JD = 2459000.5


@pytest.fixture
def model() -> Model:
    return faking.model()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    yield opened
    opened.close()


def packets() -> list[bytes]:
    """Return four objects, the first with a second detection, and a damaged packet."""
    records = [making.record(i, {"jd": JD + i, "magpsf": 17.0 + i}, objectId=f"ZTF20night{i}") for i in range(4)]
    again = making.record(7, {"jd": JD + 3}, objectId="ZTF20night0")
    bad = {**making.record(8, objectId="ZTF20night9"), "cutoutScience": None}
    return [making.packet(record) for record in (*records, again, bad)]


def test_each_object_counts_once_and_what_is_left_out_is_counted(model: Model):
    items = [item for packet in packets() for item in avro.read(packet)]

    found = night.of_packets(items, model.bundle)

    assert (len(found), found.packets) == (4, 6)
    assert dict(found.left_out) == {"missing_cutout": 1, night.OTHER_DETECTION: 1}
    assert found.numbers.shape == (4, len(found.names))


def test_a_packet_that_comes_twice_counts_once(model: Model):
    items = [item for packet in (packets()[0], packets()[0]) for item in avro.read(packet)]

    assert len(night.of_packets(items, model.bundle)) == 1


def test_no_more_is_read_than_asked_for(model: Model):
    items = [item for packet in packets() for item in avro.read(packet)]

    assert night.of_packets(items, model.bundle, most=2).packets == 2


def test_a_store_tells_what_its_packets_do(model: Model, store: Store):
    arrivals = [one for packet in packets() for one in live.arrivals(packet)]
    live.answer(store, Models({model.name: model}), arrivals, now=1.0)
    items = [item for packet in packets() for item in avro.read(packet)]

    found = night.of_store(store, model.bundle, model.name, model.version, (58000.0, 70000.0))

    wanted = night.of_packets(items, model.bundle)
    assert found.names == wanted.names
    assert found.numbers.tolist() == wanted.numbers.tolist()
    np.testing.assert_allclose(found.probabilities, wanted.probabilities, atol=1e-6)
    assert len(night.of_store(store, model.bundle, model.name, model.version, (0.0, 1.0))) == 0
    assert len(night.of_store(store, model.bundle, model.name, "another", (0.0, 70000.0))) == 0


def test_a_sequence_is_that_of_the_detection_by_which_it_is_complete(store: Store):
    models = Models({"first-detection": faking.model(), "temporal-2": faking.temporal(2)})
    records = [
        making.record(10 * i + n, {"jd": JD + i / 10 + n, "magpsf": 17.0 + n}, objectId=f"ZTF20two{i}")
        for n in range(3)
        for i in range(3)
    ]
    arrivals = [one for record in records for one in live.arrivals(making.packet(record))]
    live.answer(store, models, arrivals, now=1.0)
    bundle = models.by_name["temporal-2"].bundle

    found = night.of_store(store, bundle, "temporal-2", "3", (58000.0, 70000.0))
    wanted = night.of_packets([item for one in records for item in avro.read(making.packet(one))], bundle)

    assert (len(found), found.packets) == (3, 6)  # the third detections are answered by the first two
    assert found.numbers.tolist() == wanted.numbers.tolist()
    np.testing.assert_allclose(found.probabilities, wanted.probabilities, atol=1e-6)
    assert "static/W1-W2" not in found.names
    assert "dynamic/time_difference" in found.names
