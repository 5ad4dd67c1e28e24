"""One object's way to TNS, each step stored before the next: never sent twice, and resumed by whoever comes next.

    draft ── guards ── send ─> sent ── receipt ─> accepted ── asked what became of it ─> posted
                                │                                                      └> rejected
                                ├── 401, 403, 429, nobody there ──> built    it did not arrive: may be sent again
                                ├── found wrong ──────────────────> rejected
                                └── 5xx, no answer, no receipt ───> unknown ── TNS is asked: is it there?
                                                                                 ├── yes ─> posted
                                                                                 └── no ──> sent again, or built

A report is claimed in the store before it leaves, so two senders can not both send it; who dies in between leaves
`sent`, and `follow` then asks TNS as it does for `unknown`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from skystamp.errors import UsageError
from skystamp.store import ObjectKey, Report, ReportState, Store
from skystamp.tns import codes, guards, replies, report
from skystamp.tns.client import Client, Patience
from skystamp.tns.faults import AwayError, BusyError, InvalidReportError, KeyRefusedError, TnsError, UnclearError
from skystamp.tns.guards import Objection, People, Transient
from skystamp.tns.replies import Became, Feedback
from skystamp.tns.settings import Settings
from skystamp.tns.subject import Subject, subject

ALONE_S = 900.0  # after which the sender of a report that is on its way is taken for dead
MOST_REPLIES = 50  # that are kept of one report

OPEN = (ReportState.SENT, ReportState.UNKNOWN, ReportState.ACCEPTED)
"""States in which TNS has something left to say."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What would be sent for an object, and what speaks against it; `content` is empty where nothing can be made."""

    subject: Subject
    content: Mapping[str, Any]
    objections: Sequence[Objection]
    near: Sequence[Transient] | None
    last: Report | None
    fault: str = ""  # why TNS was not asked, or did not say

    @property
    def digest(self) -> str:
        """A short name of the content: what was shown is what is sent."""
        return report.digest(dict(self.content))


@dataclass(frozen=True, slots=True)
class Desk:
    """Builds, sends and follows reports of a store's objects.

    Attributes
    ----------
    store : Store
    settings : Settings
    key : str
        Of the bot; "" where none is known: then reports are shown and not sent.
    clock : callable
        Unix time, s.
    sleep : callable
        Waits so many seconds.
    patience : Patience
    """

    store: Store
    settings: Settings
    key: str = field(repr=False)
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    patience: Patience = field(default_factory=Patience)

    @property
    def missing(self) -> tuple[str, ...]:
        """What is not set that has to be before anything is sent."""
        return (*self.settings.missing, *(() if self.key else ("the bot's key",)))

    def draft(self, key: ObjectKey, people: People, *, ask: bool = True) -> Draft:
        """Return what would be sent for an object; TNS is asked what it knows there, if it can be and `ask` says so.

        Raises
        ------
        UsageError
            If the object is not stored, or TNS has no number of its filter as far as we know.
        """
        found = subject(self.store, key)
        near, fault = self._near(found) if ask and found.positions else (None, "")
        mine = self._reports(key)
        against = guards.objections(found, people, near, mine)
        is_empty = found.discovery is None or not found.positions
        content = {} if is_empty else report.bulk_report(found, self.settings, people=people.confirm)
        return Draft(found, content, against, near, mine[-1] if mine else None, fault)

    def send(self, draft: Draft, author: str, overrides: Mapping[str, str] | None = None) -> Report:
        """Send a draft and return its report as far as it got; `overrides` are reasons by the guard that they pass.

        Raises
        ------
        UsageError
            If something stands against it or is not set: nothing was sent.
        TnsError
            If it certainly did not arrive: it may be sent again.
        """
        if self.missing:
            raise UsageError(f"to send, there should be {', '.join(self.missing)}")
        passed = overrides or {}
        if against := guards.standing(draft.objections, passed):
            said = "; ".join(f"{one.guard.value}: {one.sentence}" for one in against)
            raise UsageError(f"{draft.subject.object_id} should not be reported: {said}")
        claimed, is_ours = self.store.begin_report(self._new(draft, author, passed))
        if not is_ours:
            raise UsageError(f"{claimed.object_id} was reported by {claimed.author}: {claimed.state.value}")
        with self._client() as client:
            return self._deliver(client, claimed, self.patience.sends)

    def follow(self, one: Report) -> Report:
        """Return a report after TNS was asked what became of it; one that TNS has spoken of stays as it is."""
        if one.state not in OPEN or self._may_be_on_its_way(one):
            return one
        if self.missing:
            raise UsageError(f"to ask TNS, there should be {', '.join(self.missing)}")
        with self._client() as client:
            if one.state is ReportState.ACCEPTED:
                return self._poll(client, one)
            return self._settled(client, one)

    # ------------------------------------------------------------------------------------------------------ its steps

    def _deliver(self, client: Client, one: Report, left: int) -> Report:
        """Send a claimed report; `left` is how often it may leave, this time among them."""
        try:
            receipt, said = client.send(one.content)
        except (KeyRefusedError, BusyError, AwayError) as fault:
            self._move(one, ReportState.BUILT, str(fault))
            raise
        except InvalidReportError as fault:
            return self._move(one, ReportState.REJECTED, str(fault))
        except UnclearError as fault:
            return self._unclear(client, self._move(one, ReportState.UNKNOWN, str(fault)), left - 1)
        taken = replace(one, report_id=receipt)
        return self._poll(client, self._move(one, ReportState.ACCEPTED, f"receipt {receipt}", said, taken))

    def _unclear(self, client: Client, one: Report, left: int) -> Report:
        """Return a report of unclear fate after TNS was asked; where it certainly is not there, it is sent again."""
        if left:
            self.sleep(self.patience.settle_s)
        one = self._settled(client, one)
        if not left or one.state is not ReportState.BUILT:
            return one
        one, is_ours = self.store.begin_report(replace(one, created=self.clock()))
        return self._deliver(client, one, left) if is_ours else one

    def _settled(self, client: Client, one: Report) -> Report:
        """Return a report of unclear fate after TNS was asked whether it is there."""
        try:
            there = client.ours(*self._place(one))
        except TnsError as fault:
            return self._move(one, ReportState.UNKNOWN, f"it may have arrived, and TNS does not say: {fault}")
        if there is not None:
            named = replace(one, tns_name=there.name)
            return self._move(one, ReportState.POSTED, f"TNS has it as {there.name}", after=named)
        if self.clock() - one.created < self.patience.settle_s:
            return self._move(one, ReportState.UNKNOWN, "TNS does not have it yet; ask again")
        return self._move(one, ReportState.BUILT, "TNS does not have it; it may be sent again")

    def _poll(self, client: Client, one: Report) -> Report:
        """Ask what became of a report until TNS says, or patience ends."""
        waited_s = 0.0
        while True:
            try:
                said, words = client.became(str(one.report_id))
            except TnsError as fault:
                return self._move(one, one.state, f"TNS has not said what became of it: {fault}")
            if said.became is not Became.PENDING:
                return self._ended(client, one, said, words)
            if waited_s + self.patience.poll_s > self.patience.poll_for_s:
                return self._move(one, one.state, "TNS has it and has not said yet what became of it", words)
            self.sleep(self.patience.poll_s)
            waited_s += self.patience.poll_s

    def _ended(self, client: Client, one: Report, said: Feedback, words: str) -> Report:
        if said.became is Became.POSTED:
            return self._move(one, ReportState.POSTED, said.said, words, replace(one, tns_name=f"AT {said.name}"))
        if said.became is Became.REJECTED:
            return self._move(one, ReportState.REJECTED, said.said, words)
        return self._settled(client, self._move(one, ReportState.UNKNOWN, said.said, words))

    def _move(self, one: Report, state: ReportState, said: str, body: str = "", after: Report | None = None) -> Report:
        now = self.clock()
        step = {"at": now, "state": state.value, "said": replies.short(said), "body": body}
        kept = (*one.replies, step)[-MOST_REPLIES:]
        moved = replace(after or one, state=state, said=replies.short(said), updated=now, replies=kept)
        return self.store.move_report(one, moved)

    # -------------------------------------------------------------------------------------------------- what it needs

    def _new(self, draft: Draft, author: str, overrides: Mapping[str, str]) -> Report:
        passed = {one.guard.value for one in draft.objections}
        return Report(
            *draft.subject.key,
            self.settings.address,
            draft.content,
            author,
            created=self.clock(),
            overridden=tuple({"code": code, "why": why} for code, why in overrides.items() if code in passed),
        )

    def _client(self) -> Client:
        return Client(self.settings, self.key, self.patience, self.sleep)

    def _near(self, found: Subject) -> tuple[list[Transient] | None, str]:
        """Return what TNS knows at an object's place, or why it is not known."""
        if self.missing:
            return None, f"to ask TNS, there should be {', '.join(self.missing)}"
        ra, dec, _, _ = report.position(found)
        try:
            with self._client() as client:
                return client.near(ra, dec, codes.internal_name(*found.key)), ""
        except TnsError as fault:
            return None, str(fault)

    def _reports(self, key: ObjectKey) -> list[Report]:
        found = self.store.reports_of([key]).get(key, [])
        return [one for one in found if one.address == self.settings.address]

    def _place(self, one: Report) -> tuple[float, float, str]:
        told = one.content["at_report"]["0"]
        return float(told["ra"]["value"]), float(told["dec"]["value"]), told["internal_name"]

    def _may_be_on_its_way(self, one: Report) -> bool:
        return one.state is ReportState.SENT and self.clock() - one.updated < ALONE_S
