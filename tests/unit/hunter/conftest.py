"""A filled store, of SQLite alone: what differs between databases is the store's own matter."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from skystamp.store import Store, open_store
from tests import hunting


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store's file that is filled once and copied."""
    file = tmp_path_factory.mktemp("hunter") / "store.db"
    opened = open_store(f"sqlite:///{file}")
    hunting.fill(opened)
    opened.close()
    return file


@pytest.fixture
def store(filled: Path, tmp_path: Path, opening: Callable[..., Store]) -> Iterator[Store]:
    """A store with candidates."""
    (tmp_path / "store.db").write_bytes(filled.read_bytes())
    return opening(f"sqlite:///{tmp_path}/store.db")
