"""What prepared data say of themselves: the manifest with its hash, and the rejections with their counts."""

import hashlib
import json
import time
from collections import Counter
from importlib import metadata as packages
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from skystamp import metadata
from skystamp.cluster.data.collect import REJECTIONS, Tally
from skystamp.manifest import SPLIT_RULE, SPLITS, DatasetManifest, Labels, split_sizes
from skystamp.sources import Found

FORMAT = 1
INDEX = pa.schema(
    {
        "object_id": pa.string(),
        "alert_id": pa.int64(),
        "mjd": pa.float64(),
        "label": pa.string(),
        "source": pa.int32(),
        "row": pa.int64(),
        "file": pa.string(),
        "place": pa.int32(),
        "checksum": pa.int64(),  # of the tensors' bytes
    }
)
_VERSIONS = ("skystamp", "numpy", "astropy", "fastavro", "pyarrow", "ray")
_NAMED = 20  # files named in a manifest


def first_of_each(index: pa.Table) -> tuple[pa.Table, int]:
    """Return the index with the first row of each alert number alone, and how many rows that left out."""
    seen: set[int] = set()
    first = [not (alert in seen or seen.add(alert)) for alert in index["alert_id"].to_pylist()]  # type: ignore[func-returns-value]
    return index.filter(pa.array(first)), len(first) - sum(first)


def save_tally(tally: Tally, staging: Path, number: int) -> None:
    """Write what became of one source's packets beside the staged files."""
    counts = {"packets": tally.packets, "accepted": tally.accepted, "unlabelled": tally.unlabelled}
    pq.write_table(pa.Table.from_pylist(tally.rejections, REJECTIONS), staging / f"{number:08d}.rejections")
    (staging / f"{number:08d}.tally").write_text(json.dumps(counts))


def join_rejections(staging: Path, out: Path, duplicates: int) -> dict[str, Any]:
    """Write rejections.parquet and rejections.json, and return the latter: what became of all packets."""
    total: Counter[str] = Counter()
    for file in sorted(staging.glob("*.tally")):
        total.update(json.loads(file.read_text()))
    reasons: Counter[str] = Counter()
    with pq.ParquetWriter(out / "rejections.parquet", REJECTIONS) as writer:
        for file in sorted(staging.glob("*.rejections")):
            rejections = pq.read_table(file)
            reasons.update(rejections["reason"].to_pylist())
            writer.write_table(rejections)
    counts = {
        "packets": total["packets"],
        "accepted": total["accepted"] - duplicates,
        "duplicate": duplicates,
        "unlabelled": total["unlabelled"],
        "rejected": reasons.total(),
        "reasons": dict(sorted(reasons.items())),
    }
    (out / "rejections.json").write_text(json.dumps(counts, indent=1))
    return counts


def manifest(
    recipe: DatasetManifest,
    labels: Labels,
    found: Found,
    index: pa.Table,
    splits: dict[str, str],
    tallies: dict[str, Any],
    command: str,
) -> dict[str, Any]:
    """Return the manifest of prepared data, as JSON."""
    return {
        "format": FORMAT,
        "name": recipe.name,
        "summary": recipe.summary,
        "hash": content_hash(index, splits, recipe),
        "survey": recipe.survey,
        "classes": list(recipe.classes),
        "features": list(metadata.FEATURES),
        "counts": _counts(index, splits),
        "split": _split(index, recipe),
        "packets": tallies,
        "labels_left_out": dict(labels.left_out),
        "sources": {
            "files": len(found.sources),
            "bytes": found.size,
            "first": _urls(found),
            "skipped": _skipped(found),
        },
        "command": command,
        "created": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "versions": {name: packages.version(name) for name in _VERSIONS},
    }


def content_hash(index: pa.Table, splits: dict[str, str], recipe: DatasetManifest) -> str:
    """Return the sha256 of what the data hold: survey, features, each alert's number, object, label, split, checksum.

    The same packets, labels and split sizes give the same hash, on any machine and with any number of workers.
    """
    digest = hashlib.sha256(json.dumps([FORMAT, recipe.survey, metadata.FEATURES]).encode())
    columns = (index[name].to_pylist() for name in ("alert_id", "object_id", "label", "checksum"))
    for alert, object_id, label, checksum in sorted(zip(*columns, strict=True)):
        digest.update(f"{alert} {object_id} {label} {splits[object_id]} {checksum}\n".encode())
    return digest.hexdigest()


def _counts(index: pa.Table, splits: dict[str, str]) -> dict[str, dict[str, dict[str, int]]]:
    """Return split -> class -> numbers of packets and of objects."""
    objects = index["object_id"].to_pylist()
    packets = Counter((splits[o], label) for o, label in zip(objects, index["label"].to_pylist(), strict=True))
    classes = dict(zip(objects, index["label"].to_pylist(), strict=True))
    singles = Counter((splits[o], label) for o, label in classes.items())
    names = sorted(set(classes.values()))
    return {
        split: {name: {"packets": packets[split, name], "objects": singles[split, name]} for name in names}
        for split in SPLITS
    }


def _split(index: pa.Table, recipe: DatasetManifest) -> dict[str, Any]:
    classes = dict(zip(index["object_id"].to_pylist(), index["label"].to_pylist(), strict=True))
    sizes = {
        name: split_sizes(count, recipe.validation, recipe.test) for name, count in Counter(classes.values()).items()
    }
    asked = (recipe.validation, recipe.test)
    return {
        "rule": SPLIT_RULE,
        "over": "the labelled objects with at least one accepted packet",
        "validation": recipe.validation,
        "test": recipe.test,
        "shrunk": {name: {"validation": v, "test": t} for name, (v, t) in sorted(sizes.items()) if (v, t) != asked},
    }


def _urls(found: Found) -> list[str]:
    return [source.url for source in found.sources[:_NAMED]]


def _skipped(found: Found) -> dict[str, Any]:
    return {"files": len(found.skipped), "first": list(found.skipped[:_NAMED])}
