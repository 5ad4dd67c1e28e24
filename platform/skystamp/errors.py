"""Every way in which an alert, or we, can be at fault.

    SkystampError
    ├── Reject            a fault of one alert: it becomes a rejection with a reason code, and the run goes on
    └── Fault             a fault of ours or of our user: it stops the run and says what to do
        ├── UsageError        a wrong argument, path, URL or setting
        ├── DatasetError      a manifest, label table or split that cannot be used
        ├── BundleError       a model folder that cannot be loaded or does not reproduce its example
        └── StoreError        a store that cannot be opened, or is of another version
            └── StoreUnavailable  one that cannot be reached or written just now: try again

Reason codes are stable: they are stored, counted and answered over HTTP.
"""

from enum import StrEnum


class Reason(StrEnum):
    """Why a packet was rejected."""

    NOT_AVRO = "not_avro"
    TRUNCATED_AVRO = "truncated_avro"
    DAMAGED_ARCHIVE = "damaged_archive"
    UNKNOWN_SCHEMA = "unknown_schema"
    TOO_LARGE = "too_large"
    MISSING_FIELD = "missing_field"
    BAD_FIELD = "bad_field"
    MISSING_CUTOUT = "missing_cutout"
    NOT_GZIP = "not_gzip"
    TRUNCATED_GZIP = "truncated_gzip"
    CORRUPT_GZIP = "corrupt_gzip"
    NOT_FITS = "not_fits"
    WRONG_SHAPE = "wrong_shape"

    @property
    def sentence(self) -> str:
        """One sentence for a person."""
        return _SENTENCES[self]


class SkystampError(Exception):
    """Base of all exceptions raised by skystamp.

    ::

        try:
            alert = ztf.read(packet)
        except skystamp.errors.Reject as reject:
            store(reject.reason, reject.detail)
    """


class Reject(SkystampError):
    """A fault of one alert: `reason` is its code, `detail` says what was found where."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(f"{reason.value}: {detail}")
        self.reason = reason
        self.detail = detail

    def __reduce__(self) -> tuple[type["Reject"], tuple[Reason, str]]:
        """Pickle by its two arguments, so that it crosses processes."""
        return Reject, (self.reason, self.detail)


class Fault(SkystampError):
    """A fault of ours or of our user: it stops the run and says what to do."""


class UsageError(Fault):
    """A wrong argument, path, URL or setting."""


class DatasetError(Fault):
    """A manifest, label table or split that cannot be used."""


class BundleError(Fault):
    """A model folder that cannot be loaded or does not reproduce its example."""


class StoreError(Fault):
    """A store that cannot be opened, or is of another version."""


class StoreUnavailable(StoreError):
    """A store that cannot be reached or written just now. Nothing was written; the same call may succeed later."""


_SENTENCES = {
    Reason.NOT_AVRO: "The bytes are not an Avro object container.",
    Reason.TRUNCATED_AVRO: "The Avro container ends early or its blocks are damaged.",
    Reason.DAMAGED_ARCHIVE: "The tar or gzip file that holds packets ends early or is damaged there.",
    Reason.UNKNOWN_SCHEMA: "The record's schema is not one of a survey we read.",
    Reason.TOO_LARGE: "The packet, or what it unpacks to, is over the size limit.",
    Reason.MISSING_FIELD: "A field that every alert must have is missing or null.",
    Reason.BAD_FIELD: "A field has a value that it cannot have.",
    Reason.MISSING_CUTOUT: "One of the three cutouts is missing or empty.",
    Reason.NOT_GZIP: "A cutout is not gzip data.",
    Reason.TRUNCATED_GZIP: "A cutout's gzip data end early.",
    Reason.CORRUPT_GZIP: "A cutout's gzip data are damaged.",
    Reason.NOT_FITS: "A cutout is not a FITS image.",
    Reason.WRONG_SHAPE: "A cutout does not have the survey's size in pixels.",
}
