"""Prepared data of five classes that their brightness tells apart, written without a survey."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from skystamp import metadata, taxonomy
from skystamp.inputs import Raw


def toy(folder: Path, counts: Mapping[str, int]) -> Path:
    """Write so many objects a split, of five classes in turn and two detections each, and return the folder."""
    from skystamp.cluster.data import shards

    for split, count in counts.items():
        (folder / split).mkdir()
        rows = shards.table(*_rows(split, count))
        places, wise = np.tile([1, 2], count), np.full((2 * count, 5), np.nan)
        shards.write(folder / split / "0.parquet", shards.placed(rows, places, [""] * len(places), wise))
    about = {"format": shards.FORMAT, "name": "toy", "hash": "abc", "classes": []}
    (folder / "manifest.json").write_text(json.dumps(about))
    return folder


def _rows(split: str, count: int) -> tuple[dict[str, Any], Raw]:
    rng = np.random.default_rng(len(split))
    number = np.repeat(np.arange(count) % len(taxonomy.FIRST_DETECTION), 2)
    stamps = rng.normal(0, 1, (2 * count, 63, 63, 3)).astype(np.float32)
    stamps[:, 31, 31] += 30 * number[:, None].astype(np.float32)
    table = rng.uniform(0, 1, (2 * count, len(metadata.FEATURES))) + number[:, None]
    plain = {
        "object_id": [f"{split}{i // 2:03}" for i in range(2 * count)],
        "alert_id": list(range(2 * count)),
        "mjd": [60000.0 + i for i in range(2 * count)],
        "label": [taxonomy.FIRST_DETECTION[i] for i in number],
    }
    return plain, Raw(stamps, table)
