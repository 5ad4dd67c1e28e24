"""`skystamp tns`: shown by default, sent when told, followed, listed; and what its exit status says."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from skystamp.cli import app
from skystamp.store import Label, open_store
from tests import hunting, tns_server
from tests.tns_server import KEY, NAME, REPORT

run = CliRunner().invoke
SETTINGS = """address = "{address}"
bot_id = 42
bot_name = "a_bot"
reporting_group = 74
data_source = 48
reporter = "A. Astronomer (Institute)"
"""


@pytest.fixture
def fake():
    with tns_server.running() as made:
        yield made


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fake) -> str:
    """A store with a confirmed candidate, settings where they are looked for, and a key in the environment."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SKYSTAMP_TNS_KEY", KEY)
    url = f"sqlite:///{tmp_path}/store.db"
    store = open_store(url)
    hunting.fill(store)
    for author in ("ada", "bea"):
        store.vote(Label("ztf", "ZTF23aaa", "SN", author, 1.7e9, "hunter"))
    store.close()
    (tmp_path / ".skystamp").mkdir()
    (tmp_path / ".skystamp" / "tns.toml").write_text(SETTINGS.format(address=fake.address))
    return url


def asked(url: str, *arguments: str):
    return run(app, ["tns", *arguments, "--store", url])


def test_a_report_is_shown_by_default_and_nothing_is_sent(url, fake):
    done = asked(url, "report", "ZTF23aaa", "ZTF23negative")

    assert done.exit_code == 1  # one of them should not be
    assert '"internal_name": "ZTF23aaa"' in done.output
    assert "ZTF23aaa: nothing was sent; --send does" in done.output
    assert "negative: 1 of its detection is fainter than the template" in done.output
    assert fake.of(REPORT) == []
    assert json.loads(asked(url, "list", "--json").stdout) == []


def test_a_report_is_sent_when_told_and_not_twice(url, fake):
    first = asked(url, "report", "ZTF23aaa", "--send")
    second = asked(url, "report", "ZTF23aaa", "--send")

    assert (first.exit_code, second.exit_code) == (0, 1)
    assert f"AT {NAME}" in first.output
    assert "we reported it already" in second.output
    assert len(fake.of(REPORT)) == 1
    assert KEY not in first.output + second.output


def test_what_is_recorded_is_listed_and_shown(url):
    asked(url, "report", "ZTF23aaa", "--send")

    (listed,) = json.loads(asked(url, "list", "--json").stdout)
    (shown,) = json.loads(asked(url, "show", "ztf/ZTF23aaa").stdout)

    assert (listed["state"], listed["tns_name"]) == ("posted", f"AT {NAME}")
    assert shown["content"]["at_report"]["0"]["reporter"] == "A. Astronomer (Institute)"
    assert KEY not in json.dumps(shown)
    assert f"posted    AT {NAME}" in asked(url, "list").output


def test_json_is_for_programs(url):
    done = asked(url, "report", "ZTF23aaa", "--json")

    found = json.loads(done.stdout)
    assert done.exit_code == 0
    assert found["against"] == []
    assert found["report"]["at_report"]["0"]["reporting_group_id"] == "74"


def test_a_guard_is_passed_by_name_with_a_reason(url, fake):
    fake.know("2020xyz", 150.0, 2.5, "ATLAS20abc")

    stopped = asked(url, "report", "ZTF23aaa", "--send")
    silent = asked(url, "report", "ZTF23aaa", "--send", "--override", "on_tns")
    wrong = asked(url, "report", "ZTF23aaa", "--send", "--override", "negative", "--why", "x")
    done = asked(url, "report", "ZTF23aaa", "--send", "--override", "on_tns", "--why", "in front")

    assert [one.exit_code for one in (stopped, silent, wrong, done)] == [1, 1, 1, 0]
    assert "on_tns (--override passes it)" in stopped.output


def test_without_a_key_or_settings_nothing_is_sent_and_it_is_told(url, fake, monkeypatch, tmp_path):
    monkeypatch.delenv("SKYSTAMP_TNS_KEY")
    no_key = asked(url, "report", "ZTF23aaa", "--send")
    (tmp_path / ".skystamp" / "tns.toml").unlink()
    nothing = asked(url, "report", "ZTF23aaa")

    assert (no_key.exit_code, nothing.exit_code) == (1, 1)
    assert "the bot's key" in no_key.output
    assert "tns_unasked" in nothing.output
    assert fake.asked == []


def test_a_wrong_key_is_a_sentence(url, monkeypatch):
    monkeypatch.setenv("SKYSTAMP_TNS_KEY", "wrong-key")

    done = asked(url, "report", "ZTF23aaa", "--send")

    assert done.exit_code == 1
    assert "does not let this bot in (401)" in done.output
    assert "wrong-key" not in done.output


def test_following_asks_what_became_of_what_waits(url, fake):
    from skystamp.hunter.reporting import PATIENCE
    from skystamp.tns import Desk, People, read

    store = open_store(url)
    fake.polls = 1
    made = Desk(store, read(Path(".skystamp/tns.toml")), KEY, lambda: hunting.NOW, lambda _: None, PATIENCE)
    made.send(made.draft(("ztf", "ZTF23aaa"), People(2, 0, 2)), "ada")
    store.close()

    followed = asked(url, "follow")
    again = asked(url, "follow", "ZTF23aaa")

    assert (followed.exit_code, again.exit_code) == (0, 0)
    assert f"posted    AT {NAME}" in followed.output
    assert len(fake.of(REPORT)) == 1


def test_an_object_that_is_not_there_is_told(url):
    done = asked(url, "report", "ZTF00none")

    assert done.exit_code == 2
    assert "should have an answer" in done.output
