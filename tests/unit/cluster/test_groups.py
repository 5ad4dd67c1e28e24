"""cluster.groups: sources in order, in groups of about one size."""

import pytest

from skystamp.cluster import groups
from skystamp.sources import Found, Source


def found(*sizes: int) -> Found:
    return Found(tuple(Source(f"/n/{i}.avro", "avro", size) for i, size in enumerate(sizes)), ())


@pytest.mark.parametrize(
    ("sizes", "members"),
    [((), []), ((5,), [1]), ((5, 5, 5), [2, 1]), ((30, 1, 1), [1, 2]), ((0, 0, 0), [3]), ((4, 4, 4, 4), [3, 1])],
    ids=["nothing", "one", "two-and-one", "large-first", "unknown-sizes", "a-rest"],
)
def test_a_group_ends_when_it_is_large_enough(
    sizes: tuple[int, ...], members: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(groups, "GROUP_BYTES", 10)

    made = groups.grouped(found(*sizes))

    assert [len(group.sources) for group in made] == members
    assert [source for group in made for source in group.sources] == list(found(*sizes).sources)
    assert [group.start for group in made] == [sum(members[:i]) for i in range(len(members))]
