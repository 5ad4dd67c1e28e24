"""A HATS catalogue's small text files -> what it is called, which pixels it has, and in which file each is.

    collection.properties            of a collection: names the folder of its main table
    hats.properties | properties     name, columns of right ascension, declination and HEALPix index
    partition_info.csv               one row a pixel: its order and number
    dataset/_common_metadata         the Parquet schema
    dataset/Norder=2/Dir=0/Npix=45.parquet

Read by our own few lines: importing `hats` costs 5 s and 240 MB (numba, matplotlib, pandas) in every replica and worker
that matches, and these are two text files (docs/decisions/0012). A test opens the same catalogues with `hats`.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
import pyarrow.parquet as pq
from jaxtyping import Int64
from pyarrow import fs

from skystamp.crossmatch import pixels
from skystamp.crossmatch.columns import BANDS, resolve
from skystamp.crossmatch.places import file_system
from skystamp.errors import UsageError

_PIXEL = re.compile(r"Norder=(\d+)/Dir=\d+/Npix=(\d+)")
_HOSTED = "://"


@dataclass(frozen=True, slots=True)
class Layout:
    """One catalogue: where it is and how its partitions lie on the sky, in ascending order of their cells."""

    name: str
    url: str
    system: fs.FileSystem
    root: str
    columns: tuple[str, ...]
    """Names of right ascension, declination, W1, W2, W3, W4 in its files."""
    index: str
    """Name of the HEALPix index of order 29 in its files, "" where it has none: row groups can be told apart by it."""
    suffix: str
    """What follows Npix=...: ``.parquet``, or ``/`` where a partition is a folder of files."""
    orders: Int64[np.ndarray, " partition"]
    pixels: Int64[np.ndarray, " partition"]
    first: Int64[np.ndarray, " partition"] = field(repr=False)
    after: Int64[np.ndarray, " partition"] = field(repr=False)

    def partitions(self, cells: Int64[np.ndarray, " cell"]) -> Int64[np.ndarray, " cell"]:
        """Return the number of the partition that has each cell, -1 where none has it."""
        if not len(self.first):
            return np.full(len(cells), -1, np.int64)
        number = np.searchsorted(self.first, cells, "right") - 1
        return np.where((number >= 0) & (cells < self.after[number]), number, -1)

    def files(self, partition: int) -> list[str]:
        """Return the paths of a partition's Parquet files, sorted.

        Raises
        ------
        UsageError
            If the catalogue lists a partition that is not there.
        """
        order, pixel = int(self.orders[partition]), int(self.pixels[partition])
        path = f"{self.root}/dataset/Norder={order}/Dir={pixel // 10_000 * 10_000}/Npix={pixel}"
        if self.suffix != "/":
            return [path + self.suffix]
        found = self.system.get_file_info(fs.FileSelector(path, allow_not_found=True))
        if not found:
            raise UsageError(f"the catalogue {self.url} should hold every partition of its list. Lacking: {path}")
        return sorted(info.path for info in found if info.type == fs.FileType.File and not _hidden(info.path))


def read_layout(url: str, chosen: Mapping[str, str]) -> Layout:
    """Return the layout of the catalogue at a path or URL; of a collection its main table's.

    Parameters
    ----------
    url : str
        A folder, or the URL of one: `places.file_system`.
    chosen : mapping
        Our name of a column to the catalogue's, where neither its properties nor `columns.SPELLINGS` know it.

    Raises
    ------
    UsageError
        If there is no such catalogue, if it is of a kind without positions, or if its columns are not understood.
    """
    system, root = file_system(url)
    root, properties = _main_table(system, root, url)
    names = _schema(system, root, url)
    stated = {ours: properties[key] for ours, key in _POSITION.items() if properties.get(key)}
    index = properties.get("hats_col_healpix", "_healpix_29")
    fine = int(properties.get("hats_col_healpix_order", pixels.FINEST)) == pixels.FINEST
    orders, numbers = _partitions(system, root, url)
    first, after = pixels.span(orders, numbers)
    return Layout(
        name=properties.get("obs_collection") or root.rsplit("/", 1)[-1],
        url=url,
        system=system,
        root=root,
        columns=tuple(resolve(names, {**stated, **chosen}, needed=("ra", "dec", *BANDS))),
        index=index if fine and index in names else "",
        suffix=properties.get("hats_npix_suffix") or ".parquet",
        orders=orders,
        pixels=numbers,
        first=first,
        after=after,
    )


_POSITION = {"ra": "hats_col_ra", "dec": "hats_col_dec"}


def parse_properties(text: str) -> dict[str, str]:
    """Return the keys and values of a Java properties file as HATS writes them: one ``key = value`` a line."""
    lines = (line.strip() for line in text.splitlines())
    pairs = (re.split(r"\s*[=:]\s*", line, maxsplit=1) for line in lines if line and line[0] not in "#!")
    return {pair[0]: _unescaped(pair[1]) for pair in pairs if len(pair) == 2}


def _unescaped(value: str) -> str:
    return re.sub(r"\\([=:#! \\])", r"\1", value)


def _main_table(system: fs.FileSystem, root: str, url: str) -> tuple[str, dict[str, str]]:
    """Return the folder of the table with the sources, and its properties."""
    for name in ("hats.properties", "properties", "collection.properties"):
        text = _text(system, f"{root}/{name}")
        if text is None:
            continue
        properties = parse_properties(text)
        if name != "collection.properties":
            _check_kind(properties, url)
            return root, properties
        table = properties.get("hats_primary_table_url", "")
        if not table or _HOSTED in table:
            raise UsageError(f"a collection should name a folder of its own as its main table. Received: {table!r}")
        return _main_table(system, table if table.startswith("/") else f"{root}/{table}", url)
    raise UsageError(
        f"a catalogue in HATS layout should have a file hats.properties or collection.properties; "
        f"`skystamp catalog build` makes one of a table. Received: {url}"
    )


def _check_kind(properties: Mapping[str, str], url: str) -> None:
    kind = properties.get("dataproduct_type", "object")
    if kind not in ("object", "source"):
        raise UsageError(f"the catalogue should be of objects or sources. Received: {url}, which is of kind {kind}")


def _schema(system: fs.FileSystem, root: str, url: str) -> list[str]:
    for name in ("_common_metadata", "_metadata"):
        path = f"{root}/dataset/{name}"
        if system.get_file_info(path).type == fs.FileType.File:
            return list(pq.read_schema(path, filesystem=system).names)
    raise UsageError(f"a catalogue should have a file dataset/_common_metadata. Received: {url}")


def _partitions(
    system: fs.FileSystem, root: str, url: str
) -> tuple[Int64[np.ndarray, " partition"], Int64[np.ndarray, " partition"]]:
    """Return order and number of each pixel, in ascending order of their cells."""
    text = _text(system, f"{root}/partition_info.csv")
    found = np.array(sorted(set(_walked(system, root) if text is None else _listed(text))), np.int64).reshape(-1, 2)
    if found.size and found[:, 0].max() > pixels.ORDER:
        raise UsageError(f"pixels should be of order {pixels.ORDER} at most. Received: {found[:, 0].max()} in {url}")
    first, after = pixels.span(found[:, 0], found[:, 1])
    order = np.argsort(first, kind="stable")
    if np.any(after[order][:-1] > first[order][1:]):
        raise UsageError(f"the pixels of a catalogue should not overlap. Received: {url}")
    return found[order, 0], found[order, 1]


def _listed(text: str) -> Iterator[tuple[int, int]]:
    for row in csv.DictReader(io.StringIO(text)):
        yield int(row["Norder"]), int(row["Npix"])


def _walked(system: fs.FileSystem, root: str) -> Iterator[tuple[int, int]]:
    """Yield order and number of the pixels whose files are there: a catalogue may do without its list."""
    files: Iterable[fs.FileInfo] = system.get_file_info(fs.FileSelector(f"{root}/dataset", recursive=True))
    for info in files:
        match = _PIXEL.search(info.path)
        if match and info.type == fs.FileType.File:
            yield int(match[1]), int(match[2])


def _hidden(path: str) -> bool:
    return path.rsplit("/", 1)[-1].startswith(("_", "."))


def _text(system: fs.FileSystem, path: str) -> str | None:
    """Return what a small text file says, None where there is none."""
    if system.get_file_info(path).type != fs.FileType.File:
        return None
    with system.open_input_stream(path, compression=None) as file:
        return bytes(file.read()).decode("utf-8")
