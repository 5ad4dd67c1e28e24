"""One detection -> what a first-detection model reads.

    alerts ── collect ──> Raw: stamps (alert, 63, 63, 3), metadata (alert, feature)          NaN = missing
    Raw ───── make ─────> Inputs: stamps (alert, crop, crop, 3) in 0..1, metadata standardised   all finite

Centre crop, scaling (`scaling`), clips and standardisation (`tables`), in the order of the published code
(Carrasco-Davis et al. 2021).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from dataclasses import fields as dataclass_fields
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float32, Float64

from skystamp import metadata, stamps
from skystamp.alert import BANDS, Alert
from skystamp.errors import Reject, UsageError
from skystamp.inputs import tables
from skystamp.inputs.scaling import normalised
from skystamp.inputs.tables import CLIPS, MISSING


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

    KIND: ClassVar[str] = "detection"

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
        return json.dumps({"kind": self.KIND, **asdict(self)}, indent=1)

    @classmethod
    def from_json(cls, text: str) -> "InputSpec":
        """Return the spec that `to_json` wrote.

        Raises
        ------
        UsageError
            If a field is unknown or missing.
        """
        fields: dict[str, Any] = json.loads(text)
        fields.pop("kind", None)
        expected = {each.name for each in dataclass_fields(cls)}
        if set(fields) != expected:
            raise UsageError(f"an input spec should have the fields {sorted(expected)}. Received: {sorted(fields)}")
        try:
            tuples = {name: tuple(fields[name]) for name in ("features", "means", "deviations")}
            clips = {name: (low, high) for name, (low, high) in fields["clips"].items()}
            return cls(**{**fields, **tuples, "clips": clips})
        except (AttributeError, TypeError, ValueError) as error:
            raise UsageError(f"an input spec should have fields of InputSpec's types. Received: {error}") from error

    def fitted(self, raw: "Raw") -> "InputSpec":
        """Return the spec with the means and deviations of a training split."""
        return fitted(self, raw.metadata)

    def feed(self, raw: "Raw") -> dict[str, np.ndarray]:
        """Return a model's inputs by their names: ``stamps``, and ``metadata`` unless the spec has no features."""
        made = make(self, raw)
        return {"stamps": made.stamps, "metadata": made.metadata} if self.features else {"stamps": made.stamps}


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

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays by name, the form in which a bundle keeps its example."""
        return {"stamps": self.stamps, "metadata": self.metadata}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "Raw":
        """Return what `arrays` gave."""
        return cls(arrays["stamps"], arrays["metadata"])


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

    A feature that never varies gets deviation 1, one that is always missing mean 0 and deviation 0, and says nothing.
    """
    means, deviations = tables.statistics(_clipped(spec, raw_metadata))
    return replace(spec, means=means, deviations=deviations)


def _clipped(spec: InputSpec, table: Float64[np.ndarray, "alert feature"]) -> Float64[np.ndarray, "alert selected"]:
    return tables.clipped(table, metadata.FEATURES, spec.features, spec.clips, spec.missing)


def _standardised(
    spec: InputSpec, table: Float64[np.ndarray, "alert feature"]
) -> Float32[np.ndarray, "alert selected"]:
    return tables.standardised(_clipped(spec, table), spec.means, spec.deviations)
