"""The golden packets become what they became when they were made: every pixel, every number, every outcome."""

import io
import json

import fastavro
import numpy as np
import pytest

from skystamp import avro
from skystamp.metadata import FEATURES
from tests.golden import make


@pytest.fixture(scope="module")
def data():
    return make.PACKETS.read_bytes()


@pytest.fixture(scope="module")
def arrays_and_facts(data):
    return make.answers(data)


def test_there_are_packets_of_each_class_and_rejects(data):
    names = [record["objectId"] for record in fastavro.reader(io.BytesIO(data))]

    assert len(names) == 14
    assert names[-2:] == ["ZTF20nocutout", "ZTF20nowhere"]


def test_outcomes_and_stamps_are_the_expected_ones(arrays_and_facts):
    _, facts = arrays_and_facts
    expected = json.loads(make.FACTS.read_text())
    spec, expected_spec = facts.pop("spec"), expected.pop("spec")

    assert facts == expected
    assert spec["features"] == expected_spec["features"] == list(FEATURES)
    assert spec["clips"] == json.loads(json.dumps(expected_spec["clips"]))
    assert spec["means"] == pytest.approx(expected_spec["means"], rel=1e-12)


def test_metadata_are_the_expected_ones(arrays_and_facts):
    arrays, _ = arrays_and_facts
    with np.load(make.NUMBERS) as expected:
        assert np.allclose(arrays["metadata"], expected["metadata"], rtol=0, atol=1e-9, equal_nan=True)


def test_stamps_of_the_inputs_are_the_expected_ones_bit_for_bit(arrays_and_facts):
    arrays, _ = arrays_and_facts
    with np.load(make.NUMBERS) as expected:
        assert np.array_equal(arrays["inputs_stamps"], expected["inputs_stamps"])
        assert np.allclose(arrays["inputs_metadata"], expected["inputs_metadata"], rtol=0, atol=1e-6)


def test_fast_way_is_the_slow_way_and_that_of_fastavro(data):
    expected = list(fastavro.reader(io.BytesIO(data)))

    assert [item.record for item in avro.read(data, history=True)] == expected
    assert [item.record for item in avro.read(data)] == [
        {key: value for key, value in record.items() if key not in ("prv_candidates", "fp_hists")}
        for record in expected
    ]
