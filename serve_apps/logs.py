"""The service's own lines in the log: one where something is handled, with the ids by which it is found again.

    {"levelname": "INFO", "message": "rejected reason=...", "request_id": "...", "alert_id": 1, ...}

Where the log is JSON (production.yaml) each field is a key of its own; where it is text (local.yaml) it stands in the
message. In the ingress, where requests are answered, Serve adds the ``request_id`` that it answers in ``X-Request-ID``:
the client's own if it sent one that is fit (`skystamp.request_ids`). Headers and bodies are never written, so no token
is.
"""

import json
import logging
from collections.abc import Iterable

from skystamp.classify import Outcome, Rejection

log = logging.getLogger("ray.serve")

_LONGEST = 500  # characters of a field
_COUNTED_ALONE = {"busy", "too_often"}  # a flood of requests should not write as many lines
_UNSPEAKABLE = {"bad_request_id"}  # Serve would put that id into the line


def tell(level: int, event: str, **fields: str | int | float | None) -> None:
    """Write one line: what happened, and what it is about; fields that are None are left out."""
    known = {name: value[:_LONGEST] if isinstance(value, str) else value for name, value in fields.items()}
    known = {name: value for name, value in known.items() if value is not None}
    text = " ".join(f"{name}={json.dumps(value)}" for name, value in known.items())
    log.log(level, "%s %s", event, text, extra=known)


def rejections(outcomes: Iterable[Outcome]) -> None:
    """Write a line for each rejection of an answer."""
    for one in outcomes:
        if isinstance(one, Rejection):
            tell(
                logging.INFO,
                "rejected",
                reason=one.reason.value,
                survey=one.survey,
                alert_id=one.alert_id,
                object_id=one.object_id,
                detail=one.detail,
            )


def refused(status: int, code: str) -> None:
    """Write the line of a request that was refused as a whole; what the metrics count alone gets none."""
    if code not in _COUNTED_ALONE | _UNSPEAKABLE:
        tell(logging.WARNING if status >= 500 else logging.INFO, "refused", status=status, code=code)
