"""cluster.simulate in one process: whole shards, resumed, refused where they are another simulation's."""

import csv
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from skystamp import sources
from skystamp.avro import Decoded
from skystamp.cluster import truth
from skystamp.cluster.simulate import Simulation, simulate
from skystamp.errors import UsageError

SMALL = Simulation(objects=5, seed=4, detections=2, priors={"VS": 1.0, "SN": 1.0}, shard_objects=2, codec="null")


def content(folder: Path, names: Iterable[str] | None = None) -> dict[str, bytes]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.name: path.read_bytes() for path in files if names is None or path.name in names}


def test_a_simulation_is_shards_with_their_truth(tmp_path: Path) -> None:
    done = simulate(SMALL, tmp_path, workers=0)

    found = sources.find([tmp_path])
    records = [r.record for s in found.sources for r in sources.records(s) if isinstance(r, Decoded)]
    with (tmp_path / "labels.csv").open(newline="") as file:
        labels = list(csv.DictReader(file))
    assert [source.name for source in found.sources] == ["00000000.avro", "00000002.avro", "00000004.avro"]
    assert (done.made, done.found, done.packets) == (3, 0, len(records))
    assert tuple(labels[0]) == truth.COLUMNS
    assert [row["objectId"] for row in labels] == list(dict.fromkeys(record["objectId"] for record in records))
    assert {row["class"] for row in labels} <= {"VS", "SN"}


def test_what_is_there_is_kept_and_what_is_missing_is_made_the_same(tmp_path: Path) -> None:
    simulate(SMALL, tmp_path, workers=0)
    whole = content(tmp_path)
    (tmp_path / "00000002.avro").unlink()
    (tmp_path / "labels.csv").unlink()

    again = simulate(SMALL, tmp_path, workers=0)

    assert (again.made, again.found) == (1, 2)
    assert content(tmp_path) == whole


def test_a_simulation_without_its_catalogue_gets_it_and_nothing_else_changes(tmp_path: Path) -> None:
    simulate(SMALL, tmp_path, workers=0)
    whole = content(tmp_path)
    (tmp_path / "allwise.csv").unlink()

    again = simulate(SMALL, tmp_path, workers=0)

    assert again.made == 0
    assert content(tmp_path) == whole


def test_the_catalogue_follows_from_the_labels(tmp_path: Path) -> None:
    simulate(SMALL, tmp_path, workers=0)

    truths = list(truth.read((tmp_path / "labels.csv").read_text()))

    assert len(truths) == SMALL.objects
    assert (tmp_path / "allwise.csv").read_text() == "".join(truth.allwise(truths))


def test_the_truth_of_an_older_version_is_not_mixed_in(tmp_path: Path) -> None:
    simulate(SMALL, tmp_path, workers=0)
    old = tmp_path / "truth" / "00000002.csv"
    old.write_text(old.read_text().replace(",own_g,own_r", ""))

    with pytest.raises(UsageError, match=r"truth/00000002\.csv, older"):
        simulate(SMALL, tmp_path, workers=0)


def test_more_objects_are_added_to_the_same_ones(tmp_path: Path) -> None:
    simulate(replace(SMALL, objects=3), tmp_path / "grown", workers=0)
    simulate(SMALL, tmp_path / "whole", workers=0)

    simulate(SMALL, tmp_path / "grown", workers=0)

    assert content(tmp_path / "grown") == content(tmp_path / "whole")


def test_a_night_has_the_packets_of_one_day(tmp_path: Path) -> None:
    night = 2459000.5

    simulate(replace(SMALL, night=night), tmp_path, workers=0)

    found = sources.find([tmp_path])
    times = [r.record["candidate"]["jd"] for s in found.sources for r in sources.records(s) if isinstance(r, Decoded)]
    assert all(night <= jd < night + 1 for jd in times)


@pytest.mark.parametrize("change", [{"seed": 5}, {"detections": 1}, {"objects": 2}, {"priors": {"VS": 1.0}}])
def test_another_simulation_is_not_mixed_in(tmp_path: Path, change: dict[str, object]) -> None:
    simulate(SMALL, tmp_path, workers=0)

    with pytest.raises(UsageError, match="should hold this simulation or nothing"):
        simulate(replace(SMALL, **change), tmp_path, workers=0)


def test_a_folder_of_other_shards_is_not_written_to(tmp_path: Path) -> None:
    (tmp_path / "00000000.avro").write_bytes(b"precious")

    with pytest.raises(UsageError, match=r"00000000\.avro"):
        simulate(SMALL, tmp_path, workers=0)

    assert (tmp_path / "00000000.avro").read_bytes() == b"precious"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"objects": 0}, "at least 1"),
        ({"first_share": 1.5}, "from 0 to 1"),
        ({"codec": "zip"}, "codec"),
        ({"priors": {"TDE": 1.0}}, "TDE"),
    ],
    ids=["objects", "share", "codec", "class"],
)
def test_what_can_not_be_simulated_is_refused(change: dict[str, object], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        replace(SMALL, **change)
