"""The one mapping of every spelling that surveys use for the sign of a difference.

ZTF writes ``isdiffpos`` as t, f, 1 or 0; brokers pass it on as true, false, 1, -1 or a boolean. The published
classifier was trained on f -> 1 and t -> 0 and served -1 and 1 (its code took whatever came); here every spelling
becomes one boolean, and the model input is 1.0 for a positive and 0.0 for a negative difference.
"""

from typing import Any

from skystamp.errors import Reason, Reject

_NEGATIVE = {
    **dict.fromkeys(("t", "true", "1", "1.0", "+1"), False),
    **dict.fromkeys(("f", "false", "0", "0.0", "-1", "-1.0"), True),
}


def is_negative(value: Any) -> bool:
    """Return whether ``isdiffpos``, however spelt, says that the source is fainter than in the template.

    Raises
    ------
    Reject
        BAD_FIELD for any other value.
    """
    spelling = str(value).strip().lower()
    if spelling not in _NEGATIVE:
        raise Reject(Reason.BAD_FIELD, f"isdiffpos should be one of {sorted(_NEGATIVE)}. Received: {spelling[:40]!r}")
    return _NEGATIVE[spelling]


def feature(negative: bool) -> float:
    """Return the model input ``isdiffpos``: 1.0 for a positive difference, 0.0 for a negative one."""
    return 0.0 if negative else 1.0
