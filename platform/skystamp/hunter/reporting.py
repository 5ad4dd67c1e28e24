"""A candidate's report to TNS on the page: shown first with what speaks against it, sent by a second press, followed.

    GET  /reports/SURVEY/NAME    the draft, readable and as JSON, or what became of the report
    POST /reports                send exactly what was shown: its digest comes along
    POST /reports/follow         ask TNS what became of it

Sending is for a service with tokens, and for who may vote: two such people have confirmed the object before. Without
tokens names are taken on trust, so the page shows reports and sends none. What the form says of votes and guards counts
for nothing: all of it is looked at again when it is sent.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse

from skystamp import taxonomy, tns
from skystamp.api import Refusal
from skystamp.errors import UsageError
from skystamp.hunter import pages, vetting
from skystamp.hunter.doors import Visitor
from skystamp.hunter.listing import newest_report
from skystamp.hunter.vetting import Verdict
from skystamp.hunter.visits import Fields, Page
from skystamp.store import ObjectKey, Report, ReportState, Store
from skystamp.tns import Desk, Draft, Patience, People, Settings, TnsError, codes

PATIENCE = Patience(timeout_s=15.0, tries=2, sends=1, longest_wait_s=5.0, pause_s=0.5, poll_for_s=0.0)
"""A page asks once; its script asks again."""

OVERRIDE = "override_"  # before a guard's code: the form's field that passes it


@dataclass(frozen=True, slots=True)
class Reporting:
    """What the page is told of TNS: who reports where, and the bot's key, "" for none; how often its script asks, s."""

    settings: Settings = field(default_factory=Settings)
    key: str = field(default="", repr=False)
    again_s: float = 10.0


def people(verdict: Verdict, required: int) -> People:
    """Return what people say of an object, as guards ask it."""
    confirm = sum(vote.label == taxonomy.SN for vote in verdict.votes)
    return People(confirm, len(verdict.votes) - confirm, required)


def add(
    router: APIRouter, page: Page, store: Store, clock: Callable[[], float], reporting: Reporting, required: int
) -> None:
    """Add the routes of reports."""
    routes = _Reports(page, store, clock, reporting, required)

    @router.get("/reports/{survey}/{name:path}")
    def show(request: Request, survey: str, name: str) -> Response:
        visitor = page.looking(request)
        return routes.page(request, visitor, (survey, name))

    @router.post("/reports")
    def send(request: Request, fields: Fields) -> Response:
        visitor = page.writing(request, fields)
        return routes.send(request, visitor, fields)

    @router.post("/reports/follow")
    def follow(request: Request, fields: Fields) -> Response:
        visitor = page.writing(request, fields)
        return routes.follow(request, visitor, fields)


@dataclass(frozen=True, slots=True)
class _Reports:
    """What the three routes share."""

    shell: Page
    store: Store
    clock: Callable[[], float]
    reporting: Reporting
    required: int

    def page(self, request: Request, visitor: Visitor, key: ObjectKey) -> Response:
        """Return the report of an object as a part of the page for its script, as a page of its own for people."""
        told = self._told(visitor, key, self._draft(key, ask=self._why_not(visitor) == ""))
        name = "report.html" if "x-part" in request.headers else "reported.html"
        return self.shell.html(request, visitor, name, **told)

    def send(self, request: Request, visitor: Visitor, fields: Mapping[str, str]) -> Response:
        """Send what was shown, and return what became of it."""
        if why_not := self._why_not(visitor):
            raise Refusal(403, "not_allowed", why_not)
        key = _key(fields)
        draft = self._draft(key, ask=True)
        if draft.digest != fields.get("digest"):
            raise Refusal(409, "changed", "The report is not the one that was shown; look at it again.")
        passed = {one.guard.value for one in draft.objections if fields.get(f"{OVERRIDE}{one.guard.value}")}
        try:
            self._desk().send(draft, visitor.name, {code: fields.get("why", "") for code in passed})
        except TnsError as fault:
            raise Refusal(502, "tns", str(fault)) from fault
        except UsageError as fault:
            raise Refusal(409, "stopped", str(fault)) from fault
        return self._answer(request, visitor, key)

    def follow(self, request: Request, visitor: Visitor, fields: Mapping[str, str]) -> Response:
        """Ask TNS what became of a report, and return it."""
        if why_not := self._why_not(visitor):
            raise Refusal(403, "not_allowed", why_not)
        key = _key(fields)
        last = self._last(key)
        if last is None:
            raise Refusal(404, "no_report", "Nothing was sent of this object.")
        self._desk().follow(last)
        return self._answer(request, visitor, key)

    def _answer(self, request: Request, visitor: Visitor, key: ObjectKey) -> Response:
        if "application/json" not in request.headers.get("accept", ""):
            return RedirectResponse(f"{self.shell.base(request)}/reports/{quote('/'.join(key))}", 303)
        told = self._told(visitor, key, self._draft(key, ask=False))
        last: Report = told["report"]
        parts = {
            "report": self.shell.part(request, visitor, "report.html", **told),
            "state": self.shell.part(request, visitor, "state.html", **told),
            "verdict": self.shell.part(request, visitor, "verdict.html", **told),
        }
        said = f"{key[1]}: {'posted as ' + last.tns_name if last.tns_name else last.state.value}"
        body = {"object": "/".join(key), "said": said, "state": last.state.value, "parts": parts}
        return JSONResponse(body, headers={**pages.HEADERS, **pages.PRIVATE})

    def _told(self, visitor: Visitor, key: ObjectKey, draft: Draft) -> dict[str, Any]:
        """Return what the templates are told."""
        last = self._last(key)
        is_open = last is not None and last.state in tns.OPEN
        is_done = last is not None and (is_open or last.state is ReportState.POSTED)
        content = last.content if last is not None and is_done else draft.content
        return {
            "draft": draft,
            "report": last,
            "key": "/".join(key),
            "verdict": self._verdict(key),
            "required": self.required,
            "why_not": self._why_not(visitor),
            "settings": self.reporting.settings,
            "missing": self._desk().missing,
            "is_open": is_open,
            "is_done": is_done,
            "told": content.get("at_report", {}).get("0", {}),
            "bands": {number: band for band, number in codes.instrument(key[0]).filters.items()},
            "text": json.dumps(content, indent=1, ensure_ascii=False),
            "again_s": self.reporting.again_s,
            "override": OVERRIDE,
        }

    def _draft(self, key: ObjectKey, *, ask: bool) -> Draft:
        try:
            return self._desk().draft(key, people(self._verdict(key), self.required), ask=ask)
        except UsageError as fault:
            raise Refusal(404, "no_draft", str(fault)) from fault

    def _desk(self) -> Desk:
        return Desk(self.store, self.reporting.settings, self.reporting.key, self.clock, time.sleep, PATIENCE)

    def _verdict(self, key: ObjectKey) -> Verdict:
        return vetting.verdict(self.store.labels_of([key]).get(key, []), self.required)

    def _last(self, key: ObjectKey) -> Report | None:
        return newest_report(self.store.reports_of([key]).get(key, []), self.reporting.settings.address)

    def _why_not(self, visitor: Visitor) -> str:
        """Return why this visitor sends nothing from here, "" if they may."""
        if not self.shell.doors.needs_token:
            return "Reports are sent from a page with tokens, or by `skystamp tns`: without tokens names are not known."
        if not visitor.may_vote:
            return visitor.how or "Reports are sent by who may vote."
        missing = self._desk().missing
        return f"To send, the service should be told {', '.join(missing)}." if missing else ""


def _key(fields: Mapping[str, str]) -> ObjectKey:
    survey, _, name = fields.get("object", "").partition("/")
    return survey, name
