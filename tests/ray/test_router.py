"""What the router reads of a body before it asks anybody."""

import pytest

from skystamp.alert import Alert
from skystamp.api import Refusal
from skystamp.classify import Rejection
from skystamp.errors import Reason, Reject
from tests import making

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of Serve and what it imports
    pytest.mark.filterwarnings("ignore:.*Any type hint is inferred as AnyType:UserWarning"),
]


def read(*body, max_packets: int = 100, max_bytes: int = 1 << 30):
    from serve_apps.router import read_arrivals

    return read_arrivals(list(body), max_packets=max_packets, max_bytes=max_bytes)


def test_each_container_keeps_its_own_packets_with_their_places():
    first, second = making.packet(making.record(1), making.record(2)), making.packet(making.record(3))

    found = read(first, second)

    assert [[one.position for one in part] for part in found] == [[0, 1], [0]]
    assert [part[0].packet for part in found] == [first, second]
    assert all(isinstance(one.item, Alert) for part in found for one in part)


def test_what_is_no_avro_costs_the_others_nothing():
    found = read(b"no avro at all", making.packet())

    assert isinstance(found[0][0].item, Rejection)
    assert found[0][0].packet == b"no avro at all"
    assert isinstance(found[1][0].item, Alert)


def test_faults_that_the_sender_tells_are_told_apart():
    found = read(Reject(Reason.DAMAGED_ARCHIVE, "a.tar"), Reject(Reason.DAMAGED_ARCHIVE, "b.tar"))

    (one,), (other,) = found
    assert one.item.reason is Reason.DAMAGED_ARCHIVE
    assert one.packet != other.packet


def test_more_packets_than_allowed_are_refused():
    found = read(making.packet(making.record(1), making.record(2)), making.packet(), max_packets=2)

    assert isinstance(found, Refusal)
    assert found.status == 413


def test_more_cutouts_than_allowed_are_refused():
    found = read(making.packet(), max_bytes=100)

    assert isinstance(found, Refusal)
    assert found.status == 413
