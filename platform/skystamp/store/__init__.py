"""What the platform remembers: objects, detections with their cutouts, outcomes, rejections, labels, offsets.

    url ── open_store ──> Store ── index, alerts ──> histories that sequences are made of
                            │ record <── Batch       one transaction, all or nothing, idempotent
                            └ candidates, unscored, labels, status, drop_cutouts, export_parquet

SQLite or PostgreSQL by the URL, one code path. Writers of one object are put in a row without any lock held while a
model thinks: a batch says at which revision it read each object, and is refused as `Outdated` if that has changed.

tables.py, versions/, migrations.py    the schema and how a database gets it
engine.py, dialects.py                 how the two databases are opened, and in what they differ
values.py, rows.py                     what goes in and comes out
writing.py, reading.py, browsing.py    one batch; what the live path asks; what people ask
listing.py, answered.py, places.py     what programs ask: lists of objects by filters, by whose answer, by place
scorers.py                             which versions of which models have scores
voting.py, reports.py                  what people say of objects; what was sent to the Transient Name Server
retention.py, exchange.py              letting go of cutouts; Parquet
opened.py                              `Store`
"""

from skystamp.store.engine import absolute_url
from skystamp.store.opened import Store, open_store
from skystamp.store.values import (
    AlertKey,
    Batch,
    Candidate,
    CandidateFilter,
    Change,
    Detection,
    History,
    Label,
    ListedObject,
    ObjectFilter,
    ObjectKey,
    Offset,
    Rejected,
    Report,
    ReportState,
    Scorer,
    Status,
    StoredOutcome,
)
from skystamp.store.writing import Outdated

__all__ = [
    "AlertKey",
    "Batch",
    "Candidate",
    "CandidateFilter",
    "Change",
    "Detection",
    "History",
    "Label",
    "ListedObject",
    "ObjectFilter",
    "ObjectKey",
    "Offset",
    "Outdated",
    "Rejected",
    "Report",
    "ReportState",
    "Scorer",
    "Status",
    "Store",
    "StoredOutcome",
    "absolute_url",
    "open_store",
]
