"""What a data set is: its recipe (`manifest.toml`), its labels, and which split each of its objects belongs to.

    datasets/NAME/manifest.toml ── read ──> DatasetManifest
    label table (CSV, Parquet)  ── read_labels ──> Labels: one class an object
    {object: class}             ── split_objects ──> {object: train | validation | test}

A split depends on the names of the objects alone: no seed, no order, no machine changes it.
"""

import hashlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import pandas as pd

from skystamp import taxonomy
from skystamp.errors import DatasetError

TRAIN, VALIDATION, TEST = SPLITS = ("train", "validation", "test")
LARGEST_SHARE = 0.15  # of a class, for validation and for test each
SPLIT_RULE = (
    "by object: in each class, objects ranked by sha256(object_id); the first are validation, the next test, the rest "
    "train; where a class has too few objects, at most 15 % of them for each (and one of three)"
)


@dataclass(frozen=True, slots=True)
class LabelColumns:
    """The names of a label table's columns; `quality` is empty where it has none."""

    object: str = "objectId"
    label: str = "class"
    quality: str = ""


@dataclass(frozen=True, slots=True)
class DatasetManifest:
    """A data set's recipe.

    Attributes
    ----------
    name, summary : str
        For people and for what is trained on it.
    survey : str
        Whose alerts.
    classes : tuple of str
        Of `taxonomy.CLASSES`; objects of other classes are left out, and counted.
    columns : LabelColumns
        Of the label table.
    table : str
        The label table's file name within the folder of the packets; empty where it is always given.
    qualities : mapping of str to tuple of str
        Class -> label qualities that are kept; any quality for a class that is not named.
    validation, test : int
        Objects a class.
    simulation : mapping
        How the packets are simulated, as the options of `skystamp simulate`; empty for real ones.
    """

    name: str
    survey: str = "ztf"
    summary: str = ""
    classes: tuple[str, ...] = taxonomy.FIRST_DETECTION
    columns: LabelColumns = LabelColumns()
    table: str = ""
    qualities: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    validation: int = 100
    test: int = 100
    simulation: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Labels:
    """The class of each labelled object, and how many objects were left out and why."""

    classes: Mapping[str, str]
    left_out: Mapping[str, int]


def read(path: Path) -> DatasetManifest:
    """Return the recipe in a `manifest.toml`.

    Raises
    ------
    DatasetError
        If the file is absent, is no TOML, or has a name or class that we do not know.
    """
    try:
        content = tomllib.loads(path.read_text())
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise DatasetError(f"the data set's manifest should be a TOML file. Received: {path} ({error})") from error
    labels, split = content.pop("labels", {}), content.pop("split", {})
    given = {**content, **split, "table": labels.pop("table", ""), "qualities": labels.pop("qualities", {})}
    known = {f.name for f in fields(DatasetManifest)} - {"columns"}
    unknown = sorted((set(given) - known) | (set(labels) - {f.name for f in fields(LabelColumns)}))
    if unknown or "name" not in given:
        raise DatasetError(f"{path} should have a name and no keys but {sorted(known)}. Received: {unknown}")
    classes = tuple(given.pop("classes", taxonomy.FIRST_DETECTION))
    taxonomy.indices(classes, taxonomy.CLASSES)
    qualities = {name: tuple(kept) for name, kept in given.pop("qualities").items()}
    return DatasetManifest(**given, classes=classes, qualities=qualities, columns=LabelColumns(**labels))


def read_labels(path: str | Path, manifest: DatasetManifest) -> Labels:
    """Return the class of each object in a label table (CSV, or Parquet by its suffix), one row an object or a packet.

    Left out and counted, by object: ``unlabelled`` (an empty class), ``other_class`` (none of the manifest's),
    ``quality`` (not among those kept for its class), ``conflict`` (rows that name different classes).

    Raises
    ------
    DatasetError
        If the table can not be read or lacks a column.
    """
    table = _table(path, manifest.columns)
    table["class"] = [taxonomy.class_of(label) or ("" if not label.strip() else "?") for label in table["label"]]
    table["fate"] = [_fate(row.class_name, row.quality, manifest) for row in _rows(table)]
    kept = table[table["fate"] == "kept"]
    per_object = kept.groupby("object")["class"].nunique()
    conflicts = set(per_object.index[per_object > 1])
    classes = {row.object: row.class_name for row in _rows(kept) if row.object not in conflicts}
    rest = table[~table["object"].isin([*classes, *conflicts])].drop_duplicates("object")
    left_out = {str(fate): int(count) for fate, count in rest["fate"].value_counts().items()}
    if conflicts:
        left_out["conflict"] = len(conflicts)
    return Labels(classes, dict(sorted(left_out.items())))


def split_objects(classes: Mapping[str, str], validation: int = 100, test: int = 100) -> dict[str, str]:
    """Return the split of each object, by `SPLIT_RULE`.

    Parameters
    ----------
    classes : mapping of str to str
        Object -> class.
    validation, test : int
        Objects a class, where it has enough.
    """
    splits: dict[str, str] = {}
    for name in sorted(set(classes.values())):
        ranked = sorted((o for o, c in classes.items() if c == name), key=lambda o: (_rank(o), o))
        held, tested = split_sizes(len(ranked), validation, test)
        for i, object_id in enumerate(ranked):
            splits[object_id] = VALIDATION if i < held else TEST if i < held + tested else TRAIN
    return splits


def split_sizes(objects: int, validation: int = 100, test: int = 100) -> tuple[int, int]:
    """Return how many of a class's objects are for validation and for test: as asked, or what `SPLIT_RULE` leaves."""
    most = max(int(objects * LARGEST_SHARE), 1 if objects >= 3 else 0)
    return min(validation, most), min(test, most)


def _rank(object_id: str) -> bytes:
    return hashlib.sha256(object_id.encode()).digest()


def _table(path: str | Path, columns: LabelColumns) -> pd.DataFrame:
    wanted = {columns.object: "object", columns.label: "label"}
    if columns.quality:
        wanted[columns.quality] = "quality"
    try:
        parquet = str(path).endswith((".parquet", ".pq"))
        table = pd.read_parquet(path) if parquet else pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, ValueError) as error:  # pandas and pyarrow raise kinds of ValueError for what they can not parse
        raise DatasetError(f"the label table should be CSV or Parquet. Received: {path} ({error})") from error
    missing = [name for name in wanted if name not in table.columns]
    if missing:
        raise DatasetError(f"the label table {path} should have the columns {list(wanted)}. Received: no {missing}")
    chosen = table[list(wanted)].rename(columns=wanted).fillna("").astype(str)
    return chosen if columns.quality else chosen.assign(quality="")


@dataclass(frozen=True, slots=True)
class _Row:
    object: str
    class_name: str
    quality: str


def _rows(table: pd.DataFrame) -> list[_Row]:
    return [_Row(*row) for row in zip(table["object"], table["class"], table["quality"], strict=True)]


def _fate(class_name: str, quality: str, manifest: DatasetManifest) -> str:
    if not class_name:
        return "unlabelled"
    if class_name not in manifest.classes:
        return "other_class"
    kept = manifest.qualities.get(class_name)
    return "kept" if kept is None or quality in kept else "quality"
