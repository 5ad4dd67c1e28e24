"""A few synthetic packets, made once."""

import pytest

from skystamp import synthetic


@pytest.fixture(scope="session")
def packets() -> list[bytes]:
    """Return three packets of three objects."""
    return [synthetic.write_packet(synthetic.simulate_object(5, i, cls="VS").records[0]) for i in range(3)]
