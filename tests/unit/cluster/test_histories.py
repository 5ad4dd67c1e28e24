"""cluster.histories in one process: a row for each packet, in order, answered with its object's earlier packets."""

import io
import tarfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from skystamp import avro, classify, sources, surveys, synthetic
from skystamp.avro import Decoded
from skystamp.classify import Model, Models
from skystamp.cluster import histories, score
from skystamp.cluster.histories import answering, models
from skystamp.errors import Reason, UsageError
from tests import faking, making

JD = 2459000.5


def packet(number: int, name: str, days: float) -> dict[str, Any]:
    made = making.record(number % 7, {"jd": JD + days, "magpsf": 18 + number / 10}, objectId=name)
    made["candid"] = made["candidate"]["candid"] = 1000 + number
    return made


@pytest.fixture
def night(tmp_path: Path) -> Path:
    """Return a folder in which three objects lie scattered, out of order, once repeated, with a fault between them."""
    one, two, three = "ZTF20aaaaaaa", "ZTF20bbbbbbb", "ZTF20ccccccc"
    first = [packet(3, one, 3.0), packet(11, two, 0.0), packet(1, one, 1.0)]
    second = [packet(12, two, 1.0), packet(2, one, 1.1), packet(21, three, 0.0), packet(3, one, 3.0)]
    third = [packet(0, one, 0.0)]
    folder = tmp_path / "packets"
    folder.mkdir()
    (folder / "a.avro").write_bytes(making.packet(*first))
    (folder / "b.avro").write_bytes(b"nonsense")
    with tarfile.open(folder / "c.tar", "w") as archive:
        for i, record in enumerate(second):
            member = tarfile.TarInfo(f"{i}.avro")
            member.size = len(data := making.packet(record))
            archive.addfile(member, io.BytesIO(data))
    (folder / "d.avro").write_bytes(making.packet(*third))
    return folder


def loaded() -> Models:
    return Models({"first-detection": faking.model(), **{f"temporal-{n}": faking.temporal(n) for n in (2, 3)}})


def everything(folder: Path) -> list[Any]:
    """Return the outcome of every packet by `classify` alone, all at once."""
    items = [item for source in sources.find([folder]).sources for item in sources.records(source)]
    return classify.history_records(items, loaded())


@pytest.mark.parametrize("batch", [1, 3, 256])
def test_the_rows_are_those_of_classify_over_everything_at_once(
    night: Path, tmp_path: Path, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering.batches, "__defaults__", (batch,))
    seen: list[int] = []

    done, _ = histories.score_histories(
        sources.find([night]), loaded, tmp_path / "out.parquet", workers=0, on_rows=seen.append
    )

    rows = pq.read_table(tmp_path / "out.parquet").to_pydict()
    assert rows == score.table(everything(night)).to_pydict()
    assert rows["alert_id"] == [1003, 1011, 1001, None, 1012, 1002, 1021, 1003, 1000]
    assert rows["n_detections"] == [3, 1, 2, None, 2, 2, 1, 3, 1]
    assert (done.packets, sum(seen), done.reasons) == (9, 9, {"not_avro": 1})


def test_it_is_counted_which_models_answered_how_many_packets_and_objects(night: Path, tmp_path: Path) -> None:
    _, tally = histories.score_histories(sources.find([night]), loaded, tmp_path / "out.parquet", workers=0)

    assert tally.packets == {"first-detection 7": 3, "temporal-2 3": 3, "temporal-3 3": 2}
    assert tally.objects == {"first-detection 7": 3, "temporal-2 3": 2, "temporal-3 3": 1}
    assert set(tally.rules) <= {"bogus_twice", "solar_system_match"}


def test_rules_are_counted(night: Path, tmp_path: Path) -> None:
    def faint() -> Models:
        return Models({"first-detection": faking.by_magnitude()})

    records = [packet(30 + i, "ZTF20ddddddd", float(i)) for i in range(3)]  # magnitudes 21, 21.1, 21.2
    (night / "e.avro").write_bytes(making.packet(*records))

    _, tally = histories.score_histories(sources.find([night / "e.avro"]), faint, tmp_path / "o.parquet", workers=0)

    assert tally.rules == {"bogus_twice": 2}


def test_only_rejections_are_a_table_too(tmp_path: Path) -> None:
    (tmp_path / "b.avro").write_bytes(b"nonsense")

    done, tally = histories.score_histories(
        sources.find([tmp_path / "b.avro"]), loaded, tmp_path / "out.parquet", workers=0
    )

    assert (done.packets, done.reasons, dict(tally.packets)) == (1, {Reason.NOT_AVRO.value: 1}, {})


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("size", [1, 2, 5, 100])
def test_batches_hold_whole_objects_and_every_packet_once(seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    names: Sequence[str | None] = [None if n == 0 else f"o{n}" for n in rng.integers(0, 9, 40).tolist()]

    found = list(answering.batches(names, size))

    assert sorted(i for batch in found for i in batch.tolist()) == list(range(40))
    homes = [{names[i] for i in batch.tolist()} - {None} for batch in found]
    assert sum(map(len, homes)) == len(set().union(*homes))
    assert all(len(batch) <= size or len(home) == 1 for batch, home in zip(found, homes, strict=True))


def test_an_object_is_known_by_its_survey_and_name() -> None:
    alert = surveys.read(packet(1, "ZTF20aaaaaaa", 0.0), "ztf.alert")

    assert answering.object_of(alert) == "ztf ZTF20aaaaaaa"
    assert answering.object_of(classify.Rejection(Reason.NOT_AVRO, "x")) is None


@pytest.fixture
def registry(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let `tracking` know the models it is given, by reference, and the versions of an alias, by name."""
    from skystamp import tracking

    def known(by_reference: dict[str, Model], **versions: str) -> None:
        spelt = {name.replace("_", "-"): version for name, version in versions.items()}
        monkeypatch.setattr(tracking, "load", lambda reference, _: by_reference[reference])
        monkeypatch.setattr(tracking, "alias_version", lambda name, _alias, _uri: spelt.get(name))

    return known


def test_models_are_loaded_by_name(registry: Callable[..., None]) -> None:
    registry({"first-detection@champion": faking.model(), "temporal-2/3": faking.temporal(2)})

    found = histories.load(["first-detection@champion", "temporal-2/3"], "", None)

    assert (sorted(found.by_name), found.catalogue) == (["first-detection", "temporal-2"], None)


def test_a_model_given_twice_is_refused(registry: Callable[..., None]) -> None:
    registry({"a": faking.model(), "b": faking.model(version="8")})

    with pytest.raises(UsageError, match="given once"):
        models.load(["a", "b"], "", None)


def test_an_alias_stands_for_every_model_that_has_it(registry: Callable[..., None]) -> None:
    registry({}, first_detection="4", temporal_2="1", temporal_5="2")

    assert histories.routed("champion", "") == ["first-detection/4", "temporal-2/1", "temporal-5/2"]


def test_an_alias_that_no_first_detection_model_has_is_refused(registry: Callable[..., None]) -> None:
    registry({}, temporal_2="1")

    with pytest.raises(UsageError, match="should have the alias 'champion'"):
        histories.routed("champion", "")


def test_synthetic_objects_are_answered_as_they_grow(tmp_path: Path) -> None:
    made = synthetic.simulate_object(11, 0, max_detections=3, cls="VS").records
    with (tmp_path / "a.avro").open("wb") as file:
        avro.write(file, made, synthetic.schema())

    histories.score_histories(sources.find([tmp_path]), loaded, tmp_path / "out.parquet", workers=0)

    items = [Decoded(record, "ztf.alert") for record in made]
    expected = score.table(classify.history_records(items, loaded())).to_pydict()
    assert pq.read_table(tmp_path / "out.parquet").to_pydict() == expected
