"""A `Query` and the store -> the rows of the table, each with its verdict and, if it is shown on demand, why."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from skystamp.hunter import vetting
from skystamp.hunter.query import Query, moment
from skystamp.hunter.vetting import Verdict
from skystamp.store import Candidate, CandidateFilter, Label, ObjectKey, Report, Store
from skystamp.surveys import HISTORIES

REASONS = {
    "is_negative": "fainter than the template",
    "is_solar_system": "known solar-system object",
    "is_bogus_twice": "bogus at its first two detections",
}


@dataclass(frozen=True, slots=True)
class Row:
    """One row: an object, its score in the class that is asked for, and what people say of it.

    `hidden` says why it is not among the candidates unless it is asked for, empty otherwise; `report` is what was sent
    of it to TNS.
    """

    candidate: Candidate
    score: float
    verdict: Verdict
    hidden: tuple[str, ...]
    report: Report | None = None

    @property
    def key(self) -> str:
        """Its name in URLs."""
        return f"{self.candidate.survey}/{self.candidate.object_id}"


@dataclass(frozen=True, slots=True)
class Listing:
    """The rows, whether there are more, and when the newest object of the class was seen (MJD) if there are none."""

    rows: Sequence[Row]
    is_full: bool = False
    newest: float | None = None

    @property
    def last_week(self) -> tuple[date, date]:
        """The week that ends with the newest object."""
        end = moment(self.newest or 0.0).date()
        return end - timedelta(days=6), end


def listing(store: Store, query: Query, *, now: float, required: int = vetting.REQUIRED, address: str = "") -> Listing:
    """Return what a query lists; a search looks at the names of all objects and at nothing else.

    `address` is that of the TNS server whose reports are shown; "" for any.
    """
    if query.search:
        found = store.named(tuple(HISTORIES), query.search, limit=query.number)
    else:
        found = store.candidates(_filter(query, now))
    keys = [_key(one) for one in found]
    labels, reports = store.labels_of(keys), store.reports_of(keys)
    rows = [
        replace(
            row(one, query.label, labels.get(_key(one), []), required),
            report=newest_report(reports.get(_key(one), []), address),
        )
        for one in found
    ]
    kept = [one for one in rows if vetting.matches(one.verdict, query.state)]
    newest = None if found or query.search else store.newest(query.label)
    return Listing(_sorted(kept, query), len(found) == query.number, newest)


def row(one: Candidate, label: str, labels: Sequence[Label], required: int) -> Row:
    """Return the row of an object in the list of a class."""
    hidden = tuple(sentence for name, sentence in REASONS.items() if getattr(one, name))
    return Row(one, one.probabilities.get(label, 0.0), vetting.verdict(labels, required), hidden)


def newest_report(reports: Sequence[Report], address: str = "") -> Report | None:
    """Return the report that is shown of an object: its newest, at a TNS server's address if one is named."""
    own = [one for one in reports if not address or one.address == address]
    return max(own, key=lambda one: (one.created, one.number), default=None)


def _filter(query: Query, now: float) -> CandidateFilter:
    wanted = CandidateFilter(
        label=query.label,
        min_probability=query.minimum,
        first_mjd=query.window(now),
        newest_first=query.sort == "date" and not query.ascending,
        limit=query.number,
    )
    return replace(wanted, negative=True, solar_system=True, bogus_twice=True) if query.hidden else wanted


_ORDERS: dict[str, Callable[[Row], Any]] = {
    "score": lambda one: one.score,
    "date": lambda one: one.candidate.first_mjd,
    "object": lambda one: one.candidate.object_id,
    "observations": lambda one: one.candidate.n_detections,
    "model": lambda one: (one.candidate.model, one.candidate.model_version),
    "state": lambda one: (one.verdict.state != vetting.OPEN, one.verdict.state, one.verdict.label),
}


def _sorted(rows: list[Row], query: Query) -> list[Row]:
    """Return the rows in the order asked for; equal ones by name, so that a link always shows the same."""
    by_name = sorted(rows, key=lambda one: one.candidate.object_id)
    upwards = query.ascending != (query.sort in ("object", "model"))
    return sorted(by_name, key=_ORDERS[query.sort], reverse=not upwards)


def _key(one: Candidate) -> ObjectKey:
    return one.survey, one.object_id
