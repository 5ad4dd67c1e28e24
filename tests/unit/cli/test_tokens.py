"""`skystamp tokens`: the secret is printed once, alone on stdout, and nowhere else."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from skystamp.api import tokens
from skystamp.cli import app

run = CliRunner()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "secrets" / "tokens.json"


def add(file: Path, *more: str) -> str:
    result = run.invoke(app, ["tokens", "add", "stream", "--file", str(file), "--scopes", "classify,read", *more])
    assert result.exit_code == 0, result.output
    return result.stdout.strip()


def test_the_secret_stands_alone_on_stdout_and_opens_the_file(file: Path) -> None:
    secret = add(file, "--rate", "500", "--days", "30")

    found = tokens.holder(tokens.read(file), secret)

    assert found is not None
    assert (found.name, found.scopes, found.rate) == ("stream", {"classify", "read"}, 500.0)
    assert found.expires is not None


def test_the_list_tells_everything_but_secrets_and_digests(file: Path) -> None:
    secret = add(file, "--days", "0")

    result = run.invoke(app, ["tokens", "list", "--file", str(file)])

    assert "stream" in result.output
    assert "classify,read" in result.output
    assert "ended" in result.output
    assert secret not in result.output
    assert tokens.read(file)[0].sha256 not in result.output


def test_what_is_revoked_is_gone(file: Path) -> None:
    add(file)

    result = run.invoke(app, ["tokens", "revoke", "stream", "--file", str(file)])

    assert result.exit_code == 0
    assert tokens.read(file) == ()


@pytest.mark.parametrize("scopes", ["", "classify,write"])
def test_other_scopes_are_refused_in_one_sentence(file: Path, scopes: str) -> None:
    result = run.invoke(app, ["tokens", "add", "a", "--file", str(file), "--scopes", scopes])

    assert result.exit_code == 2
    assert "scopes should be of classify, read, label, admin" in result.output
    assert not file.exists()
