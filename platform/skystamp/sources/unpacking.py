"""A gzip file -> the bytes inside, of which damage costs none that came before it.

The standard library's reader of a file that ends early raises for the read that meets the damage, and with it goes all
that it had read ahead. Here such a read raises `DamagedStreamError`, which has those bytes.
"""

import gzip
import io
import zlib

_PIECE = 1 << 20  # bytes unpacked ahead, so that small reads are cheap
_FAULTS = (EOFError, gzip.BadGzipFile, zlib.error)  # what the gzip module raises for damaged data


class DamagedStreamError(EOFError):
    """A gzip file ends early or is damaged; `before` are the unpacked bytes that were not given to anybody yet."""

    def __init__(self, fault: str, before: bytes) -> None:
        super().__init__(fault)
        self.before = before


class Unpacked:
    """The bytes inside a gzip file, as a stream."""

    def __init__(self, packed: io.BufferedReader | io.BytesIO) -> None:
        self._gzip = gzip.GzipFile(fileobj=packed)
        self._ahead = io.BytesIO()

    def read(self, size: int = -1, /) -> bytes:
        """Return the next `size` bytes, fewer only at the end; all that are left if it is negative.

        Raises
        ------
        DamagedStreamError
            If the file is damaged before so many bytes.
        """
        data = self._ahead.read(size)
        if len(data) == size:
            return data
        pieces, left = [data], size - len(data)
        while size < 0 or left > 0:
            piece = self._piece(pieces)
            if not piece:
                break
            pieces.append(piece)
            left -= len(piece)
        return self._given(b"".join(pieces), size)

    def _piece(self, before: list[bytes]) -> bytes:
        try:
            return self._gzip.read1(_PIECE)
        except _FAULTS as error:
            raise DamagedStreamError(str(error), b"".join(before)) from error

    def _given(self, data: bytes, size: int) -> bytes:
        if 0 <= size < len(data):
            self._ahead = io.BytesIO(data[size:])
            return data[:size]
        self._ahead = io.BytesIO()
        return data
