"""In what ways TNS does not do what it is asked; what each says of whether a report arrived.

    TnsError
    ├── KeyRefusedError      it did not: the bot may not
    ├── BusyError            it did not: too many requests
    ├── AwayError            it did not: nothing reached TNS; of a question, there is no answer
    ├── InvalidReportError   it did, and was found wrong
    └── UnclearError         nobody knows

No message of these has the key.
"""

from skystamp.errors import Fault


class TnsError(Fault):
    """TNS did not do what it was asked."""


class KeyRefusedError(TnsError):
    """TNS does not know the key, or the bot may not."""


class BusyError(TnsError):
    """TNS wants us to come back later than we wait."""


class AwayError(TnsError):
    """Nothing reached TNS, or it did not answer a question however often it was asked."""


class InvalidReportError(TnsError):
    """TNS took a report for wrong."""


class UnclearError(TnsError):
    """A report may or may not have arrived."""
