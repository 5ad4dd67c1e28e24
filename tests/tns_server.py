"""A Transient Name Server of our own, on loopback: searches, objects, bulk reports and what became of them.

It keeps every request as it came, so that a test sees what was sent and how often. What it does otherwise than well is
put into `faults`, one for each request of a path, oldest first.
"""

import json
import math
import threading
import time
from collections import defaultdict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

KEY = "a-key-that-nobody-may-see"
NAME = "2026abc"

SEARCH, OBJECT = "/api/get/search", "/api/get/object"
REPORT, REPLY = "/api/set/bulk-report", "/api/get/bulk-report-reply"


@dataclass(frozen=True)
class Asked:
    """One request."""

    path: str
    agent: str
    fields: dict[str, str]

    @property
    def data(self) -> dict[str, Any]:
        return json.loads(self.fields["data"])


@dataclass(frozen=True)
class Fault:
    """What is answered instead; `keeps` whether a report is taken all the same."""

    status: int = 500
    body: Any = "<html>Internal Server Error</html>"
    headers: dict[str, str] = field(default_factory=dict)
    keeps: bool = False
    slow_s: float = 0.0


@dataclass
class FakeTns:
    """What the server knows and what it was asked."""

    address: str = ""
    asked: list[Asked] = field(default_factory=list)
    faults: dict[str, deque[Fault]] = field(default_factory=lambda: defaultdict(deque))
    objects: dict[str, dict[str, Any]] = field(default_factory=dict)
    feedback: Any = None  # what it says of reports instead of 100 and a name
    polls: int = 0  # replies of 404 before it says what became of a report
    reports: dict[str, dict[str, Any]] = field(default_factory=dict)

    def know(self, name: str, ra: float, dec: float, internal_names: str = "", kind: str | None = None) -> None:
        """Let it know an object."""
        found = {"objname": name, "name_prefix": "AT", "radeg": ra, "decdeg": dec, "internal_names": internal_names}
        self.objects[name] = {**found, "object_type": {"name": kind, "id": None}}

    def of(self, path: str) -> list[Asked]:
        """Return the requests of a path."""
        return [one for one in self.asked if one.path == path]

    def answer(self, asked: Asked) -> tuple[int, Any, dict[str, str]]:
        """Return status, body and headers for a request."""
        self.asked.append(asked)
        if asked.fields.get("api_key") != KEY:
            return 401, {"id_code": 401, "id_message": "Unauthorized", "key": asked.fields.get("api_key")}, {}
        if self.faults[asked.path]:
            fault = self.faults[asked.path].popleft()
            if fault.keeps:
                self._take(asked.data)
            time.sleep(fault.slow_s)
            return fault.status, fault.body, fault.headers
        return {SEARCH: self._search, OBJECT: self._object, REPORT: self._report, REPLY: self._reply}[asked.path](asked)

    def _search(self, asked: Asked) -> tuple[int, Any, dict[str, str]]:
        wanted = asked.data
        found = [one for one in self.objects.values() if _near(one, wanted) or _named(one, wanted)]
        return 200, {"id_code": 200, "data": [{"objname": one["objname"], "prefix": "AT"} for one in found]}, {}

    def _object(self, asked: Asked) -> tuple[int, Any, dict[str, str]]:
        return 200, {"id_code": 200, "data": self.objects[asked.data["objname"]]}, {}

    def _report(self, asked: Asked) -> tuple[int, Any, dict[str, str]]:
        number = self._take(asked.data)
        return 200, {"id_code": 200, "id_message": "OK", "data": {"report_id": int(number)}}, {}

    def _reply(self, asked: Asked) -> tuple[int, Any, dict[str, str]]:
        if self.polls > 0 or asked.fields["report_id"] not in self.reports:
            self.polls -= 1
            return 404, {"id_code": 404, "id_message": "Not found"}, {}
        said = self.feedback or {"100": {"message": "Transient object was inserted.", "objname": NAME}}
        told = {"at_rep": self.reports[asked.fields["report_id"]], **said}
        return 200, {"id_code": 200, "id_message": "OK", "data": {"feedback": {"at_report": [told]}}}, {}

    def _take(self, data: dict[str, Any]) -> str:
        number = str(1000 + len(self.reports))
        self.reports[number] = one = data["at_report"]["0"]
        if not self.feedback:
            self.know(NAME, float(one["ra"]["value"]), float(one["dec"]["value"]), one["internal_name"])
        return number


@contextmanager
def running() -> Iterator[FakeTns]:
    """Yield a server on a port of its own, for as long as this lasts."""
    fake = FakeTns()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"])).decode()
            fields = {name: values[0] for name, values in parse_qs(body, keep_blank_values=True).items()}
            status, said, headers = fake.answer(Asked(self.path, self.headers["user-agent"], fields))
            content = (said if isinstance(said, str) else json.dumps(said)).encode()
            try:
                self.send_response(status)
                for name, value in {"content-length": str(len(content)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)
            except (BrokenPipeError, ConnectionResetError):
                return  # who asked has gone

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake.address = f"http://127.0.0.1:{server.server_address[1]}/api"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _near(one: dict[str, Any], wanted: dict[str, Any]) -> bool:
    if "ra" not in wanted:
        return False
    east = (one["radeg"] - float(wanted["ra"])) * math.cos(math.radians(one["decdeg"]))
    return math.hypot(east, one["decdeg"] - float(wanted["dec"])) * 3600 <= float(wanted["radius"])


def _named(one: dict[str, Any], wanted: dict[str, Any]) -> bool:
    return "internal_name" in wanted and wanted["internal_name"] in one["internal_names"].split(", ")
