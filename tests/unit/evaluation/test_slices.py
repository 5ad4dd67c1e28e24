"""Slices: each object in one row of each way, intervals where there are objects, words where there is no column."""

import numpy as np
import pytest

from skystamp.evaluation import slices
from tests.judging import OBJECTS


def test_every_object_is_in_one_row_of_each_way(three):
    for way in slices.WAYS:
        rows = np.concatenate([chosen for _, chosen in slices.members(three, way)])

        assert sorted(rows.tolist()) == list(range(OBJECTS)), way.name


def test_an_object_is_in_the_row_whose_bounds_hold_it(one):
    (magnitude,) = [way for way in slices.WAYS if way.column == "magpsf"]
    given = one.take(np.arange(5))
    given.columns["magpsf"][:] = [15.9, 16.0, 18.999, 20.0, np.nan]

    rows = {name: chosen.tolist() for name, chosen in slices.members(given, magnitude)}

    assert rows == {"brighter than 16": [0], "16 to 17": [1], "18 to 19": [2], "fainter than 20": [3], "not known": [4]}


def test_latitude_counts_on_both_sides_of_the_plane(one):
    (latitude,) = [way for way in slices.WAYS if way.column == "gal_lat"]
    given = one.take(np.arange(4))
    given.columns["gal_lat"][:] = [-5.0, 5.0, -90.0, 90.0]

    rows = {name: chosen.tolist() for name, chosen in slices.members(given, latitude)}

    assert rows == {"below 10°": [0, 1], "above 40°": [2, 3]}


def test_a_row_has_its_scores_over_trainings_and_its_interval(three):
    found = {way["column"]: way for way in slices.slices(three, np.random.default_rng(0))}

    (red,) = [row for row in found["band"]["rows"] if row["name"] == "r"]
    chosen = np.flatnonzero(three.columns["band"] == "r")
    right = (three.answers == three.labels)[:, chosen]
    assert red["objects"] == len(chosen) == sum(red["classes"].values())
    assert red["accuracy"]["mean"] == pytest.approx(right.mean())
    assert red["accuracy"]["low"] < right.mean() < red["accuracy"]["high"]
    own = three.names[chosen] == "SN"
    assert red["supernovae"] == {"objects": int(own.sum()), "found": pytest.approx(right[:, own].mean())}


def test_a_column_that_the_data_do_not_have_is_told(one):
    del one.columns["band"]

    (band,) = [way for way in slices.slices(one, np.random.default_rng(0)) if way["column"] == "band"]

    assert band["rows"] == []
    assert "no column band" in band["missing"]


def test_a_slice_of_one_object_has_no_interval(one):
    given = one.take(np.array([0]))

    (row,) = slices.slices(given, np.random.default_rng(0))[0]["rows"]

    assert (row["objects"], row["accuracy"]["low"]) == (1, None)
