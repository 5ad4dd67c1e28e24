"""An HTTP answer -> whether the service refused, or something before it that does not know the service yet.

Whatever the service refuses is JSON, ``{"error": {"code": ..., "message": ...}}``. While no application is deployed,
Serve's proxy answers 404 in words of its own: that is an outage, which passes, and no refusal.
"""

import json

_NOT_FOUND = 404


def is_ours(body: bytes) -> bool:
    """Return whether an answer's body is a refusal of the service."""
    try:
        error = json.loads(body)["error"]
        return isinstance(error["code"], str) and isinstance(error["message"], str)
    except (ValueError, KeyError, TypeError, IndexError):
        return False


def is_absent(status: int, body: bytes) -> bool:
    """Return whether an answer says that there is no such service, in somebody else's words."""
    return status == _NOT_FOUND and not is_ours(body)
