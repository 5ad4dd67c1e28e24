"""What prepared data say of themselves: the manifest with its hash, and the rejections with their counts."""

import hashlib
import json
import time
from collections import Counter
from importlib import metadata as packages
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from skystamp import crossmatch, metadata, sequences
from skystamp.cluster.data import grouping
from skystamp.cluster.data.collect import REJECTIONS, Tally
from skystamp.cluster.data.grouping import Plan
from skystamp.cluster.data.matching import Matched
from skystamp.cluster.data.shards import FORMAT
from skystamp.manifest import SPLIT_RULE, SPLITS, DatasetManifest, Labels, split_sizes
from skystamp.sources import Found

_VERSIONS = ("skystamp", "numpy", "astropy", "fastavro", "pyarrow", "ray")
_NAMED = 20  # files named in a manifest


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
    plan: Plan,
    matched: Matched,
    tallies: dict[str, Any],
    command: str,
) -> dict[str, Any]:
    """Return the manifest of prepared data, as JSON."""
    return {
        "format": FORMAT,
        "name": recipe.name,
        "summary": recipe.summary,
        "hash": content_hash(plan, matched, recipe),
        "survey": recipe.survey,
        "classes": list(recipe.classes),
        "features": list(metadata.FEATURES),
        "counts": _counts(plan.rows),
        "sequences": _sequences(plan),
        "catalogue": _catalogue(plan, matched),
        "split": _split(plan.rows, recipe),
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


def content_hash(plan: Plan, matched: Matched, recipe: DatasetManifest) -> str:
    """Return the sha256 of what the data hold.

    Survey, features, the sequence rule; of each alert number, object, label, split, time, place and the checksum of its
    tensors; of each object its catalogue match. The same packets, labels, split sizes and catalogue give the same hash,
    on any machine, with any number of workers, in any order and however they are shared out among files.
    """
    rule = sequences.MIN_GAP_HOURS
    digest = hashlib.sha256(json.dumps([FORMAT, recipe.survey, metadata.FEATURES, rule]).encode())
    names = ("alert_id", "object_id", "label", "split", "mjd", "place", "checksum")
    columns = (plan.rows[name].to_pylist() for name in names)
    for row in sorted(zip(*columns, strict=True)):
        digest.update((" ".join(map(str, row)) + "\n").encode())
    digest.update(np.where(np.isnan(matched.wise), np.nan, matched.wise).astype("<f8").tobytes())  # one kind of NaN
    return digest.hexdigest()


def _counts(rows: pa.Table) -> dict[str, dict[str, dict[str, int]]]:
    """Return split -> class -> numbers of packets and of objects."""
    cells = list(zip(rows["split"].to_pylist(), rows["label"].to_pylist(), strict=True))
    packets = Counter(cells)
    singles = Counter(dict(zip(rows["object_id"].to_pylist(), cells, strict=True)).values())
    names = sorted({label for _, label in cells})
    return {
        split: {name: {"packets": packets[split, name], "objects": singles[split, name]} for name in names}
        for split in SPLITS
    }


def _sequences(plan: Plan) -> dict[str, Any]:
    left_out = Counter(reason for reason in plan.rows["left_out"].to_pylist() if reason)
    return {
        "min_gap_hours": sequences.MIN_GAP_HOURS,
        "objects": grouping.lengths(plan),
        "left_out": dict(sorted(left_out.items())),
    }


def _catalogue(plan: Plan, matched: Matched) -> dict[str, Any] | None:
    if matched.url is None:
        return None
    labels = plan.rows["label"].take(pa.array(plan.firsts)).to_pylist()
    hits = Counter(label for label, hit in zip(labels, matched.hits.tolist(), strict=True) if hit)
    return {
        "name": matched.name,
        "url": matched.url,
        "radius_arcsec": crossmatch.RADIUS_ARCSEC,
        "objects": len(labels),
        "matched": hits.total(),
        "by_class": dict(sorted(hits.items())),
    }


def _split(rows: pa.Table, recipe: DatasetManifest) -> dict[str, Any]:
    classes = dict(zip(rows["object_id"].to_pylist(), rows["label"].to_pylist(), strict=True))
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
