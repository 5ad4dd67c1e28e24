"""cluster.environment: our settings stand unless the user's do."""

import os

import pytest

from skystamp.cluster import environment


def test_what_the_user_set_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in environment.LOCAL_ENVIRONMENT:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("RAY_AUTH_MODE", "token")

    environment.apply(local=True)

    set_now = {name: os.environ[name] for name in environment.LOCAL_ENVIRONMENT}
    for name in environment.LOCAL_ENVIRONMENT:
        monkeypatch.setenv(name, os.environ[name])  # so that they end with the test
    assert set_now == {**environment.LOCAL_ENVIRONMENT, "RAY_AUTH_MODE": "token"}


def test_authentication_stays_on_beyond_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in environment.LOCAL_ENVIRONMENT:
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)

    environment.apply(local=False)

    assert "RAY_AUTH_MODE" not in os.environ
    assert os.environ["RAY_USAGE_STATS_ENABLED"] == "0"
