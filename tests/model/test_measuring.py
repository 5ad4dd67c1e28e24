"""cluster.measuring: bundles side by side, on one machine and one set of data."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from skystamp import bundle, taxonomy
from skystamp.cluster import measuring, train
from skystamp.cluster.data import shards
from skystamp.cluster.data.shards import LabelledRaw
from skystamp.errors import BundleError, UsageError
from skystamp.tracking import Figures
from tests import bundles
from tests import prepared as prepared_data
from tests.model.test_train import FAST, data, trained  # noqa: F401  the fixtures

NAME = "first-detection"


def prepared(folder: Path, data: LabelledRaw) -> Path:  # noqa: F811
    """Write data as prepared data that have a test split alone."""
    count = len(data)
    plain = {"object_id": data.object_ids, "alert_id": data.alert_ids, "mjd": data.mjd, "label": data.labels}
    (folder / "test").mkdir(parents=True)
    shards.write(folder / "test" / "000000.parquet", shards.table({k: v.tolist() for k, v in plain.items()}, data.raw))
    (folder / "manifest.json").write_text(json.dumps({"name": "toy", "hash": "abc", "format": 2, "rows": count}))
    return folder


def test_each_bundle_is_timed_on_its_own_example(trained: train.Trained) -> None:  # noqa: F811
    found = measuring.latencies({"new": trained.folder, "champion": trained.folder}, rounds=2, repeats=5)

    assert set(found) == {"new", "champion"}
    assert all(0 < seconds < 10 for seconds in found.values())


def test_a_bundle_that_does_not_load_is_told(trained: train.Trained, tmp_path: Path) -> None:  # noqa: F811
    broken = shutil.copytree(trained.folder, tmp_path / "broken")
    (broken / "model.keras").write_bytes(b"no model")

    with pytest.raises(BundleError):
        measuring.latencies({"new": broken}, rounds=1, repeats=1)


def test_accuracy_and_calibration_are_of_the_test_split_of_one_set_of_data(
    trained: train.Trained,  # noqa: F811
    data: LabelledRaw,  # noqa: F811
    tmp_path: Path,
) -> None:
    folder = prepared(tmp_path / "prepared", data)
    scores, _ = train.evaluate(trained.folder, data)

    found = measuring.tested(NAME, {"new": trained.folder}, [folder])["new"]

    np.testing.assert_allclose(
        [found.accuracy, found.calibration_error], [scores["accuracy"], scores["calibration_error"]]
    )
    assert found.data == "abc"


def test_temporal_versions_are_tested_on_the_sequences_of_their_number(tmp_path: Path) -> None:
    """Temporal-2 on prepared data of objects with two detections, asked once more by hand."""
    folder, versions = tmp_path / "prepared", bundles.make(tmp_path / "bundles", ("temporal-2",))
    folder.mkdir()
    prepared_data.toy(folder, {"test": 20})
    two = shards.load_sequences(folder, "test", 2)
    known = np.isin(two.labels, taxonomy.TEMPORAL)
    right = bundle.load(versions["temporal-2"]).predict(two.raw.take(np.flatnonzero(known))).argmax(1)
    answered = np.array(taxonomy.TEMPORAL)[right]

    found = measuring.side_by_side(
        "temporal-2",
        {"new": versions["temporal-2"]},
        {"new": Figures(None, None, None, "")},
        measure=True,
        data=[folder],
    )["new"]

    assert 0 < known.sum() < 20  # bogus and asteroids are no classes of it
    assert found.accuracy == pytest.approx(np.mean(answered == two.labels[known]))
    assert found.calibration_error is not None
    assert found.latency_s is not None
    with pytest.raises(UsageError, match="objects that temporal-3 reads"):
        measuring.tested("temporal-3", versions, [folder])


def test_what_is_not_measured_now_stays_as_it_was_logged(trained: train.Trained) -> None:  # noqa: F811
    known = {"new": Figures(0.9, 0.1, 5.0, "xyz")}

    kept = measuring.side_by_side(NAME, {"new": trained.folder}, known, measure=False)
    timed = measuring.side_by_side(NAME, {"new": trained.folder}, known, measure=True)

    assert kept == known
    assert (timed["new"].accuracy, timed["new"].data) == (0.9, "xyz")
    assert timed["new"].latency_s is not None
    assert timed["new"].latency_s < 5.0
