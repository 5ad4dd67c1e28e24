"""cluster.score and cluster.histories on Ray: the bytes that one process writes."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from skystamp import avro, classify, sources, synthetic, taxonomy
from skystamp.bundle import Bundle
from skystamp.classify import Model, Models
from skystamp.cluster import groups, histories, score
from skystamp.cluster.histories import on_ray
from skystamp.inputs import InputSpec
from tests import making

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
    monkeypatch.setattr(groups, "GROUP_BYTES", group_bytes)
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


# ---------------------------------------------------------------------------------------------------------- histories


def load_models() -> Models:
    """Return a first-detection model and temporal ones; made in each worker."""
    from tests import faking

    return Models({"first-detection": faking.model(), **{f"temporal-{n}": faking.temporal(n) for n in (2, 3)}})


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return five nights of two hundred objects in shuffled order, a spoiled packet in each, and no Avro among them."""
    folder = tmp_path_factory.mktemp("nights")
    rng = np.random.default_rng(5)
    for night in range(5):
        records = [making.record(i % 7, {"jd": 2459000.5 + night}, objectId=f"ZTF20a{i:06d}") for i in range(200)]
        for i, record in enumerate(records):
            record["candid"] = record["candidate"]["candid"] = 1000 * night + i
        broken = {**records[night], "cutoutScience": {**records[night]["cutoutScience"], "stampData": b"no gzip"}}
        order = rng.permutation(200)
        (folder / f"{night}.avro").write_bytes(making.packet(*([*records[:night], broken, *records][i] for i in order)))
    (folder / "2b.avro").write_bytes(b"nonsense")
    return folder


@pytest.mark.parametrize("group_bytes", [1, 1 << 26], ids=["a-task-a-file", "one-task"])
def test_workers_write_the_bytes_of_one_process_for_histories_too(
    nights: Path, tmp_path: Path, group_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(groups, "GROUP_BYTES", group_bytes)
    monkeypatch.setattr(on_ray, "CHUNK", 300)
    found = sources.find([nights])
    here, tally = histories.score_histories(found, load_models, tmp_path / "here.parquet", workers=0)

    done, told = histories.score_histories(found, load_models, tmp_path / "ray.parquet", workers=2)

    assert (tmp_path / "ray.parquet").read_bytes() == (tmp_path / "here.parquet").read_bytes()
    assert (done.packets, done.classes, done.reasons) == (here.packets, here.classes, here.reasons)
    assert (told, set(tally.packets)) == (tally, {"first-detection 7", "temporal-2 3", "temporal-3 3"})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["here.parquet", "ray.parquet"]


def test_histories_are_those_of_classify_over_everything_at_once(nights: Path, tmp_path: Path) -> None:
    items = [item for source in sources.find([nights]).sources for item in sources.records(source)]
    outcomes = classify.history_records(items, load_models())

    histories.score_histories(sources.find([nights]), load_models, tmp_path / "ray.parquet", workers=2)

    rows = pq.read_table(tmp_path / "ray.parquet").to_pydict()
    assert rows == score.table(outcomes).to_pydict()
    assert rows["reason"].count("not_avro") == 1
    assert rows["reason"].count("not_gzip") >= 4
