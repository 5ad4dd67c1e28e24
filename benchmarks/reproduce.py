"""The papers' tables beside ours: what their authors published, and what our studies found on the data at hand.

    python -m benchmarks.reproduce [--tracking-uri URI] [--run EXPERIMENT=NAME] [--real DIR --model NAME@ALIAS] [--json]

Ours are read from MLflow: the newest run of each study, or the one that --run names. Nothing is trained; a study that
was not run is said to be so, with the command that runs it. --real DIR (Avro shards with an `index.csv`, as of
`benchmarks.marginals`) scores a registered model on the first packets of labelled real objects besides.

The data differ. Published figures are of the authors' own labelled ZTF alerts, ours of what the studies were given:
synthetic alerts, unless somebody prepared real ones. So a ratio of 1 is a coincidence, and what can be compared is who
wins and by how much. Figures that are not known to us are left empty.
"""

import argparse
import json
import os
import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from skystamp import classify, tracking
from skystamp.errors import UsageError

Rows = Sequence[Mapping[str, Any]]

DIFFER = """\
The data differ: the papers' figures are of their authors' labelled ZTF alerts, ours of the data that each study names.
Per cent of objects of a test set that holds as many of every class; ours are mean ± standard deviation of trainings.
"""


@dataclass(frozen=True)
class Line:
    """One row: what it is of, the paper's figure and ours (per cent, None where unknown), and a remark."""

    name: str
    paper: float | None
    ours: float | None = None
    spread: float | None = None
    remark: str = ""


@dataclass(frozen=True)
class Table:
    """One table of a paper, and the study that repeats it: how its lines are made of the study's rows."""

    title: str
    source: str
    experiment: str
    lines: Callable[[Rows], list[Line]]

    @property
    def command(self) -> str:
        """What runs the study."""
        return f"python -m tune_jobs.{self.experiment.replace('-', '_')} --data DIR"


@dataclass(frozen=True)
class Filled:
    """A table with what was found of it; `run` is empty where the study was not run."""

    table: Table
    lines: list[Line]
    run: str = ""
    data: str = ""


def main() -> None:
    """Print the tables, or with --json one object of `ratios` and `figures`."""
    parser = argparse.ArgumentParser(description="The papers' tables beside ours.")
    parser.add_argument("--tracking-uri", default=os.environ.get("MLFLOW_TRACKING_URI"))
    parser.add_argument("--run", action="append", default=[], metavar="EXPERIMENT=NAME", help="not the newest one")
    parser.add_argument("--real", type=Path, help="folder of real shards with an index.csv")
    parser.add_argument("--model", default="first-detection@champion", help="that --real scores")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    uri = arguments.tracking_uri or tracking.default_uri()
    names = dict(one.split("=", 1) for one in arguments.run)
    filled = [fill(table, uri, names.get(table.experiment)) for table in TABLES]
    if arguments.real:
        filled.append(real(arguments.real, arguments.model, uri))
    print(json.dumps(as_json(filled)) if arguments.json else report(filled, uri))


def fill(table: Table, uri: str, name: str | None) -> Filled:
    """Return a table with the figures of its study's newest run that has come to a table, or of the run of a name."""
    tracker = tracking.find_tracker(table.experiment, uri)
    for run in tracker.tops() if tracker else []:
        if name in (None, run.info.run_name):
            try:
                rows = json.loads(tracker.read_text(run.info.run_id, f"{table.experiment}.json"))
            except UsageError:
                continue  # a study that has not come to its table yet
            return Filled(table, table.lines(rows), run.info.run_name, run.data.tags.get("data", "not named"))
    return Filled(table, table.lines([]))


def real(folder: Path, reference: str, uri: str) -> Filled:
    """Return the recalls of a registered model on the first packets of labelled real objects."""
    from benchmarks import marginals

    model, found = tracking.load(reference, uri), marginals.real_alerts(folder)
    recalls = {name: _recall(classify.alert_outcomes(alerts, model), name) for name, alerts in found.items()}
    lines = [
        Line(f"recall {name}", CHECKPOINT.get(name), recalls[name], remark=f"{len(found[name])} objects")
        for name in found
    ]
    known = [recalls[name] for name in CHECKPOINT]
    lines.append(Line(f"mean of {len(CHECKPOINT)}", float(np.mean(list(CHECKPOINT.values()))), float(np.mean(known))))
    source = "the published ALeRCE checkpoint, images only, on the same packets (tune_jobs/LOG.md)"
    table = Table("Real packets, each object's first", source, "real", lambda _: [])
    return Filled(table, lines, f"{model.name} {model.version}", f"real packets of {folder}")


CHECKPOINT = {"AGN": 36.0, "SN": 88.0, "VS": 88.0, "asteroid": 91.0}
"""Recalls of the published checkpoint on strongly labelled objects."""


def _recall(outcomes: Sequence[classify.Outcome], label: str) -> float:
    right = [isinstance(one, classify.Classification) and one.label == label for one in outcomes]
    return 100 * float(np.mean(right)) if right else float("nan")


def _line(name: str, paper: float | None, row: Mapping[str, Any] | None, remark: str = "") -> Line:
    """Return the line of a study's row, on test; without one, of the paper alone."""
    if row is None or row["test"] is None:
        return Line(name, paper, remark=remark)
    spread = row["test_spread"]
    count = f"{row['trainings']} trainings{'; ' if remark else ''}{remark}"
    return Line(name, paper, 100 * row["test"], None if spread is None else 100 * spread, count)


def random_search(rows: Rows) -> list[Line]:
    """Return the five best of the random search beside the paper's best settings."""
    settings = "lr 0.001, beta 0.5, batch 64, crop 21, dropout 0.5, kernel 5"
    best = [
        _line(f"ours, rank {rank}: {_settings(row['settings'])}", None, row, _p("Welch p", row["p_test"]))
        for rank, row in enumerate(rows[:5], start=1)
    ]
    return [Line(f"paper's best: {settings}", None), *best]


def enhanced(rows: Rows) -> list[Line]:
    """Return baseline, fully random one and best, and what the best gains over the baseline."""
    from tune_jobs import enhanced_grid

    found = {row["configuration"]: row for row in rows if row["part"] == "top"}
    baseline = found.get(enhanced_grid.name_of(enhanced_grid.BASELINE))
    fully = found.get(enhanced_grid.name_of(enhanced_grid.RANDOM))
    published = found.get(enhanced_grid.name_of(enhanced_grid.PUBLISHED))
    ours = next((row for row in found.values() if row["chosen"]), None)
    gain = 100 * (published["test"] - baseline["test"]) if published and baseline else None
    p = _p("p against the baseline", published["p_baseline"]) if published else ""
    return [
        _line("baseline: a 21, k 4, theta 0", 91.44, baseline),
        _line("fully random: a 21, k 4, theta 360", None, fully),
        _line("published best: a 33, k 6, theta 0.08 rad", 93.36, published, p),
        Line("its gain over the baseline, points", 93.36 - 91.44, gain),
        _line(f"our best by validation: {ours['configuration'] if ours else '-'}", None, ours),
    ]


def images_only(rows: Rows) -> list[Line]:
    """Return both and images alone."""
    found = {row["configuration"]: row for row in rows}
    return [_line(name, None, found.get(name)) for name in ("images and metadata", "images")]


def betas(rows: Rows) -> list[Line]:
    """Return accuracy by beta, with the calibration error as a remark."""
    remarks = [f"calibration error {row['calibration_error']:.3f}" for row in rows]
    found = [_line(row["configuration"], None, row, remark) for row, remark in zip(rows, remarks, strict=True)]
    return found or [Line("beta 0 to 1", None)]


def temporal(rows: Rows) -> list[Line]:
    """Return the chosen cell of each number of detections beside the published."""
    chosen = {row["n"]: row for row in rows if row["chosen"]}
    return [
        _line(f"{n} detections; paper: {cell}", paper, chosen.get(n), _chosen(chosen.get(n)))
        for n, (cell, paper) in TEMPORAL.items()
    ]


TEMPORAL = {2: ("Conv1D", 98.47), 3: ("Conv1D", 98.33), 4: ("Conv1D", 97.87), 5: ("LSTM 128", 98.43)}


def ablation(rows: Rows) -> list[Line]:
    """Return each part of each number of detections."""
    found = [_line(f"{row['n']} detections, {row['configuration']}", None, row) for row in rows]
    return found or [Line("images, metadata, AllWISE", None)]


MULTISCALE = {"multi-scale": 87.39, "full 63": 86.68, "cropped 16": 86.19, "low resolution 16": 82.69}

STAMP = "Carrasco-Davis et al. 2021 (AJ 162, 231)"
NEIRA = "Neira, Estevez and Forster 2024 (arXiv 2405.15073)"

TABLES = (
    Table("Random search", f"{STAMP}, Table 3", "stamp-random-search", random_search),
    Table("Images alone", f"{STAMP}, Appendix D", "images-only", images_only),
    Table("The entropy term", f"{STAMP}, Figure 7", "entropy-beta", betas),
    Table("Enhanced stamp classifier", f"{NEIRA}, Tables 1 and 2", "enhanced-grid", enhanced),
    Table("Temporal stamp classifier", f"{NEIRA}, Tables 5 and 6", "temporal", temporal),
    Table("Its inputs", f"{NEIRA}, Table 7", "temporal-ablation", ablation),
)


def as_json(filled: Sequence[Filled]) -> dict[str, dict[str, float]]:
    """Return ``figures``, the paper's and ours, per cent, and ``ratios``, ours by the paper's where both are known."""
    ratios: dict[str, float] = {}
    figures: dict[str, float] = {}
    for each in filled:
        for line in each.lines:
            name = f"{each.table.experiment}: {line.name}"
            known = {"paper": line.paper, "ours": line.ours}
            figures |= {f"{name}, {whose}": value for whose, value in known.items() if value is not None}
            if line.paper and line.ours is not None:
                ratios[name] = line.ours / line.paper
    return {"ratios": ratios, "figures": figures}


def report(filled: Sequence[Filled], uri: str) -> str:
    """Return the tables as text."""
    parts = [f"{DIFFER}Ours from {uri}."]
    for each in filled:
        ours = f"run {each.run}, data: {each.data}" if each.run else f"not run; {each.table.command}"
        head = f"{each.table.title}: {each.table.source}\n  ours: {ours}"
        parts.append("\n".join([head, f"  {'':58}{'paper':>8}{'ours':>16}{'ratio':>7}", *map(_text, each.lines)]))
    lines = [f"  {name:58}{value:8.2f}{'-':>16}" for name, value in MULTISCALE.items()]
    parts.append("\n".join(["Multi-scale stamps, macro F1: published; ours: not run, there is no study of it", *lines]))
    return "\n\n".join(parts)


def _text(line: Line) -> str:
    paper = "-" if line.paper is None else f"{line.paper:.2f}"
    spread = "" if line.spread is None else f" ± {line.spread:.2f}"
    ours = "-" if line.ours is None else f"{line.ours:.2f}{spread}"
    ratio = f"{line.ours / line.paper:.3f}" if line.paper and line.ours is not None else ""
    first, *rest = textwrap.wrap(line.name, 56)
    after = [f"  {'  ' + more:58}" for more in rest]
    return "\n".join([f"  {first:58}{paper:>8}{ours:>16}{ratio:>7}  {line.remark}".rstrip(), *after])


def _settings(settings: Mapping[str, Any]) -> str:
    short = {"learning_rate": "lr"}
    return ", ".join(f"{short.get(name, name)} {value}" for name, value in settings.items())


def _chosen(row: Mapping[str, Any] | None) -> str:
    return f"ours: {row['configuration']}" if row else ""


def _p(name: str, value: float | None) -> str:
    return "" if value is None else f"{name} {value:.3f}"


if __name__ == "__main__":
    main()
