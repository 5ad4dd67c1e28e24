"""The broker that all tests here share, each with topics of its own."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from skystamp.sources.kafka import Settings, read_settings
from tests import brokers, serving
from tests.brokers import Broker


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with brokers.running(tmp_path_factory.mktemp("broker")) as running:
        yield running


@pytest.fixture(scope="session")
def settings_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("settings") / "kafka.conf"
    path.write_text(brokers.SETTINGS)
    return path


@pytest.fixture
def settings(settings_file: Path) -> Settings:
    return read_settings(settings_file)


@pytest.fixture
def topic(broker: Broker, request: pytest.FixtureRequest) -> Callable[..., str]:
    """`topic(name="alerts", partitions=3)`: make a topic of this test's own and return its name."""

    def make(name: str = "alerts", partitions: int = 3) -> str:
        whole = f"{request.node.name.partition('[')[0][:60]}_{name}_{abs(hash(request.node.name)) % 10**6}"
        broker.create(whole, partitions)
        return whole

    return make


@pytest.fixture
def service() -> Iterator[serving.FakeService]:
    with serving.running() as running:
        yield running
