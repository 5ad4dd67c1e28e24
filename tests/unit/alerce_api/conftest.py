"""A filled store, of SQLite alone, and the API over it on a port: nothing here writes, so one is enough for all."""

from collections.abc import Iterator

import pytest

from skystamp.store import Store, open_store
from tests import alerce
from tests.hosting import hosted


@pytest.fixture(scope="session")
def reading(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store with objects, and a challenger's scores."""
    opened = open_store(f"sqlite:///{tmp_path_factory.mktemp('alerce') / 'store.db'}", connections=8)
    alerce.fill(opened)
    alerce.challenge(opened)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def url(reading: Store) -> Iterator[str]:
    """The address of the API, without its prefix."""
    with hosted(alerce.site(reading)) as address:
        yield address
