"""The vetting story in a real browser, by the keyboard alone: two people, undo, confirmation, the next training set."""

from playwright.sync_api import Page, expect

from skystamp import manifest
from skystamp.hunter import exporting
from skystamp.manifest import DatasetManifest
from tests.web.conftest import HOSTILE, PHONE, Site


def sign_in(page: Page, site: Site, name: str, where: str = "") -> None:
    """Sign in by the keyboard, and wait for the first candidate."""
    page.goto(site.url + where)
    expect(page.locator("#secret")).to_be_focused()  # a busy browser does so after it says that the page is loaded
    page.keyboard.type(site.secrets[name])
    page.keyboard.press("Enter")
    expect(page.locator("html.scripted #table tbody tr").first).to_be_visible()


def names(page: Page) -> list[str]:
    return page.locator("#table tbody th a").all_inner_texts()


def state_of(page: Page, name: str) -> str:
    return (
        page.locator("#table tbody tr", has=page.get_by_role("link", name=name, exact=True))
        .locator(".col-state")
        .inner_text()
    )


def test_two_people_confirm_a_supernova_by_the_keyboard_and_it_reaches_the_next_training_set(site, visit, tmp_path):
    ada, bea = visit(), visit()
    sign_in(ada, site, "ada")
    first = next(name for name in names(ada) if name != HOSTILE)

    chosen = ada.locator(".candidate h2")
    expect(chosen).to_have_text(names(ada)[0])
    while chosen.inner_text() != first:
        at = names(ada).index(chosen.inner_text())
        ada.keyboard.press("j")
        expect(chosen).to_have_text(names(ada)[at + 1])
    ada.keyboard.press("s")
    expect(ada.locator("#told")).to_contain_text(f"{first}: SN")
    assert state_of(ada, first) == "possible SN 1/2"
    expect(chosen).not_to_have_text(first)  # it went on to the next

    ada.keyboard.press("k")
    expect(chosen).to_have_text(first)
    ada.keyboard.press("b")
    expect(ada.locator("#told")).to_contain_text(f"{first}: bogus")
    assert state_of(ada, first) == "bogus 1/2"
    ada.keyboard.press("u")
    expect(ada.locator("#told")).to_contain_text("bogus undone")
    assert state_of(ada, first) == "possible SN 1/2"
    expect(chosen).to_have_text(first)

    sign_in(bea, site, "bea", f"?o=ztf/{first}")
    expect(bea.locator("#verdict")).to_contain_text("SN by ada")
    bea.keyboard.press("s")
    expect(bea.locator("#told")).to_contain_text(f"{first}: SN")
    assert state_of(bea, first) == "confirmed SN"

    exporting.write_table(tmp_path / "labels.csv", exporting.labelled(site.store.labels()))
    found = manifest.read_labels(tmp_path / "labels.csv", DatasetManifest("vetted"))
    assert found.classes == {first: "SN"}
    assert sorted(label.author for label in site.store.labels(withdrawn=True)) == ["ada", "ada", "ada", "bea"]


def test_the_panel_shows_stamps_light_curve_with_limits_answers_and_the_packet(site, visit):
    page = visit()
    sign_in(page, site, "ada")
    real = next(name for name in names(page) if name.startswith("ZTF1"))
    page.goto(f"{site.url}?o=ztf/{real}")
    expect(page.locator("html.scripted")).to_be_attached()

    stamps = page.locator(".detection.first .stamp img")
    expect(stamps).to_have_count(3)
    page.wait_for_function("[...document.querySelectorAll('.first .stamp img')].every((i) => i.naturalWidth === 63)")
    assert page.locator(".mark.alert").count() >= 1
    assert page.locator(".mark.limit, .mark.earlier").count() >= 1
    expect(page.locator(".answers tbody tr").first).to_contain_text("first-detection")
    before = stamps.first.get_attribute("src")
    page.keyboard.press("3")
    expect(stamps.first).not_to_have_attribute("src", before)
    assert "stretch=source" in page.url
    packet = page.request.get(page.locator("a.packet").first.evaluate("link => link.href")).json()
    assert packet["objectId"] == real
    assert "cutoutScience" not in packet


def test_help_search_and_refresh_by_the_keyboard(site, visit):
    page = visit()
    sign_in(page, site, "ada")
    all_names = names(page)

    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#help")).to_be_hidden()
    page.keyboard.press("/")
    page.keyboard.type("ZTF23neg")  # kept out of the list; a search finds it, and says why
    expect(page.locator("#table tbody tr:visible")).to_have_count(0)
    page.keyboard.press("Enter")
    expect(page.locator("#table tbody tr")).to_have_count(1)
    expect(page.locator("#table tbody th")).to_contain_text("fainter than the template")
    assert "ZTF23negative" not in all_names


def test_the_map_and_the_list_choose_for_one_another(site, visit):
    page = visit()
    sign_in(page, site, "ada")
    last = page.locator("#table tbody tr").last

    last.hover()
    expect(page.locator("#sky circle.near")).to_have_count(1)
    dot = page.locator(f"#sky circle[data-key='{page.locator('#table tbody tr').nth(1).get_attribute('data-key')}']")
    dot.dispatch_event("click")
    expect(page.locator(".candidate h2")).to_have_text(names(page)[1])
    expect(page.locator("#table tbody tr.now th a")).to_have_text(names(page)[1])
    expect(page.locator("#sky circle.now")).to_have_count(1)


def test_the_whole_state_is_in_the_address(site, visit):
    page, other = visit(), visit()
    sign_in(page, site, "ada", "?class=SN&n=50&hours=72")
    page.locator("select[name=class]").select_option("bogus")
    page.locator("input[name=hidden]").check()
    page.get_by_role("link", name="Object").click()
    page.wait_for_url("**sort=object**")
    expect(page.locator("html.scripted .candidate h2")).to_be_visible()

    sign_in(other, site, "bea", page.url.removeprefix(site.url))
    assert other.locator("select[name=class]").input_value() == "bogus"
    assert other.locator("select[name=hours]").input_value() == "72"
    assert other.locator("select[name=n]").input_value() == "50"
    assert names(other) == names(page)
    expect(other.locator("th[aria-sort=ascending]")).to_contain_text("Object")
    expect(other.locator(".candidate h2")).to_have_text(page.locator(".candidate h2").inner_text())


def test_a_hostile_name_is_only_text(site, visit):
    page = visit()
    sign_in(page, site, "ada", "?hidden=1&o=ztf/ZTF23asteroid")
    expect(page.locator(".candidate")).to_contain_text("<script>hacked()</script>")

    page.locator("#table tbody a", has_text=HOSTILE).click()
    expect(page.locator(".candidate h2")).to_have_text(HOSTILE)
    page.keyboard.press("b")
    expect(page.locator("#told")).to_contain_text("bogus")
    page.keyboard.press("u")
    expect(page.locator("#told")).to_contain_text("undone")
    assert page.evaluate("document.querySelectorAll('img[src=x], .candidate script').length") == 0


def test_another_site_can_not_vote_with_our_cookie(site, open_site, visit):
    page = visit()
    sign_in(page, site, "ada")
    name = names(page)[0]
    attack = f"""<form method=post action="{site.url}votes"><input name=object value="ztf/{name.replace("<", "&lt;")}">
    <input name=label value=SN></form><script>document.forms[0].submit()</script>"""
    page.route("**/attack", lambda route: route.fulfill(body=attack, content_type="text/html"))

    page.goto(open_site.url.replace("127.0.0.1", "localhost") + "attack", wait_until="load")
    page.wait_for_url("**/votes")

    expect(page.locator("body")).to_contain_text("That is not possible")
    assert site.store.labels(withdrawn=True) == []


def test_who_may_only_look_is_told_so(site, visit):
    page = visit()
    sign_in(page, site, "cyd")
    expect(page.locator(".vetting")).to_contain_text("may look but not vote")

    page.keyboard.press("s")

    expect(page.locator("#told")).to_contain_text("may look but not vote")
    assert site.store.labels() == []


def test_signing_out_closes_the_door(site, visit):
    page = visit()
    sign_in(page, site, "ada")

    page.get_by_role("button", name="Sign out").click()

    expect(page.get_by_label("Your token")).to_be_visible()


def test_without_tokens_a_name_is_enough_on_this_machine(open_site, visit):
    page = visit()
    page.goto(open_site.url)
    page.get_by_label("Your name").fill("Ada Lovelace")
    page.keyboard.press("Enter")
    expect(page.locator(".who")).to_contain_text("Ada Lovelace")
    expect(page.locator("html.scripted .candidate")).to_be_visible()

    page.keyboard.press("s")

    expect(page.locator("#told")).to_contain_text("SN")
    assert [label.author for label in open_site.store.labels()] == ["Ada Lovelace"]


def test_it_reads_and_votes_without_scripts(site, visit):
    page = visit(java_script_enabled=False)
    page.goto(site.url)
    page.get_by_label("Your token").fill(site.secrets["ada"])
    page.get_by_role("button", name="Sign in").click()
    name = page.locator("#table tbody th a").nth(1).inner_text()

    page.locator("#table tbody th a").nth(1).click()
    page.locator("#vote").get_by_role("button", name="Possible SN").click()

    expect(page.locator(".candidate h2")).to_have_text(name)
    expect(page.locator("#verdict")).to_contain_text("SN by ada (you)")


def test_a_phone_shows_all_of_it_without_scrolling_sideways(site, visit):
    page = visit(viewport=PHONE, has_touch=True, is_mobile=True)
    sign_in(page, site, "ada")

    page.locator("#thumb").get_by_role("button", name="Next").tap()
    expect(page.locator(".candidate")).to_be_visible()
    page.locator("#thumb").get_by_role("button", name="Possible SN").tap()
    expect(page.locator("#told")).to_contain_text("SN")

    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_pictures_of_the_sky_are_asked_for_by_the_reader_alone_and_may_be_missing(site, visit):
    page = visit()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    sign_in(page, site, "ada")
    expect(page.locator(".candidate")).to_be_visible()
    assert all("127.0.0.1" in url for url in asked)

    page.get_by_role("button", name="Pan-STARRS colour image").click()
    expect(page.locator(".view")).to_contain_text("can not be reached")
    page.get_by_role("button", name="Aladin Lite").click()

    expect(page.frame_locator(".view iframe").locator("body")).to_contain_text("can not be reached")


def test_text_stands_out_in_every_theme(site, visit):
    page = visit()
    sign_in(page, site, "ada")
    seen = set()

    for _ in range(3):
        ratios = page.evaluate(CONTRASTS)
        seen.add(page.locator("html").get_attribute("data-theme"))
        assert {name: ratio for name, ratio in ratios.items() if ratio < 4.5} == {}
        page.keyboard.press("t")

    assert seen == {"dark", "light", "red"}


CONTRASTS = """() => {
  const style = getComputedStyle(document.documentElement);
  const value = (name) => {
    const hex = style.getPropertyValue(`--${name}`).trim().slice(1);
    const parts = [0, 2, 4].map((i) => parseInt(hex.slice(i, i + 2), 16) / 255);
    const [r, g, b] = parts.map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const found = {};
  for (const text of ["text", "muted", "accent", "problem", "SN", "AGN", "VS", "asteroid", "bogus"])
    for (const ground of ["ground", "card", "raised"]) {
      const [a, b] = [value(text), value(ground)].sort((x, y) => y - x);
      found[`${text} on ${ground}`] = (a + 0.05) / (b + 0.05);
    }
  return found;
}"""
