"""An open store: what the rest of the platform calls. Each method is one transaction, from any thread."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import Engine

from skystamp.alert import Alert
from skystamp.avro import Content
from skystamp.store import (
    browsing,
    engine,
    exchange,
    listing,
    migrations,
    reading,
    reports,
    retention,
    scored,
    voting,
    writing,
)
from skystamp.store import scorers as versions
from skystamp.store.values import (
    AlertKey,
    Batch,
    Candidate,
    CandidateFilter,
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


def open_store(
    url: str,
    *,
    connections: int = 4,
    busy_s: float = engine.BUSY_S,
    create: bool = True,
    statement_s: float | None = None,
) -> "Store":
    """Return the store at a URL; a new, empty database gets its tables.

    Parameters
    ----------
    url : str
        ``sqlite:///PATH`` or ``postgresql://USER@HOST/DATABASE``.
    connections : int
        To the database at most: as many transactions at a time.
    busy_s : float
        How long one waits for another.
    create : bool
        Whether a new database is welcome; else it is refused.
    statement_s : float, optional
        How long PostgreSQL may work on one statement; after it the store counts as unavailable.

    Raises
    ------
    StoreError
        If the URL is of another kind or the store of another revision; StoreUnavailable if it can not be reached.
    """
    made = engine.make_engine(url, connections=connections, busy_s=busy_s, statement_s=statement_s)
    with ExitStack() as unless_it_is_good:
        unless_it_is_good.callback(made.dispose)
        migrations.prepare(made, create=create)
        unless_it_is_good.pop_all()
    return Store(made)


@dataclass(frozen=True, slots=True)
class Store:
    """The store behind an engine; a class because it holds the connections.

    Every method raises StoreUnavailable where the database is locked for too long, restarts or is away; nothing was
    written then.
    """

    engine: Engine
    max_rejected_bytes: int = retention.MAX_REJECTED_BYTES

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    # ------------------------------------------------------------------------------------------------- the live path

    def index(self, keys: Sequence[ObjectKey]) -> dict[ObjectKey, History]:
        """Return all stored detections of each object, without content, and its revision."""
        with engine.reading(self.engine) as connection:
            return reading.histories(connection, keys)

    def objects_of(self, keys: Sequence[AlertKey]) -> dict[AlertKey, ObjectKey]:
        """Return the object of each alert that is stored."""
        with engine.reading(self.engine) as connection:
            return reading.objects_of(connection, keys)

    def alerts(self, keys: Sequence[AlertKey], *, with_cutouts: bool = True) -> dict[AlertKey, Alert]:
        """Return the alerts that are stored; ``cutouts`` is empty if not asked for or dropped."""
        with engine.reading(self.engine) as connection:
            return reading.alerts(connection, keys, with_cutouts=with_cutouts)

    def contents(self, keys: Sequence[AlertKey]) -> dict[AlertKey, Content]:
        """Return the packets of alerts without their cutouts, of those that have one; `avro.record_of` reads it."""
        with engine.reading(self.engine) as connection:
            return reading.contents(connection, keys)

    def outcomes(self, keys: Sequence[AlertKey]) -> dict[AlertKey, list[StoredOutcome]]:
        """Return the outcomes of each alert, of every model and version."""
        with engine.reading(self.engine) as connection:
            return reading.outcomes(connection, keys)

    def outcomes_of_objects(self, keys: Sequence[ObjectKey]) -> dict[ObjectKey, list[StoredOutcome]]:
        """Return the outcomes of all alerts of each object, in time order."""
        with engine.reading(self.engine) as connection:
            return reading.outcomes_of_objects(connection, keys)

    def superseded(self, keys: Sequence[ObjectKey]) -> dict[ObjectKey, list[StoredOutcome]]:
        """Return what was answered for each object before a late packet changed its sequence, oldest first."""
        with engine.reading(self.engine) as connection:
            return reading.superseded(connection, keys)

    def scored(self, model: str, version: str, span: tuple[float, float], *, limit: int) -> list[StoredOutcome]:
        """Return what a version answered for alerts of a span of time (MJD), oldest first, `limit` at most."""
        with engine.reading(self.engine) as connection:
            return scored.scored(connection, model, version, span, limit=limit)

    def record(self, batch: Batch, *, now: float) -> None:
        """Write a batch in one transaction: all or nothing, and the same again changes nothing.

        Raises
        ------
        Outdated
            If one of its objects was changed since it was read.
        """
        if not batch:
            return
        with engine.writing(self.engine) as connection:
            writing.write(connection, batch, now=now)
        if batch.rejections:
            with engine.writing(self.engine) as connection:
                retention.drop_rejected_packets(connection, self.max_rejected_bytes)

    def unscored(
        self,
        model: str,
        version: str,
        *,
        counts: tuple[int, int | None] = (1, None),
        shadow: bool = False,
        page: int = 1000,
    ) -> Iterator[list[tuple[AlertKey, ObjectKey]]]:
        """Yield pages of alerts, with their objects, that a model's version has not scored.

        `counts` are the fewest and most accepted detections that an alert is answered for; with `shadow` a challenger's
        score counts. Each page is asked for by itself, so what is scored in between does not come again.
        """
        after: AlertKey = ("", -1)
        while True:
            with engine.reading(self.engine) as connection:
                found = reading.unscored(
                    connection, model, version, counts=counts, shadow=shadow, after=after, limit=page
                )
            if not found:
                return
            yield found
            after = found[-1][0]

    # --------------------------------------------------------------------------------------------------- for programs

    def listed(self, chosen: ObjectFilter) -> list[ListedObject]:
        """Return a page of objects.

        Raises
        ------
        UsageError
            If too many objects are in the place asked for.
        """
        with engine.reading(self.engine) as connection:
            return listing.listed(connection, chosen)

    def count_listed(self, chosen: ObjectFilter) -> int:
        """Return how many objects there are on all pages of a list."""
        with engine.reading(self.engine) as connection:
            return listing.count(connection, chosen)

    def alerts_of_objects(self, keys: Sequence[ObjectKey]) -> dict[ObjectKey, list[Alert]]:
        """Return the alerts of each object without their cutouts, in time order; an empty list where there is none."""
        with engine.reading(self.engine) as connection:
            return reading.alerts_of_objects(connection, keys)

    def with_cutouts(self, keys: Sequence[AlertKey]) -> set[AlertKey]:
        """Return those alerts whose cutouts are kept."""
        with engine.reading(self.engine) as connection:
            return reading.with_cutouts(connection, keys)

    def scorers(self) -> list[Scorer]:
        """Return every model and version that has scores, challengers too."""
        with engine.reading(self.engine) as connection:
            return versions.scorers(connection)

    # ----------------------------------------------------------------------------------------------------- for people

    def candidates(self, chosen: CandidateFilter) -> list[Candidate]:
        """Return the objects that a filter lets through."""
        with engine.reading(self.engine) as connection:
            return browsing.candidates(connection, chosen)

    def candidate(self, survey: str, object_id: str) -> Candidate | None:
        """Return one object, None if it is not stored."""
        with engine.reading(self.engine) as connection:
            return browsing.candidate(connection, survey, object_id)

    def named(self, surveys: Sequence[str], prefix: str, *, limit: int = 100) -> list[Candidate]:
        """Return the objects whose name begins so, by name, whatever was answered for them."""
        with engine.reading(self.engine) as connection:
            return browsing.named(connection, surveys, prefix, limit=limit)

    def newest(self, label: str) -> float | None:
        """Return when the newest object of a class was first seen (MJD), None if there is none."""
        with engine.reading(self.engine) as connection:
            return browsing.newest(connection, label)

    def rejections(self, *, limit: int = 100) -> list[Rejected]:
        """Return the newest rejections with their packets; no bytes where they are not kept."""
        with engine.reading(self.engine) as connection:
            return reading.rejections(connection, limit=limit)

    def status(self) -> Status:
        """Return what the store holds."""
        with engine.reading(self.engine) as connection:
            found = (
                browsing.counts(connection),
                browsing.outcome_counts(connection),
                browsing.rejection_counts(connection),
            )
        return Status(engine.shown(self.engine.url), str(migrations.current(self.engine)), *found)

    def add_labels(self, labels: list[Label]) -> None:
        """Add labels; the same again changes nothing."""
        with engine.writing(self.engine) as connection:
            browsing.add_labels(connection, labels)

    def labels_of(self, keys: Sequence[ObjectKey]) -> dict[ObjectKey, list[Label]]:
        """Return the labels that stand of each object, oldest first; objects without any are left out."""
        with engine.reading(self.engine) as connection:
            return voting.labels_of(connection, keys)

    def vote(self, label: Label) -> bool:
        """Let a label stand in the place of what its author said of the object before; False if it is said already."""
        with engine.writing(self.engine) as connection:
            return voting.vote(connection, label)

    def undo_vote(self, author: str, source: str, *, now: float) -> Label | None:
        """Withdraw the last label that an author gave and return it; what it replaced stands again."""
        with engine.writing(self.engine) as connection:
            return voting.undo(connection, author, source, now)

    def withdraw_vote(self, key: ObjectKey, author: str, source: str, *, now: float) -> bool:
        """Withdraw what an author says of an object; False if nothing stands."""
        with engine.writing(self.engine) as connection:
            return voting.withdraw(connection, key, author, source, now)

    def withdraw_label(self, label: Label, *, now: float) -> None:
        """Withdraw a label; it is kept with the time."""
        with engine.writing(self.engine) as connection:
            browsing.withdraw_label(connection, label, now)

    def labels(self, *, withdrawn: bool = False) -> list[Label]:
        """Return the labels that stand, or all."""
        with engine.reading(self.engine) as connection:
            return list(browsing.labels(connection, withdrawn=withdrawn))

    def begin_report(self, report: Report) -> tuple[Report, bool]:
        """Claim an object's report at an address as being sent, and return it with True; or the one before with False.

        False where a report is on its way, may have arrived, has a receipt or is posted: nobody sends another then.
        """
        with engine.writing(self.engine) as connection:
            return reports.begin(connection, report)

    def move_report(self, before: Report, after: Report) -> Report:
        """Write a report's new state if it is still as it was read; return what is stored then."""
        with engine.writing(self.engine) as connection:
            return reports.move(connection, before, after)

    def reports_of(self, keys: Sequence[ObjectKey]) -> dict[ObjectKey, list[Report]]:
        """Return the reports of each object, of all addresses, oldest first; objects without any are left out."""
        with engine.reading(self.engine) as connection:
            return reports.reports_of(connection, keys)

    def reports(self, states: Sequence[ReportState] = ()) -> list[Report]:
        """Return the reports in some states, or all, newest first."""
        with engine.reading(self.engine) as connection:
            return reports.reports(connection, states)

    # --------------------------------------------------------------------------------------------- sources, retention

    def offset(self, source: str, partition: str = "") -> int | None:
        """Return how far a source was read, None if it never was."""
        with engine.reading(self.engine) as connection:
            return reading.offset(connection, source, partition)

    def set_offsets(self, offsets: Sequence[Offset], *, now: float) -> None:
        """Write how far sources were read."""
        with engine.writing(self.engine) as connection:
            writing.set_offsets(connection, offsets, now)

    def drop_cutouts(self, older_than_mjd: float) -> int:
        """Drop the cutouts of detections before an MJD; scores and metadata stay. Return how many lost theirs."""
        return retention.drop_cutouts(self.engine, older_than_mjd)

    def export_parquet(self, folder: Path, *, with_cutouts: bool = True) -> dict[str, int]:
        """Write all tables to a new folder, as of one moment; return the rows of each."""
        return exchange.export_parquet(self.engine, folder, with_cutouts=with_cutouts)

    def import_parquet(self, folder: Path) -> dict[str, int]:
        """Add what `export_parquet` wrote, of objects that are not here yet; return the rows of each table."""
        return exchange.import_parquet(self.engine, folder)
