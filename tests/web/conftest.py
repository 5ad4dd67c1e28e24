"""A real browser before the page: a store of synthetic packets, two people with tokens, a server on loopback."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect, sync_playwright
from starlette.applications import Starlette
from starlette.routing import Mount

from skystamp import live, synthetic
from skystamp.api import tokens
from skystamp.api.access import Access
from skystamp.api.tokens import Scope, TokenFile
from skystamp.hunter.application import application
from skystamp.hunter.doors import Doors
from skystamp.hunter.routes import HunterSettings
from skystamp.store import Store, open_store
from tests import faking, making
from tests.hosting import hosted

CHROMIUM = Path("/usr/bin/chromium")
NOW = 1_700_000_000.0  # Unix time, s, of every clock here
DAY_S = 86_400.0
JD_NOW = 2_440_587.5 + NOW / DAY_S
HOSTILE = "<img src=x onerror=hacked()>"
WIDTH, HEIGHT = 1440, 900
PHONE = {"width": 390, "height": 844}


@dataclass(frozen=True)
class Site:
    """The page as it is served, its store, and what people need to sign in."""

    url: str
    store: Store
    secrets: dict[str, str]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium; the test is skipped where it is not installed."""
    if not CHROMIUM.exists():
        pytest.skip(f"no browser: install Debian's chromium ({CHROMIUM})")
    expect.set_options(timeout=20_000)
    with sync_playwright() as playwright:
        made = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield made
        made.close()


@pytest.fixture(scope="session")
def packets() -> list[bytes]:
    """Packets of the last day, their histories among them: SNe, and what only looks so to the fake model."""
    made = []
    for i in range(8):
        record = synthetic.simulate_object(41, i, max_detections=2, jd_range=(2460900.5, 2460930.5)).records
        made += [
            synthetic.write_packet(_moved(one, JD_NOW - 0.4 + i / 40 - record[0]["candidate"]["jd"])) for one in record
        ]
    return made


@pytest.fixture
def store(tmp_path: Path, packets: list[bytes]) -> Iterator[Store]:
    """A store that the packets went through, by fake models, and some strange ones."""
    opened = open_store(f"sqlite:///{tmp_path}/store.db")
    models = live_models()
    for packet in [*packets, *strange_packets()]:
        live.answer(opened, models, live.arrivals(packet), now=NOW - 600)
    yield opened
    opened.close()


def live_models() -> Any:
    """Return the models that answer: SN of whatever is brighter than magnitude 20."""
    from skystamp.classify import Models

    return Models({"first-detection": faking.by_magnitude()})


def strange_packets() -> list[bytes]:
    """Return packets of objects with a hostile name, with a negative difference, of an asteroid, and bogus twice."""
    last = JD_NOW - 0.01
    asteroid = {"ssdistnr": 1.0, "ssnamenr": '"><script>hacked()</script>', "ssmagnr": 18.0}
    faint = {"magpsf": 20.5, "diffmaglim": 21.0}
    records = [
        making.record(1, {"jd": last}, objectId=HOSTILE),
        making.record(2, {"jd": last, "isdiffpos": "f"}, objectId="ZTF23negative"),
        making.record(3, {"jd": last, **asteroid}, objectId="ZTF23asteroid"),
        making.record(4, {"jd": last - 0.5, **faint}, objectId="ZTF23twice"),
        making.record(5, {"jd": last, **faint}, objectId="ZTF23twice"),
    ]
    return [making.packet(one) for one in records]


@pytest.fixture
def site(store: Store, tmp_path: Path) -> Iterator[Site]:
    """The page for two people with tokens, Ada and Bea, and one who may only look."""
    file = tmp_path / "tokens.json"
    scopes = {"ada": [Scope.READ, Scope.LABEL], "bea": [Scope.READ, Scope.LABEL], "cyd": [Scope.READ]}
    secrets = {name: tokens.add(file, name, allowed) for name, allowed in scopes.items()}
    known = TokenFile(file, time.monotonic, pytest.fail)
    with serving(store, known) as url:
        yield Site(url, store, secrets)


@pytest.fixture
def open_site(store: Store) -> Iterator[Site]:
    """The page of a service without tokens."""
    with serving(store, None) as url:
        yield Site(url, store, {})


@contextmanager
def serving(store: Store, known: TokenFile | None, settings: HunterSettings | None = None) -> Iterator[str]:
    """The page on a port of its own for as long as this lasts."""
    access = Access(known, time.monotonic, lambda: datetime.fromtimestamp(NOW, UTC))
    app = application(store, Doors(known, access, lambda: NOW), lambda: NOW, settings=settings)
    with hosted(Starlette(routes=[Mount("/hunter", app)])) as address:
        yield f"{address}/hunter/"


@pytest.fixture
def visit(browser: Browser) -> Iterator[Callable[..., Page]]:
    """`visit(**options)`: a new person's page, from which nothing beyond this machine is reached; faults are told."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def made(**options: Any) -> Page:
        wanted = {"viewport": {"width": WIDTH, "height": HEIGHT}, "color_scheme": "dark", **options}
        contexts.append(browser.new_context(**wanted))
        contexts[-1].set_default_timeout(15_000)
        contexts[-1].route(lambda url: "127.0.0.1" not in url, _refuse)
        page = contexts[-1].new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.append(said.text) if "Content Security Policy" in said.text else None)
        page.on("dialog", lambda dialog: faults.append(dialog.message))
        return page

    yield made
    for context in contexts:
        context.close()
    assert faults == []


def _refuse(route: Route) -> None:
    route.abort()


def _moved(record: dict[str, Any], days: float) -> dict[str, Any]:
    """Return a record as it would have been so many days later, its history too."""
    candidate = {**record["candidate"], "jd": record["candidate"]["jd"] + days, "magpsf": 19.0}
    candidate |= {"isdiffpos": "t", "ssdistnr": -999.0, "ssnamenr": "null"}
    earlier = [{**one, "jd": one["jd"] + days} for one in record["prv_candidates"] or []]
    return {**record, "candidate": candidate, "prv_candidates": earlier or None}
