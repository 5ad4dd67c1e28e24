"""Whatever is asked: no fault of ours, refusals in ALeRCE's form, nothing undocumented, and when the store is away."""

from collections.abc import Callable
from typing import Any

import anyio
import httpx
import pytest
import schemathesis
from hypothesis import given
from hypothesis import strategies as st

from skystamp.alerce_api.application import application
from skystamp.errors import StoreUnavailable
from skystamp.store import Store
from tests import alerce, fuzzing, making
from tests.alerce import ONE


def asked(app: Any, path: str, **options: Any) -> httpx.Response:
    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.get(path, **options)

    return anyio.run(ask)


def fits(response: Any) -> None:
    """Raise if an answer is a fault of ours, or a refusal of another form than ALeRCE's."""
    assert response.status_code < 500, response.text[:500]
    if response.status_code >= 400:
        assert set(response.json()) == {"code", "message", "detail", "errors"}, response.text[:300]


@pytest.fixture(scope="module")
def app(reading: Store) -> Any:
    """The application, without its prefix."""
    return application(reading, alerce.open_access())


@pytest.mark.parametrize(
    "count", [pytest.param(40, id="short"), pytest.param(3000, id="long", marks=[pytest.mark.slow])]
)
def test_answers_are_as_documented(app: Any, count: int) -> None:
    document = schemathesis.openapi.from_asgi("/openapi.json", app)

    @fuzzing.examples(count)
    @given(case=fuzzing.cases(document))
    def answered(case: Any) -> None:
        response = case.call()
        case.validate_response(response, checks=fuzzing.checks())
        fits(response)

    answered()


VALUES = st.one_of(
    st.sampled_from(
        ["", "nan", "-1", "1e999", "0", "'; drop table objects; --", "%", "*", "a*", "\0", "\U0001f600", "None"]
    ),
    st.text(max_size=30),
    st.floats().map(str),
    st.integers().map(str),
)
NAMES = st.sampled_from(
    (
        *("oid", "classifier", "classifier_version", "class", "ranking", "probability", "ndet", "firstmjd"),
        *("lastmjd", "ra", "dec", "radius", "page", "page_size", "count", "order_by", "order_mode", "candid"),
        *("type", "format", "stretch"),
    )
)
PATHS = st.sampled_from(
    ["/v1/objects", f"/v1/objects/{ONE}/probabilities", "/get_stamp", "/get_avro", "/get_avro_info"]
)


def test_hostile_parameters_get_an_answer_of_ours(app: Any) -> None:
    @fuzzing.examples(100)
    @given(path=PATHS, query=st.lists(st.tuples(NAMES, VALUES), max_size=5))
    def answered(path: str, query: list[tuple[str, str]]) -> None:
        fits(asked(app, path, params=query))

    answered()


def test_hostile_names_are_not_found(app: Any) -> None:
    names = ["a/b", "%00", "<script>", "a" * 500, "' or 1=1", "%ff", "a%2Fdetections", "%F0%9F%98%80"]
    for path in (f"/v1/objects/{name}{tail}" for name in names for tail in ("", "/detections", "/features/x")):
        response = asked(app, path)

        assert response.status_code == 404, path
        fits(response)


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/v1/objects/", 200),
        ("/v1/classifiers/", 200),
        ("/v1/classifiers/a/b/classes", 404),
        (f"/v1/objects/{ONE}/features?fid=x", 400),
        (f"/get_stamp?oid={ONE}&candid=1&type=sky&format=png", 400),
        (f"/get_stamp?oid=other&candid={making.CANDIDATE['candid'] + 1}&type=science&format=png", 404),
        (f"/get_avro_info?oid={ONE}&candid={making.CANDIDATE['candid'] + 1}", 200),
        ("/docs", 200),
        ("/nothing", 404),
    ],
)
def test_answer(app: Any, path: str, answer: int) -> None:
    response = asked(app, path)

    assert response.status_code == answer
    fits(response)


def test_what_was_dropped_is_said_to_be(opening: Callable[..., Store], tmp_path: Any) -> None:
    store = opening(f"sqlite:///{tmp_path}/store.db")
    alerce.fill(store, only=(ONE,))
    store.drop_cutouts(1e6)
    app, candid = application(store, alerce.open_access()), making.CANDIDATE["candid"] + 1

    stamp = asked(app, "/get_stamp", params={"oid": ONE, "candid": candid, "type": "science", "format": "fits"})
    packet = asked(app, "/get_avro", params={"oid": ONE, "candid": candid})
    detections = asked(app, f"/v1/objects/{ONE}/detections").json()

    assert (stamp.status_code, stamp.json()["code"]) == (404, "stamps_dropped")
    assert (packet.status_code, packet.json()["code"]) == (404, "packet_dropped")
    assert [one["has_stamp"] for one in detections] == [False] * 3
    assert [one["magpsf"] for one in detections] == [18.5, 18.0, 17.5]


def test_a_store_that_is_away_is_503_and_a_fault_of_ours_tells_nothing(
    app: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(fault: Exception) -> httpx.Response:
        def listed(*_: Any) -> Any:
            raise fault

        monkeypatch.setattr(Store, "listed", listed)
        return asked(app, "/v1/objects")

    away, fault = failing(StoreUnavailable("secret")), failing(RuntimeError("secret"))

    assert (away.status_code, away.headers["retry-after"]) == (503, "5")
    assert fault.status_code == 500
    assert "secret" not in away.text + fault.text


def test_what_is_asked_without_the_prefix_is_sent_on_whole(reading: Store) -> None:
    found = asked(alerce.site(reading), "/get_stamp?oid=a%26b&candid=1%0d%0aX:y&type=science&format=png")

    assert (found.status_code, found.headers["location"].partition("?")[0]) == (307, "/ztf/get_stamp")
    assert "\n" not in found.headers["location"]
    assert "a%26b" in found.headers["location"]
