"""The little in which the databases differ."""

import pytest

from skystamp.store import dialects, engine, tables


@pytest.mark.parametrize(("count", "sizes"), [(0, []), (2, [2]), (5, [2, 2, 1])])
def test_values_come_in_parts(count, sizes):
    parts = list(dialects.parts(list(range(count)), 2))

    assert [len(part) for part in parts] == sizes
    assert [value for part in parts for value in part] == list(range(count))


@pytest.mark.parametrize(
    ("given", "stored"), [("a\0b", "a\ufffdb"), ("\ud800", "?"), ("ζ Oph \U0001f52d", "ζ Oph \U0001f52d")]
)
def test_text_is_made_storable(given, stored):
    assert dialects.storable(given) == stored


def test_what_is_there_stays_and_what_is_added_is_counted(store):
    rows = [{"source": "a", "partition": str(i), "position": i, "updated": 0.0} for i in range(3)]
    with engine.writing(store.engine) as connection:
        assert dialects.add(connection, tables.offsets, rows[:2]) == 2
        assert dialects.add(connection, tables.offsets, [{**row, "position": 9} for row in rows]) == 1
        assert dialects.add(connection, tables.offsets, []) == 0

    assert [store.offset("a", str(i)) for i in range(3)] == [0, 1, 9]
