"""cluster.score in one process: a row for each packet, in order, with a fixed schema."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from skystamp import classify, sources
from skystamp.classify import Model
from skystamp.cluster import score

Load = Callable[[], Model]


def test_every_packet_is_a_row_in_order(
    shard: Path, model: Model, records: list[dict[str, Any]], tmp_path: Path
) -> None:
    seen: list[int] = []

    done = score.score(sources.find([shard]), lambda: model, tmp_path / "out.parquet", workers=0, on_rows=seen.append)

    table = pq.read_table(tmp_path / "out.parquet")
    assert table.schema.remove_metadata() == score.SCHEMA
    assert table["alert_id"].to_pylist() == [*(record["candid"] for record in records), None]
    assert table["outcome"].to_pylist() == [*["classification"] * len(records), "rejection"]
    assert table["reason"].to_pylist()[-1] == "not_avro"
    assert done.packets == len(table) == sum(seen)
    assert (sum(done.classes.values()), done.reasons) == (len(records), {"not_avro": 1})


def test_the_rows_are_those_of_classify(shard: Path, model: Model, tmp_path: Path) -> None:
    outcomes = list(classify.packets((shard / "a.avro").read_bytes(), model))

    score.score(sources.find([shard / "a.avro"]), lambda: model, tmp_path / "out.parquet", workers=0)

    assert pq.read_table(tmp_path / "out.parquet").to_pydict() == score.table(outcomes).to_pydict()


@pytest.mark.parametrize(("part", "group"), [(2, 3), (3, 2), (256, 5)])
def test_row_groups_are_of_one_size_however_rows_come(
    shard: Path, model: Model, tmp_path: Path, part: int, group: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(score, "PART", part)
    monkeypatch.setattr(score, "ROW_GROUP", group)

    done = score.score(sources.find([shard]), lambda: model, tmp_path / "out.parquet", workers=0)

    written = pq.read_metadata(tmp_path / "out.parquet")
    sizes = [written.row_group(i).num_rows for i in range(written.num_row_groups)]
    assert sizes[:-1] == [group] * (done.packets // group)
    assert sum(sizes) == done.packets


def test_a_run_that_fails_leaves_the_table_that_was_there(shard: Path, model: Model, tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    out.write_bytes(b"earlier results")

    def lost(_: int) -> None:
        raise RuntimeError("the run is lost")

    with pytest.raises(RuntimeError, match="lost"):
        score.score(sources.find([shard]), lambda: model, out, workers=0, on_rows=lost)

    assert out.read_bytes() == b"earlier results"
