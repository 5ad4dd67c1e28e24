"""Who may look and who may vote; sessions that can not be made up, and end."""

import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from skystamp.api import Refusal, tokens
from skystamp.api.access import Access, Asked
from skystamp.api.tokens import Scope, TokenFile
from skystamp.hunter import doors
from skystamp.hunter.doors import Doors

NOW = 1_700_000_000.0
OWN = {"host": "127.0.0.1:8000", "origin": "http://127.0.0.1:8000"}
HERE, THERE = Asked("127.0.0.1", OWN), Asked("192.0.2.7", {"host": "sky.example", "origin": "https://sky.example"})


class Clock:
    """A clock that is set by hand."""

    now = NOW

    def __call__(self) -> float:
        return self.now


def gate(file=None, clock=None):
    known = TokenFile(file, iter(range(10**6)).__next__, print) if file else None
    access = Access(known, time.monotonic, lambda: datetime.fromtimestamp(NOW, UTC))
    return Doors(known, access, clock or Clock())


@pytest.fixture
def file(tmp_path):
    return tmp_path / "tokens.json"


def test_a_token_opens_a_session_for_twelve_hours(file):
    secret = tokens.add(file, "ada", [Scope.READ, Scope.LABEL])
    clock = Clock()
    made = gate(file, clock)

    cookie = made.sign_in(THERE, f" {secret} ")

    found = made.visitor(THERE, cookie)
    assert (found.name, found.may_look, found.may_vote) == ("ada", True, True)
    assert secret not in cookie
    clock.now += doors.SESSION_S - 1
    assert made.visitor(THERE, cookie).may_look
    clock.now += 2
    assert not made.visitor(THERE, cookie).may_look


def test_any_replica_knows_a_session_and_a_revoked_token_takes_it_away(file):
    secret = tokens.add(file, "ada", [Scope.READ])
    tokens.add(file, "bea", [Scope.READ])
    cookie = gate(file).sign_in(THERE, secret)
    other = gate(file)

    before = other.visitor(THERE, cookie)
    tokens.revoke(file, "ada")
    after = other.visitor(THERE, cookie)

    assert (before.may_look, before.may_vote, after.may_look) == (True, False, False)
    tokens.add(file, "ada", [Scope.ADMIN])  # somebody else's token of the same name is another
    assert not other.visitor(THERE, cookie).may_look


def test_a_session_that_was_changed_is_none(file):
    secret = tokens.add(file, "ada", [Scope.READ])
    tokens.add(file, "root", [Scope.ADMIN])
    made = gate(file)
    cookie = made.sign_in(THERE, secret)
    form, until, nonce, name, signature = cookie.split("~")

    wrong = [
        "~".join([form, until, nonce, doors._coded("root"), signature]),
        "~".join([form, str(int(until) + 9999), nonce, name, signature]),
        "~".join([form, until, nonce, name, "0" * 64]),
        f"{form}~{until}~{nonce}~{name}",
        *("", "~", "~~~~", "é~é", form, cookie[:-1], "hunter1~99999999999~x~" + doors._coded("ada") + "~"),
    ]

    assert made.visitor(THERE, cookie).may_look
    assert [made.visitor(THERE, one).may_look for one in wrong] == [False] * len(wrong)


@pytest.mark.parametrize(("scopes", "status"), [([Scope.CLASSIFY], 403), (None, 401)], ids=["may not look", "unknown"])
def test_tokens_that_open_nothing(file, scopes, status):
    tokens.add(file, "other", [Scope.READ])
    secret = tokens.add(file, "stream", scopes) if scopes else "skystamp_made_up"

    with pytest.raises(Refusal) as told:
        gate(file).sign_in(THERE, secret)

    assert told.value.status == status


def test_a_token_that_has_ended_opens_nothing(file):
    secret = tokens.add(file, "ada", [Scope.READ], expires=datetime.fromtimestamp(NOW + 10, UTC))
    clock = Clock()
    made = gate(file, clock)
    cookie = made.sign_in(THERE, secret)

    clock.now += 11

    assert not made.visitor(THERE, cookie).may_look
    with pytest.raises(Refusal):
        made.sign_in(THERE, secret)


def test_a_program_sends_its_token_with_each_request(file):
    secret = tokens.add(file, "robot", [Scope.READ, Scope.LABEL])
    looker = tokens.add(file, "looker", [Scope.READ])
    made = gate(file)

    robot = Asked("192.0.2.7", {"host": "sky.example", "authorization": f"Bearer {secret}"})
    found = made.visitor(robot, "")
    doors.check_write(found, robot, "")

    assert (found.name, found.may_vote) == ("robot", True)
    asked = Asked("192.0.2.7", {"host": "sky.example", "authorization": f"Bearer {looker}"})
    with pytest.raises(Refusal):
        doors.check_write(made.visitor(asked, ""), asked, "")


def test_without_tokens_this_machine_votes_under_a_typed_name():
    made = gate()

    found = made.visitor(HERE, made.sign_in(HERE, "  Ada  Lovelace "))

    assert (found.name, found.may_vote) == ("Ada Lovelace", True)
    assert made.visitor(HERE, "").may_look
    assert not made.visitor(HERE, "").may_vote


@pytest.mark.parametrize(
    "asked",
    [
        pytest.param(THERE, id="another machine"),
        pytest.param(Asked("127.0.0.1", {**OWN, "x-forwarded-for": "192.0.2.7"}), id="through a proxy"),
        pytest.param(Asked("127.0.0.1", {"host": "evil.example"}), id="by another name"),
    ],
)
def test_without_tokens_others_look_but_do_not_vote(asked):
    made = gate()
    cookie = made.sign_in(HERE, "Ada")

    found = made.visitor(asked, cookie)

    assert (found.may_look, found.may_vote, found.how) == (True, False, doors.NOT_LOCAL)
    with pytest.raises(Refusal):
        made.sign_in(asked, "Ada")


@pytest.mark.parametrize("name", ["", "   ", "a" * 65, "<b>", "a\nb<", '"', "a;b"])
def test_what_is_no_name_is_refused(name):
    with pytest.raises(Refusal) as told:
        gate().sign_in(HERE, name)

    assert told.value.status == 400


def test_a_word_is_of_one_session_alone_and_another_each_time():
    made = gate()
    ada, bea = (made.visitor(HERE, made.sign_in(HERE, name)) for name in ("Ada", "Bea"))

    assert ada.knows(ada.word)
    assert ada.word != ada.word
    assert not ada.knows(bea.word)
    assert not any(ada.knows(word) for word in ("", ".", "x", "é.é"))
    assert not replace(ada, cookie="").knows(replace(ada, cookie="").word)


@pytest.mark.parametrize(
    ("headers", "is_ours"),
    [
        ({"host": "a:1", "origin": "http://a:1"}, True),
        ({"host": "a", "origin": "https://a"}, True),
        ({"host": "a:1", "origin": "http://b:1"}, False),
        ({"host": "a:1", "origin": "http://a:2"}, False),
        ({"host": "a:1", "origin": "null"}, False),
        ({"host": "a:1", "origin": "http://a:1.evil"}, False),
        ({"host": "a:1", "origin": "http://u@a:1"}, False),
        ({"host": "a:1"}, False),
        ({"host": "", "origin": "file://"}, False),
    ],
    ids=str,
)
def test_only_our_own_origin_writes(headers, is_ours):
    asked = Asked("127.0.0.1", headers)

    if is_ours:
        doors.check_origin(asked)
        return
    with pytest.raises(Refusal) as told:
        doors.check_origin(asked)
    assert told.value.status == 403
