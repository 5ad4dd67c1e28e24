"""A folder of packets, sent to a running service, as a table: true class against answered class where known."""

import csv
import os
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from skystamp import taxonomy

_TRUTH_FILES = ("labels.csv", "index.csv")


def report(url: str, folder: Path, console: Console) -> None:
    """Classify the packets of a folder over HTTP and print a confusion table, or counts where no truth is known."""
    from skystamp import client

    with console.status("packets on their way"):
        outcomes = list(client.classify_files(url, [folder], token=os.environ.get("SKYSTAMP_TOKEN", "")))
    truth = _truth(folder)
    rejected = Counter(str(outcome["reason"]) for outcome in outcomes if outcome["outcome"] == "rejection")
    answered = [outcome for outcome in outcomes if outcome["outcome"] == "classification"]
    console.print(f"{len(outcomes)} packets: {len(answered)} classifications, {rejected.total()} rejections", end="")
    console.print(f" ({', '.join(f'{reason} {n}' for reason, n in rejected.items())})" if rejected else "")
    console.print(_table(answered, truth))
    known = [(truth[o["object_id"]], o["class"]) for o in answered if o["object_id"] in truth]
    if known:
        right = sum(true == answer for true, answer in known)
        console.print(f"{right} of {len(known)} packets with a known class are right ({right / len(known):.1%}).")


def _truth(folder: Path) -> dict[str, str]:
    """Return class by object, from a label table that lies beside the packets."""
    for name in _TRUTH_FILES:
        file = folder / name
        if file.is_file():
            with file.open(newline="") as rows:
                labels = {row["objectId"]: row.get("class") or row.get("label") or "" for row in csv.DictReader(rows)}
            return {name: known for name, label in labels.items() if (known := taxonomy.class_of(label))}
    return {}


def _table(answered: list[dict[str, Any]], truth: Mapping[str, str]) -> Table:
    counts = Counter((truth.get(o["object_id"], "unknown"), o["class"]) for o in answered)
    answers = [name for name in taxonomy.CLASSES if any(answer == name for _, answer in counts)]
    table = Table(title="true class (rows) and answer (columns)")
    for name in ("", *answers, "recall"):
        table.add_column(name, justify="right" if name else "left")
    for true in (*taxonomy.CLASSES, "unknown"):
        row = [counts[true, answer] for answer in answers]
        if sum(row):
            recall = f"{counts[true, true] / sum(row):.2f}" if true in taxonomy.CLASSES else ""
            table.add_row(true, *map(str, row), recall)
    return table
