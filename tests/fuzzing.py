"""What schemathesis needs to know of our bodies, and how each answer is judged: no fault of ours, nothing undocumented.

document ── methods, parameters, headers, bodies ── application ── status, content type, schema, headers as told
"""

import gzip
from collections.abc import Iterator
from functools import cache
from typing import Any

import schemathesis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks

from skystamp import frames
from tests import making

MAY_FAIL = {503, 504}  # of 5xx: told to come back

CODECS = ("null", "deflate")


@cache
def _packet(codec: str) -> bytes:
    return making.packet(making.record(1), codec=codec)


def _gzip(data: bytes) -> bytes:
    return gzip.compress(data, mtime=0)


def _framed(items: list[bytes]) -> bytes:
    """Return frames; not by the library, whose types are checked at random, which hypothesis does not allow here."""
    return b"".join(b"P" + len(item).to_bytes(4, "big") + item for item in items)


def packets() -> st.SearchStrategy[bytes]:
    """Draw good packets."""
    return st.sampled_from(CODECS).map(_packet)


@st.composite
def damaged(draw: Any) -> bytes:
    """Draw a packet with some bits turned, some bytes cut or added."""
    data = bytearray(draw(packets()))
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.one_of(st.integers(0, 300), st.integers(0, len(data) - 1)))
        data[place] ^= 1 << draw(st.integers(0, 7))
    end = draw(st.one_of(st.none(), st.integers(0, len(data))))
    return bytes(data[:end]) + draw(st.binary(max_size=8))


def containers() -> st.SearchStrategy[bytes]:
    """Draw bodies that are containers, nearly, or not at all; some of them packed."""
    plain = st.one_of(packets(), damaged(), st.binary(max_size=200))
    return st.one_of(plain, plain.map(_gzip), plain.map(lambda data: _gzip(data)[:-5]))


def framed() -> st.SearchStrategy[bytes]:
    """Draw bodies of frames, some of them cut or followed by what is none."""
    told = st.binary(max_size=40).map(lambda data: b"R" + len(data).to_bytes(4, "big") + data)
    whole = st.lists(st.one_of(packets(), damaged(), st.binary(max_size=20)), max_size=4)
    return st.one_of(
        whole.map(_framed),
        whole.map(lambda items: _framed(items)[:-1]),
        st.tuples(whole.map(_framed), told).map(b"".join),
        st.binary(max_size=50),
    )


def register() -> None:
    """Tell schemathesis of the bodies; once a process."""
    for codec in CODECS:
        _packet(codec)  # now: making one draws random numbers
    for kind in ("application/avro", "application/octet-stream"):
        schemathesis.openapi.media_type(kind, containers())
    schemathesis.openapi.media_type(frames.CONTENT_TYPE, framed())


# What a client may send beside what the document says.
HEADERS = st.fixed_dictionaries(
    {},
    optional={
        "content-encoding": st.sampled_from(["gzip", "GZIP ", "identity", "br", "gzip, gzip", "", "x"]),
        "content-type": st.sampled_from(
            [
                "application/avro",
                "application/avro;",
                "application/AVRO; x=y",
                "text/plain",
                "multipart/form-data",
                "",
            ]
        ),
        "accept": st.sampled_from(["*/*", "text/html", "application/xml;q=0", "x"]),
        "host": st.sampled_from(["127.0.0.1", "a b", "[::1", "x:99999999", "evil.example"]),
        "origin": st.sampled_from(["null", "https://evil.example", "x"]),
        "cookie": st.sampled_from(["a=b", "=;=;", "a" * 5000]),
        "range": st.sampled_from(["bytes=0-1", "x"]),
        "x-forwarded-for": st.sampled_from(["127.0.0.1", "x, y", ""]),
        "expect": st.just("something-else"),
        "if-none-match": st.just("*"),
    },
)


def examples(count: int) -> settings:
    """Return hypothesis's settings for so many examples a route, the same in every run."""
    return settings(
        max_examples=count,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


def operations(document: Any) -> Iterator[Any]:
    """Yield the routes and methods of a document."""
    for result in document.get_all_operations():
        yield result.ok()


def cases(document: Any) -> st.SearchStrategy[Any]:
    """Draw requests, of every route as often, that the document allows and that it does not."""
    both = [
        operation.as_strategy(generation_mode=mode)
        for operation in operations(document)
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)
    ]
    return st.one_of(both)


def judge(case: Any, response: Any) -> None:
    """Compare an answer with the document; raise what is wrong."""
    case.validate_response(response, checks=checks())
    fits(response)


def checks() -> list[Any]:
    """Return schemathesis's checks of an answer, without those that we make ourselves or that do not hold for us."""
    load_all_checks()
    # Ours is below; junk is rightly refused; a route without parameters reads none; the token is put in afterwards.
    left_out = {"not_a_server_error", "positive_data_acceptance", "negative_data_rejection", "ignored_auth"}
    return [check for check in CHECKS.get_all() if check.__name__ not in left_out]


def fits(response: Any) -> None:
    """Raise if an answer is a fault of ours, or a refusal of another form than ours."""
    status = response.status_code
    assert status < 500 or status in MAY_FAIL, f"{status} {response.text[:500]}"
    if status >= 400:
        assert set(response.json()["error"]) == {"code", "message"}, response.text[:500]
    assert status not in {429, *MAY_FAIL} or response.headers["retry-after"]
