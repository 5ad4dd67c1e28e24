"""Take the metadata away from the stamp classifier.

Question
    What do the metadata add to the images of a first detection? Carrasco-Davis et al. (2021), Appendix D: the same
    network trained with images alone and with both.

Command
    ray job submit --address http://127.0.0.1:8265 --working-dir . -- \
        python -m tune_jobs.images_only --data /abs/prepared --name my-images

Cost
    Ten trainings of 30,000 iterations: on 2 CPU cores two hours each, on a GPU minutes. ``--max-iterations 500 --seeds
    4`` takes a quarter of an hour on 2 cores, ``--smoke`` under two minutes.

Result
    A row with both and a row with images alone: balanced accuracy on validation and test with its spread, the mean
    recall of each class on test, and p of a permutation test against both. Printed, and in MLflow as ``images-only.md``
    and ``.json`` of the run NAME in the experiment ``images-only``. Nothing is registered. tune_jobs/LOG.md.

The same ``--name`` goes on with an interrupted study.
"""

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

from tune_jobs import arguments as common
from tune_jobs import tables

BOTH = "images and metadata"
PARTS = {BOTH: {"features": "23"}, "images": {"features": "none"}}

NOTE = f"""\
Validation and test: mean of the classes' recalls, mean and standard deviation over the trainings. Recalls: of each
class on test, mean over the trainings. p: permutation test of the trainings against those of "{BOTH}", on test.
"""


def main(given: Sequence[str] | None = None) -> None:
    """Read the arguments, train both, and print their table."""
    arguments = _arguments(given)
    common.connect(arguments)
    from skystamp.cluster import search

    summary = search.search(_study(arguments))
    rows = rows_of(summary.tried, summary.classes)
    text = f"{markdown(rows, summary.classes)}\n{NOTE}"
    common.log_table(arguments, "images-only", text, rows)
    print(f"\n{common.ended(summary)}\n\n{text}")


def rows_of(tried: Sequence[Any], classes: Sequence[str]) -> list[dict[str, Any]]:
    """Return the rows in the order of `PARTS`, with ``p_both`` and each class's recall; None where there is none."""
    import numpy as np

    from skystamp import statistics
    from skystamp.cluster.search import table

    by_name = {each.name: (each, table.row(each, "")) for each in tried}
    rng = np.random.default_rng(0)

    def p(row: Mapping[str, Any]) -> float | None:
        both = by_name.get(BOTH)
        return statistics.permutation_test(row["test_each"], both[1]["test_each"], rng=rng).p if both else None

    found = []
    for name in (part for part in PARTS if part in by_name):
        each, row = by_name[name]
        recalls = {f"recall_{label}": float(np.mean(each.values(f"test_recall_{label}"))) for label in classes}
        found.append({**row, **recalls, "p_both": p(row)})
    return found


def markdown(rows: Sequence[Mapping[str, Any]], classes: Sequence[str]) -> str:
    """Return the rows as Markdown."""
    head = ["", "trainings", "validation", "test", *classes, "p"]
    lines = [
        [
            row["configuration"],
            str(row["trainings"]),
            *(tables.score(row, split) for split in ("validation", "test")),
            *(f"{row[f'recall_{label}']:.3f}" for label in classes),
            tables.p(row["p_both"]),
        ]
        for row in rows
    ]
    return tables.markdown(head, lines)


def _study(arguments: argparse.Namespace) -> Any:
    from skystamp.cluster import search

    return search.Study(
        **common.shared(arguments),
        name=arguments.name,
        configurations=PARTS,
        fixed=common.fixed(arguments),
        test_each=True,
        register=False,
        prune=False,
    )


def _arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    arguments = common.parser("images_only", __doc__, trials=False).parse_args(given)
    if arguments.smoke:
        arguments.seeds, arguments.max_iterations, arguments.validate_every = 1, 2, 2
    return arguments


if __name__ == "__main__":
    main()
