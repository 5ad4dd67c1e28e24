"""Everything is killed while packets stream, and every packet ends with one outcome: see `tests.chaos`.

Has a cluster of its own, whose nodes can be killed, beside the one that the other tests here share.
"""

from pathlib import Path

import pytest

from tests import chaos, postgres
from tests.chaos import HEAD, KINDS, SERVER_KINDS, Plan

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.timeout(600),
]

needs_postgresql = pytest.mark.skipif(postgres.binaries() is None, reason=postgres.MISSING)


@needs_postgresql
def test_whatever_is_killed_every_packet_has_one_outcome(tmp_path: Path) -> None:
    """A restart of PostgreSQL, a stream, a replica, Serve's controller and a worker, while 180 packets come in."""
    kills = (SERVER_KINDS[1], "stream", "router", "controller", "worker")
    plan = Plan(180, kills, seed=3, database="postgresql", simulated=8)

    told = chaos.run(plan, tmp_path)

    assert told.faults == []
    assert set(told.kills) == set(kills)
    assert min(told.kills.values()) == 1


@pytest.mark.slow
@pytest.mark.timeout(7200)
@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgresql", marks=needs_postgresql)])
def test_ten_thousand_packets_survive_sixty_kills(tmp_path: Path, database: str) -> None:
    import random

    kills = chaos.drawn(60, random.Random(1), database, heads=2)
    plan = Plan(10_000, kills, seed=1, database=database, simulated=60, streams=3)

    told = chaos.run(plan, tmp_path)

    assert told.faults == []
    assert set(told.kills) >= {*KINDS, HEAD}
