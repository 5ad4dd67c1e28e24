"""Stamps -> the same from 0 to 1, each channel by its own minimum and maximum.

As in the published code (Carrasco-Davis et al. 2021): per channel of the crop, subtract the minimum and divide by the
maximum of the result, ignoring what is not finite; what is not finite, or the 0/0 of a constant stamp, becomes 0. Where
the paper is silent we say what we do: an infinite pixel counts as missing.
"""

import numpy as np
from jaxtyping import Float32


def normalised(
    images: Float32[np.ndarray, "alert height width band"],
) -> Float32[np.ndarray, "alert height width band"]:
    """Return each channel of each image scaled from its minimum to its maximum to 0..1.

    What is not finite becomes 0, and so does a channel that is constant or spans more than float32 can hold.
    """
    alerts, height, width, bands = images.shape
    planes = np.ascontiguousarray(images.transpose(0, 3, 1, 2)).reshape(alerts * bands, height * width)
    with np.errstate(over="ignore", invalid="ignore"):
        low, span = planes.min(1), planes.max(1) - planes.min(1)
        unusual = np.flatnonzero(~(np.isfinite(span) & (span > 0)))
        masked = planes[unusual]
        low[unusual], span[unusual] = 0, 1
        planes -= low[:, None]
        planes /= span[:, None]
    planes[unusual] = _normalised_masked(masked)
    return np.ascontiguousarray(planes.reshape(alerts, bands, height, width).transpose(0, 2, 3, 1))


def _normalised_masked(planes: Float32[np.ndarray, "plane pixel"]) -> Float32[np.ndarray, "plane pixel"]:
    """Return planes with pixels that are not finite, or without any contrast, scaled as `normalised` promises."""
    shifted = np.where(np.isfinite(planes), planes, np.float32(np.nan))
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        shifted -= np.fmin.reduce(shifted, axis=1, keepdims=True)
        shifted /= np.fmax.reduce(shifted, axis=1, keepdims=True)
    return np.nan_to_num(shifted, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
