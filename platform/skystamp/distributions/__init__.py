"""What a model read and answered on validation, as it is kept in its bundle, and how far another night is from it.

    inputs of a model ── columns ──> a number a feature ─┐
    its answers ── probabilities ────────────────────────┴─ measured ──> Distributions ── save ──> distributions.npz
    the same of a night ────────────────────────────────────────────────> compared ──> a row a feature and a class

Compared is what the network reads: clipped, missing values replaced, standardised, so that a value which no model sees
can not alarm. Of each number are kept, apart for each answered class: how many missing, how many in each bin (tenths of
the values that are known, or a bin for each of few values), and a grid of 101 quantiles with how many lie below.

A night has other shares of the classes than a balanced validation split, and that alone would move every number. So the
kept distributions are mixed in the shares that the night's answers have, and how far these shares themselves moved is a
row of its own, which judges nothing unless it is asked to.

kept.py        what is measured and written
comparing.py   how far a night is away
"""

from skystamp.distributions.comparing import ALPHA, CLASSES, Row, compared
from skystamp.distributions.kept import (
    BINS,
    FILE,
    METADATA,
    SCORE,
    Column,
    Distributions,
    columns_of,
    load,
    measured,
)

__all__ = [
    "ALPHA",
    "BINS",
    "CLASSES",
    "FILE",
    "METADATA",
    "SCORE",
    "Column",
    "Distributions",
    "Row",
    "columns_of",
    "compared",
    "load",
    "measured",
]
