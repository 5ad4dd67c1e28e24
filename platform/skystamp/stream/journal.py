"""Where each file of a folder or archive was left: a small text file, a line appended after each answer.

    {"format": 1}
    {"file": "/night/a.tar.gz", "size": 8123, "position": 40}
    {"file": "/night/a.tar.gz", "size": 8123, "position": -1}      finished

The last line of a file counts. A line that a crash cut short does not, so a position is there whole or not at all;
files that come later, wherever they sort, are read. A file whose size changed is read from its beginning. What is sent
again costs time alone: the store takes a packet once.
"""

import fcntl
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from skystamp.errors import UsageError

FINISHED = -1
_FORMAT = 1  # another one when the messages that are made of a file change

Key = tuple[str, int]  # URL or path, bytes


class Journal:
    """The positions of files, kept in one file that one process has open.

    Raises
    ------
    UsageError
        If the file is none of ours, or another process has it.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._positions = _read(path)
        self._lock = _locked(path)
        self._file = self._written()

    def position(self, file: str, size: int) -> int:
        """Return the first position of a file that is not answered for yet, or `FINISHED`."""
        return self._positions.get((file, size), 0)

    def save(self, positions: Mapping[Key, int]) -> None:
        """Note positions; they are on the disk when this returns."""
        new = {key: position for key, position in positions.items() if self._positions.get(key) != position}
        if new:
            self._file.write("".join(_line(key, position) for key, position in new.items()))
            self._file.flush()
            os.fsync(self._file.fileno())
            self._positions.update(new)

    def close(self) -> None:
        """Let others have the file."""
        self._file.close()
        self._lock.close()

    def _written(self) -> IO[str]:
        """Return the file, open to append, with one line a file."""
        beside = self._path.with_name(self._path.name + ".new")
        with beside.open("w") as out:
            out.write(json.dumps({"format": _FORMAT}) + "\n")
            out.writelines(_line(key, position) for key, position in self._positions.items())
            out.flush()
            os.fsync(out.fileno())
        beside.replace(self._path)
        return self._path.open("a")


def _line(key: Key, position: int) -> str:
    return json.dumps({"file": key[0], "size": key[1], "position": position}) + "\n"


def _read(path: Path) -> dict[Key, int]:
    if not path.exists():
        return {}
    lines = path.read_text().split("\n")[:-1]  # without what a crash cut short
    try:
        told = [json.loads(line) for line in lines]
        if told[:1] != [{"format": _FORMAT}] and told:
            raise UsageError(f"the state file should be of format {_FORMAT}. Received: {path} with {lines[0][:80]}")
        return {(str(one["file"]), int(one["size"])): int(one["position"]) for one in told[1:]}
    except (ValueError, KeyError, TypeError) as error:
        raise UsageError(f"the state file should be one that skystamp stream wrote. Received: {path}") from error


def _locked(path: Path) -> IO[str]:
    lock = path.with_name(path.name + ".lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.close()
        raise UsageError(f"the state file should belong to one stream. Another one has it: {path}") from error
    return lock
