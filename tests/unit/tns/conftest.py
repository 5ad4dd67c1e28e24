"""A server of our own, a store of candidates, and a desk between them whose clock goes by what it sleeps."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from skystamp import tns
from skystamp.store import Store, open_store
from skystamp.tns import Desk, Patience, Settings
from tests import hunting, tns_server
from tests.tns_server import FakeTns

QUICK = Patience(timeout_s=5.0, tries=3, longest_wait_s=60.0, pause_s=1.0, settle_s=30.0, poll_s=10.0, poll_for_s=60.0)


class Clock:
    """A clock that goes by what is slept."""

    def __init__(self, now: float = hunting.NOW) -> None:
        self.now = now
        self.slept: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture
def fake() -> Iterator[FakeTns]:
    """A server on loopback."""
    with tns_server.running() as made:
        yield made


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def settings(fake: FakeTns) -> Settings:
    """All that has to be set, for the server on loopback."""
    return tns.checked(Settings(fake.address, "42", "a_bot", "74", "48", "A. Astronomer (Institute)"))


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store's file that is filled once and copied."""
    file = tmp_path_factory.mktemp("tns") / "store.db"
    opened = open_store(f"sqlite:///{file}")
    hunting.fill(opened)
    opened.close()
    return file


@pytest.fixture
def store(filled: Path, tmp_path: Path, opening: Callable[..., Store]) -> Store:
    """A store with candidates."""
    (tmp_path / "store.db").write_bytes(filled.read_bytes())
    return opening(f"sqlite:///{tmp_path}/store.db")


@pytest.fixture
def desk(store: Store, settings: Settings, clock: Clock) -> Desk:
    """A desk with a key."""
    return Desk(store, settings, tns_server.KEY, clock, clock.sleep, QUICK)
