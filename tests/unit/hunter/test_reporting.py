"""Reports on the page: shown, sent by a second press by who may, stopped where the store says so, escaped."""

import pytest

from skystamp import tns
from skystamp.hunter.reporting import Reporting
from skystamp.hunter.routes import HunterSettings
from skystamp.store import Label
from tests import hunting, tns_server
from tests.hunting import HOSTILE, Person
from tests.tns_server import KEY, NAME, REPLY, REPORT, Fault

NEW = "ZTF23bbb"


@pytest.fixture
def fake():
    with tns_server.running() as made:
        yield made


@pytest.fixture
def page(store, tmp_path, fake):
    """The page's application with all that is needed to send, and what people sign in with."""
    settings = tns.checked(tns.Settings(fake.address, "42", "a_bot", "74", "48", "A. Astronomer"))
    return hunting.page(store, tmp_path, settings=HunterSettings(reporting=Reporting(settings, KEY)))


@pytest.fixture
def ada(page):
    person = Person(page[0])
    person.sign_in(page[1]["ada"])
    return person


def confirm(store, name=NEW, people=("ada", "bea"), label="SN"):
    for author in people:
        store.vote(Label("ztf", name, label, author, hunting.NOW, "hunter"))


def digest(person, name=NEW):
    return person.get(f"/reports/ztf/{name}").text.partition('name="digest" value="')[2].partition('"')[0]


def send(person, name=NEW, **fields):
    values = {"object": f"ztf/{name}", "word": person.word(), "digest": digest(person, name), **fields}
    return person.post("/reports", values, accept="application/json")


def test_a_confirmed_supernova_has_a_button_and_others_have_none(ada, store):
    confirm(store)

    assert "data-report" in ada.get(f"/objects/ztf/{NEW}").text
    assert "data-report" not in ada.get("/objects/ztf/ZTF23aaa").text
    assert "data-report" in ada.vote(NEW, "SN").json()["parts"]["verdict"]


def test_looking_at_a_report_sends_nothing(ada, store, fake):
    confirm(store)

    text = ada.get(f"/reports/ztf/{NEW}").text

    assert f"Send to {fake.address}" in text
    assert "Nothing speaks against it" in text
    assert "150.0000000 ± 0.085″" in text
    assert fake.of(REPORT) == []
    assert store.reports() == []
    assert KEY not in text


def test_the_script_gets_a_part_and_people_a_page(ada, store):
    confirm(store)

    part = ada.get(f"/reports/ztf/{NEW}", **{"x-part": "1"}).text

    assert part.lstrip().startswith("<section")
    assert "<!doctype html>" in ada.get(f"/reports/ztf/{NEW}").text


def test_a_second_press_sends_what_was_shown_and_the_list_says_so(ada, store, fake):
    confirm(store)

    answer = send(ada).json()

    assert answer["said"] == f"{NEW}: posted as AT {NAME}"
    assert f"AT {NAME}" in answer["parts"]["state"]
    assert f"Posted as <strong>AT {NAME}</strong> by ada" in answer["parts"]["report"]
    assert f"AT {NAME}" in ada.get().text
    assert len(fake.of(REPORT)) == 1
    assert send(ada).status_code == 409
    assert len(fake.of(REPORT)) == 1


def test_without_scripts_a_form_leads_back_to_the_report(ada, store):
    confirm(store)
    fields = {"object": f"ztf/{NEW}", "word": ada.word(), "digest": digest(ada)}

    answer = ada.post("/reports", fields)

    assert (answer.status_code, answer.headers["location"]) == (303, f"/hunter/reports/ztf/{NEW}")
    assert "Posted as" in ada.get(f"/reports/ztf/{NEW}").text


def test_what_waits_is_asked_for_by_another_press(ada, store, fake):
    confirm(store)
    fake.polls = 1
    waiting = send(ada).json()

    done = ada.post("/reports/follow", {"object": f"ztf/{NEW}", "word": ada.word()}, accept="application/json").json()

    assert (waiting["state"], done["state"]) == ("accepted", "posted")
    assert "Ask TNS again" in waiting["parts"]["report"]
    assert len(fake.of(REPORT)) == 1
    assert len(fake.of(REPLY)) == 2


def test_an_unclear_answer_is_not_sent_again(ada, store, fake):
    confirm(store)
    fake.faults[REPORT].append(Fault(500))

    unclear = send(ada)

    assert unclear.json()["state"] == "unknown"
    assert send(ada).status_code == 409
    assert len(fake.of(REPORT)) == 1


@pytest.mark.parametrize(
    ("people", "label"), [(("ada",), "SN"), (("ada", "bea"), "bogus"), ((), "SN")], ids=["one", "bogus", "nobody"]
)
def test_what_people_have_not_confirmed_is_not_sent_whatever_the_form_says(ada, store, fake, people, label):
    confirm(store, people=people, label=label)

    forms = [{}, {"override_unconfirmed": "1", "why": "me"}]
    answers = [send(ada, digest=_draft(store, fake).digest, **form) for form in forms]

    assert {answer.status_code for answer in answers} == {409}
    assert "unconfirmed" in ada.get(f"/reports/ztf/{NEW}").text
    assert fake.of(REPORT) == []


def test_a_vote_withdrawn_after_it_was_shown_stops_it(ada, store, fake):
    confirm(store)
    shown = digest(ada)
    store.withdraw_vote(("ztf", NEW), "bea", "hunter", now=hunting.NOW + 1)

    assert send(ada, digest=shown).status_code == 409
    assert fake.of(REPORT) == []


def test_what_was_not_shown_is_not_sent(ada, store, fake):
    confirm(store)

    answer = send(ada, digest="0123456789abcdef")

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "changed")
    assert fake.of(REPORT) == []


def test_a_known_transient_is_shown_and_passed_by_name_and_reason(ada, store, fake):
    confirm(store)
    fake.know("2020xyz", 150.0, 2.5, "ATLAS20<script>hacked()</script>")

    text = ada.get(f"/reports/ztf/{NEW}").text
    without = send(ada)
    no_reason = send(ada, override_on_tns="1")
    done = send(ada, override_on_tns="1", why="in front of it")

    assert 'name="override_on_tns"' in text
    assert "<script>hacked" not in text
    assert (without.status_code, no_reason.status_code, done.status_code) == (409, 409, 200)
    (one,) = store.reports()
    assert one.overridden == ({"code": "on_tns", "why": "in front of it"},)


def test_hostile_words_of_a_server_are_escaped(ada, store, fake):
    confirm(store)
    fake.feedback = {"x": {"message": "<script>hacked()</script>"}}

    answer = send(ada).json()

    assert answer["state"] == "rejected"
    assert "<script>hacked" not in str(answer["parts"])
    for path in (f"/reports/ztf/{NEW}", "/", f"/objects/ztf/{NEW}"):
        assert "<script>hacked" not in ada.get(path).text


def test_a_hostile_object_is_only_text(ada, store):
    from urllib.parse import quote

    confirm(store, HOSTILE)

    answer = ada.get(f"/reports/ztf/{quote(HOSTILE, safe='')}")

    assert answer.status_code == 200
    assert "<script>hacked" not in answer.text


def test_a_wrong_key_is_told_and_not_shown(store, tmp_path, fake):
    confirm(store)
    settings = tns.checked(tns.Settings(fake.address, "42", "a_bot", "74", "48", "A. Astronomer"))
    app, secrets = hunting.page(store, tmp_path, settings=HunterSettings(reporting=Reporting(settings, "wrong-key")))
    person = Person(app)
    person.sign_in(secrets["ada"])

    text = person.get(f"/reports/ztf/{NEW}").text

    assert "does not let this bot in (401)" in text
    assert "wrong-key" not in text
    assert "Send to" not in text


@pytest.mark.parametrize("path", ["/reports", "/reports/follow"])
@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"origin": "http://evil.example"}, id="another site"),
        pytest.param({"word": "x.y"}, id="without our word"),
    ],
)
def test_another_sites_page_sends_nothing(ada, store, fake, path, changes):
    confirm(store)
    fields = {"object": f"ztf/{NEW}", "word": ada.word(), "digest": digest(ada)}
    headers = {name: value for name, value in changes.items() if name not in fields}

    answer = ada.post(path, {**fields, **{name: changes[name] for name in fields if name in changes}}, **headers)

    assert answer.status_code == 403
    assert fake.of(REPORT) == []


def test_who_may_only_look_sends_nothing_and_asks_nobody(page, store, fake):
    confirm(store)
    cyd = Person(page[0])
    cyd.sign_in(page[1]["cyd"])

    assert "may look but not vote" in cyd.get(f"/reports/ztf/{NEW}").text
    assert cyd.post("/reports", {"object": f"ztf/{NEW}", "word": cyd.word()}).status_code == 403
    assert Person(page[0]).get(f"/reports/ztf/{NEW}").status_code == 401
    assert fake.asked == []


@pytest.mark.parametrize("with_key", [False, True])
def test_without_tokens_reports_are_shown_and_none_is_sent(store, fake, with_key):
    confirm(store)
    settings = tns.checked(tns.Settings(fake.address, "42", "a_bot", "74", "48", "A. Astronomer"))
    chosen = HunterSettings(reporting=Reporting(settings, KEY if with_key else ""))
    person = Person(hunting.page(store, settings=chosen)[0])
    person.sign_in("Ada")

    assert "names are not known" in person.get(f"/reports/ztf/{NEW}").text
    assert send(person).status_code == 403
    assert fake.asked == []


def test_what_is_not_set_is_told(store, tmp_path):
    confirm(store)
    app, secrets = hunting.page(store, tmp_path)
    person = Person(app)
    person.sign_in(secrets["ada"])

    text = person.get(f"/reports/ztf/{NEW}").text

    assert "reporting_group" in text
    assert "Send to" not in text


def test_nothing_sent_is_nothing_to_follow(ada):
    answer = ada.post("/reports/follow", {"object": f"ztf/{NEW}", "word": ada.word()}, accept="application/json")

    assert answer.json()["error"]["code"] == "no_report"
    assert ada.get("/reports/ztf/ZTF00none").status_code == 404


def _draft(store, fake):
    settings = tns.checked(tns.Settings(fake.address, "42", "a_bot", "74", "48", "A. Astronomer"))
    desk = tns.Desk(store, settings, "", lambda: hunting.NOW, lambda _: None)
    votes = store.labels_of([("ztf", NEW)]).get(("ztf", NEW), [])
    confirming = sum(vote.label == "SN" for vote in votes)
    return desk.draft(("ztf", NEW), tns.People(confirming, 0, 2), ask=False)
