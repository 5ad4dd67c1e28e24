"""Small catalogues for tests: tables of sources, the plain answer to a crossmatch, file systems that are watched."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from fsspec.implementations.local import LocalFileSystem
from pyarrow import fs

ARCSEC = 1.0 / 3600.0
NAMES = ("ra", "dec", "w1mpro", "w2mpro", "w3mpro", "w4mpro")


@dataclass(frozen=True)
class Sky:
    """Sources as they stand in a table: positions in deg, and four magnitudes each, which tell them apart."""

    ra: np.ndarray
    dec: np.ndarray
    magnitudes: np.ndarray

    def table(self, names: tuple[str, ...] = NAMES) -> pa.Table:
        """Return the six columns under these names."""
        return pa.table(dict(zip(names, (self.ra, self.dec, *self.magnitudes.T), strict=True)))

    def write(self, path: Path, names: tuple[str, ...] = NAMES) -> Path:
        """Write the table as Parquet."""
        pq.write_table(self.table(names), path)
        return path

    def answer(self, ra: np.ndarray, dec: np.ndarray, radius: float = 2.0) -> np.ndarray:
        """Return distance and magnitudes by measuring every source, one position after the other."""
        out = np.full((len(ra), 5), np.nan)
        for row, (one_ra, one_dec) in enumerate(zip(ra, dec, strict=True)):
            away = angle(one_ra, one_dec, self.ra, self.dec)
            if len(away) and np.nanmin(away) <= radius:
                nearest = np.nanargmin(away)
                out[row] = [away[nearest], *self.magnitudes[nearest]]
        return out


def sky(ra: object, dec: object) -> Sky:
    """Return sources at these positions with magnitudes 0.1, 0.2, ... that no other source has."""
    at = np.asarray(ra, float)
    return Sky(at, np.asarray(dec, float), 10 + np.arange(4 * len(at)).reshape(-1, 4) / 8)


def angle(ra: float, dec: float, others_ra: np.ndarray, others_dec: np.ndarray) -> np.ndarray:
    """Return great-circle distances in arcsec by another formula than the library's (Vincenty 1975)."""
    a, d, others_a, others_d = np.radians(ra), np.radians(dec), np.radians(others_ra), np.radians(others_dec)
    across = np.cos(others_d) * np.sin(others_a - a)
    along = np.cos(d) * np.sin(others_d) - np.sin(d) * np.cos(others_d) * np.cos(others_a - a)
    near = np.sin(d) * np.sin(others_d) + np.cos(d) * np.cos(others_d) * np.cos(others_a - a)
    return np.degrees(np.arctan2(np.hypot(across, along), near)) * 3600


def moved(ra: np.ndarray, dec: np.ndarray, away: np.ndarray, towards: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return positions `away` arcsec from others, in the direction `towards` (rad, from north through east)."""
    a, d, r = np.radians(ra), np.radians(dec), np.radians(np.asarray(away) * ARCSEC)
    new_d = np.arcsin(np.clip(np.sin(d) * np.cos(r) + np.cos(d) * np.sin(r) * np.cos(towards), -1, 1))
    turn = np.arctan2(np.sin(towards) * np.sin(r) * np.cos(d), np.cos(r) - np.sin(d) * np.sin(new_d))
    return np.degrees(a + turn) % 360, np.degrees(new_d)


@dataclass
class Watched:
    """What was read of local files: the names of Parquet files in the order in which they were opened, and bytes."""

    opened: list[str] = field(default_factory=list)
    bytes: int = 0

    @property
    def system(self) -> fs.PyFileSystem:
        """A file system that writes here what is read through it."""
        return fs.PyFileSystem(fs.FSSpecHandler(_Local(self)))

    @property
    def partitions(self) -> list[str]:
        """The partitions that were opened, each once, sorted."""
        return sorted({Path(path).stem for path in self.opened if "Npix=" in path})


class _Local(LocalFileSystem):
    cachable = False

    def __init__(self, watched: Watched) -> None:
        super().__init__()
        self._watched = watched

    def open(self, path: str, mode: str = "rb", **_: object) -> "_File":
        self._watched.opened.append(str(path))
        return _File(Path(path).open(mode), self._watched)


class _File:
    def __init__(self, file: object, watched: Watched) -> None:
        self._file, self._watched = file, watched

    def read(self, *size: int) -> bytes:
        data = self._file.read(*size)
        self._watched.bytes += len(data)
        return data

    def __getattr__(self, name: str) -> object:
        return getattr(self._file, name)
