"""refused: who it was that refused."""

import json

import pytest

from skystamp.api import refusals
from skystamp.refused import is_absent, is_ours

RAYS_OWN = b"Path '/v1/classify' not found. Ping http://.../-/routes for available routes."


def test_each_refusal_of_the_service_is_its_own():
    every = (refusals.busy(), refusals.too_large("A body", 3), refusals.Refusal(404, "not_found", "No such route."))

    assert all(is_ours(json.dumps(one.body).encode()) for one in every)


@pytest.mark.parametrize(
    "body",
    [
        RAYS_OWN,
        b"",
        b"null",
        b"[]",
        b"[1]",
        b"3",
        b'"error"',
        b"{}",
        b'{"error": "no"}',
        b'{"error": {"code": 404}}',
        b'{"error": {"code": "x", "message": null}}',
        b'{"detail": "Not Found"}',
        b"<html>404</html>",
        b"\xff\xfe",
    ],
)
def test_anybody_elses_answer_is_not(body: bytes):
    assert not is_ours(body)
    assert is_absent(404, body)


def test_only_a_404_in_other_words_says_that_there_is_no_service():
    ours = json.dumps(refusals.Refusal(404, "not_found", "No such route.").body).encode()

    assert not is_absent(404, ours)
    assert not is_absent(500, RAYS_OWN)
    assert not is_absent(403, RAYS_OWN)
