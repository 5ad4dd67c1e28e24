"""Templates -> answers: HTML that escapes whatever came from a packet, and the headers that every answer has.

The content policy lets nothing run or load but our own files, and pictures of the sky from one named place, which the
page asks for when the user does. There is no script and no style inside a page.
"""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastapi import Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from skystamp.hunter.query import moment

FOLDER = Path(__file__).parent
PICTURES = "https://alasky.cds.unistra.fr"  # of the sky, by CDS
ALADIN = "https://aladin.cds.unistra.fr"

_POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": f"'self' data: {PICTURES}",
    "connect-src": "'self'",
    "frame-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
# The one page that runs another's code: framed without our origin, so that it can neither read nor ask for ours.
_ALADIN_POLICY = {
    "default-src": "'none'",
    "sandbox": "allow-scripts allow-popups",
    "script-src": f"'self' {ALADIN} 'wasm-unsafe-eval' blob:",
    "style-src": f"'self' {ALADIN} 'unsafe-inline'",
    "img-src": "https: data: blob:",
    "font-src": f"{ALADIN} data:",
    "connect-src": "https: data: blob:",
    "worker-src": "blob:",
    "frame-ancestors": "'self'",
}
HEADERS = {
    "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in _POLICY.items()),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
ALADIN_HEADERS = HEADERS | {
    "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in _ALADIN_POLICY.items()),
    "Cross-Origin-Resource-Policy": "cross-origin",
}
PRIVATE = {"Cache-Control": "private, no-store"}
FOREVER = {"Cache-Control": "private, max-age=31536000, immutable"}


def environment() -> Environment:
    """Return the templates; what they are given is escaped, and a name that is not given is an error."""
    made = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "day": _day,
        "minute": _minute,
        "number": _number,
        "plain": _plain,
        "hms": _hms,
        "dms": _dms,
        "since": _since,
    }
    return made


def html(
    made: Environment, name: str, status: int = 200, headers: Mapping[str, str] = HEADERS, **content: Any
) -> Response:
    """Return a template as an answer."""
    return HTMLResponse(made.get_template(name).render(**content), status, {**headers, **PRIVATE})


def _day(mjd: float) -> str:
    return f"{moment(mjd):%Y-%m-%d}"


def _minute(mjd: float) -> str:
    return f"{moment(mjd):%Y-%m-%d %H:%M}"


def _number(value: float, digits: int = 3) -> str:
    """Return a number for people; a dash for NaN."""
    return "–" if value is None or math.isnan(value) else f"{value:.{digits}f}"


def _plain(value: float) -> str:
    """Return a measured number with as many digits as it means something; a dash for NaN."""
    return "–" if math.isnan(value) else f"{value:.0f}" if value == int(value) else f"{value:.4g}"


def _hms(ra: float) -> str:
    seconds = round(ra * 240.0, 2) % 86_400
    return f"{int(seconds // 3600):02d}:{int(seconds % 3600 // 60):02d}:{seconds % 60:05.2f}"


def _dms(dec: float) -> str:
    seconds = round(abs(dec) * 3600.0, 1)
    sign = "−" if dec < 0 else "+"
    return f"{sign}{int(seconds // 3600):02d}:{int(seconds % 3600 // 60):02d}:{seconds % 60:04.1f}"


def _since(mjd: float, now: float) -> str:
    """Return how long ago something was, for people."""
    hours = (now - mjd) * 24
    if hours < 0:
        return "in the future"
    if hours < 1:
        return f"{max(hours * 60, 0):.0f} min ago"
    return f"{hours:.0f} h ago" if hours < 72 else f"{hours / 24:.0f} d ago"
