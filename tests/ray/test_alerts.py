"""serve_apps.alerts: settings that listen on loopback, and no password in what is said of them. Starts no cluster."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from skystamp.errors import StoreError, StoreUnavailable
from skystamp.store import open_store

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of Serve and Starlette among themselves
    pytest.mark.filterwarnings("ignore:.*Any type hint is inferred as AnyType:UserWarning"),
]

SERVE_APPS = Path(__file__).parents[2] / "serve_apps"
URL = "postgresql://user:hush-hush@127.0.0.1:1/alerts"


def arguments(**values: Any) -> Any:
    """Return the application's settings; imported here, since Serve warns of itself when it is imported."""
    from serve_apps.alerts import Args

    return Args(**values)


def settings(name: str) -> dict[str, Any]:
    return yaml.safe_load((SERVE_APPS / name).read_text())


@pytest.mark.parametrize("name", ["local.yaml", "production.yaml"])
def test_the_service_listens_on_loopback_unless_told_otherwise(name: str) -> None:
    assert settings(name)["http_options"]["host"] == "127.0.0.1"


@pytest.mark.parametrize("name", ["local.yaml", "production.yaml"])
def test_the_proxy_waits_longer_than_any_request_may_take(name: str) -> None:
    found = settings(name)
    args = arguments(**found["applications"][0]["args"])

    assert found["http_options"]["request_timeout_s"] > args.timeout_s + args.body_timeout_s


def test_on_a_cluster_a_token_is_asked_for() -> None:
    assert settings("production.yaml")["applications"][0]["args"]["tokens"]


def test_settings_do_not_show_a_password() -> None:
    from serve_apps.ingress import IngressSettings
    from serve_apps.router import RouterSettings

    args = arguments(store=URL)

    assert "hush" not in repr(args)
    assert "hush" not in repr(RouterSettings(1, 1, 1, URL))
    assert "hush" not in repr(IngressSettings())


@pytest.mark.parametrize("wrong", [{"stores": URL}, {"store": [URL]}, {"timeout_s": URL}])
def test_a_wrong_setting_is_told_without_what_it_holds(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError) as told:
        arguments(**wrong)

    assert "hush" not in str(told.value)


def test_a_store_that_is_away_is_told_without_its_password() -> None:
    with pytest.raises(StoreUnavailable) as told:
        open_store(URL)

    fault: BaseException | None = told.value
    assert "user:***@127.0.0.1" in str(fault)
    while fault is not None:
        assert "hush" not in f"{fault!s}{fault!r}"
        fault = fault.__cause__ or fault.__context__


@pytest.mark.parametrize("url", ["mysql://user:hush-hush@x/y", "postgresql//user:hush-hush", "sqlite://user:hush@x"])
def test_a_store_of_another_kind_is_told_without_its_password(url: str) -> None:
    with pytest.raises(StoreError) as told:
        open_store(url)

    assert "hush" not in str(told.value)
