"""A bundle and the raw inputs of one object -> an `Explanation`: both methods, with the names of bands and features."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float32

from skystamp.alert import BANDS
from skystamp.bundle import Bundle
from skystamp.errors import UsageError
from skystamp.explanation.integrated import STEPS, integrated_gradients
from skystamp.explanation.occlusion import PATCH, STAMPS, STRIDE, occlusion
from skystamp.inputs import InputSpec, Raw, RawSequences, Spec
from skystamp.networks import Network, tempered


@dataclass(frozen=True)
class Number:
    """One number that a model read, and what it added to the probability.

    `detection` counts from 1 and is None for what belongs to no single one; `value` is what the model read, clipped
    and filled in, in the feature's own unit.
    """

    name: str
    detection: int | None
    value: float
    integrated_gradient: float
    occlusion: float


@dataclass(frozen=True)
class Explanation:
    """What each input added to the probability of one class, for one object.

    Attributes
    ----------
    label : str
        The class that is explained.
    classes, probabilities
        All classes, and the bundle's answer, float32 (class).
    baseline_probability : float
        Of `label`, for the baseline.
    bands : tuple of str
        Of the last axis of ``stamps``.
    inputs, baseline, integrated, occluded : mapping
        The model's inputs by name, without the batch's axis, the baseline of each, and what each value added by
        integrated gradients and by occlusion; float32. ``stamps``: (y, x, band), or (detection, y, x, band) for
        sequences; ``metadata`` (feature), ``dynamic`` (detection, feature), ``static`` (feature).
    numbers : tuple of Number
        Everything but the stamps, strongest first.
    """

    label: str
    classes: tuple[str, ...]
    probabilities: Float32[np.ndarray, " class"]
    baseline_probability: float
    bands: tuple[str, ...]
    inputs: Mapping[str, np.ndarray]
    baseline: Mapping[str, np.ndarray]
    integrated: Mapping[str, np.ndarray]
    occluded: Mapping[str, np.ndarray]
    numbers: tuple[Number, ...]

    @property
    def probability(self) -> float:
        """The bundle's probability of `label`."""
        return float(self.probabilities[self.classes.index(self.label)])

    @property
    def gap(self) -> float:
        """What integrated gradients leave unexplained: the error of their integral, 0 in theory."""
        added = sum(float(values.sum(dtype=np.float64)) for values in self.integrated.values())
        return self.probability - self.baseline_probability - added

    def stamps(self, method: str) -> Float32[np.ndarray, "detection y x band"]:
        """Return what is there of the stamps, one detection or several: ``inputs``, ``integrated`` or ``occluded``."""
        values = getattr(self, method)[STAMPS]
        return values if values.ndim == 4 else values[None]

    def arrays(self) -> dict[str, np.ndarray]:
        """Return everything as arrays by flat names, for example ``integrated_stamps``: what `numpy.savez` takes."""
        parts = {part: getattr(self, part) for part in ("inputs", "baseline", "integrated", "occluded")}
        flat = {f"{part}_{name}": values for part, found in parts.items() for name, values in found.items()}
        return {**flat, "probabilities": self.probabilities, "classes": np.array(self.classes)}

    def summary(self) -> dict[str, Any]:
        """Return it without the maps, as JSON: the answer, each band's and each number's part in it."""
        return {
            "class": self.label,
            "probabilities": dict(zip(self.classes, self.probabilities.tolist(), strict=True)),
            "baseline_probability": self.baseline_probability,
            "unexplained": self.gap,
            "stamps": self._by_band(),
            "numbers": [vars(number) for number in self.numbers],
        }

    def _by_band(self) -> list[dict[str, Any]]:
        if STAMPS not in self.inputs:
            return []
        added = self.stamps("integrated").sum(axis=(1, 2), dtype=np.float64)
        return [
            {"band": band, "detection": detection + 1, "integrated_gradient": float(added[detection, place])}
            for detection in range(len(added))
            for place, band in enumerate(self.bands)
        ]


def explain(
    bundle: Bundle,
    raw: Raw | RawSequences,
    label: str | None = None,
    *,
    steps: int = STEPS,
    patch: int = PATCH,
    stride: int = STRIDE,
) -> Explanation:
    """Return why a bundle answers as it does for one object.

    Parameters
    ----------
    bundle : Bundle
        That can differentiate its model, as one that was loaded from a folder does.
    raw : Raw or RawSequences
        Of one, as the bundle's spec reads it.
    label : str, optional
        The class to explain; the most probable one by default.
    steps, patch, stride
        As of `integrated_gradients` and `occlusion`: more steps leave a smaller `Explanation.gap`.

    Raises
    ------
    UsageError
        If there is not exactly one, the bundle has no such class, or it can not differentiate.
    """
    if len(raw) != 1:
        raise UsageError(f"one object should be explained at a time. Received: {len(raw)}")
    if label is not None and label not in bundle.classes:
        raise UsageError(f"the class should be one of {', '.join(bundle.classes)}. Received: {label}")
    network = tempered(bundle.predict_inputs, bundle.temperature)
    if not isinstance(network, Network):
        raise UsageError(f"the bundle should have been loaded from its folder. Received: {bundle.name}, no gradients")
    feed: Any = bundle.spec.feed  # of raw inputs of its own kind
    inputs: dict[str, np.ndarray] = feed(raw)
    baseline = baseline_of(inputs)
    probabilities, empty = network(inputs)[0], network(baseline)[0]
    place = int(probabilities.argmax()) if label is None else bundle.classes.index(label)
    integrated = integrated_gradients(network, inputs, baseline, place, steps=steps)
    occluded = occlusion(network, inputs, baseline, place, patch=patch, stride=stride)
    alone = {name: values[0] for name, values in inputs.items()}
    return Explanation(
        label=bundle.classes[place],
        classes=bundle.classes,
        probabilities=probabilities,
        baseline_probability=float(empty[place]),
        bands=BANDS if isinstance(bundle.spec, InputSpec) else bundle.spec.bands,
        inputs=alone,
        baseline={name: values[0] for name, values in baseline.items()},
        integrated=integrated,
        occluded=occluded,
        numbers=_numbers(bundle.spec, alone, integrated, occluded),
    )


def baseline_of(inputs: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the baseline of inputs, in their shapes: stamps flat at their median by band, all numbers 0, the mean."""
    return {
        name: np.broadcast_to(np.median(values, axis=(-3, -2), keepdims=True), values.shape).astype(np.float32)
        if name == STAMPS
        else np.zeros_like(values)
        for name, values in inputs.items()
    }


def _numbers(
    spec: Spec, inputs: Mapping[str, np.ndarray], integrated: Mapping[str, np.ndarray], occluded: Mapping[str, Any]
) -> tuple[Number, ...]:
    """Return every number with what it added, strongest by either method first."""
    found = []
    for part, (names, means, deviations) in _features(spec).items():
        values = inputs[part] * np.array(deviations) + np.array(means)
        for place in np.ndindex(values.shape):
            detection = place[0] + 1 if len(place) > 1 else None
            added, lost = float(integrated[part][place]), float(occluded[part][place])
            found.append(Number(names[place[-1]], detection, float(f"{values[place]:.6g}"), added, lost))
    return tuple(sorted(found, key=lambda one: -max(abs(one.integrated_gradient), abs(one.occlusion))))


def _features(spec: Spec) -> dict[str, tuple[tuple[str, ...], tuple[float, ...], tuple[float, ...]]]:
    """Return names, means and deviations of the numbers that a spec feeds, by input."""
    if isinstance(spec, InputSpec):
        return {"metadata": (spec.features, spec.means, spec.deviations)} if spec.features else {}
    parts = {"dynamic": spec.dynamic, "static": spec.static}
    return {part: (names, spec.means[part], spec.deviations[part]) for part, names in parts.items() if names}
