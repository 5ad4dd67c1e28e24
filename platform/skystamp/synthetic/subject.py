"""One object on its way to packets: its name, its surroundings, its place on the camera.

Makes names and sky positions out of an object's index and offsets; promises distinct names within a seed.
"""

from dataclasses import dataclass

import numpy as np

from skystamp.synthetic.candidate import Chip, Night
from skystamp.synthetic.exposing import Reference
from skystamp.synthetic.flaws import Flaw
from skystamp.synthetic.history import History
from skystamp.synthetic.images import Scene
from skystamp.synthetic.neighbourhood import Neighbourhood
from skystamp.synthetic.populations import Target
from skystamp.synthetic.survey import NIGHT_ZERO

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_NAMES = 26**6
_STRIDE = 189_656_251  # coprime with 26^6: spreads successive indices over the names


@dataclass(frozen=True)
class Subject:
    """Everything fixed about one object: who it is, what surrounds it, how it is imaged."""

    index: int
    target: Target
    object_id: str
    flaw: Flaw
    scene: Scene
    near: Neighbourhood
    chip: Chip
    references: dict[int, Reference]
    calibrators: int


def object_id(seed: int, index: int, history: History) -> str:
    """Return a name of the survey's form, ZTFyyzxxxxxx: the z after the year is used by no real object."""
    number = (index * _STRIDE + seed * 7_919) % _NAMES
    letters = ""
    for _ in range(6):
        number, letter = divmod(number, 26)
        letters = _LETTERS[letter] + letters
    first = history.table.jd[np.flatnonzero(history.detected)[0]]
    return f"ZTF{17 + int((first - NIGHT_ZERO) / 365.25):02d}z{letters}"


def night(history: History, index: int, calibrators: int) -> Night:
    """Return the numbers of one exposure."""
    table = history.table
    return Night(
        jd=float(table.jd[index]),
        fid=int(table.fid[index]),
        limit=float(table.limit[index]),
        zero_point=float(table.zero_point[index]),
        calibrators=calibrators,
    )


def sky_offset(subject: Subject, x: float, y: float) -> tuple[float, float]:
    """Return (ra, dec) in deg of an offset (x, y) [arcsec] from the object; x runs against right ascension."""
    dec = subject.target.here.dec + y / 3600.0
    ra = (subject.target.here.ra - x / 3600.0 / max(float(np.cos(np.deg2rad(dec))), 1e-3)) % 360.0
    return round(ra, 7), round(dec, 7)
