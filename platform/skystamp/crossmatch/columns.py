"""What a catalogue calls its columns -> the names that a crossmatch needs, by a small table of known spellings.

    ours   IRSA (HATS)   VizieR II/328
    ra     ra            RAJ2000
    dec    dec           DEJ2000
    W1     w1mpro        W1mag
    ...
    W4     w4mpro        W4mag

A name given by the user goes before the catalogue's own statement, and that before the table.
"""

from collections.abc import Mapping, Sequence

from skystamp.errors import UsageError

BANDS = ("W1", "W2", "W3", "W4")
SPELLINGS = {
    "ra": ("ra", "RAJ2000"),
    "dec": ("dec", "DEJ2000"),
    "W1": ("w1mpro", "W1mag", "W1"),
    "W2": ("w2mpro", "W2mag", "W2"),
    "W3": ("w3mpro", "W3mag", "W3"),
    "W4": ("w4mpro", "W4mag", "W4"),
}


def resolve(there: Sequence[str], chosen: Mapping[str, str], *, needed: Sequence[str] = tuple(SPELLINGS)) -> list[str]:
    """Return the table's names of the columns `needed` (our names), in that order.

    Parameters
    ----------
    there : sequence of str
        The names that the table has.
    chosen : mapping
        Our name to the table's, where it is known.
    needed : sequence of str
        Keys of `SPELLINGS`.

    Raises
    ------
    UsageError
        If a chosen name is not there, if our name of it is none of ours, or if no known spelling is there.
    """
    strangers = set(chosen) - set(SPELLINGS)
    if strangers:
        raise UsageError(f"columns should be among {', '.join(SPELLINGS)}. Received: {', '.join(sorted(strangers))}")
    return [_found(name, (chosen[name],) if name in chosen else SPELLINGS[name], there) for name in needed]


def _found(name: str, spellings: Sequence[str], there: Sequence[str]) -> str:
    for spelling in spellings:
        if spelling in there:
            return spelling
    raise UsageError(
        f"the table should have {name} as a column named {' or '.join(spellings)}; say its name by --column "
        f"{name}=NAME (columns= in Python). Received columns: {', '.join(there)}"
    )
