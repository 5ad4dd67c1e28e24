"""Repeat the random search of the stamp classifier's hyperparameters.

Question
    Which hyperparameters make the first-detection classifier best, and what do they cost in time? Carrasco-Davis et al.
    (2021), Table 3: 133 random combinations of learning rate, beta, batch, crop, drop-out and kernel, each trained five
    times; the five best, and Welch's test between the first and the fifth; accuracy against the time of an answer.
    Their best: learning rate 1e-3, beta 0.5, batch 64, crop 21, drop-out 0.5, kernel 5.

Command
    ray job submit --address http://127.0.0.1:8265 --working-dir . -- \
        python -m tune_jobs.stamp_random_search --data /abs/prepared --name my-search

Cost
    665 trainings of 30,000 iterations, for GPUs: on 2 CPU cores one of 21 pixels at batch 64 takes two hours, one of 63
    pixels a day. ``--trials 8 --seeds 3 --max-iterations 500`` takes some hours there, ``--smoke`` under two minutes.
    `tune_jobs.first_detection` searches the same space with TPE and ASHA, for a fraction of it.

Result
    The five best: settings, balanced accuracy on validation and test with its spread, the time of an answer, and p of
    Welch's test of the best against each. Printed, and in MLflow with all combinations and the figure of accuracy
    against time as ``stamp-random-search.md``, ``.json`` and ``tradeoff.png`` of the run NAME in the experiment
    ``stamp-random-search``; the trials are in ``first-detection``. The best by validation is registered.
    tune_jobs/LOG.md.

The same ``--name`` goes on with an interrupted study.
"""

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

from tune_jobs import arguments as common
from tune_jobs import tables
from tune_jobs.first_detection import PAPER

SHOWN = 5
SMOKE: dict[str, list[Any]] = {"beta": [0.5, 0.0], "kernel": [3], "crop": [15]}

NOTE = """\
Validation and test: mean of the classes' recalls, mean and standard deviation over the trainings; ordered and chosen by
validation. p: Welch's test of the best against this one, on either split, uncorrected for the number of comparisons.
ms: of one object, by itself and in a batch of 64, the network alone, warm, median, side by side.
"""


def main(given: Sequence[str] | None = None) -> None:
    """Read the arguments, run the search, and print its five best."""
    arguments = _arguments(given)
    common.connect(arguments)
    from skystamp.cluster import search
    from skystamp.cluster.search import table

    summary = search.search(_study(arguments))
    rows = tested(table.rows(summary.tried, summary.choice.chosen))
    text = f"{markdown(rows[:SHOWN])}\n{NOTE}"
    common.log_table(arguments, "stamp-random-search", text, rows, {"tradeoff": figure(rows)})
    print(f"\n{common.ended(summary)}\n\n{text}")
    print(f"registered {summary.model} version {summary.version} as {summary.alias}")


def tested(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return rows, best first, with ``p_validation`` and ``p_test`` of Welch's test of the best; None if untestable."""
    from skystamp import statistics

    def p(row: Mapping[str, Any], split: str) -> float | None:
        best, other = rows[0][f"{split}_each"], row[f"{split}_each"]
        return statistics.welch(best, other).p if min(len(best), len(other)) > 1 else None

    return [{**row, **{f"p_{split}": p(row, split) for split in ("validation", "test")}} for row in rows]


def markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return rows with their settings as Markdown."""
    settings = list(rows[0]["settings"])
    head = [*settings, "trainings", "validation", "test", "ms single", "ms in 64", "p validation", "p test"]
    return tables.markdown(head, [[str(row["settings"][name]) for name in settings] + _cells(row) for row in rows])


def figure(rows: Sequence[Mapping[str, Any]]) -> Any:
    """Return accuracy against the time of a single answer, the five best marked."""
    import numpy as np

    from skystamp import figures

    return figures.tradeoff_figure(
        np.array([row["validation"] for row in rows]),
        np.array([row["ms_single"] for row in rows]),
        names=[", ".join(f"{name} {value}" for name, value in row["settings"].items()) for row in rows],
        marked=np.arange(len(rows)) < SHOWN,
        cost="ms for one object",
        spreads=np.array([row["validation_spread"] or np.nan for row in rows]),
    )


def _cells(row: Mapping[str, Any]) -> list[str]:
    scores = [tables.score(row, split) for split in ("validation", "test")]
    times = [f"{row['ms_single']:.2f}", f"{row['ms_batch']:.3f}"]
    return [str(row["trainings"]), *scores, *times, tables.p(row["p_validation"]), tables.p(row["p_test"])]


def _study(arguments: argparse.Namespace) -> Any:
    from skystamp.cluster import search

    return search.Study(
        **common.shared(arguments),
        name=arguments.name,
        space=SMOKE if arguments.smoke else PAPER,
        fixed=common.fixed(arguments),
        trials=arguments.trials,
        sampler="random",
        test_each=True,
        time_each=True,
        prune=False,
    )


def _arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = common.parser("stamp_random_search", __doc__, trials=False)
    parser.add_argument("--trials", type=int, default=133, help="combinations to try")
    arguments = parser.parse_args(given)
    if arguments.smoke:
        arguments.trials, arguments.seeds, arguments.max_iterations, arguments.validate_every = 1, 2, 2, 2
    return arguments


if __name__ == "__main__":
    main()
