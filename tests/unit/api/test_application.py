"""api.application and api.routes: every answer is JSON of a stated form, whatever is asked."""

from typing import Any

import pytest
from fastapi import APIRouter

from skystamp.api import Refusal, refusals
from tests.answering import AVRO, FakeAnswers, app, ask
from tests.making import packet

BODY = packet()


def told(response: Any) -> tuple[int, str]:
    assert set(response.json()["error"]) == {"code", "message"}
    return response.status_code, response.json()["error"]["code"]


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/nowhere", (404, "not_found")),
        ("GET", "/v1/classify/", (404, "not_found")),
        ("GET", "/v1/classify", (405, "method_not_allowed")),
        ("DELETE", "/readyz", (405, "method_not_allowed")),
        ("TRACE", "/healthz", (405, "method_not_allowed")),
        ("MADEUP", "/v1/models", (405, "method_not_allowed")),
        ("GET", "//evil.example/..%2f", (404, "not_found")),
        ("GET", "/%00%ff", (404, "not_found")),
    ],
)
def test_other_routes_and_methods_are_one_sentence(method: str, path: str, expected: tuple[int, str]) -> None:
    response = ask(app(), method, path)

    assert told(response) == expected
    assert expected[0] != 405 or response.headers["allow"]


@pytest.mark.parametrize("store", ["maybe", "", "2", "tru%00e", "%ff"])
def test_a_parameter_that_can_not_be_is_one_sentence(store: str) -> None:
    response = ask(app(), "POST", f"/v1/classify?store={store}", content=BODY, headers=AVRO)

    assert told(response) == (422, "bad_parameter")
    assert "query store" in response.json()["error"]["message"]


def test_a_misspelt_parameter_is_refused_and_nothing_is_kept() -> None:
    service = FakeAnswers()

    response = ask(app(service=service), "POST", "/v1/classify?stroe=false", content=BODY, headers=AVRO)

    assert told(response) == (422, "bad_parameter")
    assert service.kept == []


def test_whether_packets_are_kept_is_asked_for() -> None:
    service = FakeAnswers()
    of = app(service=service)

    for query in ("", "?store=true", "?store=false"):
        assert ask(of, "POST", f"/v1/classify{query}", content=BODY, headers=AVRO).status_code == 200

    assert service.kept == [True, True, False]


@pytest.mark.parametrize("path", ["/readyz", "/v1/models"])
def test_a_service_that_is_not_ready_says_when_to_come_back(path: str) -> None:
    response = ask(app(service=FakeAnswers(refusals.unavailable())), "GET", path)

    assert told(response) == (503, "unavailable")
    assert response.headers["retry-after"] == "5"


@pytest.mark.parametrize(
    ("refusal", "status"), [(refusals.busy(), 503), (refusals.too_slow(60.0), 504), (refusals.too_many(5), 413)]
)
def test_a_refusal_of_the_service_is_passed_on(refusal: Refusal, status: int) -> None:
    response = ask(app(service=FakeAnswers(refusal)), "POST", "/v1/classify", content=BODY, headers=AVRO)

    assert told(response) == (status, refusal.code)
    assert dict(response.headers).get("retry-after") == refusal.headers.get("Retry-After")


def test_a_fault_of_ours_tells_the_client_nothing_of_us() -> None:
    fault = RuntimeError("postgresql://user:hush@db/x refused")

    response = ask(app(service=FakeAnswers(fault)), "POST", "/v1/classify", content=BODY, headers=AVRO)

    assert told(response) == (500, "fault")
    assert "hush" not in response.text


def test_a_router_that_is_added_has_its_routes_in_the_document() -> None:
    router = APIRouter()

    @router.get("/v1/more")
    async def more() -> dict[str, str]:
        return {"more": "yes"}

    of = app(routers=[router])

    assert ask(of, "GET", "/v1/more").json() == {"more": "yes"}
    assert "/v1/more" in ask(of, "GET", "/openapi.json").json()["paths"]
    assert "/v1/more" in ask(of, "GET", "/docs").text


def test_every_refusal_in_the_document_has_the_form_of_a_refusal() -> None:
    document = app().openapi()

    schemas = {
        (path, status): answer["content"]["application/json"]["schema"]
        for path, methods in document["paths"].items()
        for route in methods.values()
        for status, answer in route["responses"].items()
        if status >= "400"
    }

    assert set(map(str, schemas.values())) == {"{'$ref': '#/components/schemas/ErrorAnswer'}"}
    assert {status for path, status in schemas if path == "/v1/classify"} == {
        *("400", "401", "403", "408", "413", "415", "422", "429", "503", "504")
    }


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "a b", "[::1", "ä", "x:99999999", "", "<script>"])
def test_the_page_is_made_whatever_the_host_is_called(host: str) -> None:
    response = ask(app(), "GET", "/docs", headers={"host": host.encode()})

    assert response.status_code == 200
    assert "<script>" not in response.text
