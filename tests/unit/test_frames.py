"""frames: many packets in one body, whatever they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from skystamp import frames
from skystamp.errors import Reason, Reject
from skystamp.frames import FrameError

ITEMS = st.lists(
    st.binary(max_size=50)
    | st.tuples(st.sampled_from(Reason), st.text(max_size=30)).map(lambda told: Reject(told[0], told[1]))
)


def told(items: list[frames.Framed]) -> list[object]:
    """Return items in a form that can be compared."""
    return [item if isinstance(item, bytes) else (item.reason, item.detail) for item in items]


@given(ITEMS)
def test_what_is_packed_is_unpacked(items: list[frames.Framed]) -> None:
    assert told(list(frames.unpack(frames.pack(items)))) == told(items)


@given(st.lists(st.binary(max_size=20), min_size=1), st.data())
def test_a_body_that_is_cut_inside_a_frame_is_an_error(items: list[bytes], data: st.DataObject) -> None:
    body = frames.pack(items)
    cut = data.draw(st.integers(1, len(body) - len(frames.pack(items[:-1])) - 1))

    with pytest.raises(FrameError):
        list(frames.unpack(body[:-cut]))


@given(st.binary(max_size=60))
def test_any_bytes_are_frames_or_an_error(body: bytes) -> None:
    try:
        found = list(frames.unpack(body))
    except FrameError:
        return
    assert len(found) * 5 <= len(body)


@pytest.mark.parametrize(
    "told", [b"{}", b"[]", b"nothing", b'{"reason": "bad luck", "detail": "x"}', b'{"reason": 1}', b"[" * 99999]
)
def test_a_fault_that_tells_no_reason_there_is_is_an_error(told: bytes) -> None:
    body = b"R" + len(told).to_bytes(4, "big") + told

    with pytest.raises(FrameError):
        list(frames.unpack(body))


def test_details_have_a_bound() -> None:
    (found,) = frames.unpack(frames.pack([Reject(Reason.NOT_AVRO, "x" * 5000)]))

    assert isinstance(found, Reject)
    assert len(found.detail) == 1000


def test_the_weight_of_packets_is_that_of_their_bytes() -> None:
    assert frames.weight([b"12345", b"123"]) == 8
    assert frames.weight([Reject(Reason.NOT_AVRO, "x")]) > 0
