"""The page over HTTP, in this process: what it shows, what it escapes, who it lets write."""

import re

import pytest

from skystamp.hunter import pages, pictures
from skystamp.hunter.routes import HunterSettings
from tests import hunting
from tests.hunting import HOSTILE, Person


@pytest.fixture
def asked(store):
    """Somebody on this machine, before a page without tokens."""
    return Person(hunting.page(store)[0])


def alert_of(store, name):
    return store.named(["ztf"], name)[0].alert_id


def test_the_list_is_a_page_with_rows_circles_and_headers(asked):
    answer = asked.get()

    assert answer.status_code == 200
    assert answer.text.count("<tr data-key=") == answer.text.count("<circle cx=") == 3
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "private, no-store"


def test_nothing_in_a_page_runs_or_styles_by_itself(asked):
    text = asked.get("/?hidden=1&o=ztf/ZTF23twice&sort=date").text

    assert not re.search(r"<script(?![^>]* src=)|<style| on\w+=| style=|javascript:", text)


@pytest.mark.parametrize(
    "path", ["/?hidden=1", "/?hidden=1&o=ztf/ZTF23asteroid", "/?q=%22%3E%3Cscript", "/?hours=no%22%3E%3Cscript%3E"]
)
def test_what_packets_and_addresses_say_is_escaped(asked, path):
    text = asked.get(path).text

    assert "<script>hacked" not in text
    assert '"><script' not in text


def test_a_hostile_object_is_shown_and_voted_on(asked, store):
    from urllib.parse import quote

    asked.sign_in("Ada")

    part = asked.get(f"/objects/ztf/{quote(HOSTILE, safe='')}")
    voted = asked.vote(HOSTILE, "bogus")

    assert part.status_code == voted.status_code == 200
    assert "<script>hacked" not in part.text
    assert [(label.object_id, label.label) for label in store.labels()] == [(HOSTILE, "bogus")]


@pytest.mark.parametrize(
    "path", ["/objects/ztf/ZTF00none", "/objects/lsst/ZTF23aaa", "/stamps/ztf/1/science.png", "/nothing"]
)
def test_what_is_not_there_is_404(asked, path):
    assert asked.get(path).status_code == 404
    assert "<main" in asked.get(path, accept="text/html").text


@pytest.mark.parametrize("path", ["/stamps/ztf/x/science.png", "/packets/ztf/x", "/why/ztf/1.5"])
def test_what_is_no_number_is_422(asked, path):
    assert asked.get(path).status_code == 422


def test_stamps_are_pictures_that_a_browser_keeps(asked, store):
    path = f"/stamps/ztf/{alert_of(store, 'ZTF23aaa')}"

    found = {stretch: asked.get(f"{path}/science.png?stretch={stretch}") for stretch in pictures.STRETCHES}

    assert {answer.status_code for answer in found.values()} == {200}
    assert len({answer.content for answer in found.values()}) == len(found)
    one = found["asinh"]
    assert one.headers["content-type"] == "image/png"
    assert "immutable" in one.headers["cache-control"]
    assert asked.get(f"{path}/science.png", **{"if-none-match": one.headers["etag"]}).status_code == 304
    assert asked.get(f"{path}/science.png?stretch=other").status_code == 404
    assert asked.get(f"{path}/other.png").status_code == 404
    assert asked.get(f"{path}/science.fits").content.startswith(b"\x1f\x8b")


def test_dropped_cutouts_are_told(asked, store):
    number = alert_of(store, "ZTF23aaa")
    store.drop_cutouts(1e9)

    assert asked.get(f"/stamps/ztf/{number}/science.png").json()["error"]["code"] == "no_cutout"
    assert asked.get(f"/packets/ztf/{number}").json()["error"]["code"] == "no_packet"


def test_the_packet_is_json_that_every_language_reads(asked, store):
    answer = asked.get(f"/packets/ztf/{alert_of(store, 'ZTF23aaa')}")

    found = answer.json()
    assert found["candid"] == str(alert_of(store, "ZTF23aaa"))  # beyond 2**53, where JavaScript loses digits
    assert len(found["prv_candidates"]) == 2
    assert "NaN" not in answer.text


def test_own_files_come_and_no_others(asked):
    assert asked.get("/static/hunter.css").headers["content-type"].startswith("text/css")
    assert asked.get("/static/hunter.js").headers["content-type"].startswith("text/javascript")
    for name in ("..%2Fpages.py", "%2e%2e/pages.py", "pages.py", "../templates/page.html"):
        assert asked.get(f"/static/{name}").status_code == 404


def test_aladin_is_framed_without_our_origin(asked):
    policy = asked.get("/aladin").headers["content-security-policy"]

    assert "sandbox allow-scripts" in policy
    assert "allow-same-origin" not in policy
    assert pages.ALADIN in policy


# ---------------------------------------------------------------------------------------------------------------- votes


def test_votes_are_kept_changed_undone_and_withdrawn(asked, store):
    asked.sign_in("Ada")

    first = asked.vote("ZTF23aaa", "SN").json()
    again = asked.vote("ZTF23aaa", "SN").json()
    other = asked.vote("ZTF23aaa", "bogus").json()
    undone = asked.undo().json()
    gone = asked.vote("ZTF23aaa", "").json()

    assert [one["state"] for one in (first, again, other, undone, gone)] == [
        "possible",
        "possible",
        "bogus",
        "possible",
        "open",
    ]
    assert store.labels() == []
    assert [one.label for one in store.labels(withdrawn=True)] == ["SN", "bogus", "SN"]
    assert asked.undo().json()["error"]["code"] == "nothing_to_undo"


def test_two_people_confirm(store, tmp_path):
    app, secrets = hunting.page(store, tmp_path)
    ada, bea = Person(app), Person(app)
    ada.sign_in(secrets["ada"])
    bea.sign_in(secrets["bea"])

    states = [person.vote("ZTF23aaa", "SN").json()["state"] for person in (ada, ada, bea)]

    assert states == ["possible", "possible", "confirmed"]
    assert "confirmed SN" in ada.get().text
    assert "ZTF23aaa" in ada.get("/?state=confirmed").text
    assert "ZTF23bbb" not in ada.get("/?state=confirmed").text


def test_how_many_people_confirm_is_a_setting(store):
    person = Person(hunting.page(store, settings=HunterSettings(required=1, pictures=False))[0])
    person.sign_in("Ada")

    assert person.vote("ZTF23aaa", "SN").json()["state"] == "confirmed"
    assert "Aladin Lite" not in person.get("/?o=ztf/ZTF23aaa").text


@pytest.mark.parametrize(
    ("name", "label", "status"), [("ZTF00none", "SN", 404), ("ZTF23aaa", "TDE", 422), ("", "SN", 404)]
)
def test_votes_that_can_not_be_are_refused(asked, store, name, label, status):
    asked.sign_in("Ada")

    assert asked.vote(name, label).status_code == status
    assert store.labels() == []


@pytest.mark.parametrize(
    "headers",
    [
        pytest.param({"origin": "http://evil.example"}, id="another site"),
        pytest.param({"origin": "null"}, id="a sandbox"),
        pytest.param({"origin": "http://127.0.0.1:9000"}, id="another port of this machine"),
    ],
)
@pytest.mark.parametrize("path", ["/votes", "/votes/undo", "/session", "/session/end"])
def test_another_sites_page_writes_nothing(asked, store, headers, path):
    asked.sign_in("Ada")
    word = asked.word()

    answer = asked.post(path, {"object": "ztf/ZTF23aaa", "label": "SN", "word": word, "secret": "Eve"}, **headers)

    assert answer.status_code == 403
    assert store.labels(withdrawn=True) == []


@pytest.mark.parametrize("word", ["", "x.y", None], ids=["none", "made up", "of another session"])
def test_a_page_without_our_word_writes_nothing(store, word):
    app, _ = hunting.page(store)
    ada, eve = Person(app), Person(app)
    ada.sign_in("Ada")
    eve.sign_in("Eve")

    wrong = eve.word() if word is None else word
    answer = ada.post("/votes", {"object": "ztf/ZTF23aaa", "label": "SN", "word": wrong})

    assert answer.status_code == 403
    assert store.labels() == []


def test_json_is_no_form(asked):
    assert asked.post("/votes", {}, content_type="text/plain").status_code == 415


def test_a_form_is_small(asked):
    assert asked.post("/votes", {"label": "x" * 20_000}).status_code == 413
    assert asked.post("/votes", {f"n{i}": "1" for i in range(50)}).status_code == 400


def test_a_vote_without_scripts_leads_back_to_the_list(asked):
    asked.sign_in("Ada")
    fields = {"object": "ztf/ZTF23aaa", "label": "SN", "word": asked.word(), "back": "?n=50&o=ztf/ZTF23aaa"}

    answer = asked.post("/votes", fields)

    assert (answer.status_code, answer.headers["location"]) == (303, "/hunter/?n=50&o=ztf%2FZTF23aaa")
    evil = asked.post("/votes", {**fields, "back": "//evil.example/?n=50"})
    assert evil.headers["location"] == "/hunter/?"


# ------------------------------------------------------------------------------------------------------------- sessions


def test_with_tokens_nobody_looks_without_one(store, tmp_path):
    app, _ = hunting.page(store, tmp_path)
    number = alert_of(store, "ZTF23aaa")

    stranger = Person(app)

    assert stranger.get("/?o=ztf/ZTF23aaa").status_code == 401
    assert "Your token" in stranger.get().text
    assert "ZTF23aaa" not in stranger.get("/?o=ztf/ZTF23aaa").text.replace('value="o=ztf/ZTF23aaa"', "")
    for path in (
        "/objects/ztf/ZTF23aaa",
        f"/stamps/ztf/{number}/science.png",
        f"/packets/ztf/{number}",
        f"/why/ztf/{number}",
    ):
        assert stranger.get(path).status_code == 401
    assert stranger.post("/votes", {"object": "ztf/ZTF23aaa", "label": "SN"}).status_code == 401


def test_the_cookie_is_for_our_page_alone(store, tmp_path):
    app, secrets = hunting.page(store, tmp_path)

    told = Person(app).sign_in(secrets["ada"]).headers["set-cookie"]

    assert {"HttpOnly", "Path=/hunter", "SameSite=strict"} <= {part.strip() for part in told.split(";")}
    assert secrets["ada"] not in told


def test_a_wrong_token_is_told_and_keeps_the_way_back(store, tmp_path):
    app, secrets = hunting.page(store, tmp_path)
    person = Person(app)

    answer = person.post("/session", {"secret": "wrong", "back": "n=50"})

    assert answer.status_code == 401
    assert "should be one that was given out" in answer.text
    assert 'value="n=50"' in answer.text
    assert person.post("/session", {"secret": secrets["ada"], "back": "n=50"}).headers["location"] == "/hunter/?n=50"


def test_who_may_only_look_sees_no_buttons_and_does_not_vote(store, tmp_path):
    app, secrets = hunting.page(store, tmp_path)
    cyd = Person(app)
    cyd.sign_in(secrets["cyd"])

    assert 'id="vote"' not in cyd.get("/?o=ztf/ZTF23aaa").text
    assert cyd.vote("ZTF23aaa", "SN").status_code == 403
    assert cyd.get("/session").json() == {"name": "cyd", "may_look": True, "may_vote": False}


def test_signing_out_ends_it(store, tmp_path):
    app, secrets = hunting.page(store, tmp_path)
    ada = Person(app)
    ada.sign_in(secrets["ada"])

    ada.post("/session/end")

    assert ada.get().status_code == 401


def test_a_stranger_to_this_machine_does_not_vote_without_tokens(store):
    person = Person(hunting.page(store)[0], peer="192.0.2.7", host="sky.example")

    assert person.get().status_code == 200
    assert person.post("/session", {"secret": "Eve"}, origin="http://sky.example").status_code == 403


def test_a_store_that_is_away_is_told(asked, monkeypatch):
    from skystamp.errors import StoreUnavailable
    from skystamp.store import Store

    def away(*_args, **_options):
        raise StoreUnavailable("the disk is gone")

    monkeypatch.setattr(Store, "candidates", away)
    answer = asked.get()

    assert answer.status_code == 503
    assert "disk" not in answer.text
