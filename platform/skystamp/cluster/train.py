"""One configuration and prepared data -> a bundle and its scores: what a trial of a study and a single training share.

    prepared data ── load ──> labelled raw inputs ── examples (spec.feed) ──> Examples ── train ──> model ──> bundle

What differs between single detections and sequences is the family's (`families`).
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from skystamp import bundle, metrics, routing, taxonomy, timing
from skystamp.cluster.data.shards import read_manifest
from skystamp.cluster.families import Configuration, Family, Labelled
from skystamp.inputs import Spec
from skystamp.training import Examples, loop


@dataclass(frozen=True)
class Trained:
    """A bundle's folder with its validation scores, its curves, and the time an answer takes."""

    folder: Path
    scores: dict[str, float]
    history: dict[str, list[float]]
    matrix: np.ndarray
    seconds: dict[str, float]


def load(family: Family, folders: Sequence[Path], split: str) -> Any:
    """Return one split of one or several prepared data sets, in this order, as the family reads it.

    Raises
    ------
    DatasetError
        If a folder holds no prepared data.
    """
    return joined([family.load(folder, split) for folder in folders])


def joined(parts: Sequence[Any]) -> Any:
    """Return several splits of one kind as one, in this order."""
    return parts[0] if len(parts) == 1 else _joined(parts)


def _joined(parts: Sequence[Any]) -> Any:
    if isinstance(parts[0], np.ndarray):
        return np.concatenate(parts)
    return type(parts[0])(*(_joined([getattr(part, field.name) for part in parts]) for field in fields(parts[0])))


def data_hash(folders: Sequence[Path]) -> str:
    """Return the hash of prepared data as their manifests give it, of several joined by ``+``."""
    return "+".join(str(read_manifest(folder)["hash"]) for folder in folders)


def spec_for(chosen: Configuration, data: Labelled) -> Spec:
    """Return the input spec of a configuration, fitted on a training split."""
    return chosen.spec.fitted(data.raw)


def examples(spec: Spec, data: Labelled, classes: Sequence[str]) -> Examples:
    """Return what a model of this spec learns from or is tested on; other classes are left out."""
    known = np.flatnonzero(np.isin(data.labels, list(classes)))
    labels = taxonomy.indices(data.labels[known].tolist(), classes)
    raw = data.raw.take(known) if len(known) < len(data) else data.raw
    return Examples(spec.feed(raw), np.array(labels, np.int64))


def train(
    family: Family,
    settings: Mapping[str, Any],
    train_examples: Examples,
    validation: Examples,
    spec: Spec,
    example: Any,
    folder: Path,
    *,
    seed: int,
    about: Mapping[str, Any],
    on_validation: Callable[[int, Mapping[str, float]], bool | None] | None = None,
    checkpoints: Path | None = None,
    checkpoint_every: int = 1000,
) -> Trained:
    """Train one configuration with one seed and write its bundle to `folder`.

    Parameters
    ----------
    family : Family
        Of the model; its name is the bundle's.
    settings : mapping
        As `family.configuration` takes them.
    train_examples, validation : Examples
        Made by `spec`.
    spec : InputSpec or SequenceSpec
        Fitted on the training split.
    example : Raw or RawSequences
        What the bundle will replay.
    seed : int
        Of weights and batches.
    about : mapping
        For the bundle.
    on_validation, checkpoints, checkpoint_every
        As `loop.fit` takes them.
    """
    chosen, classes = family.configuration({**settings, "seed": seed}), family.classes
    model = chosen.build(seed)
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
    scores = {**metrics.scores(probabilities, validation.labels), **metrics.class_scores(matrix, classes)}
    facts = {**about, "settings": dict(settings), "seed": seed, "validation": scores, "iterations": result.iterations}
    card = model_card(family.name, facts, classes)
    bundle.save(folder, model, name=family.name, spec=spec, classes=classes, example=example, about=facts, card=card)
    return Trained(folder, scores, result.history, matrix, inference_seconds(folder, example))


def example_of(data: Labelled, count: int = bundle.EXAMPLE_ALERTS) -> Any:
    """Return a few of the data's raw inputs for a bundle's example, spread over them."""
    return data.raw.take(np.linspace(0, len(data) - 1, min(count, len(data))).astype(int))


def inference_seconds(folder: Path, example: Any) -> dict[str, float]:
    """Return seconds an alert, or a sequence, for one and in a batch of 64: network alone, warm, median of many."""
    loaded = bundle.load(folder)
    timed = timing.time_sizes(loaded.predict_inputs, loaded.spec.feed(example), (1, 64), repeats=20)
    return {f"inference_s_batch_{size}": found.per_example_s for size, found in timed.items()}


def evaluate(folder: Path, data: Labelled) -> tuple[dict[str, float], np.ndarray]:
    """Return the scores of a bundle on labelled data, and its confusion matrix (true, answered) in its classes."""
    loaded = bundle.load(folder)
    known = np.flatnonzero(np.isin(data.labels, list(loaded.classes)))
    labels = np.array(taxonomy.indices(data.labels[known].tolist(), loaded.classes), np.int64)
    probabilities = loaded.predict(data.raw.take(known))
    matrix = metrics.confusion_matrix(labels, probabilities.argmax(1), len(loaded.classes))
    return {**metrics.scores(probabilities, labels), **metrics.class_scores(matrix, loaded.classes)}, matrix


def model_card(name: str, facts: Mapping[str, Any], classes: Sequence[str]) -> str:
    """Return a model's card: what it answers, what it learned from, how well, and what not to use it for."""
    scores = facts.get("test") or facts["validation"]
    split = "test" if facts.get("test") else "validation"
    rows = "\n".join(f"| {label} | {scores[f'recall_{label}']:.3f} |" for label in classes)
    return f"""# {name}

Classifies {_what(name)}: {", ".join(classes)}. Stamps and metadata as in `spec.json`.

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


def _what(name: str) -> str:
    detections = next((n for n, model in routing.MODEL_FOR.items() if model == name), 1)
    return "an alert from one detection" if detections == 1 else f"an object from its first {detections} detections"
