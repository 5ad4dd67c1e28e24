"""How alike synthetic and real packets are, feature by feature and class by class.

    python -m benchmarks.marginals --real DIR [--objects N] [--seed S] [--out DIR] [--json]

DIR holds Avro shards and an `index.csv` of their packets (columns objectId, candid, jd, label, label_quality,
shape_ok). The earliest packet of each labelled real object is set beside N synthetic objects a class. Written to
--out (docs/figures by default): `marginals.md`, a table of Kolmogorov-Smirnov distances (0: the same distribution,
1: disjoint), worst features first, and `marginals.png`, the distributions themselves. Real labels are used for this
comparison alone.

The real sample is what catalogues happen to know: brighter, and seen far longer, than what a survey meets. A distance
that comes of this (magpsf, ndethist, ncovhist) is not a fault to be fitted away.
"""

import argparse
import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from scipy.stats import ks_2samp

from skystamp import avro, metadata, stamps, surveys, synthetic
from skystamp.alert import Alert
from skystamp.avro import Decoded

CLASSES = ("AGN", "SN", "VS", "asteroid", "bogus")
FEATURES = tuple(name for name in metadata.FEATURES if name not in ("ra", "ecl_long", "gal_long"))
STATISTICS = ("science sky", "science contrast", "template contrast", "difference noise", "difference contrast")
_LOGARITHMIC = frozenset({"ndethist", "ncovhist", "non_detections", "chinr", "distpsnr1", "distnr", *STATISTICS})
_BINS = 24

Table = dict[str, np.ndarray]


def main() -> None:
    """Write the table and the figure, and print the table (with --json one object instead)."""
    parser = argparse.ArgumentParser(description="Synthetic beside real packets, feature by feature.")
    parser.add_argument("--real", type=Path, required=True, help="folder of shards with an index.csv")
    parser.add_argument("--objects", type=int, default=300, help="synthetic objects a class")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("docs/figures"))
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    real = real_packets(arguments.real)
    made = {name: synthetic_packets(name, arguments.objects, arguments.seed) for name in CLASSES}
    found = distances(real, made)
    arguments.out.mkdir(parents=True, exist_ok=True)
    text = markdown(found, {name: len(table["magpsf"]) for name, table in real.items()}, arguments.objects)
    (arguments.out / "marginals.md").write_text(text, encoding="utf-8")
    draw(real, made, found).savefig(arguments.out / "marginals.png", dpi=110)
    if arguments.json:
        figures = {f"{feature} {name}": row[name] for feature, row in found.items() for name in CLASSES}
        print(json.dumps({"ratios": {}, "figures": figures | {"median": _median(found)}}))
    else:
        print(text)


def real_packets(folder: Path) -> dict[str, Table]:
    """Return the features of the earliest packet of each labelled object of a folder, by class."""
    return {name: measured(found) for name, found in real_alerts(folder).items()}


def real_alerts(folder: Path) -> dict[str, list[Alert]]:
    """Return the earliest packet of each labelled object of a folder, by class."""
    with (folder / "index.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if _usable(row)]
    first: dict[str, dict[str, str]] = {}
    for row in sorted(rows, key=lambda row: float(row["jd"])):
        first.setdefault(row["objectId"], row)
    wanted = {int(row["candid"]): row["label"] for row in first.values()}
    alerts: dict[str, list[Alert]] = {name: [] for name in CLASSES}
    for path in sorted(folder.glob("*.avro")):
        for item in avro.read(path.read_bytes()):
            if isinstance(item, Decoded) and item.record["candid"] in wanted:
                alerts[wanted[item.record["candid"]]].append(surveys.read(item.record, item.schema))
    return alerts


def _usable(row: dict[str, str]) -> bool:
    sure = row["label_quality"] == "strong" or row["label"] == "bogus"
    return row["label"] in CLASSES and sure and row["shape_ok"] == "1"


def synthetic_packets(name: str, n: int, seed: int) -> Table:
    """Return the features of the first packet of n synthetic objects of a class."""
    records = (synthetic.simulate_object(seed, i, cls=name).records[0] for i in range(n))
    return measured([surveys.read(record, "ztf.alert") for record in records])


def measured(alerts: Sequence[Alert]) -> Table:
    """Return the metadata of alerts and a few statistics of their stamps by name; NaN is missing."""
    table = metadata.table(alerts)
    columns: Table = {name: table[:, metadata.FEATURES.index(name)] for name in FEATURES}
    rows = np.array([_statistics(alert) for alert in alerts])
    return columns | {name: rows[:, i] for i, name in enumerate(STATISTICS)}


def _statistics(alert: Alert) -> list[float]:
    """Return STATISTICS of one alert: robust level and noise, and the centre's height over the noise."""
    images = stamps.triplet(alert, 63).astype(np.float64)
    level = np.nanmedian(images, axis=(0, 1))
    noise = 1.4826 * np.nanmedian(np.abs(images - level), axis=(0, 1))
    centre = np.nanmax(np.nan_to_num(images[30:33, 30:33], nan=-np.inf), axis=(0, 1))
    contrast = (centre - level) / np.maximum(noise, 1e-6)
    return [level[0], contrast[0], contrast[1], noise[2], contrast[2]]


def distances(real: dict[str, Table], made: dict[str, Table]) -> dict[str, dict[str, float]]:
    """Return the Kolmogorov-Smirnov distance of each feature and class, worst feature (by its mean) first."""
    found = {
        feature: {name: _distance(real[name][feature], made[name][feature]) for name in CLASSES}
        for feature in (*FEATURES, *STATISTICS)
    }
    return dict(sorted(found.items(), key=lambda item: -float(np.mean(list(item[1].values())))))


def _distance(a: np.ndarray, b: np.ndarray) -> float:
    """Return the distance of two samples; a missing value counts as one far below all others."""
    return float(ks_2samp(np.nan_to_num(a, nan=-1e30), np.nan_to_num(b, nan=-1e30)).statistic)


def _median(found: dict[str, dict[str, float]]) -> float:
    return float(np.median([value for row in found.values() for value in row.values()]))


def markdown(found: dict[str, dict[str, float]], counts: dict[str, int], objects: int) -> str:
    """Return the table of distances."""
    head = " | ".join(f"{name} ({counts[name]})" for name in CLASSES)
    lines = [
        f"Kolmogorov-Smirnov distance between real packets (objects in brackets) and {objects} synthetic ones a class.",
        f"Median over all features and classes: {_median(found):.2f}.",
        "",
        f"| feature | {head} | mean |",
        "|---|" + "---|" * (len(CLASSES) + 1),
    ]
    for feature, row in found.items():
        cells = " | ".join(f"{row[name]:.2f}" for name in CLASSES)
        lines.append(f"| {feature} | {cells} | {np.mean(list(row.values())):.2f} |")
    return "\n".join(lines) + "\n"


def draw(real: dict[str, Table], made: dict[str, Table], found: dict[str, dict[str, float]]) -> Figure:
    """Return the figure: a row a feature, a column a class; real filled, synthetic as a line."""
    features = list(found)
    figure = Figure(figsize=(3.0 * len(CLASSES), 1.35 * len(features)), layout="constrained")
    axes: Any = figure.subplots(len(features), len(CLASSES), squeeze=False)
    for row, feature in enumerate(features):
        edges = _edges(feature, [table[name][feature] for table in (real, made) for name in CLASSES])
        for column, name in enumerate(CLASSES):
            panel = axes[row][column]
            _histogram(panel, feature, edges, real[name][feature], made[name][feature])
            panel.set_title(f"{found[feature][name]:.2f}", fontsize=7, loc="right", pad=2)
            if column == 0:
                panel.set_ylabel(feature, fontsize=8)
            if row == 0:
                panel.set_title(name, fontsize=10)
    figure.suptitle("real (filled) and synthetic (line); at the right of each panel the KS distance", fontsize=10)
    return figure


def _scaled(feature: str, values: np.ndarray) -> np.ndarray:
    known = values[np.isfinite(values)]
    return np.log10(np.maximum(known, 1e-2)) if feature in _LOGARITHMIC else known


def _edges(feature: str, samples: list[np.ndarray]) -> np.ndarray:
    known = np.concatenate([_scaled(feature, sample) for sample in samples])
    low, high = np.percentile(known, [0.5, 99.5])
    return np.linspace(low, high if high > low else low + 1.0, _BINS)


def _histogram(panel: Any, feature: str, edges: np.ndarray, real: np.ndarray, made: np.ndarray) -> None:
    for values, style in ((real, {"histtype": "stepfilled", "alpha": 0.35}), (made, {"histtype": "step", "lw": 1.2})):
        known = np.clip(_scaled(feature, values), edges[0], edges[-1])
        weights = np.full(known.size, 1.0 / max(values.size, 1))
        panel.hist(known, bins=edges, weights=weights, **style)
    panel.set_yticks([])
    panel.tick_params(labelsize=6)
    if feature in _LOGARITHMIC:
        panel.set_xlabel("log10", fontsize=6, labelpad=0)


if __name__ == "__main__":
    main()
