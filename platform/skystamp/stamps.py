"""A cutout's bytes -> a stamp: gzipped (or plain) FITS to a float32 array, bit for bit what astropy gives.

    gzip ── bounded ──> FITS bytes ── header seen before, plain float32? ──> view of the bytes      (the fast way)
                                   └─ anything else that is valid FITS  ──> astropy                 (the slow way)

A header block is parsed by astropy once and remembered: surveys send the same few headers millions of times. Pixels
keep their NaN and their infinities; what those mean to a model is decided in `inputs`.
"""

import io
import struct
import warnings
import zlib
from functools import lru_cache
from typing import cast

import numpy as np
from astropy.io import fits
from astropy.utils.exceptions import AstropyWarning
from isal import isal_zlib
from jaxtyping import Float32, Shaped

from skystamp.alert import BANDS, Alert
from skystamp.errors import Reason, Reject

MAX_BYTES = 1 << 20  # of one cutout, unpacked; the largest that a survey sends is 130 kB
_MAX_SIDE = 512  # pixels

_BLOCK = 2880
_GZIP_MAGIC = b"\x1f\x8b"
_GZIP_ERROR = cast("type[Exception]", isal_zlib.error)  # its stub says that it is an instance
_FITS_MAGIC = b"SIMPLE"
_FITS_ERRORS: tuple[type[Exception], ...] = (
    *(OSError, ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, MemoryError, EOFError),
    *(struct.error, zlib.error, fits.VerifyError, RuntimeError, ArithmeticError),
)


def decode(cutout: bytes) -> Float32[np.ndarray, "height width"]:
    """Return the image of a cutout: float32, axes (y, x), in the survey's unit; NaN where the survey has none.

    Raises
    ------
    Reject
        NOT_GZIP, TRUNCATED_GZIP, CORRUPT_GZIP, TOO_LARGE or NOT_FITS.
    """
    return _pixels(cutout).astype(np.float32)


def decode_by_astropy(data: bytes) -> Float32[np.ndarray, "height width"]:
    """Return the first image of a FITS file by astropy: any BITPIX, BSCALE and BZERO, extensions, compressed HDUs.

    Raises
    ------
    Reject
        NOT_FITS or TOO_LARGE.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AstropyWarning)
            with fits.open(io.BytesIO(data), memmap=False) as hdus:
                return np.ascontiguousarray(_first_image(hdus), np.float32)
    except _FITS_ERRORS as error:
        raise Reject(Reason.NOT_FITS, f"not a FITS image: {type(error).__name__} {str(error)[:200]}") from error


def triplet(
    alert: Alert, side: int, crop: int | None = None, *, out: Float32[np.ndarray, "height width band"] | None = None
) -> Float32[np.ndarray, "height width band"]:
    """Return the science, template and difference stamps of an alert as one float32 array, axes (y, x, band).

    Parameters
    ----------
    alert : Alert
        Its three cutouts are decoded.
    side : int
        How many pixels wide and high each of them has to be.
    crop : int, optional
        Keep this many pixels around the centre; all of them by default.
    out : array, optional
        Where to write them, such as one row of a batch; a new array by default.

    Raises
    ------
    Reject
        What `decode` raises, naming the cutout; WRONG_SHAPE if one is not `side` x `side`.
    """
    keep = central(side, crop or side)
    if out is None:
        out = np.empty((crop or side, crop or side, len(BANDS)), np.float32)
    for channel, band in enumerate(BANDS):
        try:
            image = _pixels(alert.cutouts[band])
        except Reject as reject:
            raise Reject(reject.reason, f"{band}: {reject.detail}") from reject
        if image.shape != (side, side):
            raise Reject(Reason.WRONG_SHAPE, f"{band} should be {side}x{side} pixels. Received: {image.shape}")
        out[:, :, channel] = image[keep, keep]
    return out


def central(side: int, crop: int) -> slice:
    """Return the `crop` pixels around the centre of `side`; the one too many is left out at the far end.

    Raises
    ------
    ValueError
        If `crop` is not from 1 to `side`.
    """
    if not 1 <= crop <= side:
        raise ValueError(f"crop should be from 1 to {side} pixels. Received: crop={crop}")
    start = (side - crop) // 2
    return slice(start, start + crop)


def encode(image: Shaped[np.ndarray, "height width"]) -> bytes:
    """Return a float32 image as a gzipped FITS cutout, the form in which ZTF sends its stamps."""
    cards = [("BITPIX", -32), ("NAXIS", 2), ("NAXIS1", image.shape[1]), ("NAXIS2", image.shape[0])]
    text = f"{'SIMPLE':8}= {'T':>20}".ljust(80) + "".join(f"{k:8}= {v:>20}".ljust(80) for k, v in cards)
    header = (text + "BUNIT   = 'DN      '".ljust(80) + "END").ljust(_BLOCK).encode("ascii")
    body = image.astype(">f4").tobytes()
    packer = zlib.compressobj(6, wbits=31)
    return packer.compress(header + body + bytes(-len(body) % _BLOCK)) + packer.flush()


def _pixels(cutout: bytes) -> Shaped[np.ndarray, "height width"]:
    """Return the image of a cutout as it stands in the bytes, in whatever byte order, before it is copied anywhere."""
    data = _gunzip(cutout)
    shape = _plain_shape(data[:_BLOCK])
    if shape is None:
        return decode_by_astropy(data)
    size = shape[0] * shape[1]
    if len(data) < _BLOCK + 4 * size:
        raise Reject(Reason.NOT_FITS, f"the image of {shape} pixels ends early, after {len(data) - _BLOCK} bytes")
    return np.frombuffer(data, ">f4", size, _BLOCK).reshape(shape)


def _gunzip(cutout: bytes) -> bytes:
    if cutout[: len(_FITS_MAGIC)] == _FITS_MAGIC:
        return cutout
    if cutout[:2] != _GZIP_MAGIC:
        raise Reject(Reason.NOT_GZIP, f"the first bytes should be {_GZIP_MAGIC!r}. Received: {cutout[:2]!r}")
    data, rest = _member(cutout, MAX_BYTES)
    while rest[:2] == _GZIP_MAGIC:  # a gzip file may have several members; bytes of any other kind after it are padding
        more, rest = _member(rest, MAX_BYTES - len(data))
        data += more
    return data


def _member(packed: bytes, limit: int) -> tuple[bytes, bytes]:
    """Return what the first gzip member unpacks to, and the bytes after it."""
    unpacker = isal_zlib.decompressobj(31)
    try:
        data: bytes = unpacker.decompress(packed, limit + 1)
    except _GZIP_ERROR as error:
        raise Reject(Reason.CORRUPT_GZIP, f"the gzip data are damaged: {error}") from error
    if len(data) > limit:
        raise Reject(Reason.TOO_LARGE, f"a cutout should unpack to at most {MAX_BYTES} bytes")
    if not unpacker.eof:
        raise Reject(Reason.TRUNCATED_GZIP, f"the gzip data end early, after {len(packed)} bytes")
    return data, unpacker.unused_data


@lru_cache(maxsize=256)
def _plain_shape(block: bytes) -> tuple[int, int] | None:
    """Return (height, width) if this block is the whole header of a plain two-dimensional float32 image, else None."""
    if len(block) < _BLOCK or not any(block[i : i + 80].rstrip() == b"END" for i in range(0, _BLOCK, 80)):
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AstropyWarning)
            header = fits.Header.fromstring(block.decode("ascii"))
            plain = header["SIMPLE"] is True and (header["BITPIX"], header["NAXIS"]) == (-32, 2)
            shape = (header["NAXIS2"], header["NAXIS1"])
            scaled = header.get("BSCALE", 1) != 1 or header.get("BZERO", 0) != 0
    except _FITS_ERRORS:
        return None  # astropy's reader, on the slow way, says what is wrong
    sides_fit = all(isinstance(side, int) and 0 < side <= _MAX_SIDE for side in shape)
    return shape if plain and sides_fit and not scaled and "GROUPS" not in header else None


def _first_image(hdus: fits.HDUList) -> np.ndarray:
    for hdu in hdus:
        if isinstance(hdu, (fits.PrimaryHDU, fits.ImageHDU, fits.CompImageHDU)) and hdu.shape:
            if len(hdu.shape) != 2 or max(hdu.shape) > _MAX_SIDE:
                raise ValueError(f"an image should have two axes of at most {_MAX_SIDE} pixels, not {hdu.shape}")
            if hdu.data is None:
                raise ValueError("the image has no data")
            return np.asarray(hdu.data)
    raise ValueError("no image in any HDU")
