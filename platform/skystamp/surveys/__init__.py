"""One module a survey: `read(record, schema)` turns its record into our `Alert`; no other module knows its field names.

`READERS` maps the full name of an Avro schema to the module's reader.
"""

from collections.abc import Callable

from skystamp.alert import Alert, Previous
from skystamp.avro import Record
from skystamp.errors import Reason, Reject
from skystamp.surveys import ztf

READERS: dict[str, Callable[[Record, str], Alert]] = {"ztf.alert": ztf.read}

HISTORIES: dict[str, Callable[[Record], list[Previous]]] = {ztf.SURVEY: ztf.previous}
"""The earlier looks that a survey's record reports, by the survey's name."""


def read(record: Record, schema: str) -> Alert:
    """Return the alert of a record.

    Raises
    ------
    Reject
        UNKNOWN_SCHEMA if no survey has this schema; what the survey's reader raises otherwise.
    """
    if schema not in READERS:
        raise Reject(Reason.UNKNOWN_SCHEMA, f"the schema should be one of {sorted(READERS)}. Received: {schema[:80]!r}")
    return READERS[schema](record, schema)
