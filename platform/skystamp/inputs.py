"""The only maker of model inputs: in training, in scoring and in serving.

    alerts ── collect ──> Raw: stamps (alert, 63, 63, 3), metadata (alert, feature)          NaN = missing
    Raw ───── make ─────> Inputs: stamps (alert, crop, crop, 3) in 0..1, metadata standardised   all finite

The order is that of the published code (Carrasco-Davis et al. 2021): centre crop; per channel of the crop, subtract
the minimum and divide by the maximum of the result, ignoring what is not finite; what is not finite (or the 0/0 of a
constant stamp) becomes 0; metadata are clipped, then standardised with statistics of the training split. Where the
paper is silent we say what we do: an infinite pixel counts as missing, and each feature has a rule for a missing value.
Everything that `make` needs stands in the `InputSpec`, which travels in the model's bundle.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from dataclasses import fields as dataclass_fields
from typing import Any

import numpy as np
from jaxtyping import Float32, Float64

from skystamp import metadata, stamps
from skystamp.alert import BANDS, Alert
from skystamp.errors import Reject, UsageError

_SGSCORES = ("sgscore1", "sgscore2", "sgscore3")
_DISTANCES = ("distpsnr1", "distpsnr2", "distpsnr3", "distnr")

CLIPS: dict[str, tuple[float | None, float | None]] = {
    **dict.fromkeys((*_SGSCORES, *_DISTANCES, "magnr"), (-1.0, None)),
    "fwhm": (None, 10.0),
    "ndethist": (None, 20.0),
    "ncovhist": (None, 3000.0),
    "non_detections": (None, 2000.0),
    "chinr": (-1.0, 15.0),
    "sharpnr": (-1.0, 1.5),
}
"""Lower and upper bound of each clipped feature (the published training code)."""

MISSING: dict[str, float] = dict.fromkeys((*_SGSCORES, *_DISTANCES, "magnr", "chinr", "sharpnr"), -1.0)
"""What stands for a missing value: -1 where the survey writes -999 for "no such source", as clipping made it in the
paper; any feature not named here gets the mean of the training split."""


@dataclass(frozen=True, slots=True)
class InputSpec:
    """What a model reads and how it is made.

    Attributes
    ----------
    survey : str
        Whose alerts.
    side, crop : int
        Pixels of a whole stamp and of the part that is kept around its centre.
    features : tuple of str
        Names of the metadata in the order of the input; empty for a model of images alone.
    clips : dict
        Feature -> [lower, upper] bound or None.
    missing : dict
        Feature -> the value of a missing one, before clipping; the training mean where a feature is not named.
    means, deviations : tuple of float
        Of each feature after clipping, over the training split; empty until `fitted`.
    """

    survey: str = "ztf"
    side: int = 63
    crop: int = 21
    features: tuple[str, ...] = metadata.FEATURES_23
    clips: dict[str, tuple[float | None, float | None]] = field(default_factory=lambda: dict(CLIPS))
    missing: dict[str, float] = field(default_factory=lambda: dict(MISSING))
    means: tuple[float, ...] = ()
    deviations: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        """Refuse a spec that no input could be made by."""
        unknown = [name for name in self.features if name not in metadata.FEATURES]
        if unknown:
            raise UsageError(f"features should be of {metadata.FEATURES}. Received: {unknown}")
        stamps.central(self.side, self.crop)

    def to_json(self) -> str:
        """Return the spec as JSON, the form in which a bundle keeps it."""
        return json.dumps(asdict(self), indent=1)

    @classmethod
    def from_json(cls, text: str) -> "InputSpec":
        """Return the spec that `to_json` wrote.

        Raises
        ------
        UsageError
            If a field is unknown or missing.
        """
        fields: dict[str, Any] = json.loads(text)
        expected = {each.name for each in dataclass_fields(cls)}
        if set(fields) != expected:
            raise UsageError(f"an input spec should have the fields {sorted(expected)}. Received: {sorted(fields)}")
        try:
            tuples = {name: tuple(fields[name]) for name in ("features", "means", "deviations")}
            clips = {name: (low, high) for name, (low, high) in fields["clips"].items()}
            return cls(**{**fields, **tuples, "clips": clips})
        except (AttributeError, TypeError, ValueError) as error:
            raise UsageError(f"an input spec should have fields of InputSpec's types. Received: {error}") from error


@dataclass(frozen=True, slots=True)
class Raw:
    """What alerts say, before any model's choices: NaN is missing.

    `stamps` float32, axes (alert, y, x, band), in the survey's unit; `metadata` float64, axes (alert, feature), in the
    order and units of `metadata.FEATURES`.
    """

    stamps: Float32[np.ndarray, "alert height width band"]
    metadata: Float64[np.ndarray, "alert feature"]

    def __len__(self) -> int:
        return len(self.metadata)

    def take(self, indices: Any) -> "Raw":
        """Return the alerts at these indices."""
        return Raw(self.stamps[indices], self.metadata[indices])


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a model reads: all finite float32.

    `stamps` axes (alert, y, x, band), from 0 to 1; `metadata` axes (alert, feature), standardised.
    """

    stamps: Float32[np.ndarray, "alert crop crop band"]
    metadata: Float32[np.ndarray, "alert feature"]

    def __len__(self) -> int:
        return len(self.metadata)


def collect(
    alerts: Sequence[Alert], *, side: int = 63, crop: int | None = None
) -> tuple[Raw, list[int], dict[int, Reject]]:
    """Return the raw inputs of those alerts whose stamps decode, their indices, and the reject of each other index.

    Parameters
    ----------
    alerts : sequence of Alert
        Of one survey.
    side : int
        Pixels that each stamp has to have.
    crop : int, optional
        Keep so many around the centre: enough for the spec that `make` will get, and cheaper than all.
    """
    size = crop or side
    images = np.empty((len(alerts), size, size, len(BANDS)), np.float32)
    kept: list[int] = []
    rejects: dict[int, Reject] = {}
    for i, alert in enumerate(alerts):
        try:
            stamps.triplet(alert, side, crop, out=images[len(kept)])
        except Reject as reject:
            rejects[i] = reject
        else:
            kept.append(i)
    return Raw(images[: len(kept)], metadata.table([alerts[i] for i in kept])), kept, rejects


def make(spec: InputSpec, raw: Raw) -> Inputs:
    """Return the inputs of a model with this spec.

    Raises
    ------
    UsageError
        If the spec has features but was not `fitted`.
    """
    if len(spec.means) != len(spec.features):
        raise UsageError("the spec should be fitted on a training split first. Received: no means")
    keep = stamps.central(raw.stamps.shape[1], spec.crop)
    return Inputs(normalised(raw.stamps[:, keep, keep]), _standardised(spec, raw.metadata))


def fitted(spec: InputSpec, raw_metadata: Float64[np.ndarray, "alert feature"]) -> InputSpec:
    """Return the spec with the means and deviations of a training split's metadata (as in `Raw`), clipped as it says.

    A feature that never varies gets deviation 1, one that is always missing mean 0.
    """
    clipped = _clipped(spec, raw_metadata)
    known = ~np.isnan(clipped)
    count = np.maximum(known.sum(0), 1)
    means = np.where(known, clipped, 0).sum(0) / count
    deviations = np.sqrt(np.where(known, (clipped - means) ** 2, 0).sum(0) / count)
    deviations[deviations == 0] = 1.0
    return replace(spec, means=tuple(means.tolist()), deviations=tuple(deviations.tolist()))


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


def _clipped(spec: InputSpec, table: Float64[np.ndarray, "alert feature"]) -> Float64[np.ndarray, "alert selected"]:
    columns = [metadata.FEATURES.index(name) for name in spec.features]
    out = table[:, columns]
    for i, name in enumerate(spec.features):
        values = out[:, i]
        if name in spec.missing:
            values[np.isnan(values)] = spec.missing[name]
        low, high = spec.clips.get(name, (None, None))
        if low is not None or high is not None:
            np.clip(values, low, high, out=values)
    return out


def _standardised(
    spec: InputSpec, table: Float64[np.ndarray, "alert feature"]
) -> Float32[np.ndarray, "alert selected"]:
    scaled = (_clipped(spec, table) - np.array(spec.means)) / np.array(spec.deviations)
    return np.nan_to_num(scaled, nan=0.0).astype(np.float32)
