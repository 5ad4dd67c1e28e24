"""The page's routes: an APIRouter of a store, of doors, and of whatever may explain.

    GET  /                                         the list, its map, and what is open: all by the URL
    GET  /objects/SURVEY/NAME                      one object, as a part of the page
    GET  /stamps/SURVEY/ALERT/BAND.png, .fits      a cutout; it never changes, so a browser keeps it
    GET  /packets/SURVEY/ALERT                     the packet without its images, JSON
    GET  /why/SURVEY/ALERT                         what explains the answer
    POST /votes, /votes/undo, /session, /session/end    writes; see `doors`
    GET  /reports/SURVEY/NAME, POST /reports, /reports/follow    reports to TNS; see `reporting`

Nothing waits for a model here but `/why`; all else is a query or two.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from skystamp import stamps, taxonomy
from skystamp.alert import BANDS
from skystamp.api import Refusal
from skystamp.errors import Reject
from skystamp.hunter import pages, panel, pictures, query, reporting, skymap, vetting, visits
from skystamp.hunter.doors import Doors, Visitor
from skystamp.hunter.explaining import Explainer
from skystamp.hunter.listing import listing, newest_report
from skystamp.hunter.reporting import Reporting
from skystamp.hunter.visits import Fields, Page
from skystamp.hunter.whys import Whys, overlay_uri
from skystamp.store import Label, Store


@dataclass(frozen=True, slots=True)
class HunterSettings:
    """What the page is told: how many people confirm, whether the browser may load pictures of the sky, who reports."""

    required: int = vetting.REQUIRED
    pictures: bool = True
    reporting: Reporting = field(default_factory=Reporting)

    @property
    def address(self) -> str:
        """Of the TNS server whose reports are shown, "" for any."""
        return self.reporting.settings.address


def routes(
    store: Store,
    gate: Doors,
    clock: Callable[[], float],
    *,
    settings: HunterSettings | None = None,
    explainer: Explainer | None = None,
) -> APIRouter:
    """Return the page's routes.

    Parameters
    ----------
    store : Store
    gate : Doors
        Who may look and vote.
    clock : callable
        Unix time, s.
    settings : HunterSettings, optional
    explainer : Explainer, optional
        Says why a model answered so; without one the page says that none is set.
    """
    chosen = settings or HunterSettings()
    page = Page(pages.environment(), gate, chosen.pictures)
    router = APIRouter(include_in_schema=False)
    _add_looks(router, page, store, clock, chosen)
    _add_images(router, page, store, Whys(store, explainer))
    _add_votes(router, page, store, clock, chosen)
    reporting.add(router, page, store, clock, chosen.reporting, chosen.required)
    visits.add(router, page)
    return router


def _add_looks(
    router: APIRouter, page: Page, store: Store, clock: Callable[[], float], settings: HunterSettings
) -> None:
    @router.get("/")
    def main(request: Request) -> Response:
        visitor = page.visitor(request)
        if not visitor.may_look:
            return page.html(request, visitor, "signin.html", 401, problem="", back=request.url.query)
        wanted, now = query.read(request.query_params), clock()
        found = listing(store, wanted, now=now, required=settings.required, address=settings.address)
        candidates = [row.candidate for row in found.rows]
        return page.html(
            request,
            visitor,
            "page.html",
            query=wanted,
            listing=found,
            now=query.mjd_of(now),
            circles=skymap.circles(
                [one.ra for one in candidates], [one.dec for one in candidates], [row.score for row in found.rows]
            ),
            sky=skymap,
            panel=_opened(store, wanted, settings) if wanted.opened else None,
            numbers=query.NUMBERS,
            hours=query.HOURS,
            states=query.STATES,
            classes=taxonomy.CLASSES,
            required=settings.required,
        )

    @router.get("/objects/{survey}/{name:path}")
    def one_object(request: Request, survey: str, name: str) -> Response:
        visitor = page.looking(request)
        wanted = query.read(request.query_params)
        found = panel.panel(store, (survey, name), wanted.label, settings.required, settings.address)
        if found is None:
            raise Refusal(404, "no_object", "No object of this name has an answer in the store.")
        return page.html(
            request,
            visitor,
            "panel.html",
            panel=found,
            query=wanted,
            required=settings.required,
            classes=taxonomy.CLASSES,
        )


def _opened(store: Store, wanted: query.Query, settings: HunterSettings) -> panel.Panel | None:
    survey, _, name = wanted.opened.partition("/")
    return panel.panel(store, (survey, name), wanted.label, settings.required, settings.address)


def _add_images(router: APIRouter, page: Page, store: Store, whys: Whys) -> None:
    @router.get("/stamps/{survey}/{alert_id}/{band}.png")
    def stamp(request: Request, survey: str, alert_id: int, band: str, stretch: str = "asinh") -> Response:
        page.looking(request)
        if stretch not in pictures.STRETCHES:
            raise Refusal(404, "no_stretch", f"The stretch should be one of {', '.join(pictures.STRETCHES)}.")
        return page.kept(
            request,
            f"{survey}-{alert_id}-{band}-{stretch}",
            "image/png",
            lambda: _picture(_cutout(store, survey, alert_id, band), stretch),
        )

    @router.get("/stamps/{survey}/{alert_id}/{band}.fits")
    def file(request: Request, survey: str, alert_id: int, band: str) -> Response:
        page.looking(request)
        data = _cutout(store, survey, alert_id, band)
        end = "fits.gz" if data[:2] == b"\x1f\x8b" else "fits"
        named = {"Content-Disposition": f'attachment; filename="{alert_id}_{band}.{end}"'}
        return Response(data, media_type="application/octet-stream", headers={**pages.HEADERS, **named})

    @router.get("/packets/{survey}/{alert_id}")
    def packet(request: Request, survey: str, alert_id: int) -> Response:
        page.looking(request)
        try:
            found = panel.record(store, (survey, alert_id))
        except Reject as reject:
            raise Refusal(422, "damaged_history", f"The packet's history is damaged: {reject.detail}") from reject
        if found is None:
            raise Refusal(404, "no_packet", "The packet is not kept: it came before packets were, or was pruned.")
        text = json.dumps(_plain(found), indent=1, ensure_ascii=False)
        return Response(text, media_type="application/json", headers={**pages.HEADERS, **pages.PRIVATE})

    @router.get("/why/{survey}/{alert_id}")
    def why(request: Request, survey: str, alert_id: int) -> Response:
        visitor = page.looking(request)
        found = whys.why(survey, alert_id)
        return page.html(request, visitor, "why.html", why=found, overlay=overlay_uri, key=(survey, alert_id))


def _add_votes(
    router: APIRouter, page: Page, store: Store, clock: Callable[[], float], settings: HunterSettings
) -> None:
    def answer(request: Request, visitor: Visitor, key: tuple[str, str], fields: dict[str, str], said: str) -> Response:
        if "application/json" not in request.headers.get("accept", ""):
            return visits.back(page, request, fields)
        found = vetting.verdict(store.labels_of([key]).get(key, []), settings.required)
        told = {
            "verdict": found,
            "required": settings.required,
            "key": "/".join(key),
            "report": newest_report(store.reports_of([key]).get(key, []), settings.address),
        }
        parts = {name: page.part(request, visitor, f"{name}.html", **told) for name in ("verdict", "state")}
        return JSONResponse(
            {"object": "/".join(key), "said": said, "state": found.state, "parts": parts},
            headers={**pages.HEADERS, **pages.PRIVATE},
        )

    @router.post("/votes")
    def vote(request: Request, fields: Fields) -> Response:
        visitor = page.writing(request, fields)
        survey, _, name = fields.get("object", "").partition("/")
        label = fields.get("label", "")
        if label and label not in taxonomy.CLASSES:
            raise Refusal(422, "no_class", f"The class should be one of {', '.join(taxonomy.CLASSES)}.")
        if store.candidate(survey, name) is None:
            raise Refusal(404, "no_object", "No object of this name has an answer in the store.")
        key, now = (survey, name), clock()
        if label:
            store.vote(Label(survey, name, label, visitor.name, now, vetting.SOURCE))
        else:
            store.withdraw_vote(key, visitor.name, vetting.SOURCE, now=now)
        return answer(request, visitor, key, fields, f"{name}: {label or 'vote withdrawn'}")

    @router.post("/votes/undo")
    def undo(request: Request, fields: Fields) -> Response:
        visitor = page.writing(request, fields)
        last = store.undo_vote(visitor.name, vetting.SOURCE, now=clock())
        if last is None:
            raise Refusal(409, "nothing_to_undo", "You have no vote that could be undone.")
        return answer(request, visitor, (last.survey, last.object_id), fields, f"{last.object_id}: {last.label} undone")


def _cutout(store: Store, survey: str, alert_id: int, band: str) -> bytes:
    key = (survey, alert_id)
    found = store.alerts([key]) if band in BANDS and 0 <= alert_id < 1 << 63 else {}
    if key not in found or band not in found[key].cutouts:
        raise Refusal(404, "no_cutout", "There is no such cutout, or it was dropped.")
    return found[key].cutouts[band]


def _picture(cutout: bytes, stretch: str) -> bytes:
    try:
        return pictures.png(stamps.decode(cutout), stretch)
    except Reject as reject:
        raise Refusal(422, "no_image", f"The cutout is no image: {reject.detail}") from reject


def _plain(value: Any) -> Any:
    """Return a record's values as JSON has them: null for what is no number, whole numbers beyond 2**53 as texts."""
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, float) and not -1e308 < value < 1e308:
        return None
    if isinstance(value, bytes):
        return value.hex()
    is_large = isinstance(value, int) and abs(value) > 1 << 53
    return str(value) if is_large else value
