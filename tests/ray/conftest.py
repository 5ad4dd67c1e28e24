"""The one small cluster that all tests here share."""

from collections.abc import Iterator
from typing import Any

import pytest

from skystamp.cluster import environment

environment.apply(local=True)  # before anything imports Ray, which reads its settings once

OBJECT_STORE_BYTES = 200_000_000


@pytest.fixture(scope="session")
def cluster() -> Iterator[None]:
    """Hold a cluster of two cores, on loopback, that no running head captures and that ends with the tests."""
    import ray

    ray.init(
        address="local",
        num_cpus=2,
        object_store_memory=OBJECT_STORE_BYTES,
        include_dashboard=False,
        log_to_driver=False,
        logging_level="WARNING",
    )
    yield
    ray.shutdown()


def pytest_collection_modifyitems(items: list[Any]) -> None:
    """Mark what is here, so that `-m "not ray"` leaves it out, and let Ray warn of its own old settings."""
    for item in items:
        if "/tests/ray/" in str(item.path):
            item.add_marker(pytest.mark.ray)
            item.add_marker(pytest.mark.filterwarnings(r"ignore::DeprecationWarning:ray\."))
            item.add_marker(pytest.mark.filterwarnings(r"ignore::DeprecationWarning:copy"))
