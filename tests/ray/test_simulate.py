"""cluster.simulate on Ray: the same files whoever makes them."""

from pathlib import Path

import pytest

from skystamp.cluster.simulate import Simulation, simulate, write_shard

pytestmark = pytest.mark.usefixtures("cluster")

SMALL = Simulation(objects=6, seed=4, detections=2, shard_objects=2)


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def whole(tmp_path: Path) -> Path:
    simulate(SMALL, tmp_path / "whole")
    return tmp_path / "whole"


def test_shards_do_not_depend_on_who_made_what_before(whole: Path, tmp_path: Path) -> None:
    import ray

    other = tmp_path / "other"
    (other / "truth").mkdir(parents=True)

    @ray.remote(num_cpus=1, max_retries=0)
    def make(start: int) -> int:
        return write_shard(SMALL, other, start)

    for start in reversed(SMALL.starts):
        ray.get(make.remote(start))

    made = content(whole)
    assert {name: data for name, data in made.items() if name[0] == "0"} == content(other)


def test_an_interrupted_simulation_goes_on(whole: Path) -> None:
    before = content(whole)
    (whole / "00000002.avro").unlink()
    (whole / "00000004.avro").rename(whole / "00000004.part")  # as an interrupted worker leaves it

    done = simulate(SMALL, whole)

    assert (done.made, done.found) == (2, 1)
    assert content(whole) == before


@pytest.mark.parametrize("workers", [0, 1])
def test_any_number_of_workers_writes_the_same_truth_and_catalogue(whole: Path, tmp_path: Path, workers: int) -> None:
    simulate(SMALL, tmp_path / "other", workers=workers)

    tables = {name: data for name, data in content(tmp_path / "other").items() if name.endswith(".csv")}
    assert {"labels.csv", "allwise.csv"} < set(tables)
    assert tables == {name: data for name, data in content(whole).items() if name.endswith(".csv")}
