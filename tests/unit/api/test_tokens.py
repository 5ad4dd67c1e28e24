"""api.tokens: a file that holds digests, read again when it changes, kept as it was when it is broken."""

import json
import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest

from skystamp.api import tokens
from skystamp.api.tokens import LOOK_S, Scope, TokenFile, holder
from skystamp.errors import UsageError
from tests.answering import Clock


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tokens.json"


def test_the_file_holds_the_digest_and_never_the_secret(path: Path) -> None:
    secret = tokens.add(path, "stream", {Scope.CLASSIFY}, rate=10.0)

    (made,) = tokens.read(path)

    assert secret not in path.read_text()
    assert secret.removeprefix("skystamp_") not in path.read_text()
    assert (made.name, made.scopes, made.rate, made.expires) == ("stream", {Scope.CLASSIFY}, 10.0, None)
    assert holder([made], secret) == made


def test_only_the_owner_may_read_the_file(path: Path) -> None:
    tokens.add(path, "a", {Scope.READ})

    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("wrong", ["", "skystamp_", "x" * 1000, "skystamp_\udcff", "ä"])
def test_another_secret_is_nobodys(path: Path, wrong: str) -> None:
    secret = tokens.add(path, "a", {Scope.READ})

    assert holder(tokens.read(path), wrong) is None
    assert holder(tokens.read(path), secret + "x") is None


def test_each_secret_finds_its_own_token_among_many(path: Path) -> None:
    secrets = {name: tokens.add(path, name, {Scope.READ}) for name in "abcd"}

    found = {name: holder(tokens.read(path), secret) for name, secret in secrets.items()}

    assert {name: token.name for name, token in found.items() if token} == {name: name for name in "abcd"}


def test_admin_allows_everything_and_others_what_they_say(path: Path) -> None:
    tokens.add(path, "boss", {Scope.ADMIN})
    tokens.add(path, "reader", {Scope.READ})

    boss, reader = tokens.read(path)

    assert all(boss.allows(scope) for scope in Scope)
    assert [scope for scope in Scope if reader.allows(scope)] == [Scope.READ]


@pytest.mark.parametrize(
    ("name", "scopes", "rate"),
    [("a b", {Scope.READ}, None), ("", {Scope.READ}, None), ("a", set(), None), ("a", {Scope.READ}, 0.0)],
    ids=["space", "no-name", "no-scope", "no-rate"],
)
def test_values_that_no_token_has_are_refused(path: Path, name: str, scopes: set[Scope], rate: float | None) -> None:
    with pytest.raises(UsageError, match="of a token"):
        tokens.add(path, name, scopes, rate=rate)

    assert not path.exists()


def test_a_name_is_given_once(path: Path) -> None:
    tokens.add(path, "a", {Scope.READ})

    with pytest.raises(UsageError, match="revoke the old first"):
        tokens.add(path, "a", {Scope.ADMIN})


def test_what_is_revoked_is_gone_and_the_others_stay(path: Path) -> None:
    first, second = (tokens.add(path, name, {Scope.READ}) for name in "ab")

    tokens.revoke(path, "a")

    assert holder(tokens.read(path), first) is None
    assert holder(tokens.read(path), second) is not None
    with pytest.raises(UsageError, match=r"one of: b\. Received: a"):
        tokens.revoke(path, "a")


def test_an_end_without_a_zone_is_refused(path: Path) -> None:
    entry = {"name": "a", "scopes": ["read"], "sha256": "0" * 64, "expires": "2030-01-01T00:00:00"}
    path.write_text(json.dumps({"tokens": [entry]}))

    with pytest.raises(UsageError, match="expires"):
        tokens.read(path)


def test_an_end_is_kept(path: Path) -> None:
    until = datetime(2030, 1, 1, tzinfo=UTC)

    tokens.add(path, "a", {Scope.READ}, expires=until)

    assert tokens.read(path)[0].expires == until


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"tokens": [{"name": "a"}]}', '{"tokens": [], "more": 1}', '{"tokens": [{"secret": "hush-hush"}]}'],
    ids=["empty", "list", "lacking", "more", "secret"],
)
def test_a_file_that_is_none_of_tokens_is_told_without_what_it_holds(path: Path, text: str) -> None:
    path.write_text(text)

    with pytest.raises(UsageError) as told:
        tokens.read(path)

    assert str(path) in str(told.value)
    assert "hush" not in str(told.value)


def test_a_digest_that_stands_twice_is_refused(path: Path) -> None:
    entries = [{"name": name, "scopes": ["read"], "sha256": "0" * 64} for name in "ab"]
    path.write_text(json.dumps({"tokens": entries}))

    with pytest.raises(UsageError, match="sha256"):
        tokens.read(path)


def test_a_change_is_seen_after_a_moment(path: Path) -> None:
    tokens.add(path, "a", {Scope.READ})
    clock = Clock()
    file = TokenFile(path, clock, pytest.fail)

    tokens.add(path, "b", {Scope.READ})
    before = [token.name for token in file.tokens]
    clock.now += LOOK_S
    after = [token.name for token in file.tokens]

    assert (before, after) == (["a"], ["a", "b"])


@pytest.mark.parametrize("harm", ["broken", "gone"])
def test_a_file_that_breaks_leaves_the_tokens_as_they_were_and_says_so_once(path: Path, harm: str) -> None:
    secret = tokens.add(path, "a", {Scope.READ})
    good, clock, told = path.read_text(), Clock(), list[str]()
    file = TokenFile(path, clock, told.append)

    path.write_text("{") if harm == "broken" else path.unlink()
    for _ in range(3):
        clock.now += LOOK_S
        kept = holder(file.tokens, secret)

    assert kept is not None
    assert file.problem is not None
    assert told == [file.problem]
    assert "stay as they were" in file.problem
    path.write_text(good)
    os.utime(path, (1, 1))
    clock.now += LOOK_S
    assert holder(file.tokens, secret) is not None
    assert file.problem is None


def test_a_service_does_not_begin_without_the_file_it_was_told(path: Path) -> None:
    with pytest.raises(UsageError, match=r"tokens.json, No such file"):
        TokenFile(path, Clock(), pytest.fail)
