"""One bot's talk with TNS over HTTP: searches, objects, reports, what became of them.

    search, object, reply    asked again after 429, 5xx and a broken connection: they change nothing
    report                   after 429 alone, which TNS says before it looks; whatever else is unclear is the caller's

An answer of 429 says when to come back (``Retry-After``, else ``x-rate-limit-reset``, seconds); longer than
`Patience.longest_wait_s` is not waited for. The key goes into the form of each request and nowhere else: no message has
it, and where an answer repeats it, it is struck out. Redirections are not followed, since they would take it along.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from skystamp.tns import replies
from skystamp.tns.faults import AwayError, BusyError, InvalidReportError, KeyRefusedError, UnclearError
from skystamp.tns.guards import RADIUS, Transient
from skystamp.tns.replies import Became, Feedback, Malformed
from skystamp.tns.settings import Settings

MOST_OBJECTS = 5  # that are looked at of what a search finds: TNS lets a bot ask some ten times a minute

_OK, _BAD, _NOT_FOUND, _OFTEN, _FAULT = 200, 400, 404, 429, 500
_NOT_ALLOWED = (401, 403)
_ELSEWHERE = (301, 302, 303, 307, 308, 404, 405)


@dataclass(frozen=True, slots=True)
class Patience:
    """How often and how long who asks will try; times in s."""

    timeout_s: float = 30.0  # for one answer
    tries: int = 4  # of one request
    sends: int = 3  # of one report, where TNS says that it is not there
    longest_wait_s: float = 90.0  # for a rate limit
    pause_s: float = 2.0  # between tries; doubles
    settle_s: float = 30.0  # until TNS would know of a report that arrived
    poll_s: float = 10.0  # between questions what became of it
    poll_for_s: float = 300.0


class Client:
    """A bot's connection; a class because it holds it, and the key. Use it in ``with``."""

    def __init__(self, settings: Settings, key: str, patience: Patience, sleep: Callable[[float], None]) -> None:
        self._key, self._patience, self._sleep = key, patience, sleep
        headers = {"User-Agent": settings.marker, "Accept": "application/json"}
        self._http = httpx.Client(
            base_url=settings.address,
            headers=headers,
            timeout=patience.timeout_s,
            verify=settings.address.startswith("https:"),  # reading certificates takes long, and http has none
        )

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def near(self, ra: float, dec: float, internal_name: str) -> list[Transient]:
        """Return what TNS knows within 5 arcsec of a place (deg), classified or not, or under our name; nearest first.

        Raises
        ------
        TnsError
            If TNS does not say.
        """
        cone = {"ra": f"{ra:.7f}", "dec": f"{dec:.7f}", "radius": f"{RADIUS:g}", "units": "arcsec"}
        found = dict.fromkeys([*self._search(_by_name(internal_name)), *self._search(cone)])
        known = [self._object(name, ra, dec) for name in list(found)[:MOST_OBJECTS]]
        return sorted(known, key=lambda one: (one.distance != one.distance, one.distance))

    def ours(self, ra: float, dec: float, internal_name: str) -> Transient | None:
        """Return what TNS has under our name, None if nothing.

        Raises
        ------
        TnsError
            If TNS does not say.
        """
        own = internal_name.casefold()
        known = self.near(ra, dec, internal_name)
        return next((one for one in known if own in (name.casefold() for name in one.internal_names)), None)

    def send(self, report: Mapping[str, Any]) -> tuple[str, str]:
        """Send a report, once, and return TNS's receipt and words.

        Raises
        ------
        KeyRefusedError, BusyError, AwayError
            If it certainly did not arrive.
        InvalidReportError
            If it arrived and was found wrong.
        UnclearError
            If nobody knows.
        """
        answer = self._posted("set/bulk-report", {"data": json.dumps(report)})
        text = self._text(answer)
        if answer.status_code in _ELSEWHERE:
            raise AwayError(f"TNS takes no report there ({answer.status_code}): is the address right?")
        if answer.status_code not in (_OK, _BAD):
            raise UnclearError(f"TNS answered {answer.status_code} to a report: {replies.short(text)}")
        try:
            body = replies.parsed(text)
            said = replies.feedback(body)
        except Malformed as error:
            raise UnclearError(f"TNS answered {answer.status_code} to a report, and what it said is {error}") from error
        found = replies.receipt(body)
        if said.became is Became.IDENTICAL:
            raise UnclearError(f"TNS has it: {said.said}")
        if found and answer.status_code == _OK:
            return found, replies.short(text)
        if answer.status_code == _BAD or said.became is Became.REJECTED or str(body.get("id_code")) == str(_BAD):
            raise InvalidReportError(f"TNS did not take the report: {said.said or replies.short(text)}")
        raise UnclearError(f"TNS answered {answer.status_code} without a receipt: {replies.short(text)}")

    def became(self, report_id: str) -> tuple[Feedback, str]:
        """Return what became of a report, and TNS's words.

        Raises
        ------
        TnsError
            If TNS does not say.
        """
        answer = self._asked("get/bulk-report-reply", {"report_id": report_id}, fine=(_OK, _BAD, _NOT_FOUND))
        text = self._text(answer)
        if answer.status_code == _NOT_FOUND:
            return Feedback(Became.PENDING), replies.short(text)
        try:
            return replies.feedback(replies.parsed(text)), replies.short(text)
        except Malformed as error:
            raise AwayError(f"TNS said of report {report_id} what is {error}") from error

    def _search(self, wanted: Mapping[str, Any]) -> list[str]:
        return self._read("get/search", wanted, replies.names)

    def _object(self, name: str, ra: float, dec: float) -> Transient:
        return self._read("get/object", {"objname": name}, lambda body: replies.transient(body, ra, dec))

    def _read(self, path: str, wanted: Mapping[str, Any], understand: Callable[[Mapping[str, Any]], Any]) -> Any:
        answer = self._asked(path, {"data": json.dumps(wanted)}, fine=(_OK,))
        try:
            return understand(replies.parsed(self._text(answer)))
        except Malformed as error:
            raise AwayError(f"TNS answered {path} with what is {error}") from error

    def _asked(self, path: str, fields: Mapping[str, str], *, fine: tuple[int, ...]) -> httpx.Response:
        """Return the answer to a question, which is asked again until there is one."""
        fault = ""
        for attempt in range(self._patience.tries):
            if attempt:
                self._sleep(self._patience.pause_s * 2 ** (attempt - 1))
            try:
                answer = self._posted(path, fields)
            except (UnclearError, AwayError) as error:
                fault = str(error)
                continue
            if answer.status_code in fine:
                return answer
            fault = f"TNS answered {answer.status_code} to {path}: {replies.short(self._text(answer))}"
            if answer.status_code < _FAULT:
                break
        raise AwayError(fault)

    def _posted(self, path: str, fields: Mapping[str, str]) -> httpx.Response:
        """Return the answer to one request that got past the rate limit and the key."""
        left = self._patience.tries
        while True:
            left -= 1
            answer = self._once(path, fields)
            if answer.status_code in _NOT_ALLOWED:
                said = replies.short(self._text(answer))
                raise KeyRefusedError(
                    f"TNS does not let this bot in ({answer.status_code}): check key, bot_id and bot_name. {said}"
                )
            if answer.status_code != _OFTEN:
                return answer
            wait_s = _wait_s(answer.headers, self._patience.pause_s)
            if not left or wait_s > self._patience.longest_wait_s:
                raise BusyError(f"TNS has had enough requests for now; it wants us back in {wait_s:g} s")
            self._sleep(wait_s)

    def _once(self, path: str, fields: Mapping[str, str]) -> httpx.Response:
        try:
            return self._http.post(path, data={"api_key": self._key, **fields})
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol) as error:
            raise AwayError(f"TNS can not be reached at {self._http.base_url}: {type(error).__name__}") from error
        except (httpx.TransportError, httpx.DecodingError, httpx.InvalidURL) as error:
            raise UnclearError(f"TNS did not answer {path}: {type(error).__name__}") from error

    def _text(self, answer: httpx.Response) -> str:
        return answer.text.replace(self._key, "***") if self._key else answer.text


def _by_name(internal_name: str) -> dict[str, Any]:
    return {"internal_name": internal_name, "internal_name_exact_match": 1}


def _wait_s(headers: Mapping[str, str], usual_s: float) -> float:
    """Return for how long a rate limit lasts, by the answer's headers."""
    for name in ("retry-after", "x-rate-limit-reset"):
        found = headers.get(name, "").strip()
        if found.isascii() and found.isdigit():
            return max(float(found), usual_s)
    return usual_s
