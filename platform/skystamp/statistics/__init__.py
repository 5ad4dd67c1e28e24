"""Whether one classifier is better than another: tests, intervals, the choice among equals. SciPy does the counting.

    comparing.py   scores of trainings of two configurations ── welch, permutation_test ──> p
                   two models on the same objects or splits ── mcnemar, paired_permutation_test ──> p
    intervals.py   one model on many objects ── bootstrap_interval (objects are drawn, not alerts) ──> low, high
    resampling.py  the same for sums over objects, as confusion matrices are, and their differences ── mean_interval
    choosing.py    all configurations of a study ── fastest_of_equals ──> the one to take, and why
    front.py       the same with scores and costs ── front ──> those that nothing beats in both

All tests are two-sided. A p-value can not go below what the number of trainings can show (`smallest_p`): three against
three stay at 0.1 or above, however far apart they are, and `fastest_of_equals` says so instead of calling such
configurations equal. Values have to be finite; nothing is left out.
"""

from skystamp.statistics.choosing import Choice, fastest_of_equals
from skystamp.statistics.comparing import (
    McNemar,
    Permutation,
    Welch,
    mcnemar,
    paired_permutation_test,
    permutation_test,
    welch,
)
from skystamp.statistics.front import front
from skystamp.statistics.intervals import Interval, bootstrap_interval
from skystamp.statistics.resampling import (
    interval_of,
    mean_interval,
    resampled_matrices,
    resampled_sums,
)

__all__ = [
    "Choice",
    "Interval",
    "McNemar",
    "Permutation",
    "Welch",
    "bootstrap_interval",
    "fastest_of_equals",
    "front",
    "interval_of",
    "mcnemar",
    "mean_interval",
    "paired_permutation_test",
    "permutation_test",
    "resampled_matrices",
    "resampled_sums",
    "welch",
]
