"""gathering: when a batch leaves, and what is in it."""

from hypothesis import given
from hypothesis import strategies as st

from skystamp.sources.feeds import Message, Partition
from skystamp.stream.gathering import Gathering


def messages(*sizes: int, packets: int = 1) -> list[Message]:
    return [Message(bytes(size), Partition("t"), i, packets) for i, size in enumerate(sizes)]


def test_a_batch_leaves_when_it_has_its_packets() -> None:
    gathering = Gathering(packets=3, size=10**6, max_wait_s=60.0)

    gathering.add(messages(1, 1), 0.0)
    early = gathering.take(0.0)
    gathering.add(messages(1, 1), 0.0)

    assert early is None
    assert len(gathering.take(0.0) or []) == 3
    assert gathering.room == 2


def test_a_batch_leaves_when_it_has_its_bytes() -> None:
    gathering = Gathering(packets=100, size=10, max_wait_s=60.0)

    gathering.add(messages(6, 6, 30, 1), 0.0)

    assert [[m.size for m in gathering.take(0.0) or []] for _ in range(3)] == [[6], [6], [30]]
    assert gathering.take(0.0) is None


def test_a_batch_leaves_when_its_first_message_is_old_enough() -> None:
    gathering = Gathering(packets=100, size=10**6, max_wait_s=2.0)
    gathering.add(messages(1), 10.0)
    gathering.add(messages(1), 11.5)

    assert gathering.take(11.9) is None
    assert gathering.due_s(11.5) == 0.5
    assert len(gathering.take(12.0) or []) == 2
    assert gathering.due_s(12.0) is None


def test_at_the_end_everything_leaves() -> None:
    gathering = Gathering(packets=100, size=10**6, max_wait_s=60.0)
    gathering.add(messages(1, 1), 0.0)

    assert len(gathering.take(0.0, all_of_it=True) or []) == 2
    assert not gathering
    assert gathering.take(0.0, all_of_it=True) is None


def test_while_a_full_batch_waits_there_is_no_room() -> None:
    gathering = Gathering(packets=2, size=10**6, max_wait_s=60.0)

    gathering.add(messages(1, 1), 0.0)

    assert gathering.room == 0
    assert gathering.due_s(0.0) == 0.0


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 4)), max_size=40), st.integers(1, 6), st.integers(1, 12))
def test_every_message_is_in_one_batch_in_order_and_batches_keep_their_bounds(
    parts: list[tuple[int, int]], packets: int, size: int
) -> None:
    gathering = Gathering(packets, size, 60.0)
    sent = [Message(bytes(n), Partition("t"), i, p) for i, (n, p) in enumerate(parts)]

    gathering.add(sent, 0.0)
    batches = []
    while batch := gathering.take(0.0, all_of_it=True):
        batches.append(batch)

    assert [m for batch in batches for m in batch] == sent
    for batch in batches:
        assert len(batch) == 1 or (sum(m.packets for m in batch) <= packets and sum(m.size for m in batch) <= size)
