"""Classes, their order, and the labels that tables write for them."""

import pytest

from skystamp import taxonomy
from skystamp.errors import DatasetError


def test_classes_are_in_the_order_of_the_results_table():
    assert taxonomy.CLASSES == ("AGN", "SN", "VS", "asteroid", "bogus", "satellite")


def test_first_detection_and_temporal_models_know_a_part_of_the_classes_in_the_same_order():
    assert taxonomy.FIRST_DETECTION == ("AGN", "SN", "VS", "asteroid", "bogus")
    assert taxonomy.TEMPORAL == ("AGN", "SN", "VS")


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("AGN", "AGN"),
        ("QSO", "AGN"),
        ("Blazar", "AGN"),
        (" sn ", "SN"),
        ("SNIa", "SN"),
        ("SN II", "SN"),
        ("RRL", "VS"),
        ("CV/Nova", "VS"),
        ("Asteroid", "asteroid"),
        ("artifact", "bogus"),
        ("Satellite", "satellite"),
    ],
)
def test_label_of_a_table_is_one_of_our_classes(label, name):
    assert taxonomy.class_of(label) == name


@pytest.mark.parametrize("name", taxonomy.CLASSES)
def test_our_own_names_are_labels(name):
    assert taxonomy.class_of(name) == name


@pytest.mark.parametrize("label", ["", "TDE", "LRN", "unknown", "other"])
def test_label_of_another_class_is_none_of_ours(label):
    assert taxonomy.class_of(label) is None


def test_indices_of_labels():
    assert taxonomy.indices(["VS", "AGN", "VS"], taxonomy.TEMPORAL) == [2, 0, 2]


def test_indices_refuse_a_label_that_is_not_a_class():
    with pytest.raises(DatasetError, match=r"Received: \['bogus'\]"):
        taxonomy.indices(["AGN", "bogus"], taxonomy.TEMPORAL)
