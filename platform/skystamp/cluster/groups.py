"""Sources -> groups of about one task's size, in order: a folder of small files is few tasks, a large file is one."""

from dataclasses import dataclass

from skystamp.sources import Found, Source

GROUP_BYTES = 1 << 26  # of alert files, for one task


@dataclass(frozen=True, slots=True)
class Group:
    """Consecutive sources for one task, and the number of the first."""

    start: int
    sources: tuple[Source, ...]


def grouped(found: Found) -> list[Group]:
    """Return the sources in groups of about `GROUP_BYTES`, in order."""
    groups: list[Group] = []
    taken: list[Source] = []
    size = 0
    for i, source in enumerate(found.sources):
        taken.append(source)
        size += source.size
        if size >= GROUP_BYTES or i == len(found.sources) - 1:
            groups.append(Group(i + 1 - len(taken), tuple(taken)))
            taken, size = [], 0
    return groups
