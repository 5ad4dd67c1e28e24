"""cluster.score on Ray: the bytes that one process writes."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from skystamp import avro, sources, synthetic, taxonomy
from skystamp.bundle import Bundle
from skystamp.classify import Model
from skystamp.cluster import score
from skystamp.inputs import InputSpec

pytestmark = pytest.mark.usefixtures("cluster")


def load(version: str) -> Model:
    """Return a model of images alone; made in each worker, as a real one is, and of nothing but builtins for pickle."""

    def brightness(inputs: Mapping[str, np.ndarray]) -> np.ndarray:
        weights = inputs["stamps"].mean((1, 2))[:, [0, 1, 2, 0, 1]] + np.arange(5, dtype=np.float32)
        return (weights / weights.sum(1, keepdims=True)).astype(np.float32)

    spec = InputSpec(features=())
    return Model("first-detection", version, Bundle(taxonomy.FIRST_DETECTION, spec, {"name": "x"}, brightness))


@pytest.fixture(scope="module")
def packets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of containers of unequal length, and a file that is no Avro between them."""
    folder = tmp_path_factory.mktemp("packets")
    record = synthetic.simulate_object(3, 0, cls="VS").records[0]
    slim = {**record, "prv_candidates": None, "fp_hists": None}
    for name, start, count in (("a", 0, 700), ("c", 1000, 30), ("d", 2000, 300)):
        with (folder / f"{name}.avro").open("wb") as file:
            numbered = ({**slim, "candid": start + i} for i in range(count))
            avro.write(file, numbered, synthetic.schema(), codec="null")
    (folder / "b.avro").write_bytes(b"nonsense")
    return folder


@pytest.mark.parametrize("group_bytes", [1, 1 << 26], ids=["a-task-a-file", "one-task"])
def test_workers_write_the_bytes_of_one_process(
    packets: Path, tmp_path: Path, group_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(score, "_GROUP_BYTES", group_bytes)
    found = sources.find([packets])
    here = score.score(found, partial(load, "7"), tmp_path / "here.parquet", workers=0)

    done = score.score(found, partial(load, "7"), tmp_path / "ray.parquet", workers=2)

    assert (tmp_path / "ray.parquet").read_bytes() == (tmp_path / "here.parquet").read_bytes()
    assert (done.packets, done.classes, done.reasons) == (here.packets, here.classes, here.reasons)
    order = pq.read_table(tmp_path / "ray.parquet")["alert_id"].to_pylist()
    assert order == [*range(700), None, *range(1000, 1030), *range(2000, 2300)]


def test_more_packets_than_the_object_store_holds_pass_through_it(packets: Path, tmp_path: Path) -> None:
    import ray

    store = ray.cluster_resources()["object_store_memory"]
    found = sources.find([packets] * 12)

    done = score.score(found, partial(load, "7"), tmp_path / "out.parquet", workers=1)

    assert found.size > 1.2 * store
    assert done.packets == 12 * 1031
