"""The classes that models answer with, in one fixed order.

`CLASSES` are the columns of every table of results; a model answers a subset of them in this order.
The first-detection stamp classifier knows five (Carrasco-Davis et al. 2021), the multi-scale one six.
"""

from collections.abc import Sequence

from skystamp.errors import DatasetError

AGN, SN, VS, ASTEROID, BOGUS, SATELLITE = CLASSES = ("AGN", "SN", "VS", "asteroid", "bogus", "satellite")

FIRST_DETECTION = (AGN, SN, VS, ASTEROID, BOGUS)
TEMPORAL = (AGN, SN, VS)

# What label tables in the wild write for our classes, compared without case; sub-types of one class are folded.
_SPELLINGS: dict[str, tuple[str, ...]] = {
    AGN: ("agn", "qso", "quasar", "blazar", "bl lac", "seyfert"),
    SN: ("sn", "supernova", "snia", "sn ia", "snii", "sn ii", "snibc", "sn ibc", "slsn"),
    VS: (
        "vs",
        "variable star",
        "variable",
        "rrl",
        "rr lyrae",
        "lpv",
        "ceph",
        "cepheid",
        "eb",
        "dsct",
        "cv/nova",
        "yso",
    ),
    ASTEROID: ("asteroid", "sso", "solar system"),
    BOGUS: ("bogus", "artifact", "artefact"),
    SATELLITE: ("satellite",),
}
_BY_SPELLING = {spelling: name for name, spellings in _SPELLINGS.items() for spelling in spellings}


def class_of(label: str) -> str | None:
    """Return our class for a label as tables write it, or None for a class that is not ours (TDE, LRN, empty)."""
    return _BY_SPELLING.get(label.strip().lower())


def indices(labels: Sequence[str], classes: Sequence[str]) -> list[int]:
    """Return the position of each label in `classes`.

    Raises
    ------
    DatasetError
        If a label is not one of `classes`.
    """
    position = {name: i for i, name in enumerate(classes)}
    unknown = sorted(set(labels) - set(position))
    if unknown:
        raise DatasetError(f"labels should be of {tuple(classes)}. Received: {unknown}")
    return [position[label] for label in labels]
