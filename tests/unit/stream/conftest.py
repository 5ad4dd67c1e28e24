"""A service on loopback for the tests here."""

from collections.abc import Iterator

import pytest

from tests import serving


@pytest.fixture
def service() -> Iterator[serving.FakeService]:
    with serving.running() as running:
        yield running
