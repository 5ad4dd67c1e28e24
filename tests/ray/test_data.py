"""cluster.data.prepare: alert files to shards on Ray Data, bit for bit and in bounded memory."""

import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from skystamp import avro, inputs, manifest, sources, surveys, synthetic
from skystamp.avro import Decoded
from skystamp.cluster import data
from skystamp.cluster.data import tensors
from skystamp.errors import DatasetError, UsageError
from skystamp.manifest import DatasetManifest, Labels

pytestmark = pytest.mark.usefixtures("cluster")

RECIPE = DatasetManifest("trial", validation=1, test=1)


@pytest.fixture(scope="module")
def records() -> list[dict[str, Any]]:
    """Return records of nine objects, up to three detections each."""
    made = [synthetic.simulate_object(21, i, max_detections=3, cls=("VS", "SN", "AGN")[i % 3]) for i in range(9)]
    return [record for one in made for record in one.records]


@pytest.fixture(scope="module")
def labels(records: list[dict[str, Any]]) -> Labels:
    """Return a class for every object but the last, and for one that is not there."""
    names = list(dict.fromkeys(record["objectId"] for record in records))
    return Labels({**{n: ("VS", "SN", "AGN")[i % 3] for i, n in enumerate(names[:-1])}, "absent": "SN"}, {"quality": 4})


def archive(path: Path, records: list[dict[str, Any]]) -> None:
    """Write a tar of single packets."""
    with tarfile.open(path, "w") as opened:
        for i, record in enumerate(records):
            packet = synthetic.write_packet(record)
            member = tarfile.TarInfo(f"{i}.avro")
            member.size = len(packet)
            opened.addfile(member, io.BytesIO(packet))


@pytest.fixture(scope="module")
def packets(tmp_path_factory: pytest.TempPathFactory, records: list[dict[str, Any]]) -> Path:
    """Return a folder of a container, a tar of single packets (the first one twice), and a file that is no Avro."""
    folder = tmp_path_factory.mktemp("packets")
    half = len(records) // 2
    with (folder / "a.avro").open("wb") as file:
        avro.write(file, records[:half], synthetic.schema())
    archive(folder / "b.tar", [records[0], *records[half:]])
    (folder / "c.avro").write_bytes(b"nonsense")
    (folder / "readme.txt").write_text("no alerts")
    return folder


@pytest.fixture(scope="module")
def prepared(cluster: None, packets: Path, labels: Labels, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from skystamp.cluster.data.prepare import prepare

    out = tmp_path_factory.mktemp("out") / "prepared"
    prepare(sources.find([packets]), labels, RECIPE, out, command="skystamp prepare trial")
    return out


def test_the_ray_path_gives_the_arrays_of_the_batch_and_of_the_single_path(
    prepared: Path, packets: Path, records: list[dict[str, Any]]
) -> None:
    outcomes = [r for source in sources.find([packets]).sources for r in sources.records(source)]
    alerts = [surveys.read(r.record, r.schema) for r in outcomes if isinstance(r, Decoded)]
    batch, kept, _ = inputs.collect(alerts)
    row = {alerts[k].alert_id: i for i, k in enumerate(kept)}

    splits = [data.load_split(prepared, split) for split in manifest.SPLITS]

    read = 0
    for split in splits:
        for i, alert_id in enumerate(split.alert_ids.tolist()):
            alert = next(a for a in alerts if a.alert_id == alert_id)
            single, _, _ = inputs.collect([alert])
            for found in (batch.take([row[alert_id]]), single):
                assert split.raw.stamps[i].tobytes() == found.stamps[0].tobytes()
                assert split.raw.metadata[i].tobytes() == found.metadata[0].tobytes()
            read += 1
    assert read == sum(record["objectId"] != records[-1]["objectId"] for record in records)


def test_no_object_is_in_two_splits_and_the_rule_is_kept(prepared: Path, labels: Labels) -> None:
    objects = {split: set(data.load_split(prepared, split).object_ids.tolist()) for split in manifest.SPLITS}

    present = {name: label for name, label in labels.classes.items() if name != "absent"}
    expected = manifest.split_objects(present, 1, 1)
    assert {name: split for split, names in objects.items() for name in names} == expected


def test_what_became_of_every_packet_is_written_beside_the_data(prepared: Path, records: list[dict[str, Any]]) -> None:
    counts = json.loads((prepared / "rejections.json").read_text())
    rejections = pq.read_table(prepared / "rejections.parquet").to_pylist()

    unlabelled = sum(record["objectId"] == records[-1]["objectId"] for record in records)
    assert counts == {
        "packets": len(records) + 2,
        "accepted": len(records) - unlabelled,
        "duplicate": 1,
        "unlabelled": unlabelled,
        "rejected": 1,
        "reasons": {"not_avro": 1},
    }
    assert [(Path(r["source"]).name, r["row"], r["reason"]) for r in rejections] == [("c.avro", 0, "not_avro")]


def test_the_manifest_says_what_the_data_are(prepared: Path) -> None:
    content = data.read_manifest(prepared)

    assert content["name"] == "trial"
    assert content["command"] == "skystamp prepare trial"
    assert content["labels_left_out"] == {"quality": 4}
    assert [Path(path).name for path in content["sources"]["skipped"]["first"]] == ["readme.txt"]
    assert (
        sum(cell["packets"] for split in content["counts"].values() for cell in split.values())
        == (content["packets"]["accepted"])
    )
    assert not (prepared / ".staging").exists()


def written(folder: Path) -> dict[str, bytes]:
    """Return the shards of prepared data by their names."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.glob("*/*.parquet")}


def test_shards_and_hash_do_not_depend_on_how_the_work_was_shared(
    prepared: Path, packets: Path, labels: Labels, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from skystamp.cluster import groups
    from skystamp.cluster.data.prepare import prepare

    monkeypatch.setattr(groups, "GROUP_BYTES", 1)  # each source its own task, not all in one

    content = prepare(sources.find([packets]), labels, RECIPE, tmp_path / "again")

    assert content["hash"] == data.read_manifest(prepared)["hash"]
    assert written(tmp_path / "again") == written(prepared)


def test_shards_and_hash_do_not_depend_on_how_the_packets_lie_in_files(
    prepared: Path, records: list[dict[str, Any]], labels: Labels, tmp_path: Path
) -> None:
    from skystamp.cluster.data.prepare import prepare

    order = np.random.default_rng(8).permutation(len(records))
    for i, part in enumerate(np.array_split(order, 3)):
        with (tmp_path / f"{i}.avro").open("wb") as file:
            avro.write(file, [records[k] for k in part], synthetic.schema())
    archive(tmp_path / "z.tar", [records[k] for k in order[:4]])

    content = prepare(sources.find([tmp_path]), labels, RECIPE, tmp_path / "out")

    assert content["packets"]["duplicate"] == 4 - sum(
        records[k]["objectId"] == records[-1]["objectId"] for k in order[:4]
    )
    assert content["hash"] == data.read_manifest(prepared)["hash"]
    assert written(tmp_path / "out") == written(prepared)


# ---------------------------------------------------------------------------------------------------------- sequences


def detection(record: dict[str, Any], name: str, number: int, hours: float) -> dict[str, Any]:
    """Return a record as another detection of another object."""
    candidate = {**record["candidate"], "candid": number, "jd": 2459000.5 + hours / 24, "ra": 10.0 + number % 7}
    return {**record, "objectId": name, "candid": number, "candidate": candidate}


@pytest.fixture(scope="module")
def scattered(tmp_path_factory: pytest.TempPathFactory, records: list[dict[str, Any]]) -> Path:
    """Return two objects over three containers and two archives, out of order: a and b, with pairs of one night."""
    folder = tmp_path_factory.mktemp("scattered")
    slim = {**records[0], "prv_candidates": None, "fp_hists": None}
    times = {"ZTF20a": (0.0, 2.0, 5.9, 7.0, 30.0, 60.0, 61.0), "ZTF20b": (1.0, 25.0)}
    made = [
        detection(slim, name, 100 * (name[-1] == "b") + i, h) for name, hs in times.items() for i, h in enumerate(hs)
    ]
    order = np.random.default_rng(2).permutation(len(made))
    parts = [[made[k] for k in part] for part in np.array_split(order, 5)]
    for i, part in enumerate(parts[:3]):
        with (folder / f"{i}.avro").open("wb") as file:
            avro.write(file, part, synthetic.schema())
    archive(folder / "3.tar", [*parts[3], made[0]])  # a duplicate
    archive(folder / "4.tar", [*parts[4], made[-1], made[0]])
    return folder


SCATTERED = Labels({"ZTF20a": "SN", "ZTF20b": "VS"}, {})


def test_an_object_scattered_over_files_comes_out_as_one_sequence(scattered: Path, tmp_path: Path) -> None:
    from skystamp.cluster.data.prepare import prepare

    content = prepare(sources.find([scattered]), SCATTERED, RECIPE, tmp_path / "out")

    (shard,) = (tmp_path / "out").glob("*/*.parquet")
    rows = pq.read_table(shard).select(["object_id", "alert_id", "place", "left_out"]).to_pydict()
    assert rows == {
        "object_id": ["ZTF20a"] * 7 + ["ZTF20b"] * 2,
        "alert_id": [*range(7), 100, 101],
        "place": [1, 0, 0, 2, 3, 4, 0, 1, 2],
        "left_out": ["", "too_close", "too_close", "", "", "", "too_close", "", ""],
    }
    assert content["packets"]["duplicate"] == 3
    assert content["sequences"]["left_out"] == {"too_close": 3}
    assert content["sequences"]["objects"]["train"]["SN"]["4"] == 1
    triples = data.load_sequences(tmp_path / "out", "train", 3)
    assert triples.alert_ids.tolist() == [[0, 3, 4]]
    assert np.isnan(triples.raw.wise).all()


def test_each_objects_first_detection_is_looked_up_in_the_catalogue(scattered: Path, tmp_path: Path) -> None:
    from skystamp import crossmatch
    from skystamp.cluster.data.prepare import prepare

    table = "ra,dec,w1mpro,w2mpro,w3mpro,w4mpro\n"
    dec = declination(scattered)
    (tmp_path / "wise.csv").write_text(table + f"10.0,{dec},14.5,14.25,11.0,8.5\n11.0,{dec},1.0,1.0,1.0,1.0\n")
    crossmatch.build_catalogue(tmp_path / "wise.csv", tmp_path / "wise", name="small")

    content = prepare(sources.find([scattered]), SCATTERED, RECIPE, tmp_path / "out", catalogue=str(tmp_path / "wise"))

    pairs = data.load_sequences(tmp_path / "out", "train", 2)  # a's first is at ra 10, its second at 13; b's at 12
    np.testing.assert_allclose(pairs.raw.wise[0], [0.0, 14.5, 14.25, 11.0, 8.5], atol=1e-3)
    assert np.isnan(pairs.raw.wise[1]).all()
    assert (content["catalogue"]["name"], content["catalogue"]["matched"]) == ("small", 1)
    (shard,) = (tmp_path / "out").glob("*/*.parquet")
    wise = tensors.array(pq.read_table(shard)["wise"])
    assert (wise[:7] == pairs.raw.wise[0]).all()


def declination(folder: Path) -> float:
    """Return the declination that all packets of a folder have."""
    (found,) = {r.record["candidate"]["dec"] for s in sources.find([folder]).sources for r in sources.records(s)}
    return float(found)


def test_an_object_with_a_great_many_alerts_is_one_shard_written_in_pieces(
    records: list[dict[str, Any]], tmp_path: Path
) -> None:
    from skystamp.cluster.data.prepare import prepare

    slim = {**records[0], "prv_candidates": None, "fp_hists": None}
    order = np.random.default_rng(3).permutation(1400)
    for i, part in enumerate(np.array_split(order, 2)):
        with (tmp_path / f"{i}.avro").open("wb") as file:
            made = (detection(slim, f"ZTF20{'b' if k % 14 else 'a'}", int(k), 24.0 * k) for k in part)
            avro.write(file, made, synthetic.schema(), codec="null")

    prepare(sources.find([tmp_path]), SCATTERED, RECIPE, tmp_path / "out")

    small, large = (pq.ParquetFile(path) for path in sorted((tmp_path / "out").glob("*/*.parquet")))
    assert small.metadata.num_rows == 100
    assert [large.metadata.row_group(i).num_rows for i in range(large.num_row_groups)] == [512, 512, 276]
    assert large.read(["place"])["place"].to_pylist() == list(range(1, 1301))


def test_a_folder_that_holds_something_is_not_written_to(prepared: Path, packets: Path, labels: Labels) -> None:
    from skystamp.cluster.data.prepare import prepare

    with pytest.raises(UsageError, match="should be empty"):
        prepare(sources.find([packets]), labels, RECIPE, prepared)


def test_what_an_unfinished_run_left_is_done_again(
    prepared: Path, packets: Path, labels: Labels, tmp_path: Path
) -> None:
    from skystamp.cluster.data.prepare import prepare

    (tmp_path / ".staging").mkdir()
    (tmp_path / ".staging" / "00000000-0000000000.parquet").write_bytes(b"half")
    (tmp_path / "train").mkdir()

    content = prepare(sources.find([packets]), labels, RECIPE, tmp_path)

    assert content["hash"] == data.read_manifest(prepared)["hash"]


def test_packets_without_any_label_are_refused(packets: Path, tmp_path: Path) -> None:
    from skystamp.cluster.data.prepare import prepare

    with pytest.raises(DatasetError, match="of a labelled object"):
        prepare(sources.find([packets]), Labels({"absent": "SN"}, {}), RECIPE, tmp_path / "out")


# ------------------------------------------------------------------------------------------------- larger than memory

STORE_BYTES = 90_000_000
MANY = 8000  # packets: 380 MB of stamps

_BOUNDED = """
import sys
from pathlib import Path

from skystamp.cluster import environment

environment.apply(local=True)

import ray

from skystamp import manifest, sources
from skystamp.cluster.data.prepare import prepare

folder, out, store = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
ray.init(
    address="local",
    num_cpus=2,
    object_store_memory=store,
    include_dashboard=False,
    _system_config={"automatic_object_spilling_enabled": False},  # what does not fit is an error, not a slow disk
)
recipe = manifest.DatasetManifest("large")
prepare(sources.find([folder / "many.avro"]), manifest.read_labels(folder / "labels.csv", recipe), recipe, out)
"""


def many(records: list[dict[str, Any]], folder: Path) -> None:
    """Write one container of `MANY` packets of as many objects, and their labels."""
    slim = [{**record, "prv_candidates": None, "fp_hists": None} for record in records]

    def numbered(i: int) -> dict[str, Any]:
        record = slim[i % len(slim)]
        return {**record, "objectId": f"ZTF18b{i:06d}", "candid": i}

    with (folder / "many.avro").open("wb") as file:
        avro.write(file, (numbered(i) for i in range(MANY)), synthetic.schema(), codec="null")
    rows = "".join(f"ZTF18b{i:06d},SN\n" for i in range(MANY))
    (folder / "labels.csv").write_text("objectId,class\n" + rows)


def test_data_four_times_the_object_store_pass_through_it(records: list[dict[str, Any]], tmp_path: Path) -> None:
    many(records, tmp_path)
    out = tmp_path / "prepared"

    done = subprocess.run(
        [sys.executable, "-c", _BOUNDED, str(tmp_path), str(out), str(STORE_BYTES)],
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )

    assert done.returncode == 0, done.stderr[-3000:]
    rows = [pq.read_metadata(path).num_rows for path in out.glob("*/*.parquet")]
    assert sum(rows) == MANY
    assert sum(rows) * 63 * 63 * 3 * 4 > 4 * STORE_BYTES
