"""The Hunter page in this process: a store with a few candidates, its application, and people who ask it."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.routing import Mount

from skystamp import live
from skystamp.api import tokens
from skystamp.api.access import Access
from skystamp.api.tokens import Scope, TokenFile
from skystamp.classify import Models
from skystamp.hunter.application import application
from skystamp.hunter.doors import Doors
from skystamp.hunter.explaining import Explainer
from skystamp.hunter.routes import HunterSettings
from skystamp.store import Store
from tests import faking, making

NOW = 1_700_000_000.0  # Unix time, s
MJD_NOW = 40_587.0 + NOW / 86_400.0
JD_NOW = MJD_NOW + 2_400_000.5
HOST = "127.0.0.1:8000"
ORIGIN = f"http://{HOST}"
HOSTILE = '"><script>hacked()</script>'
FAINT = {"magpsf": 20.5, "diffmaglim": 21.0}  # what the fake model calls bogus


def fill(store: Store) -> None:
    """Let packets through: three SNe, one with a hostile name, one negative, one known asteroid, one bogus twice."""
    limit = {"jd": JD_NOW - 5, "fid": 2, "pid": 1, "diffmaglim": 20.25, "programid": 1}
    earlier = {**limit, "jd": JD_NOW - 3, "candid": 7, "magpsf": 19.5, "sigmapsf": 0.1, "isdiffpos": "t", "ra": 150.0}
    known = {"ssdistnr": 1.0, "ssnamenr": HOSTILE, "ssmagnr": 18.0}
    records = [
        making.record(1, {"jd": JD_NOW - 0.3}, objectId="ZTF23aaa", prv_candidates=[limit, {**earlier, "dec": 2.5}]),
        making.record(2, {"jd": JD_NOW - 0.2}, objectId="ZTF23bbb"),
        making.record(3, {"jd": JD_NOW - 0.1}, objectId=HOSTILE),
        making.record(4, {"jd": JD_NOW - 0.1, "isdiffpos": "f"}, objectId="ZTF23negative"),
        making.record(5, {"jd": JD_NOW - 0.1, **known}, objectId="ZTF23asteroid"),
        making.record(6, {"jd": JD_NOW - 0.6, **FAINT}, objectId="ZTF23twice"),
        making.record(7, {"jd": JD_NOW - 0.1, **FAINT}, objectId="ZTF23twice"),
        making.record(8, {"jd": JD_NOW - 40}, objectId="ZTF23old"),
    ]
    models = Models({"first-detection": faking.by_magnitude(), "temporal-2": faking.temporal(2)})
    for record in records:
        live.answer(store, models, live.arrivals(making.packet(record)), now=NOW - 60)


class Person:
    """Somebody with a browser: a client whose cookies last, at the page's own address."""

    def __init__(self, app: Any, peer: str = "127.0.0.1", host: str = HOST) -> None:
        transport = httpx.ASGITransport(Starlette(routes=[Mount("/hunter", app)]), client=(peer, 1))
        self._client = httpx.AsyncClient(transport=transport, base_url=f"http://{host}/hunter")

    def get(self, path: str = "/", **headers: str) -> httpx.Response:
        return self._ask("GET", path, headers=headers)

    def post(self, path: str, fields: dict[str, str] | None = None, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._ask("POST", path, data=fields or {"back": ""}, headers={"origin": ORIGIN, **named})

    def sign_in(self, secret: str) -> httpx.Response:
        return self.post("/session", {"secret": secret})

    def word(self) -> str:
        """Return the word that a page of ours has for this person."""
        return self.get("/").text.partition('<meta name="word" content="')[2].partition('"')[0]

    def vote(self, name: str, label: str, **headers: str) -> httpx.Response:
        fields = {"object": f"ztf/{name}", "label": label, "word": self.word()}
        return self.post("/votes", fields, accept="application/json", **headers)

    def undo(self) -> httpx.Response:
        return self.post("/votes/undo", {"word": self.word()}, accept="application/json")

    def _ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        import anyio

        async def ask() -> httpx.Response:
            return await self._client.request(method, path, **options)

        return anyio.run(ask)


def page(
    store: Store,
    folder: Path | None = None,
    *,
    explainer: Explainer | None = None,
    settings: HunterSettings | None = None,
) -> tuple[Any, dict[str, str]]:
    """Return the page's application, and in a folder the secrets of ada and bea, who vote, cyd, who looks, and dan.

    Every moment is NOW.
    """
    known, secrets = None, {}
    if folder is not None:
        file = folder / "tokens.json"
        scopes = {"ada": [Scope.READ, Scope.LABEL], "bea": [Scope.READ, Scope.LABEL], "cyd": [Scope.READ]}
        secrets = {name: tokens.add(file, name, allowed) for name, allowed in scopes.items()}
        secrets["dan"] = tokens.add(file, "dan", [Scope.CLASSIFY])
        known = TokenFile(file, time.monotonic, print)
    access = Access(known, time.monotonic, lambda: datetime.fromtimestamp(NOW, UTC))
    gate = Doors(known, access, lambda: NOW)
    return application(store, gate, lambda: NOW, settings=settings, explainer=explainer), secrets
