"""cluster.data.grouping: every object in one shard, in time order, whatever the order of the index."""

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from skystamp.cluster.data import grouping

HOUR = 1 / 24


def index(*alerts: tuple[str, int, float], **changes: Any) -> pa.Table:
    """Return an index of (object, alert number, hours)."""
    rows = [
        {
            "object_id": name,
            "alert_id": number,
            "mjd": 59000 + hours * HOUR,
            "label": "SN" if name < "m" else "VS",
            "ra": float(number),
            "dec": -float(number),
            "file": f"{number % 3}.arrow",
            "offset": number,
            "checksum": 7 * number,
            **changes,
        }
        for name, number, hours in alerts
    ]
    return pa.Table.from_pylist(rows, grouping.INDEX)


SPREAD = [("b", 5, 90.0), ("a", 3, 30.0), ("b", 4, 0.0), ("a", 2, 2.0), ("a", 1, 0.0), ("z", 6, 5.0), ("a", 9, 60.0)]
SPLITS = {"a": "train", "b": "train", "z": "test"}


def test_an_objects_alerts_stand_together_in_time_order_with_their_places() -> None:
    rows = grouping.plan(index(*SPREAD), SPLITS).rows

    seen = rows.select(["split", "object_id", "alert_id", "place", "left_out"]).to_pydict()
    assert seen == {
        "split": ["test"] + ["train"] * 6,
        "object_id": ["z", "a", "a", "a", "a", "b", "b"],
        "alert_id": [6, 1, 2, 3, 9, 4, 5],
        "place": [1, 1, 0, 2, 3, 1, 2],
        "left_out": ["", "", "too_close", "", "", "", ""],
    }


@pytest.mark.parametrize("seed", range(5))
def test_the_plan_does_not_depend_on_the_order_of_the_index(seed: int) -> None:
    order = np.random.default_rng(seed).permutation(len(SPREAD))

    plan = grouping.plan(index(*(SPREAD[i] for i in order)), SPLITS, shard_rows=3)

    straight = grouping.plan(index(*SPREAD), SPLITS, shard_rows=3)
    assert plan.rows.equals(straight.rows)
    assert plan.shards == straight.shards


@pytest.mark.parametrize("shard_rows", [1, 2, 3, 6, 100])
def test_shards_hold_whole_objects_of_one_split_and_no_more_rows_than_they_should(shard_rows: int) -> None:
    plan = grouping.plan(index(*SPREAD), SPLITS, shard_rows=shard_rows)

    names = plan.rows["object_id"].to_pylist()
    homes: dict[str, set[str]] = {}
    for shard in plan.shards:
        inside = names[shard.start : shard.end]
        assert len(inside) <= shard_rows or len(set(inside)) == 1
        assert {SPLITS[name] for name in inside} == {shard.path.split("/")[0]}
        for name in inside:
            homes.setdefault(name, set()).add(shard.path)
    assert [shard.start for shard in plan.shards] == [0, *(shard.end for shard in plan.shards[:-1])]
    assert plan.shards[-1].end == len(names)
    assert all(len(paths) == 1 for paths in homes.values())


def test_the_position_of_an_object_is_that_of_its_first_accepted_detection() -> None:
    plan = grouping.plan(index(*SPREAD), SPLITS)

    assert plan.positions().tolist() == [[6.0, -6.0], [1.0, -1.0], [4.0, -4.0]]
    assert plan.objects.tolist() == [0, 1, 1, 1, 1, 2, 2]


def test_a_packet_that_comes_twice_is_kept_once() -> None:
    kept, duplicates = grouping.unique(index(*SPREAD, SPREAD[1], SPREAD[1]))

    assert sorted(kept["alert_id"].to_pylist()) == [1, 2, 3, 4, 5, 6, 9]
    assert duplicates == 2


def test_of_unequal_packets_with_one_number_the_same_one_is_kept_in_any_order() -> None:
    one, other = index(("a", 1, 0.0)), index(("a", 1, 0.0), checksum=3)

    kept = [grouping.unique(pa.concat_tables(both))[0] for both in ((one, other), (other, one))]

    assert kept[0].equals(kept[1])


def test_objects_are_counted_by_how_many_detections_their_sequence_has() -> None:
    long = [("c", 20 + i, 24.0 * i) for i in range(7)]

    found = grouping.lengths(grouping.plan(index(*SPREAD, *long), {**SPLITS, "c": "validation"}))

    none = {"1": 0, "2": 0, "3": 0, "4": 0, "5": 0, "more": 0}
    assert found["train"] == {"SN": {**none, "2": 1, "3": 1}, "VS": none}
    assert found["validation"]["SN"] == {**none, "more": 1}
    assert found["test"] == {"SN": none, "VS": {**none, "1": 1}}
