"""A report to TNS in a real browser, by the keyboard: shown, sent by a second press, posted by a server on loopback."""

import time

import pytest
from playwright.sync_api import expect

from skystamp import tns
from skystamp.api import tokens
from skystamp.api.tokens import Scope, TokenFile
from skystamp.hunter.reporting import Reporting
from skystamp.hunter.routes import HunterSettings
from skystamp.store import Label
from tests import tns_server
from tests.tns_server import KEY, NAME, REPORT
from tests.web.conftest import NOW, PHONE, Site, serving
from tests.web.test_vetting import names, sign_in, state_of


@pytest.fixture
def fake():
    with tns_server.running() as made:
        yield made


@pytest.fixture
def reporting_site(store, tmp_path, fake):
    """The page of a service that reports to the server on loopback, for Ada."""
    file = tmp_path / "tokens.json"
    secrets = {"ada": tokens.add(file, "ada", [Scope.READ, Scope.LABEL])}
    settings = tns.checked(tns.Settings(fake.address, "42", "a_bot", "74", "48", "A. Astronomer (Institute)"))
    chosen = HunterSettings(reporting=Reporting(settings, KEY, again_s=0.2))
    with serving(store, TokenFile(file, time.monotonic, pytest.fail), chosen) as url:
        yield Site(url, store, secrets)


def test_a_confirmed_supernova_is_reported_by_the_keyboard_and_posted(reporting_site, fake, visit, tmp_path):
    site, page, phone = reporting_site, visit(), visit(viewport=PHONE, has_touch=True, is_mobile=True)
    name = next(one.object_id for one in site.store.named(["ztf"], "ZTF1") if one.label == "SN" and not one.is_negative)
    site.store.vote(Label("ztf", name, "SN", "bea", NOW - 60, "hunter"))
    fake.polls = 1

    sign_in(page, site, "ada", f"?o=ztf/{name}")
    page.keyboard.press("a")
    expect(page.locator("#told")).to_contain_text("that people have confirmed")
    page.locator("#advance").uncheck()
    page.keyboard.press("s")
    expect(page.locator("#verdict")).to_contain_text("confirmed SN")
    page.keyboard.press("a")
    report = page.locator("#report")
    expect(report).to_be_focused()
    expect(report).to_contain_text("Nothing speaks against it")
    expect(report.locator("dd").first).to_have_text(name)
    assert fake.of(REPORT) == []
    page.screenshot(path=tmp_path / "shown.png")
    sign_in(phone, site, "ada", f"?o=ztf/{name}")
    phone.locator("[data-report]").tap()
    expect(phone.locator("#report")).to_contain_text("Send to")
    assert phone.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    phone.locator("#report").screenshot(path=tmp_path / "phone.png")

    for _ in range(8):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('#report .primary')"):
            break
    page.keyboard.press("Enter")

    expect(report).to_contain_text(f"Posted as AT {NAME} by ada")
    assert name in names(page)
    assert f"AT {NAME}" in state_of(page, name)
    assert len(fake.of(REPORT)) == 1
    page.screenshot(path=tmp_path / "posted.png")
