"""Compare the cells of the temporal classifier, for two to five detections.

Question
    Which cell reads a sequence of n detections best, and which of those that are as good answers fastest? Neira,
    Estevez and Forster (2024) trained every configuration of their Table 5 ten times for each n and took, of those
    that a permutation test does not tell from the most accurate, the fastest: a convolution for 2, 3 and 4, an LSTM of
    128 units for 5. Here the same, with a transformer besides: 45 configurations for n = 2, one more for each n after.

Command
    ray job submit --address http://127.0.0.1:8265 --working-dir . -- \
        python -m tune_jobs.temporal --data /abs/prepared --name my-study

    ``--detections 2 3`` for some n, ``--cells lstm,conv1d`` for some cells, ``--space short`` for one configuration of
    each cell, ``--set k=4`` for settings of all trainings (Adam at 1e-4, batch 128, crop 33, k 6 and theta 0.08 unless
    set). The data have to be prepared with sequences; a catalogue is wanted for the AllWISE colours.

Cost
    Trainings are configurations x seeds: 1,860 in all as it stands, which is meant for GPUs. An iteration of batch 128
    costs that of n x 128 first detections. Fewer than four seeds make no permutation test at 0.05 possible; the study
    then takes the most accurate and says so. ``--smoke``, of n = 2 unless others are given, takes under two minutes on
    2 CPU cores.

Result
    One table for all n and cells: accuracy on validation and test with its spread over the seeds, the time of an
    answer, p against the most accurate. Printed, and in MLflow as ``temporal.md`` and ``temporal.json`` of the run
    NAME in the experiment ``temporal``; each n has a run of its own in ``temporal-n``, its trials nested under it. What
    was chosen is registered as ``temporal-n``. tune_jobs/LOG.md.

The same ``--name`` goes on with an interrupted study.
"""

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

from tune_jobs import arguments as common
from tune_jobs import temporal_cells

DETECTIONS = (2, 3, 4, 5)
SMOKE = {"crop": 21, "k": 1, "theta": 0.0, "kernel": 3, "batch": 12}


def main(given: Sequence[str] | None = None) -> None:
    """Read the arguments, run a study for each n, and print their table."""
    arguments = _arguments(given)
    plans = {n: _configurations(arguments, n) for n in arguments.detections}
    common.connect(arguments)
    from skystamp.cluster import search
    from skystamp.cluster.search import table

    rows: list[dict[str, Any]] = []
    notes: list[str] = []
    for n, configurations in plans.items():
        summary = search.search(_study(arguments, n, configurations))
        found = [{"n": n, **row} for row in table.rows(summary.tried, summary.choice.chosen)]
        print(f"\n{common.ended(summary)}\n\n{table.markdown(found, ['n'])}\n{_outcome(summary)}", flush=True)
        rows += found
        notes.append(_outcome(summary))
        text = "\n".join([table.markdown(rows, ["n"]), *(f"- {note}" for note in notes), "", table.NOTE])
        common.log_table(arguments, "temporal", text, rows)  # after each n: the next may take a day and fail
    print(f"\n{text}")


def _study(arguments: argparse.Namespace, n: int, configurations: Mapping[str, Mapping[str, Any]]) -> Any:
    from skystamp import routing
    from skystamp.cluster import search

    return search.Study(
        **common.shared(arguments),
        name=f"{arguments.name}-{n}",
        model=routing.MODEL_FOR[n],
        configurations=configurations,
        fixed={**(SMOKE if arguments.smoke else {}), **common.fixed(arguments)},
        choose=search.FASTEST_OF_EQUALS,
        alpha=arguments.alpha,
        test_each=True,
        prune=False,
    )


def _configurations(arguments: argparse.Namespace, n: int) -> temporal_cells.Configurations:
    cells = arguments.cells.split(",") if arguments.cells else temporal_cells.CELLS
    return temporal_cells.of(arguments.space, n, cells, arguments.units)


def _outcome(summary: Any) -> str:
    best = f"its best seed has test accuracy {summary.test['accuracy']:.4f}"
    return f"{summary.model} version {summary.version}, registered as {summary.alias}: {summary.choice.note}; {best}"


def _arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = common.parser("temporal", __doc__, trials=False)
    parser.add_argument("--detections", type=int, nargs="+", choices=DETECTIONS, help="n, some or all; default all")
    parser.add_argument("--space", choices=sorted(temporal_cells.SPACES), default="table5")
    parser.add_argument("--cells", help=f"some of {','.join(temporal_cells.CELLS)}; default all")
    parser.add_argument("--units", type=int, nargs="+", default=list(temporal_cells.UNITS), help="of recurrent cells")
    parser.add_argument("--alpha", type=float, default=0.05, help="p below which configurations differ")
    parser.set_defaults(seeds=10, validate_every=50)
    arguments = parser.parse_args(given)
    if arguments.smoke:
        arguments.space, arguments.seeds, arguments.max_iterations, arguments.validate_every = "smoke", 1, 6, 3
    arguments.detections = arguments.detections or ([2] if arguments.smoke else list(DETECTIONS))
    return arguments


if __name__ == "__main__":
    main()
