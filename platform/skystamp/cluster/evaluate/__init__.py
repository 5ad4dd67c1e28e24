"""Models and prepared data -> a page and its numbers: what `skystamp evaluate` and `skystamp compare` do.

    references ── Side ──> bundles of one configuration      DATASET ── answered ──> evaluation.Judged
    Judged ── evaluation.summary, evaluation.page ──> metrics.json, report.html ── logged ──> MLflow

answering.py   the models' answers about a split, beside what the data say of each object
running.py     one evaluation, one comparison, from references to files and runs
"""

from skystamp.cluster.evaluate.answering import Side, answered, side
from skystamp.cluster.evaluate.running import Written, compare, evaluate

__all__ = ["Side", "Written", "answered", "compare", "evaluate", "side"]
