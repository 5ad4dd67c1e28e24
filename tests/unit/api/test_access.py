"""api.access: who may ask for what, from where, how often; and how a router says that it needs a scope."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI, Request

from skystamp.api.access import Asked, Scope, guarded, is_local
from tests.answering import AVRO, LOCAL, NOW, REMOTE, Clock, app, ask, bearer, token
from tests.making import packet

labels = APIRouter(prefix="/v1/labels", **guarded(Scope.LABEL))


@labels.post("")
async def label(request: Request) -> dict[str, str]:
    """Answer who asks."""
    return {"by": request.state.caller.name}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tokens.json"


@pytest.fixture
def secrets(path: Path) -> dict[str, str]:
    """Return a secret for each scope, by its name."""
    return {scope.value: token(path, scope, name=scope.value) for scope in Scope}


def code(response: Any) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


def post(of: FastAPI, headers: dict[str, str], **more: Any) -> Any:
    return ask(of, "POST", "/v1/classify", content=packet(), headers={**AVRO, **headers}, **more)


# --------------------------------------------------------------------------------------------------------- with tokens


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", "Basic YTpi", "bearer  ", "Token x"], ids=lambda header: header or "none"
)
def test_without_a_token_a_request_is_told_how_to_show_one(path: Path, secrets: dict[str, str], header: str) -> None:
    response = post(app(tokens=path), {"authorization": header} if header else {})

    assert code(response) == (401, "no_token")
    assert response.headers["www-authenticate"] == 'Bearer realm="skystamp"'


def test_an_unknown_token_is_not_told_apart_from_an_ended_one(path: Path) -> None:
    ended = token(path, Scope.READ, expires=NOW)
    good = token(path, Scope.READ, name="good", expires=NOW + timedelta(seconds=1))
    of = app(tokens=path)

    answers = [ask(of, "GET", "/v1/models", headers=bearer(secret)) for secret in ("skystamp_no", ended, good)]

    assert [answer.status_code for answer in answers] == [401, 401, 200]
    assert answers[0].text == answers[1].text
    assert 'error="invalid_token"' in answers[0].headers["www-authenticate"]


@pytest.mark.parametrize(
    ("method", "route", "scopes"),
    [
        ("POST", "/v1/classify", {"classify", "admin"}),
        ("GET", "/v1/models", {"read", "admin"}),
        ("POST", "/v1/labels", {"label", "admin"}),
    ],
)
def test_each_route_needs_its_scope(
    path: Path, secrets: dict[str, str], method: str, route: str, scopes: set[str]
) -> None:
    of = app(tokens=path, routers=[labels])
    sent = {"content": packet()} if route == "/v1/classify" else {}

    answers = {
        name: ask(of, method, route, headers={**AVRO, **bearer(secret)}, peer=REMOTE, **sent)
        for name, secret in secrets.items()
    }

    assert {name for name, answer in answers.items() if answer.status_code == 200} == scopes
    for name in set(secrets) - scopes:
        assert code(answers[name]) == (403, "not_allowed")
        assert 'error="insufficient_scope"' in answers[name].headers["www-authenticate"]


@pytest.mark.parametrize("route", ["/healthz", "/readyz", "/docs", "/", "/openapi.json"])
def test_what_tells_no_secret_is_open(path: Path, secrets: dict[str, str], route: str) -> None:
    assert ask(app(tokens=path), "GET", route, peer=REMOTE).status_code == 200


def test_a_refused_request_is_refused_before_its_body_is_read(path: Path, secrets: dict[str, str]) -> None:
    async def body() -> Any:
        pytest.fail("the body was read")
        yield b""

    assert code(ask(app(tokens=path), "POST", "/v1/classify", content=body(), headers=AVRO)) == (401, "no_token")


def test_who_labels_is_known_by_name(path: Path, secrets: dict[str, str]) -> None:
    response = ask(app(tokens=path, routers=[labels]), "POST", "/v1/labels", headers=bearer(secrets["label"]))

    assert response.json() == {"by": "label"}


def test_the_packets_of_a_token_are_counted_and_too_many_told_when_to_come_back(path: Path) -> None:
    secret, other = token(path, Scope.CLASSIFY, rate=1.0), token(path, Scope.CLASSIFY, name="other")
    clock = Clock()
    of = app(tokens=path, clock=clock)

    for _ in range(10):
        assert post(of, bearer(secret)).status_code == 200
    refused = post(of, bearer(secret))

    assert code(refused) == (429, "too_often")
    assert refused.headers["retry-after"] == "1"
    assert post(of, bearer(other)).status_code == 200
    clock.now += 1
    assert post(of, bearer(secret)).status_code == 200


def test_a_body_of_many_packets_is_paid_for_by_those_after_it(path: Path, make_record: Any) -> None:
    secret = token(path, Scope.CLASSIFY, rate=1.0)
    of = app(tokens=path, clock=Clock())
    body = packet(*(make_record(i) for i in range(30)))

    first = ask(of, "POST", "/v1/classify", content=body, headers={**AVRO, **bearer(secret)})
    second = post(of, bearer(secret))

    assert (first.status_code, second.status_code) == (200, 429)
    assert second.headers["retry-after"] == "21"


def test_no_answer_holds_a_token(path: Path, secrets: dict[str, str]) -> None:
    of = app(tokens=path)

    for secret in (*secrets.values(), "skystamp_wrong-but-secret"):
        for route in ("/v1/models", "/v1/classify", "/nowhere"):
            response = ask(of, "GET", route, headers=bearer(secret))
            assert secret not in response.text + str(response.headers)


# ------------------------------------------------------------------------------------------------------ without tokens


@pytest.mark.parametrize("peer", [LOCAL, REMOTE])
def test_without_a_file_anybody_may_classify_and_read(peer: str) -> None:
    of = app()

    assert post(of, {}, peer=peer).status_code == 200
    assert ask(of, "GET", "/v1/models", peer=peer).status_code == 200


HERE = {"host": "127.0.0.1:8000"}
LOCALS = [
    pytest.param(LOCAL, HERE, id="ipv4"),
    pytest.param("127.8.9.1", HERE, id="ipv4-other"),
    pytest.param("::1", {"host": "[::1]:8000"}, id="ipv6"),
    pytest.param("::ffff:127.0.0.1", {"host": "localhost"}, id="mapped"),
    pytest.param(LOCAL, {**HERE, "origin": "http://127.0.0.1:8000"}, id="own-page"),
]
STRANGERS = [
    pytest.param(REMOTE, HERE, id="remote"),
    pytest.param("", HERE, id="unknown"),
    pytest.param("testclient", HERE, id="no-address"),
    pytest.param("::ffff:203.0.113.7", HERE, id="mapped-remote"),
    pytest.param(REMOTE, {**HERE, "x-forwarded-for": LOCAL}, id="forged"),
    pytest.param(LOCAL, {**HERE, "x-forwarded-for": REMOTE}, id="proxied"),
    pytest.param(LOCAL, {**HERE, "x-forwarded-for": LOCAL}, id="forged-behind-a-proxy"),
    pytest.param(LOCAL, {**HERE, "x-forwarded-for": ""}, id="empty-behind-a-proxy"),
    pytest.param(LOCAL, {**HERE, "forwarded": "for=127.0.0.1"}, id="forwarded"),
    pytest.param(LOCAL, {**HERE, "x-real-ip": LOCAL}, id="real-ip"),
    pytest.param(LOCAL, {**HERE, "via": "1.1 proxy"}, id="via"),
    pytest.param(LOCAL, {"host": "evil.example:8000"}, id="rebound-name"),
    pytest.param(LOCAL, {"host": "[::1"}, id="damaged-host"),
    pytest.param(LOCAL, {}, id="no-host"),
    pytest.param(LOCAL, {**HERE, "origin": "https://evil.example"}, id="another-sites-page"),
    pytest.param(LOCAL, {**HERE, "origin": "null"}, id="a-page-of-nowhere"),
    pytest.param(LOCAL, {**HERE, "origin": "http://127.0.0.1:9"}, id="another-port"),
]


@pytest.mark.parametrize(("peer", "headers"), LOCALS)
def test_this_machine_is_local(peer: str, headers: dict[str, str]) -> None:
    assert is_local(Asked(peer, headers))


@pytest.mark.parametrize(("peer", "headers"), STRANGERS)
def test_whoever_could_be_another_is_not(peer: str, headers: dict[str, str]) -> None:
    assert not is_local(Asked(peer, headers))


def test_without_a_file_changes_are_for_this_machine_alone() -> None:
    of = app(routers=[labels])

    assert ask(of, "POST", "/v1/labels").json() == {"by": ""}
    assert code(ask(of, "POST", "/v1/labels", peer=REMOTE)) == (403, "not_local")
    assert code(ask(of, "POST", "/v1/labels", headers={"X-Forwarded-For": LOCAL})) == (403, "not_local")


# -------------------------------------------------------------------------------------------------------- the document


def test_the_document_says_which_routes_need_a_token_and_how_they_refuse() -> None:
    paths = app(routers=[labels]).openapi()["paths"]

    routes = {path: route for path, methods in paths.items() for route in methods.values()}
    asking = {path: route["responses"] for path, route in routes.items() if "security" in route}
    assert set(asking) == {"/v1/classify", "/v1/models", "/v1/labels"}
    assert all({"401", "403", "429"} <= set(responses) for responses in asking.values())
