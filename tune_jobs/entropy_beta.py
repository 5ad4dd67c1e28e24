"""See what the entropy term of the loss does to accuracy and to the probabilities.

Question
    How sure should the classifier be? Carrasco-Davis et al. (2021), Figure 7: the loss takes beta times the entropy of
    the prediction off the cross-entropy; beta 0, 0.3, 0.5, 0.8 and 1, several trainings of each.

Command
    ray job submit --address http://127.0.0.1:8265 --working-dir . -- \
        python -m tune_jobs.entropy_beta --data /abs/prepared --name my-betas

Cost
    25 trainings of 30,000 iterations: on 2 CPU cores two hours each, on a GPU minutes. ``--betas 0 0.5 --seeds 4
    --max-iterations 500`` takes a quarter of an hour on 2 cores, ``--smoke`` under two minutes.

Result
    A row a beta: balanced accuracy on validation and test with its spread, and on test the mean probability of the
    answered class, the entropy and the calibration error. Printed, and in MLflow with histograms of that probability
    as ``entropy-beta.md``, ``.json`` and ``confidence.png`` of the run NAME in the experiment ``entropy-beta``. Nothing
    is registered. tune_jobs/LOG.md.

The same ``--name`` goes on with an interrupted study.
"""

import argparse
import shutil
from collections.abc import Mapping, Sequence
from typing import Any

from tune_jobs import arguments as common
from tune_jobs import tables

BETAS = (0.0, 0.3, 0.5, 0.8, 1.0)
_MEANS = {"entropy": "test_entropy", "calibration_error": "test_calibration_error", "accuracy": "test_accuracy"}

NOTE = """\
Validation and test: mean of the classes' recalls, mean and standard deviation over the trainings. Confidence: mean
probability of the answered class on test, of the best training by validation. Entropy (nats; ln 5 is 1.609) and
expected calibration error: on test, mean over the trainings, without a temperature.
"""


def main(given: Sequence[str] | None = None) -> None:
    """Read the arguments, train every beta, and print their table."""
    arguments = _arguments(given)
    common.connect(arguments)
    from skystamp import figures
    from skystamp.cluster import search

    study = _study(arguments)
    tried = {each.name: each for each in search.search(study).tried}
    names = [name for name in study.configurations if name in tried]
    sure = {name: confidence(tried[name].run, study) for name in names}
    rows = [row_of(tried[name], sure[name]) for name in names]
    figure = figures.confidence_figure(
        sure,
        {name: tried[name].values("test_accuracy") for name in names},
        {name: tried[name].values("test_calibration_error") for name in names},
    )
    text = f"{markdown(rows)}\n{NOTE}"
    common.log_table(arguments, "entropy-beta", text, rows, {"confidence": figure})
    print(f"\n{text}")


def confidence(run: str, study: Any) -> Any:
    """Return the probability of the answered class of each test object, float32, by the best training of a trial."""
    from skystamp import bundle, manifest, tracking
    from skystamp.cluster import families, train

    tracker = tracking.open_tracker(study.model, study.tracking_uri)
    folder = tracking.fetch(tracker.client.get_run(run).data.tags["model_uri"], tracker.uri)
    try:
        loaded = bundle.load(folder)
    finally:
        shutil.rmtree(folder.parent)
    data = train.load(families.of(study.model), study.data, manifest.TEST)
    return loaded.predict(data.raw).max(axis=1)


def row_of(tried: Any, sure: Any) -> dict[str, Any]:
    """Return the row of one beta."""
    import numpy as np

    from skystamp.cluster.search import table

    means = {name: float(np.mean(tried.values(score))) for name, score in _MEANS.items()}
    return {**table.row(tried, ""), "confidence": float(sure.mean()), **means}


def markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the rows as Markdown."""
    head = ["", "trainings", "validation", "test", "confidence", "entropy", "calibration error"]
    lines = [
        [
            row["configuration"],
            str(row["trainings"]),
            *(tables.score(row, split) for split in ("validation", "test")),
            *(f"{row[name]:.3f}" for name in ("confidence", "entropy", "calibration_error")),
        ]
        for row in rows
    ]
    return tables.markdown(head, lines)


def _study(arguments: argparse.Namespace) -> Any:
    from skystamp.cluster import search

    return search.Study(
        **{**common.shared(arguments), "calibrate": False},  # a temperature would undo what is asked about
        name=arguments.name,
        configurations={f"beta {beta:g}": {"beta": beta} for beta in arguments.betas},
        fixed=common.fixed(arguments),
        test_each=True,
        register=False,
        prune=False,
    )


def _arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = common.parser("entropy_beta", __doc__, trials=False)
    parser.add_argument("--betas", type=float, nargs="+", default=BETAS, help="weights of the entropy")
    arguments = parser.parse_args(given)
    if arguments.smoke:
        arguments.betas = (0.0, 0.5)
        arguments.seeds, arguments.max_iterations, arguments.validate_every = 1, 2, 2
    return arguments


if __name__ == "__main__":
    main()
