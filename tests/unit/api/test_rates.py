"""api.rates: over any length of time no more than the rate, plus one burst, plus what was on its way."""

import pytest

from skystamp.api.rates import BURST_S, Buckets
from tests.answering import Clock


def test_a_burst_is_let_in_and_then_the_rate() -> None:
    clock = Clock()
    buckets = Buckets(clock)

    waits = [buckets.admit("a", 2.0) for _ in range(int(2 * BURST_S) + 1)]

    assert waits[:-1] == [0.0] * int(2 * BURST_S)
    assert waits[-1] == pytest.approx(0.5)
    clock.now += 0.5
    assert buckets.admit("a", 2.0) == 0.0
    assert buckets.admit("a", 2.0) > 0


def test_what_a_request_turned_out_to_hold_is_waited_for_afterwards() -> None:
    clock = Clock()
    buckets = Buckets(clock)
    buckets.admit("a", 10.0)

    buckets.charge("a", 10.0, 999)

    assert buckets.admit("a", 10.0) == pytest.approx((1000 - 10 * BURST_S + 1) / 10)
    clock.now += (1000 - 10 * BURST_S + 1) / 10 + 0.001
    assert buckets.admit("a", 10.0) == 0.0


def test_a_rate_under_one_lets_one_in_at_a_time() -> None:
    clock = Clock()
    buckets = Buckets(clock)

    assert buckets.admit("a", 0.01) == 0.0
    assert buckets.admit("a", 0.01) == pytest.approx(100)


def test_one_name_takes_nothing_from_another() -> None:
    buckets = Buckets(Clock())
    buckets.charge("a", 1.0, 1_000_000)

    assert buckets.admit("b", 1.0) == 0.0


def test_silence_is_not_saved_up_beyond_a_burst() -> None:
    clock = Clock()
    buckets = Buckets(clock)
    buckets.admit("a", 1.0)

    clock.now += 1e6

    assert sum(buckets.admit("a", 1.0) == 0.0 for _ in range(100)) == BURST_S


@pytest.mark.parametrize("packets", [1, 7, 100])
def test_over_a_long_time_the_rate_gets_through(packets: int) -> None:
    clock, through = Clock(), 0
    buckets = Buckets(clock)

    for _ in range(10_000):
        if buckets.admit("a", 5.0) == 0.0:
            buckets.charge("a", 5.0, packets - 1)
            through += packets
        clock.now += 0.1

    assert 5 * 1000 <= through <= 5 * 1000 + 5 * BURST_S + packets
