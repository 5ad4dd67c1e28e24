"""What people say of an object -> one verdict: confirmed when two different people say the same, and more than else.

    no votes            open
    one class           possible, bogus; confirmed from the second person on
    several classes     confirmed if two or more say one and fewer anything else; else disputed

One person counts once, by what they said last.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from skystamp import taxonomy
from skystamp.store import Label

REQUIRED = 2  # people who must agree
SOURCE = "hunter"

OPEN, POSSIBLE, CONFIRMED, BOGUS, DISPUTED = "open", "possible", "confirmed", "bogus", "disputed"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known of an object by people: its state, the class they name most, and each one's standing label."""

    state: str
    label: str
    votes: tuple[Label, ...]

    @property
    def agree(self) -> int:
        """How many name that class."""
        return sum(vote.label == self.label for vote in self.votes)

    def of(self, author: str) -> Label | None:
        """Return what this person says, None if nothing."""
        return next((vote for vote in self.votes if vote.author == author), None)


def verdict(labels: Sequence[Label], required: int = REQUIRED) -> Verdict:
    """Return the verdict of an object's standing labels; of one person's the latest counts."""
    by_author = {label.author: label for label in sorted(labels, key=lambda label: label.created)}
    votes = tuple(sorted(by_author.values(), key=lambda label: label.created))
    if not votes:
        return Verdict(OPEN, "", ())
    ranked = Counter(vote.label for vote in votes).most_common(2)
    (label, most), rest = ranked[0], ranked[1][1] if len(ranked) > 1 else 0
    if most >= required and most > rest:
        return Verdict(CONFIRMED, label, votes)
    if rest:
        return Verdict(DISPUTED, label, votes)
    return Verdict(BOGUS if label == taxonomy.BOGUS else POSSIBLE, label, votes)


def matches(found: Verdict, state: str) -> bool:
    """Return whether a verdict is of a state as the page's filter names it; confirmed bogus is bogus there."""
    if state == "all":
        return True
    is_bogus = found.label == taxonomy.BOGUS and found.state in (BOGUS, CONFIRMED)
    return is_bogus if state == BOGUS else found.state == state and not is_bogus
