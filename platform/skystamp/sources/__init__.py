"""Places with packets -> their records, in order: folders, tar archives, Avro files, here or behind a URL.

    paths ── find ──> Source, Source, ...        what is no alert file is named, not lost
    Source ── packets ──> Packet, Packet, ...    the bytes of one Avro container each, streamed member by member
    Source ── records ──> Decoded | Reject, ...  one for each packet, in order

Nothing is extracted to a disk and no archive is held in memory. Reading raises nothing for what a file holds: a tar or
gzip that ends early or is damaged becomes a `Reject` in its place, and what was read before it stands.
"""

from skystamp.sources.places import Found, Source, find
from skystamp.sources.reading import Packet, packets, records

__all__ = ["Found", "Packet", "Source", "find", "packets", "records"]
