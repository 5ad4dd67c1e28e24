"""What models answered about labelled objects -> scores, slices, comparisons, and one page that says it all.

    judged.py       answers of the trainings of one configuration beside the truth: what everything here reads
    spreads.py      scores of each training, their mean and deviation, intervals by draws of objects
    operating.py    one class against the rest: ROC, and what each threshold finds
    slices.py       scores where magnitude, band, galactic latitude, number of detections are alike
    mistakes.py     the surest of the wrong answers
    summary.py      all of it as one JSON value: metrics.json
    comparing.py    two configurations on the same objects, with p-values
    pictures.py     the figures of a page, as addresses that hold them
    report.py       the page: HTML that opens without a network

Nothing here reads files or runs a model; `cluster.evaluate` does.
"""

from skystamp.evaluation.comparing import aligned, compared
from skystamp.evaluation.judged import Judged
from skystamp.evaluation.mistakes import Mistake, worst
from skystamp.evaluation.report import comparison_page, page
from skystamp.evaluation.summary import summary

__all__ = ["Judged", "Mistake", "aligned", "compared", "comparison_page", "page", "summary", "worst"]
