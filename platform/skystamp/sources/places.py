"""Paths and URLs -> the alert files there, in one order on every machine.

A path is a file or a folder, local or of a file system that pyarrow knows (``s3://``, ``gs://``, ``hdfs://``), or the
``http(s)://`` address of one file. A folder is walked to its bottom; its files come sorted by path.
"""

import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pyarrow as pa
from pyarrow import fs

from skystamp.errors import UsageError

SUFFIXES = {
    ".avro": "avro",
    ".avro.gz": "avro.gz",
    ".tar": "tar",
    ".tar.gz": "tar.gz",
    ".tgz": "tar.gz",
}
_BUFFER = 1 << 20  # bytes read ahead of an open file


@dataclass(frozen=True, slots=True)
class Source:
    """One file with packets: its path or URL, what it is (a value of `SUFFIXES`), its bytes (0 where unknown)."""

    url: str
    kind: str
    size: int

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.url.rstrip("/").rsplit("/", 1)[-1]

    def open(self) -> io.BufferedReader:
        """Return the file as a stream of its own bytes, still packed.

        Raises
        ------
        OSError
            If it can not be opened.
        """
        if _is_http(self.url):
            raw = urlopen(self.url, timeout=60)  # noqa: S310  http(s) alone, by _is_http
        else:
            system, path = _system(self.url)
            raw = system.open_input_stream(path, compression=None)
        return io.BufferedReader(raw, _BUFFER)


@dataclass(frozen=True, slots=True)
class Found:
    """The alert files at some paths, in order, and the files beside them that are none."""

    sources: tuple[Source, ...]
    skipped: tuple[str, ...]

    @property
    def size(self) -> int:
        """Bytes of all sources."""
        return sum(source.size for source in self.sources)


def find(paths: Sequence[str | Path]) -> Found:
    """Return the alert files at `paths`: in the order of the paths, within a folder sorted by path.

    Raises
    ------
    UsageError
        If a path does not exist or can not be listed, or if no alert file is among them.
    """
    sources: list[Source] = []
    skipped: list[str] = []
    for path in paths:
        for url, size in _files(str(path)):
            kind = kind_of(url)
            if kind is None:
                skipped.append(url)
            else:
                sources.append(Source(url, kind, size))
    if not sources:
        raise UsageError(
            f"at least one path should be or hold a file ending in {', '.join(SUFFIXES)}. "
            f"Received: {', '.join(map(str, paths)) or 'no path'}"
        )
    return Found(tuple(sources), tuple(skipped))


def kind_of(name: str) -> str | None:
    """Return what a file is by the end of its name, None if it is no alert file."""
    base = name.split("?", 1)[0].rsplit("/", 1)[-1].lower()
    if base.startswith("."):
        return None
    return next((kind for suffix, kind in SUFFIXES.items() if base.endswith(suffix)), None)


def _files(path: str) -> Iterator[tuple[str, int]]:
    if _is_http(path):
        yield path, _http_size(path)
        return
    system, inside = _system(path)
    prefix = path[: -len(inside)] if "://" in path and path.endswith(inside) else ""
    try:
        yield from ((prefix + info.path, info.size or 0) for info in _listed(system, inside))
    except OSError as error:
        raise UsageError(f"{path} should be readable. Received: {error}") from error


def _listed(system: fs.FileSystem, path: str) -> list[fs.FileInfo]:
    info = system.get_file_info(path)
    if info.type == fs.FileType.NotFound:
        raise UsageError(f"the path should exist. Received: {path}")
    if info.type == fs.FileType.File:
        return [info]
    infos = system.get_file_info(fs.FileSelector(path, recursive=True))
    return sorted((i for i in infos if i.type == fs.FileType.File), key=lambda i: i.path)


def _system(url: str) -> tuple[fs.FileSystem, str]:
    if "://" not in url:
        return fs.LocalFileSystem(), os.path.abspath(os.path.expanduser(url))  # noqa: PTH100, PTH111  keeps symlinks
    try:
        system, path = fs.FileSystem.from_uri(url.rstrip("/"))
    except (pa.ArrowInvalid, OSError) as error:
        raise UsageError(f"the URL should be of a file system that can be read. Received: {url} ({error})") from error
    return system, path


def _is_http(url: str) -> bool:
    return url.startswith(("http://", "https://"))


def _http_size(url: str) -> int:
    try:
        with urlopen(url, timeout=60) as answer:  # noqa: S310  http(s) alone, by _is_http
            return int(answer.headers.get("Content-Length") or 0)
    except (URLError, TimeoutError) as error:
        raise UsageError(f"the URL should answer. Received: {url} ({error})") from error
