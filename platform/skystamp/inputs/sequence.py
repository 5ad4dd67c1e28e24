"""A sequence of detections -> what a temporal model reads.

    RawSequences: stamps (sequence, detection, 63, 63, 3), metadata (sequence, detection, feature), times, AllWISE
    ── SequenceSpec.feed ──> stamps  (sequence, detection, crop, crop, 2) in 0..1
                             dynamic (sequence, detection, 10)  what changes from detection to detection
                             static  (sequence, 17)             what does not

Science and template only; the metadata of Table 3 (Neira, Estevez and Forster 2024), each number clipped and
standardised as `tables` does. Dynamic values are standardised over all detections of all sequences of the training
split; static ones are those of the first detection, so that they do not change when a sequence grows.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from dataclasses import fields as dataclass_fields
from typing import Any, ClassVar

import numpy as np
from jaxtyping import Float64, Int64, Shaped

from skystamp import crossmatch, metadata, sequences, stamps
from skystamp.alert import BANDS
from skystamp.errors import UsageError
from skystamp.inputs import tables
from skystamp.inputs.detection import Raw
from skystamp.inputs.scaling import normalised
from skystamp.inputs.tables import CLIPS, MISSING

TIME_DIFFERENCE = "time_difference"
"""Days since the accepted detection before, 0 for the first."""

DYNAMIC = (
    TIME_DIFFERENCE,
    *("fwhm", "ndethist", "ncovhist", "non_detections", "isdiffpos", "magpsf", "sigmapsf", "diffmaglim", "classtar"),
)
_COLOURS = ("W1-W2", "W2-W3", "W3-W4")
STATIC = (
    *("sgscore1", "distpsnr1", "sgscore2", "distpsnr2", "sgscore3", "distpsnr3", "chinr", "sharpnr"),
    *("ra", "dec", "ecl_lat", "ecl_long", "gal_lat", "gal_long"),
    *_COLOURS,
)
WISE = ("wise_distance", "W1", "W2", "W3", "W4", *_COLOURS)
"""What a catalogue adds to the static features: distance of the match (arcsec), magnitudes and colours (Vega mag)."""

SEQUENCE_CLIPS: dict[str, tuple[float | None, float | None]] = {
    **CLIPS,
    TIME_DIFFERENCE: (0.0, 100.0),
    **dict.fromkeys(_COLOURS, (-2.0, 8.0)),
}
"""Bounds of single detections, and ours for what single detections do not have: a season's gap says no more than 100
days do."""


@dataclass(frozen=True, slots=True)
class SequenceSpec:
    """What a temporal model reads and how it is made.

    Attributes
    ----------
    detections : int
        Accepted detections a sequence, n; a model reads exactly so many.
    survey, side, crop
        As of `InputSpec`; the paper's crop is 33.
    bands : tuple of str
        Channels of the stamps, of `alert.BANDS`; empty for a model of metadata alone.
    dynamic, static : tuple of str
        Names of the numbers a detection and a sequence has, in the order of the inputs; may be empty.
    clips, missing : dict
        As of `InputSpec`, over the names of both.
    min_gap_hours : float
        The sequence rule, `sequences.select`; with the next, what the model learned from. Another than ours is refused.
    radius_arcsec : float
        The crossmatch's radius.
    means, deviations : dict of str to tuple of float
        Under ``dynamic`` and ``static``; empty until `fitted`.
    """

    KIND: ClassVar[str] = "sequence"

    detections: int
    survey: str = "ztf"
    side: int = 63
    crop: int = 33
    bands: tuple[str, ...] = ("science", "template")
    dynamic: tuple[str, ...] = DYNAMIC
    static: tuple[str, ...] = STATIC
    clips: dict[str, tuple[float | None, float | None]] = field(default_factory=lambda: dict(SEQUENCE_CLIPS))
    missing: dict[str, float] = field(default_factory=lambda: dict(MISSING))
    min_gap_hours: float = sequences.MIN_GAP_HOURS
    radius_arcsec: float = crossmatch.RADIUS_ARCSEC
    means: dict[str, tuple[float, ...]] = field(default_factory=dict)
    deviations: dict[str, tuple[float, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a spec that no input could be made by."""
        if self.detections < 1:
            raise UsageError(f"detections should be at least 1. Received: {self.detections}")
        for given, known in ((self.bands, BANDS), (self.dynamic, _DYNAMIC_KNOWN), (self.static, _STATIC_KNOWN)):
            unknown = [name for name in given if name not in known]
            if unknown:
                raise UsageError(f"bands and features should be of {known}. Received: {unknown}")
        for name, ours in _RULES.items():
            given = getattr(self, name)
            if given != ours:
                raise UsageError(f"{name} should be {ours}, as sequences are made. Received: {given}")
        if not (self.bands or self.dynamic or self.static):
            raise UsageError("a model should read something. Received: no bands, no features")
        stamps.central(self.side, self.crop)

    @property
    def reads_wise(self) -> bool:
        """Whether any input comes from the catalogue; not if none of the training split had a match."""
        deviations = self.deviations.get("static", (1.0,) * len(self.static))
        return any(name in WISE and deviation > 0 for name, deviation in zip(self.static, deviations, strict=True))

    def to_json(self) -> str:
        """Return the spec as JSON, the form in which a bundle keeps it."""
        return json.dumps({"kind": self.KIND, **asdict(self)}, indent=1)

    @classmethod
    def from_json(cls, text: str) -> "SequenceSpec":
        """Return the spec that `to_json` wrote.

        Raises
        ------
        UsageError
            If a field is unknown, missing or of another type.
        """
        content: dict[str, Any] = json.loads(text)
        content.pop("kind", None)
        expected = {each.name for each in dataclass_fields(cls)}
        if set(content) != expected:
            raise UsageError(f"a sequence spec should have the fields {sorted(expected)}. Received: {sorted(content)}")
        try:
            tuples = {name: tuple(content[name]) for name in ("bands", "dynamic", "static")}
            scales = {part: _tuples(content[part]) for part in ("means", "deviations")}
            clips = {name: (low, high) for name, (low, high) in content["clips"].items()}
            return cls(**{**content, **tuples, **scales, "clips": clips})
        except (AttributeError, TypeError, ValueError) as error:
            raise UsageError(f"a sequence spec's fields should have SequenceSpec's types. Received: {error}") from error

    def fitted(self, raw: "RawSequences") -> "SequenceSpec":
        """Return the spec with the means and deviations of a training split's clipped values."""
        found = {"dynamic": tables.statistics(_dynamic(self, raw)), "static": tables.statistics(_static(self, raw))}
        return replace(
            self,
            means={part: means for part, (means, _) in found.items()},
            deviations={part: deviations for part, (_, deviations) in found.items()},
        )

    def feed(self, raw: "RawSequences") -> dict[str, np.ndarray]:
        """Return a model's inputs by their names, finite float32; a part that the spec leaves empty is not there.

        ``stamps`` (sequence, detection, y, x, band) from 0 to 1, ``dynamic`` (sequence, detection, feature) and
        ``static`` (sequence, feature) standardised.

        Raises
        ------
        UsageError
            If the spec was not fitted, or the sequences are shorter or longer than it says.
        """
        if raw.stamps.shape[1] != self.detections:
            raise UsageError(f"sequences should have {self.detections} detections. Received: {raw.stamps.shape[1]}")
        if set(self.means) != {"dynamic", "static"}:
            raise UsageError("the spec should be fitted on a training split first. Received: no means")
        out = {"stamps": _stamps(self, raw)} if self.bands else {}
        for part, table in (("dynamic", _dynamic), ("static", _static)):
            if getattr(self, part):
                out[part] = tables.standardised(table(self, raw), self.means[part], self.deviations[part])
        return out


@dataclass(frozen=True, slots=True)
class RawSequences:
    """What the detections of each sequence say, before any model's choices: NaN is missing.

    `stamps` float32 (sequence, detection, y, x, band) and `metadata` float64 (sequence, detection, feature) as of
    `Raw`; `mjd` float64 (sequence, detection), days, in time order; `wise` float64 (sequence, 5), the columns
    `crossmatch.COLUMNS` of the first detection's match.
    """

    stamps: Shaped[np.ndarray, "sequence detection height width band"]
    metadata: Float64[np.ndarray, "sequence detection feature"]
    mjd: Float64[np.ndarray, "sequence detection"]
    wise: Float64[np.ndarray, "sequence column"]

    def __len__(self) -> int:
        return len(self.mjd)

    def take(self, indices: Any) -> "RawSequences":
        """Return the sequences at these indices."""
        return RawSequences(self.stamps[indices], self.metadata[indices], self.mjd[indices], self.wise[indices])

    def first(self, detections: int) -> "RawSequences":
        """Return the sequences with their first detections alone."""
        return RawSequences(
            self.stamps[:, :detections], self.metadata[:, :detections], self.mjd[:, :detections], self.wise
        )

    def detection(self, place: int) -> Raw:
        """Return one detection of each sequence, counted from 0, as raw inputs of a first-detection model."""
        return Raw(self.stamps[:, place], self.metadata[:, place])

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays by name, the form in which a bundle keeps its example."""
        return {"stamps": self.stamps, "metadata": self.metadata, "mjd": self.mjd, "wise": self.wise}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> "RawSequences":
        """Return what `arrays` gave."""
        return cls(arrays["stamps"], arrays["metadata"], arrays["mjd"], arrays["wise"])

    @classmethod
    def gathered(
        cls,
        raw: Raw,
        mjd: Float64[np.ndarray, " alert"],
        members: Int64[np.ndarray, "sequence detection"],
        wise: Float64[np.ndarray, "sequence column"],
    ) -> "RawSequences":
        """Return the sequences whose detections are these `members` of `raw`."""
        return cls(raw.stamps[members], raw.metadata[members], mjd[members], wise)


_RULES = {"min_gap_hours": sequences.MIN_GAP_HOURS, "radius_arcsec": crossmatch.RADIUS_ARCSEC}
_DYNAMIC_KNOWN = (TIME_DIFFERENCE, *metadata.FEATURES)
_STATIC_KNOWN = (*metadata.FEATURES, *WISE)


def colours(wise: Float64[np.ndarray, "sequence column"]) -> Float64[np.ndarray, "sequence feature"]:
    """Return `WISE` of the columns `crossmatch.COLUMNS`: themselves, and the three colours; NaN stays."""
    magnitudes = wise[:, 1:]
    return np.concatenate([wise, magnitudes[:, :-1] - magnitudes[:, 1:]], axis=1)


def _stamps(spec: SequenceSpec, raw: RawSequences) -> np.ndarray:
    keep = stamps.central(raw.stamps.shape[2], spec.crop)
    chosen = raw.stamps[:, :, keep, keep][..., [BANDS.index(band) for band in spec.bands]]
    flat = chosen.reshape(-1, *chosen.shape[2:])
    return normalised(np.ascontiguousarray(flat)).reshape(chosen.shape)


def _dynamic(spec: SequenceSpec, raw: RawSequences) -> Float64[np.ndarray, "sequence detection feature"]:
    table = np.concatenate([sequences.differences(raw.mjd)[..., None], raw.metadata], axis=-1)
    return tables.clipped(table, _DYNAMIC_KNOWN, spec.dynamic, spec.clips, spec.missing)


def _static(spec: SequenceSpec, raw: RawSequences) -> Float64[np.ndarray, "sequence feature"]:
    table = np.concatenate([raw.metadata[:, 0], colours(raw.wise)], axis=1)
    return tables.clipped(table, _STATIC_KNOWN, spec.static, spec.clips, spec.missing)


def _tuples(parts: Mapping[str, Any]) -> dict[str, tuple[float, ...]]:
    return {name: tuple(values) for name, values in parts.items()}
