"""A night: the packets of many objects that were detected between one noon and the next.

Makes records in the order of their exposures out of a seed; promises that no record is of another night.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from skystamp.synthetic.objects import PRIORS, SyntheticObject, Truth, simulate_object
from skystamp.synthetic.packets import Record
from skystamp.synthetic.survey import SURVEY_END, SURVEY_START


@dataclass(frozen=True)
class Night:
    """One night's records in time order and the truth of every object in them, by objectId."""

    jd: float
    records: list[Record]
    truths: dict[str, Truth]


def fresh_night(
    seed: int,
    n_objects: int,
    *,
    jd: float = 2460235.5,
    priors: Mapping[str, float] = PRIORS,
    first_share: float = 0.4,
    start: int = 0,
) -> Night:
    """Return the night that begins at ``jd``: objects ``start`` to ``start + n_objects`` of a seed, seen that night.

    Parameters
    ----------
    jd : float
        Julian date of the first instant (0 h UT, late afternoon at Palomar); exposures fall within the day after.

    Raises
    ------
    ValueError
        If ``jd`` is not within the survey's years.
    """
    if not SURVEY_START <= jd < SURVEY_END - 1.0:
        raise ValueError(f"jd should be within {SURVEY_START}..{SURVEY_END - 1.0}. Received: jd={jd}")
    made: list[SyntheticObject] = [
        simulate_object(
            seed,
            start + i,
            priors=priors,
            max_detections=8,
            first_share=first_share,
            jd_range=(jd, jd + 1.0),
        )
        for i in range(n_objects)
    ]
    records = [record for one in made for record in one.records]
    order = np.argsort([record["candidate"]["jd"] for record in records], kind="stable")
    return Night(jd, [records[int(i)] for i in order], {one.truth.object_id: one.truth for one in made})
