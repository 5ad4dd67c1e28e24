"""Which configuration of a study to take: the fastest of those as accurate as the most accurate."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from skystamp.statistics.comparing import WAYS, permutation_test, sample


@dataclass(frozen=True, slots=True)
class Choice:
    """Which configuration to take, and why.

    Attributes
    ----------
    chosen, best : str
        The fastest of the equals, and the one of the highest mean accuracy.
    equals : tuple of str
        Those not told from the best, itself among them, fastest first.
    p : dict
        Of every configuration against the best; 1 for the best itself.
    testable : bool
        Whether each has scores enough that a test could have told it from the best.
    note : str
        The choice in words.
    """

    chosen: str
    best: str
    equals: tuple[str, ...]
    p: Mapping[str, float]
    testable: bool
    note: str


def fastest_of_equals(
    accuracies: Mapping[str, Sequence[float]],
    seconds: Mapping[str, float],
    *,
    alpha: float = 0.05,
    ways: int = WAYS,
    rng: np.random.Generator | None = None,
) -> Choice:
    """Return the fastest of the configurations that are statistically equal in accuracy to the most accurate.

    Source: the selection of the temporal stamp classifier (permutation test over trainings). p-values are of one
    comparison each, as there: no correction for their number, so that with many configurations some equals are told
    apart by chance. Where too few trainings make p < `alpha` impossible, a configuration is not called equal for
    want of proof: it has to have the very same mean.

    Parameters
    ----------
    accuracies : dict
        Name -> accuracy of each of its trainings, on data that choosing is allowed on (validation).
    seconds : dict
        Name -> seconds an answer takes.
    alpha : float
        p below which two configurations differ.
    ways, rng
        As in `permutation_test`.

    Raises
    ------
    ValueError
        If there is no configuration, or the two name different ones.
    """
    if not accuracies or set(accuracies) != set(seconds):
        raise ValueError(
            "accuracies and seconds should be of the same configurations, one at least. "
            f"Received: {sorted(accuracies)}, {sorted(seconds)}"
        )
    means = {name: float(sample(values).mean()) for name, values in accuracies.items()}
    best = min(means, key=lambda name: (-means[name], seconds[name]))
    tests = {
        name: permutation_test(accuracies[best], values, ways=ways, rng=rng)
        for name, values in accuracies.items()
        if name != best
    }
    told = {name: test.smallest_p < alpha for name, test in tests.items()}
    equal = [name for name, test in tests.items() if (test.p >= alpha if told[name] else test.difference == 0)]
    equals = sorted([best, *equal], key=lambda name: seconds[name])
    untold = sorted(name for name, possible in told.items() if not possible)
    p = {name: tests[name].p if name in tests else 1.0 for name in accuracies}
    return Choice(equals[0], best, tuple(equals), p, not untold, _in_words(equals, best, len(p), untold, alpha))


def _in_words(equals: Sequence[str], best: str, count: int, untold: Sequence[str], alpha: float) -> str:
    chosen = f"{equals[0]}: the fastest of {len(equals)} that do not differ from the most accurate ({best}) of {count}"
    if len(equals) == 1:
        chosen = f"{best}: the most accurate of {count}"
    if not untold:
        return f"{chosen}, permutation test at {alpha:g}"
    few = f"{len(untold)} of {count - 1} comparisons have too few trainings for any p below {alpha:g}"
    return f"{chosen}; {few}, and those were not called equal unless their means are the same"
