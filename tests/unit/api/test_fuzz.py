"""The HTTP interface, asked whatever its own document allows and more: no fault of ours, nothing undocumented."""

from pathlib import Path
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from skystamp.api.access import Scope
from tests import answering, fuzzing
from tests.answering import app, ask, bearer, token

fuzzing.register()


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> tuple[FastAPI, str]:
    """Return an application that asks for tokens, and a token that may do everything."""
    path = tmp_path_factory.mktemp("tokens") / "tokens.json"
    secret = token(path, Scope.ADMIN)
    return app(tokens=path), secret


@pytest.mark.parametrize(
    "count", [pytest.param(60, id="short"), pytest.param(3000, id="long", marks=[pytest.mark.slow])]
)
def test_answers_are_as_documented(guarded: tuple[FastAPI, str], count: int) -> None:
    of, secret = guarded
    document = schemathesis.openapi.from_asgi("/openapi.json", of)

    @fuzzing.examples(count)
    @given(case=fuzzing.cases(document))
    def answered(case: Any) -> None:
        fuzzing.judge(case, case.call(headers=bearer(secret)))

    answered()


METHODS = st.sampled_from(["GET", "POST", "PUT", "HEAD", "OPTIONS", "PATCH", "DELETE", "TRACE", "BREW"])
PATHS = st.one_of(
    st.sampled_from(["/", "/docs", "/openapi.json", "/healthz", "/readyz", "/v1/models", "/v1/classify"]),
    st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="?#"), max_size=20).map("/".__add__),
)


@fuzzing.examples(100)
@given(method=METHODS, path=PATHS, headers=fuzzing.HEADERS, body=st.one_of(fuzzing.containers(), fuzzing.framed()))
def test_any_headers_and_methods_get_an_answer_of_ours(method: str, path: str, headers: Any, body: bytes) -> None:
    response = ask(answering.app(), method, path, content=body, headers=headers)

    if method != "HEAD":
        fuzzing.fits(response)
    assert response.status_code < 500


def test_what_is_fuzzed_is_every_route_of_the_document(tmp_path: Path) -> None:
    routes = set(app().openapi()["paths"])

    assert routes == {"/v1/classify", "/v1/models", "/healthz", "/readyz"}
