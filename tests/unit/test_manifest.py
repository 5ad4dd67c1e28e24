"""manifest: recipes, label tables and splits by object."""

from collections import Counter
from pathlib import Path

import pandas as pd
import pytest

from skystamp import manifest
from skystamp.errors import DatasetError
from skystamp.manifest import DatasetManifest, LabelColumns

RECIPES = Path(__file__).parents[2] / "datasets"
OBJECTS = {f"ZTF18a{i:06d}": ("SN" if i % 3 else "AGN") for i in range(3000)}


@pytest.mark.parametrize("name", ["synthetic", "labelled_ztf", "ztf_archive"])
def test_every_recipe_is_whole(name: str) -> None:
    recipe = manifest.read(RECIPES / name / "manifest.toml")

    assert recipe.name == name
    assert recipe.classes == ("AGN", "SN", "VS", "asteroid", "bogus")
    assert name in (RECIPES / name / "card.md").read_text()
    assert f"skystamp prepare {name}" in (RECIPES / name / "prepare.py").read_text()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("name = ", "should be a TOML file"),
        ('nmae = "x"', "should have a name and no keys but"),
        ('name = "x"\n[labels]\nobjekt = "o"', "objekt"),
        ('name = "x"\nclasses = ["SNIa"]', "SNIa"),
    ],
    ids=["not-toml", "misspelt", "misspelt-column", "unknown-class"],
)
def test_a_recipe_that_can_not_be_used_is_refused(tmp_path: Path, text: str, sentence: str) -> None:
    file = tmp_path / "manifest.toml"
    file.write_text(text)

    with pytest.raises(DatasetError, match=sentence):
        manifest.read(file)


def test_an_absent_recipe_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"no\.toml"):
        manifest.read(tmp_path / "no.toml")


TABLE = pd.DataFrame(
    [
        ("a", "SNIa", "strong"),
        ("a", "SN", "strong"),
        ("b", "QSO", "weak"),
        ("c", "TDE", "strong"),
        ("d", "", ""),
        ("e", "SN", "strong"),
        ("e", "AGN", "strong"),
        ("f", "bogus", "weak"),
    ],
    columns=["objectId", "label", "label_quality"],
)
RECIPE = DatasetManifest(
    "x", columns=LabelColumns("objectId", "label", "label_quality"), qualities={"AGN": ("strong",), "SN": ("strong",)}
)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_labels_are_one_class_an_object_and_the_rest_is_counted(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"labels.{suffix}"
    TABLE.to_csv(path, index=False) if suffix == "csv" else TABLE.to_parquet(path)

    labels = manifest.read_labels(path, RECIPE)

    assert labels.classes == {"a": "SN", "f": "bogus"}
    assert labels.left_out == {"conflict": 1, "other_class": 1, "quality": 1, "unlabelled": 1}


def test_an_object_with_a_kept_row_is_not_counted_as_left_out(tmp_path: Path) -> None:
    table = pd.DataFrame([("a", "SN", "strong"), ("a", "SN", "weak")], columns=TABLE.columns)
    table.to_csv(tmp_path / "l.csv", index=False)

    labels = manifest.read_labels(tmp_path / "l.csv", RECIPE)

    assert (labels.classes, labels.left_out) == ({"a": "SN"}, {})


def test_a_table_without_a_column_is_refused_by_its_name(tmp_path: Path) -> None:
    TABLE[["objectId"]].to_csv(tmp_path / "l.csv", index=False)

    with pytest.raises(DatasetError, match=r"Received: no \['label', 'label_quality'\]"):
        manifest.read_labels(tmp_path / "l.csv", RECIPE)


@pytest.mark.parametrize("name", ["l.csv", "l.parquet"])
def test_an_absent_table_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(DatasetError, match="CSV or Parquet"):
        manifest.read_labels(tmp_path / name, RECIPE)


def test_splits_have_the_fixed_counts_of_each_class() -> None:
    splits = manifest.split_objects(OBJECTS, validation=100, test=80)

    counts = Counter((OBJECTS[name], split) for name, split in splits.items())
    assert splits.keys() == OBJECTS.keys()
    assert {key: n for key, n in counts.items() if key[1] != "train"} == {
        ("AGN", "validation"): 100,
        ("AGN", "test"): 80,
        ("SN", "validation"): 100,
        ("SN", "test"): 80,
    }


def test_a_split_does_not_depend_on_order_or_on_other_classes() -> None:
    backwards = manifest.split_objects(dict(reversed(OBJECTS.items())))
    alone = manifest.split_objects({name: label for name, label in OBJECTS.items() if label == "SN"})

    splits = manifest.split_objects(OBJECTS)

    assert backwards == splits
    assert alone.items() <= splits.items()


def test_a_known_object_stays_where_it_always_was() -> None:
    splits = manifest.split_objects(OBJECTS)

    known = {"ZTF18a001212": "validation", "ZTF18a002853": "test", "ZTF18a000186": "test", "ZTF18a001734": "train"}
    assert {name: splits[name] for name in known} == known


@pytest.mark.parametrize(
    ("objects", "sizes"), [(0, (0, 0)), (2, (0, 0)), (3, (1, 1)), (100, (15, 15)), (666, (99, 99)), (667, (100, 100))]
)
def test_a_small_class_gives_at_most_fifteen_per_cent(objects: int, sizes: tuple[int, int]) -> None:
    assert manifest.split_sizes(objects) == sizes
