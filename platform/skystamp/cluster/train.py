"""One configuration and prepared data -> a bundle and its scores: what a trial of a study and a single training share.

    settings {learning_rate: 1e-3, crop: 21, ...} ── configuration ──> InputSpec, StampConfig, TrainConfig
    prepared data ── load ──> LabelledRaw ── examples (inputs.make) ──> Examples ── fit ──> model ──> bundle

Settings are flat, with the papers' names, as a search space gives them and MLflow shows them.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from skystamp import bundle, inputs, manifest, metadata, metrics, taxonomy, timing
from skystamp.cluster.data.shards import LabelledRaw, load_split, read_manifest
from skystamp.errors import UsageError
from skystamp.inputs import InputSpec, Raw
from skystamp.models.stamp import StampConfig, build
from skystamp.training import Examples, TrainConfig, loop

TURNED_SIDE = 45  # pixels given to a network that turns stamps by other than right angles and then crops them
FEATURE_SETS = {"23": metadata.FEATURES_23, "26": metadata.FEATURES_26, "none": ()}

_TRAIN = {field.name for field in fields(TrainConfig)}
_STAMP = {"crop", "k", "theta", "kernel", "dropout", "dropout_at", "mirrored"}
_KNOWN = _TRAIN | _STAMP | {"features"}


@dataclass(frozen=True)
class Configuration:
    """One choice of everything: input side and features, architecture, training."""

    side: int
    features: tuple[str, ...]
    network: StampConfig
    training: TrainConfig


@dataclass(frozen=True)
class Trained:
    """A bundle's folder with its validation scores, its curves, and the time an answer takes."""

    folder: Path
    scores: dict[str, float]
    history: dict[str, list[float]]
    matrix: np.ndarray
    seconds: dict[str, float]


def configuration(settings: Mapping[str, Any], classes: int = len(taxonomy.FIRST_DETECTION)) -> Configuration:
    """Return the configuration of flat settings; what they leave out is as published.

    Parameters
    ----------
    settings : mapping
        Fields of `TrainConfig`; crop, k, theta (rad), kernel, dropout, dropout_at, mirrored of `StampConfig`; and
        features: ``"23"``, ``"26"`` or ``"none"``.
    classes : int
        How many classes the network answers with.

    Raises
    ------
    UsageError
        If a setting is unknown or can not be.
    """
    unknown = sorted(set(settings) - _KNOWN)
    if unknown or settings.get("features", "23") not in FEATURE_SETS:
        wanted = f"settings should be of {sorted(_KNOWN)}, features one of {sorted(FEATURE_SETS)}"
        raise UsageError(f"{wanted}. Received: {unknown or settings.get('features')}")
    # JSON and search spaces have lists where dataclasses have tuples
    settings = {name: tuple(value) if isinstance(value, list) else value for name, value in settings.items()}
    stamp = {name: value for name, value in settings.items() if name in _STAMP}
    features = FEATURE_SETS[settings.get("features", "23")]
    crop, k, theta = stamp.setdefault("crop", 21), stamp.get("k", 4), stamp.get("theta", 0.0)
    side = crop if theta == 0 and k in (1, 2, 4) else max(TURNED_SIDE, crop)
    try:
        network = StampConfig(**stamp, side=side, metadata=len(features), classes=classes)
        training = TrainConfig(**{name: value for name, value in settings.items() if name in _TRAIN})
    except (TypeError, ValueError) as error:
        raise UsageError(str(error)) from error
    return Configuration(side, features, network, training)


def load(folders: Sequence[Path], split: str) -> LabelledRaw:
    """Return one split of one or several prepared data sets, in this order; validation and test keep first packets.

    Raises
    ------
    DatasetError
        If a folder holds no prepared data.
    """
    return joined([load_split(folder, split, earliest=split != manifest.TRAIN) for folder in folders])


def joined(parts: Sequence[LabelledRaw]) -> LabelledRaw:
    """Return several splits as one, in this order."""
    if len(parts) == 1:
        return parts[0]
    raw = Raw(*(np.concatenate([getattr(part.raw, name) for part in parts]) for name in ("stamps", "metadata")))
    rest = ("labels", "object_ids", "alert_ids", "mjd")
    return LabelledRaw(raw, *(np.concatenate([getattr(part, name) for part in parts]) for name in rest))


def data_hash(folders: Sequence[Path]) -> str:
    """Return the hash of prepared data as their manifests give it, of several joined by ``+``."""
    return "+".join(str(read_manifest(folder)["hash"]) for folder in folders)


def examples(spec: InputSpec, data: LabelledRaw, classes: Sequence[str] = taxonomy.FIRST_DETECTION) -> Examples:
    """Return what a model of this spec learns from or is tested on; alerts of other classes are left out."""
    known = np.flatnonzero(np.isin(data.labels, list(classes)))
    made = inputs.make(spec, data.raw.take(known)) if len(known) < len(data) else inputs.make(spec, data.raw)
    labels = taxonomy.indices(data.labels[known].tolist(), classes)
    return Examples(made.stamps, made.metadata, np.array(labels, np.int64))


def train(
    settings: Mapping[str, Any],
    train_examples: Examples,
    validation: Examples,
    spec: InputSpec,
    example: Raw,
    folder: Path,
    *,
    seed: int,
    name: str,
    about: Mapping[str, Any],
    classes: Sequence[str] = taxonomy.FIRST_DETECTION,
    on_validation: Callable[[int, Mapping[str, float]], bool | None] | None = None,
    checkpoints: Path | None = None,
    checkpoint_every: int = 1000,
) -> Trained:
    """Train one configuration with one seed and write its bundle to `folder`.

    Parameters
    ----------
    settings : mapping
        As `configuration` takes them.
    train_examples, validation : Examples
        Made by `spec`.
    spec : InputSpec
        Fitted on the training split.
    example : Raw
        Alerts that the bundle will replay.
    seed : int
        Of weights and batches.
    name, about, classes
        For the bundle.
    on_validation, checkpoints, checkpoint_every
        As `loop.fit` takes them.
    """
    chosen = configuration({**settings, "seed": seed}, len(classes))
    model = build(chosen.network, seed=seed)
    result = loop.fit(
        model,
        train_examples,
        validation,
        chosen.training,
        on_validation=on_validation,
        checkpoint_dir=checkpoints,
        checkpoint_every=checkpoint_every,
    )
    probabilities = loop.predict(model, validation)
    matrix = metrics.confusion_matrix(validation.labels, probabilities.argmax(1), len(classes))
    scores = {**metrics.scores(probabilities, validation.labels), **metrics.class_scores(matrix, tuple(classes))}
    facts = {**about, "settings": dict(settings), "seed": seed, "validation": scores, "iterations": result.iterations}
    card = model_card(name, facts, classes)
    bundle.save(folder, model, name=name, spec=spec, classes=classes, example=example, about=facts, card=card)
    return Trained(folder, scores, result.history, matrix, inference_seconds(folder, example))


def example_of(data: LabelledRaw, count: int = bundle.EXAMPLE_ALERTS) -> Raw:
    """Return a few alerts for a bundle's example, spread over the data; whole stamps, so that any crop can be made."""
    return data.raw.take(np.linspace(0, len(data) - 1, min(count, len(data))).astype(int))


def inference_seconds(folder: Path, example: Raw) -> dict[str, float]:
    """Return seconds an alert for one alert and in a batch of 64, network alone, warm, median of many."""
    loaded = bundle.load(folder)
    feed = bundle.feed(loaded.spec, inputs.make(loaded.spec, example))
    timed = timing.time_sizes(loaded.predict_inputs, feed, (1, 64), repeats=20)
    return {f"inference_s_batch_{size}": found.per_example_s for size, found in timed.items()}


def evaluate(folder: Path, data: LabelledRaw) -> tuple[dict[str, float], np.ndarray]:
    """Return the scores of a bundle on labelled alerts, and its confusion matrix (true, answered) in its classes."""
    loaded = bundle.load(folder)
    known = np.flatnonzero(np.isin(data.labels, list(loaded.classes)))
    labels = np.array(taxonomy.indices(data.labels[known].tolist(), loaded.classes), np.int64)
    probabilities = loaded.predict(data.raw.take(known))
    matrix = metrics.confusion_matrix(labels, probabilities.argmax(1), len(loaded.classes))
    return {**metrics.scores(probabilities, labels), **metrics.class_scores(matrix, loaded.classes)}, matrix


def spec_for(chosen: Configuration, data: LabelledRaw) -> InputSpec:
    """Return the input spec of a configuration, fitted on a training split."""
    spec = InputSpec(side=data.raw.stamps.shape[1], crop=chosen.side, features=chosen.features)
    return inputs.fitted(spec, data.raw.metadata)


def model_card(name: str, facts: Mapping[str, Any], classes: Sequence[str]) -> str:
    """Return a model's card: what it answers, what it learned from, how well, and what not to use it for."""
    scores = facts.get("test") or facts["validation"]
    split = "test" if facts.get("test") else "validation"
    rows = "\n".join(f"| {label} | {scores[f'recall_{label}']:.3f} |" for label in classes)
    return f"""# {name}

Classifies an alert from one detection: {", ".join(classes)}. Stamps and metadata as in `spec.json`.

- Data: {facts.get("data", "unknown")}, hash `{facts.get("data_hash", "unknown")}`
- Settings: `{json.dumps(facts.get("settings", {}), sort_keys=True)}`, seed {facts.get("seed")}
- {split} accuracy {scores["accuracy"]:.3f}, macro F1 {scores["macro_f1"]:.3f}, calibration error \
{scores["calibration_error"]:.3f}

| class | {split} recall |
|---|---|
{rows}

Limits: scores hold for alerts like those it learned from. {facts.get("limits", "")}
Probabilities are flattened on purpose by the entropy term of the loss; they rank, they are no frequencies.
"""


def as_json(chosen: Configuration) -> dict[str, Any]:
    """Return a configuration as plain values."""
    return asdict(chosen)
