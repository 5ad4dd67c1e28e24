"""Search for classifiers that are accurate and cheap at once.

Question
    What does each step of accuracy cost in work for an answer? Our own: Optuna with two objectives, balanced accuracy
    on validation and the multiply-adds of an answer, over the rotations, the crop and the kernel, which decide the
    cost, and the learning rate and drop-out, which do not. What is wanted is the Pareto front: those configurations
    that no other beats in both.

Command
    ray job submit --address http://127.0.0.1:8265 --working-dir . -- \
        python -m tune_jobs.pareto --data /abs/prepared --name my-front

    ``--sampler nsga2`` (the default) breeds the next trials from the front so far; ``tpe`` and ``random`` are others.

Cost
    100 trials of three trainings: 10,000 iterations each suit a GPU. On 2 CPU cores ``--trials 12 --seeds 1
    --max-iterations 300`` takes an hour, ``--smoke`` under two minutes.

Result
    The front, cheapest first: settings, balanced accuracy on validation and test with its spread, million
    multiply-adds and the measured time of an answer. Printed, and in MLflow with all trials and the figure as
    ``pareto.md``, ``.json`` and ``front.png`` of the run NAME in the experiment ``pareto``; the trials are in
    ``first-detection``. Nothing is registered: which point of the front to serve is a person's choice.
    tune_jobs/LOG.md.

The same ``--name`` goes on with an interrupted study.
"""

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

from tune_jobs import arguments as common
from tune_jobs import tables

SPACE: dict[str, list[Any]] = {
    "crop": [21, 15, 27, 33, 39],
    "k": [4, 1, 2, 6, 8],
    "theta": [0.0, 0.08],  # rad
    "kernel": [5, 3, 7],
    "learning_rate": [1e-3, 5e-4, 2e-3],
    "dropout": [0.5, 0.2],
}
SMOKE: dict[str, list[Any]] = {"crop": [15, 17], "k": [1], "kernel": [3]}

NOTE = """\
The front by balanced accuracy on validation (mean and standard deviation over the trainings) and by multiply-adds of
one answer, the convolutions and dense layers of all views counted. Test was never looked at in choosing. ms: of one
object, by itself and in a batch of 64, the network alone, warm, median, side by side.
"""


def main(given: Sequence[str] | None = None) -> None:
    """Read the arguments, search, and print the front."""
    arguments = _arguments(given)
    common.connect(arguments)
    from skystamp.cluster import search
    from skystamp.cluster.search import table

    summary = search.search(_study(arguments))
    rows = fronted(table.rows(summary.tried, ""))
    text = f"{markdown([row for row in rows if row['front']])}\n{NOTE}"
    common.log_table(arguments, "pareto", text, rows, {"front": figure(rows)})
    print(f"\n{common.ended(summary)}\n\n{text}")


def fronted(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return rows with ``front``, whether nothing beats them in accuracy and cost; cheapest first."""
    import numpy as np

    from skystamp import statistics

    scores, costs = (np.array([row[name] for row in rows], float) for name in ("validation", "multiply_adds"))
    marks = statistics.front(scores, costs).tolist()
    found = [{**row, "front": mark} for row, mark in zip(rows, marks, strict=True)]
    return sorted(found, key=lambda row: row["multiply_adds"])


def markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return rows with their settings as Markdown."""
    settings = list(rows[0]["settings"])
    head = [*settings, "trainings", "validation", "test", "million multiply-adds", "ms single", "ms in 64"]
    lines = [
        [
            *(str(row["settings"][name]) for name in settings),
            str(row["trainings"]),
            *(tables.score(row, split) for split in ("validation", "test")),
            f"{row['multiply_adds'] / 1e6:.1f}",
            f"{row['ms_single']:.2f}",
            f"{row['ms_batch']:.3f}",
        ]
        for row in rows
    ]
    return tables.markdown(head, lines)


def figure(rows: Sequence[Mapping[str, Any]]) -> Any:
    """Return accuracy against cost with the front drawn."""
    import numpy as np

    from skystamp import figures

    return figures.tradeoff_figure(
        np.array([row["validation"] for row in rows]),
        np.array([row["multiply_adds"] / 1e6 for row in rows]),
        names=[f"a {row['settings']['crop']}, k {row['settings']['k']}" for row in rows],
        marked=np.array([row["front"] for row in rows]),
        cost="million multiply-adds for one object",
        spreads=np.array([row["validation_spread"] or np.nan for row in rows]),
        join=True,
    )


def _study(arguments: argparse.Namespace) -> Any:
    from skystamp.cluster import search

    space = SMOKE if arguments.smoke else SPACE
    return search.Study(
        **common.shared(arguments),
        name=arguments.name,
        space=space,
        first=({name: values[0] for name, values in space.items()},),
        fixed=common.fixed(arguments),
        trials=arguments.trials,
        sampler=arguments.sampler,
        cheap=True,
        test_each=True,
        time_each=True,
        register=False,
        prune=False,
    )


def _arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = common.parser("pareto", __doc__, trials=False)
    parser.add_argument("--trials", type=int, default=100, help="configurations to try")
    parser.add_argument("--sampler", choices=("nsga2", "tpe", "random"), default="nsga2")
    parser.set_defaults(seeds=3, max_iterations=10_000, validate_every=50)
    arguments = parser.parse_args(given)
    if arguments.smoke:
        arguments.trials, arguments.seeds, arguments.max_iterations, arguments.validate_every = 2, 1, 2, 2
    return arguments


if __name__ == "__main__":
    main()
