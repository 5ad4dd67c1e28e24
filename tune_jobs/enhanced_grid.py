"""Search the rotations of the enhanced stamp classifier and compare the best of them with the plain one.

Question
    How many rotations, how much jitter, and how large a crop? Neira, Estevez and Forster (2024), Tables 1 and 2: k 4 to
    8, theta 0 to 360 degrees, a 21 to 39 pixels, all 140 combinations trained five times; the five best trained 20
    times, and tested against the baseline (a 21, k 4, theta 0: the stamp classifier of 2021) and a fully random one.
    Theirs: a 33, k 6, theta 0.08 rad has 93.36 %, the baseline 91.44 %.

Command
    ray job submit --address http://127.0.0.1:8265 --working-dir . -- \
        python -m tune_jobs.enhanced_grid --data /abs/prepared --name my-grid

    ``--k``, ``--theta`` (degrees) and ``--crop`` cut the grid; ``--published`` leaves it out and takes the paper's best
    for the best. ``--top`` and ``--top-seeds`` say how many are trained again and how often.

Cost
    700 trainings of 30,000 iterations and then 140 more, for GPUs: on 2 CPU cores an iteration at batch 64 takes 0.25 s
    with the baseline, 0.8 s with a 33 and k 6. ``--published --top-seeds 4 --max-iterations 400 --set batch=32`` takes
    half an hour there, ``--smoke`` under two minutes.

Result
    A table of the trainings of the best: balanced accuracy on validation and test with its spread, the time of an
    answer, and p of permutation tests on test against the baseline and against the fully random one. Printed, and in
    MLflow as ``enhanced-grid.md`` and ``.json`` (which has the grid too) of the run NAME in the experiment
    ``enhanced-grid``; the trials are in ``first-detection`` under NAME-grid and NAME-top. The best of the second part
    by validation is registered as ``first-detection``. tune_jobs/LOG.md.

"Fully random" is read as the baseline with theta 360 degrees. The same ``--name`` goes on with an interrupted study.
"""

import argparse
import math
from collections.abc import Mapping, Sequence
from typing import Any

from tune_jobs import arguments as common
from tune_jobs import tables

K = (4, 5, 6, 7, 8)
THETA = (0.0, 7.0, 14.0, 22.0, 29.0, 36.0, 360.0)  # degrees
CROP = (21, 27, 33, 39)

BASELINE = {"crop": 21, "k": 4, "theta": 0.0}
RANDOM = {"crop": 21, "k": 4, "theta": math.radians(360)}
PUBLISHED = {"crop": 33, "k": 6, "theta": 0.08}

Settings = Mapping[str, Any]

NOTE = """\
Validation and test: mean of the classes' recalls, mean and standard deviation over the trainings; with as many objects
of every class that is the accuracy. p: permutation tests of the trainings, on test, uncorrected for their number,
against the baseline (a 21, k 4, theta 0) and the fully random one (the same with theta 360). ms: of one object, by
itself and in a batch of 64, the network alone, warm, median, side by side.
"""


def main(given: Sequence[str] | None = None) -> None:
    """Read the arguments, search, train the best again, and print the comparison."""
    arguments = _arguments(given)
    common.connect(arguments)
    from skystamp.cluster import search
    from skystamp.cluster.search import table

    searched: list[dict[str, Any]] = []
    best = [PUBLISHED]
    if not arguments.published:
        summary = search.search(_study(arguments, "grid", grid(arguments.crop, arguments.k, arguments.theta)))
        searched = table.rows(summary.tried, "")
        best = [dict(each.settings) for each in summary.tried[: arguments.top]]
        print(f"{common.ended(summary)}\n\n{table.markdown(searched)}", flush=True)
    summary = search.search(_study(arguments, "top", finalists(best)))
    rows = compared(table.rows(summary.tried, summary.choice.chosen))
    text = f"{markdown(rows)}\n{NOTE}"
    parts = [{"part": part, **row} for part, found in (("grid", searched), ("top", rows)) for row in found]
    common.log_table(arguments, "enhanced-grid", text, parts)
    print(f"\n{common.ended(summary)}\n\n{text}")
    print(f"registered {summary.model} version {summary.version} as {summary.alias}")


def name_of(settings: Settings) -> str:
    """Return a configuration's name, with theta in degrees."""
    return f"a {settings['crop']}, k {settings['k']}, theta {math.degrees(settings['theta']):.3g}"


def grid(crops: Sequence[int], ks: Sequence[int], degrees: Sequence[float]) -> dict[str, Settings]:
    """Return every combination by its name; `degrees` are of theta."""
    every = ({"crop": a, "k": k, "theta": math.radians(theta)} for a in crops for k in ks for theta in degrees)
    return {name_of(settings): settings for settings in every}


def finalists(best: Sequence[Settings]) -> dict[str, Settings]:
    """Return the best, the baseline and the fully random one, each once."""
    return {name_of(settings): settings for settings in (*best, BASELINE, RANDOM)}


def compared(rows: Sequence[Settings]) -> list[dict[str, Any]]:
    """Return rows of the finalists with ``p_baseline`` and ``p_random``, on test; None where one of them failed."""
    import numpy as np

    from skystamp import statistics

    rng = np.random.default_rng(0)
    each = {row["configuration"]: row["test_each"] for row in rows}

    def against(other: Settings, name: str) -> float | None:
        if name_of(other) not in each:
            return None
        return statistics.permutation_test(each[name], each[name_of(other)], rng=rng).p

    columns = {"p_baseline": BASELINE, "p_random": RANDOM}
    return [{**row, **{p: against(other, row["configuration"]) for p, other in columns.items()}} for row in rows]


def markdown(rows: Sequence[Settings]) -> str:
    """Return the comparison as Markdown, the registered configuration in bold."""
    head = ["configuration", "trainings", "validation", "test", "ms single", "ms in 64", "p baseline", "p random"]
    return tables.markdown(head, [_cells(row) for row in rows])


def _cells(row: Settings) -> list[str]:
    name = row["configuration"]
    return [
        f"**{name}**" if row["chosen"] else name,
        str(row["trainings"]),
        *(tables.score(row, split) for split in ("validation", "test")),
        f"{row['ms_single']:.2f}",
        f"{row['ms_batch']:.3f}",
        tables.p(row["p_baseline"]),
        tables.p(row["p_random"]),
    ]


def _study(arguments: argparse.Namespace, part: str, configurations: Mapping[str, Settings]) -> Any:
    from skystamp.cluster import search

    is_last = part == "top"
    shared = {**common.shared(arguments), **({"seeds": arguments.top_seeds} if is_last else {})}
    return search.Study(
        **shared,
        name=f"{arguments.name}-{part}",
        configurations=configurations,
        fixed=common.fixed(arguments),
        test_each=True,
        time_each=is_last,
        register=is_last,
        prune=False,
    )


def _arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = common.parser("enhanced_grid", __doc__, trials=False)
    parser.add_argument("--k", type=int, nargs="+", default=K, help="rotations")
    parser.add_argument("--theta", type=float, nargs="+", default=THETA, help="their range, degrees")
    parser.add_argument("--crop", type=int, nargs="+", default=CROP, help="pixels kept")
    parser.add_argument("--published", action="store_true", help="no grid: the paper's best against the others")
    parser.add_argument("--top", type=int, default=5, help="configurations to train again")
    parser.add_argument("--top-seeds", type=int, default=20, help="trainings of each of those")
    arguments = parser.parse_args(given)
    if arguments.smoke:
        arguments.k, arguments.theta, arguments.crop, arguments.top = (1,), (0.0,), (15,), 1
        arguments.seeds, arguments.top_seeds, arguments.max_iterations, arguments.validate_every = 1, 1, 2, 2
    return arguments


if __name__ == "__main__":
    main()
