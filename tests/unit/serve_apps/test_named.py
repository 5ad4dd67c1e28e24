"""serve_apps.named: a secret's name travels, the secret does not."""

import pytest

from serve_apps.named import is_named, made_absolute, store_url
from skystamp.errors import UsageError

URL = "postgresql://me:hunter2@db.example/skystamp"


def test_a_name_is_looked_up_and_a_url_is_taken_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_STORE", URL)

    assert store_url("env:A_STORE") == URL
    assert store_url("sqlite:///store.db") == "sqlite:///store.db"


def test_only_the_name_travels(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:
    monkeypatch.setenv("A_STORE", URL)
    monkeypatch.chdir(tmp_path)

    assert is_named("env:A_STORE")
    assert made_absolute("env:A_STORE") == "env:A_STORE"
    assert made_absolute("sqlite:///store.db") == f"sqlite:///{tmp_path}/store.db"


@pytest.mark.parametrize("value", [None, "", "sqlite:///store.db"])
def test_what_names_no_store_is_refused_without_its_value(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    monkeypatch.delenv("A_STORE", raising=False)
    if value is not None:
        monkeypatch.setenv("A_STORE", value)

    with pytest.raises(UsageError, match="A_STORE") as refused:
        store_url("env:A_STORE")

    assert "store.db" not in str(refused.value)


def test_an_absolute_file_may_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_STORE", "sqlite:////srv/store.db")

    assert store_url("env:A_STORE") == "sqlite:////srv/store.db"
