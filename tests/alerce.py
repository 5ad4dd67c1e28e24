"""ALeRCE's API as it stands beside the service, on a port of its own, over a store of packets of our own making."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fastapi import FastAPI

from skystamp import live, synthetic
from skystamp.alerce_api.application import PREFIX, application, elsewhere
from skystamp.api.access import Access
from skystamp.api.tokens import TokenFile
from skystamp.classify import Models
from skystamp.store import Store
from tests import faking, making

JD = 2459000.5
NOW = 1_700_000_000.0  # Unix time, s
FAINT = {"magpsf": 20.5, "diffmaglim": 21.0}  # what the fake model calls bogus

ONE, TWICE, SYNTHETIC = "ZTF20aaaaaaa", "ZTF20twice", "ZTF20synthetic"


def records() -> dict[str, list[dict[str, Any]]]:
    """Return records by object: one of three nights with a history, one bogus twice, one synthetic, and ten more."""
    limit = {"jd": JD - 5, "fid": 2, "pid": 3, "diffmaglim": 20.25, "programid": 1}
    seen = {**limit, "jd": JD - 3, "pid": 4, "candid": 7, "magpsf": 19.5, "sigmapsf": 0.1, "isdiffpos": "f"}
    history = [limit, {**seen, "nid": 9, "ra": 150.25, "dec": 2.75, "rb": -999.0}]
    forced = {"fid": 1, "pid": 5, "rfid": 6, "exptime": 30.0, "programid": 1, "jd": JD - 4, "field": 300, "rcid": 1}
    forced |= {"sciinpseeing": 2.0, "magzpsci": 26.0, "forcediffimflux": -100.0, "forcediffimfluxunc": 10.0}
    forced |= {"ranr": 150.0, "decnr": 2.5}
    nights = [
        making.record(1, {"jd": JD, "nid": 1248}, objectId=ONE, prv_candidates=history, fp_hists=[forced]),
        making.record(2, {"jd": JD + 1, "fid": 2, "magpsf": 18.0, "ra": 150.001}, objectId=ONE),
        making.record(3, {"jd": JD + 2, "magpsf": 17.5, "isdiffpos": "f", "rb": -999.0}, objectId=ONE),
    ]
    twice = [making.record(10 + i, {"jd": JD + i, **FAINT}, objectId=TWICE) for i in range(2)]
    simulated = synthetic.simulate_object(41, 0, max_detections=2, jd_range=(2460900.5, 2460930.5)).records
    found = {ONE: nights, TWICE: twice, SYNTHETIC: [{**one, "objectId": SYNTHETIC} for one in simulated]}
    for i in range(10):
        where = {"ra": 10.0 + i / 3600, "dec": -30.0, "jd": JD + 10 + i}
        found[f"ZTF21{i:07d}"] = [making.record(20 + i, where, objectId=f"ZTF21{i:07d}")]
    return found


def fill(store: Store, only: tuple[str, ...] | None = None) -> None:
    """Let the packets of all records, or of some objects, through, by fake models."""
    models = Models({"first-detection": faking.by_magnitude(), "temporal-2": faking.temporal(2)})
    for one in (one for name, each in records().items() if only is None or name in only for one in each):
        live.answer(store, models, live.arrivals(making.packet(one)), now=NOW)


def challenge(store: Store) -> None:
    """Let a challenger, version 8, score what the first-detection model answers."""
    models = Models({"first-detection": faking.by_magnitude("8"), "temporal-2": faking.temporal(2)})
    page = next(iter(store.unscored("first-detection", "8", counts=(1, 1))))
    live.rescore(store, models, "first-detection", dict(page), now=NOW + 1, shadow=True)


def site(store: Store, tokens: Path | None = None) -> FastAPI:
    """Return the API at its prefix, and at `/` what sends there."""
    app = FastAPI(openapi_url=None)
    app.include_router(elsewhere())
    app.mount(PREFIX, application(store, open_access(tokens)))
    return app


def open_access(tokens: Path | None = None) -> Access:
    """Return who may ask: whoever has a token of the file, anybody without one."""
    known = TokenFile(tokens, time.monotonic, print) if tokens else None
    return Access(known, time.monotonic, lambda: datetime.fromtimestamp(NOW, UTC))
