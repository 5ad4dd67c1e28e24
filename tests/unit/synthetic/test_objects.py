import itertools

import numpy as np
import pytest

from skystamp.synthetic import CLASSES, SyntheticObject, simulate_object, write_packet
from skystamp.synthetic.objects import object_class


def test_same_seed_and_index_give_the_same_object_whatever_came_before():
    first = simulate_object(5, 3)
    simulate_object(5, 4)

    again = simulate_object(5, 3)

    assert first.truth == again.truth
    assert first.records == again.records


def test_other_index_and_other_seed_give_other_objects():
    names = {simulate_object(s, i, cls="asteroid").truth.object_id for s in (1, 2) for i in range(4)}

    assert len(names) == 8


def test_later_detections_keep_the_object_id_and_follow_in_time(every_object: list[SyntheticObject]):
    for made in every_object:
        times = [record["candidate"]["jd"] for record in made.records]

        assert {record["objectId"] for record in made.records} == {made.truth.object_id}
        assert times == sorted(times)


def test_candids_are_unique_positive_and_repeated_inside_the_candidate(every_object: list[SyntheticObject]):
    records = [record for made in every_object for record in made.records]
    one_class = [record["candid"] for record in records if record["objectId"][5] == "z"]

    assert all(0 < record["candid"] < 2**63 for record in records)
    assert all(record["candid"] == record["candidate"]["candid"] for record in records)
    assert len(one_class) == len(records)


def test_history_columns_grow_with_each_detection(every_object: list[SyntheticObject]):
    for made in every_object:
        rows = [record["candidate"] for record in made.records]
        for before, after in itertools.pairwise(rows):
            assert after["ndethist"] > before["ndethist"]
            assert after["ncovhist"] > before["ncovhist"]
            assert after["jdstarthist"] == before["jdstarthist"]


@pytest.mark.parametrize("cls", CLASSES)
def test_each_class_is_made_and_named_in_the_truth(objects: dict[str, list[SyntheticObject]], cls: str):
    assert {made.truth.cls for made in objects[cls]} == {cls}


def test_first_share_of_one_begins_with_the_first_detection():
    made = [simulate_object(2, i, cls="VS", first_share=1.0) for i in range(5)]

    assert {one.records[0]["candidate"]["ndethist"] for one in made} == {1}


def test_first_share_of_zero_also_begins_later():
    made = [simulate_object(2, i, cls="VS", first_share=0.0) for i in range(8)]

    assert max(one.records[0]["candidate"]["ndethist"] for one in made) > 20


def test_satellites_are_off_by_default_and_on_by_their_prior():
    rng = np.random.default_rng(0)

    usual = {object_class(rng, {"AGN": 1.0, "SN": 1.0, "satellite": 0.0}) for _ in range(50)}

    assert usual == {"AGN", "SN"}
    assert object_class(rng, {"satellite": 1.0}) == "satellite"


@pytest.mark.parametrize("priors", [{}, {"AGN": -1.0}, {"AGN": 0.0}, {"quasar": 1.0}], ids=str)
def test_priors_that_give_no_distribution_are_refused(priors: dict[str, float]):
    with pytest.raises(ValueError, match="Priors should"):
        object_class(np.random.default_rng(0), priors)


@pytest.mark.parametrize(
    "wrong", [{"max_detections": 0}, {"first_share": 1.5}, {"seed": -1}, {"index": -1}], ids=lambda w: next(iter(w))
)
def test_arguments_out_of_range_are_refused(wrong: dict[str, int]):
    with pytest.raises(ValueError, match="should be"):
        simulate_object(**{"seed": 1, "index": 1, "cls": "SN", **wrong})


def test_jd_range_bounds_every_record():
    night = (2460235.5, 2460236.5)

    made = [simulate_object(4, i, cls="AGN", max_detections=5, jd_range=night) for i in range(4)]

    assert all(night[0] <= record["candidate"]["jd"] < night[1] for one in made for record in one.records)


def test_packets_are_of_real_size(every_object: list[SyntheticObject]):
    sizes = [len(write_packet(made.records[0])) for made in every_object]

    assert 20_000 < np.median(sizes) < 200_000
