"""A cutout -> a PNG, grey by one of four stretches; pixels without a value are transparent. Overlays in red and blue.

    asinh    from the sky's noise to the brightest pixels, faint structure lifted; noise alone stays dark
    linear   the middle 98 percent, as measured
    source   from the sky to what the central 5 x 5 pixels reach: the candidate itself, as ALeRCE's stamps
    full     from the least to the greatest value

A PNG of 63 x 63 pixels is 3 kB; the browser enlarges it without smoothing.
"""

import struct
import zlib
from collections.abc import Callable

import numpy as np
from jaxtyping import Float32, Float64, UInt8

_SOFT = 0.15  # of the range: where asinh turns from linear to logarithmic
_NOISES = 12  # of the sky's noise, which the brightest is at least above it
_HALF = 2  # pixels about the centre

Range = tuple[float, float]


def png(image: Float32[np.ndarray, "height width"], stretch: str) -> bytes:
    """Return the picture of an image, axes (y, x) with y upwards as surveys draw it, by a stretch of `STRETCHES`."""
    with np.errstate(invalid="ignore", over="ignore"):
        finite = np.isfinite(image)
        shown = scaled(np.where(finite, image, np.nan).astype(np.float64), stretch)
    grey = np.where(finite, np.rint(shown * 255), 0).astype(np.uint8)
    return encode(np.stack([grey, np.where(finite, 255, 0).astype(np.uint8)], axis=-1)[::-1])


def scaled(image: Float64[np.ndarray, "height width"], stretch: str) -> Float64[np.ndarray, "height width"]:
    """Return an image stretched to 0..1; 0.5 where it is flat, 0 where it has no value."""
    low, high = STRETCHES[stretch](image) if np.isfinite(image).any() else (0.0, 0.0)
    if not high > low:
        return np.full(image.shape, 0.5)
    part = np.nan_to_num(np.clip((image - low) / (high - low), 0.0, 1.0))
    return np.arcsinh(part / _SOFT) / np.arcsinh(1.0 / _SOFT) if stretch == "asinh" else part


def overlay(values: Float32[np.ndarray, "height width"], most: float) -> bytes:
    """Return a picture of what spoke for a class (red) and against it (blue), the more opaque the more."""
    share = np.clip(np.abs(values) / (most or 1.0), 0.0, 1.0)
    red, blue = np.array([255, 64, 48], np.uint8), np.array([64, 128, 255], np.uint8)
    colour = np.where((values > 0)[..., None], red, blue)
    alpha = np.rint(np.sqrt(share) * 200).astype(np.uint8)
    return encode(np.concatenate([colour, alpha[..., None]], axis=-1).astype(np.uint8)[::-1])


def encode(pixels: UInt8[np.ndarray, "height width channel"]) -> bytes:
    """Return pixels with alpha (2 channels: grey, alpha; 4: red, green, blue, alpha) as a PNG file."""
    height, width, channels = pixels.shape
    kind = {2: 4, 4: 6}[channels]
    lines = np.concatenate([np.zeros((height, 1), np.uint8), pixels.reshape(height, -1)], axis=1)
    header = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    body = _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(lines.tobytes(), 6)) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _from_the_sky(image: Float64[np.ndarray, "height width"]) -> Range:
    low, sky, bright = np.nanpercentile(image, [16.0, 50.0, 99.7])
    return float(sky - 2 * (sky - low)), float(max(bright, sky + _NOISES * (sky - low)))


def _middle(image: Float64[np.ndarray, "height width"]) -> Range:
    low, high = np.nanpercentile(image, [1.0, 99.0])
    return float(low), float(high)


def _of_the_source(image: Float64[np.ndarray, "height width"]) -> Range:
    y, x = (size // 2 for size in image.shape)
    centre = image[max(y - _HALF, 0) : y + _HALF + 1, max(x - _HALF, 0) : x + _HALF + 1]
    if not np.isfinite(centre).any():
        return _middle(image)
    return float(np.nanpercentile(image, 5.0)), float(np.nanmax(centre))


def _whole(image: Float64[np.ndarray, "height width"]) -> Range:
    return float(np.nanmin(image)), float(np.nanmax(image))


STRETCHES: dict[str, Callable[[Float64[np.ndarray, "height width"]], Range]] = {
    "asinh": _from_the_sky,
    "linear": _middle,
    "source": _of_the_source,
    "full": _whole,
}
