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

from skystamp import bundle, distributions, manifest, metrics, routing, taxonomy, timing
from skystamp import ensemble as ensembles
from skystamp.calibration import fitted_temperature, tempered
from skystamp.cluster import families
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
    calibrate: bool = True,
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
    calibrate : bool
        Whether the bundle's answers pass a temperature that is fitted on validation; no answer changes its class.
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
    raw = loop.predict(model, validation)
    temperature, calibration = calibrated(raw, validation.labels) if calibrate else (1.0, {})
    probabilities = tempered(raw, temperature)
    matrix = metrics.confusion_matrix(validation.labels, raw.argmax(1), len(classes))
    scores = {**metrics.scores(probabilities, validation.labels), **metrics.class_scores(matrix, classes)}
    facts = {**about, "settings": dict(settings), "seed": seed, "validation": scores, "iterations": result.iterations}
    facts |= {"calibration": calibration} if calibrate else {}
    bundle.save(
        folder,
        model,
        name=family.name,
        spec=spec,
        classes=classes,
        example=example,
        about=facts,
        card=model_card(family.name, facts, classes),
        temperature=temperature,
    )
    keep_distributions(folder, spec, validation, probabilities, classes, temperature)
    return Trained(folder, scores, result.history, matrix, inference_seconds(folder, example))


def ensemble(
    members: Sequence[Path], validation: Examples, folder: Path, *, calibrate: bool = True, batch: int = 256
) -> Path:
    """Write the ensemble of one configuration's bundles, scored and calibrated on validation; return its folder."""
    loaded = [bundle.load(member) for member in members]
    pooled, classes = ensembles.joined(loaded, loaded[0].about).predict_inputs, loaded[0].classes
    parts = [slice(start, start + batch) for start in range(0, len(validation), batch)]
    answers = np.concatenate([pooled({name: a[part] for name, a in validation.inputs.items()}) for part in parts])
    temperature, found = calibrated(answers, validation.labels) if calibrate else (1.0, {})
    matrix = metrics.confusion_matrix(validation.labels, answers.argmax(1), len(classes))
    scores = {
        **metrics.scores(tempered(answers, temperature), validation.labels),
        **metrics.class_scores(matrix, classes),
    }
    about = {"validation": scores, **({"calibration": found} if calibrate else {})}
    ensembles.save(folder, members, about=about, temperature=temperature)
    calibrated_answers = tempered(answers, temperature)
    keep_distributions(folder, loaded[0].spec, validation, calibrated_answers, classes, temperature)
    return folder


def keep_distributions(
    folder: Path, spec: Spec, read: Examples, probabilities: np.ndarray, classes: Sequence[str], temperature: float
) -> None:
    """Keep in a bundle what it read and answered on validation, with which `skystamp drift` compares a night."""
    names, numbers, fills = distributions.columns_of(spec, read.inputs)
    distributions.measured(names, numbers, fills, probabilities, classes, temperature=temperature).save(folder)


def calibrated(probabilities: np.ndarray, labels: np.ndarray) -> tuple[float, dict[str, Any]]:
    """Return the temperature that validation answers ask for, and what a bundle keeps of how it was found."""
    temperature = fitted_temperature(probabilities, labels)
    before, after = (metrics.expected_calibration_error(tempered(probabilities, t), labels) for t in (1.0, temperature))
    return temperature, {
        "split": manifest.VALIDATION,
        "examples": len(labels),
        "temperature": temperature,
        "error_before": before,
        "error_after": after,
    }


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


def figures_tags(test: Mapping[str, float], data: Sequence[Path], seconds: Mapping[str, float]) -> dict[str, str]:
    """Return the tags by which a version's figures are known to the list of models and to the gate of a promotion.

    Parameters
    ----------
    test : mapping
        Scores on the test split of `data`, as `evaluate` gives them.
    data : sequence of Path
        Prepared data.
    seconds : mapping
        As `inference_seconds` gives them.
    """
    return {
        "data_hash": data_hash(data),
        "test_accuracy": f"{test['accuracy']:.4f}",
        "test_calibration_error": f"{test['calibration_error']:.4f}",
        **{name: f"{value:.3g}" for name, value in seconds.items()},
    }


def model_card(name: str, facts: Mapping[str, Any], classes: Sequence[str]) -> str:
    """Return a model's card: what it answers, what it learned from, how well, and what not to use it for."""
    scores = facts.get("test") or facts["validation"]
    split = "test" if facts.get("test") else "validation"
    rows = "\n".join(f"| {label} | {scores[f'recall_{label}']:.3f} |" for label in classes)
    return f"""# {name}

Classifies {_what(name)}: {", ".join(classes)}. Stamps and metadata as in `spec.json`.

- Data: {facts.get("data", "unknown")}, hash `{facts.get("data_hash", "unknown")}`
- Settings: `{json.dumps(facts.get("settings", {}), sort_keys=True)}`, {_network(facts)}
- {split} accuracy {scores["accuracy"]:.3f}, macro F1 {scores["macro_f1"]:.3f}, calibration error \
{scores["calibration_error"]:.3f}

| class | {split} recall |
|---|---|
{rows}

Limits: scores hold for alerts like those it learned from. {facts.get("limits", "")}
{_meaning(name, facts)}
"""


def _meaning(name: str, facts: Mapping[str, Any]) -> str:
    """Return what probabilities mean: temperature scaling undoes what the entropy term of the loss does to them."""
    found = facts.get("calibration")
    if not found:
        beta = families.of(name).configuration(facts.get("settings", {})).training.beta
        flattened = "flattened by the entropy term of the loss" if beta else "not calibrated"
        return f"Probabilities are {flattened}; they rank, they are no frequencies."
    return (
        f"Probabilities are calibrated on {found['split']} ({found['examples']} objects, temperature "
        f"{found['temperature']:.3f}, error {found['error_before']:.3f} before and {found['error_after']:.3f} after); "
        "they are frequencies where classes are as common as there."
    )


def _network(facts: Mapping[str, Any]) -> str:
    members = facts.get("members")
    if not members:
        return f"seed {facts.get('seed')}"
    return f"the mean of {len(members)} networks, seeds {', '.join(str(one['seed']) for one in members)}"


def _what(name: str) -> str:
    detections = next((n for n, model in routing.MODEL_FOR.items() if model == name), 1)
    return "an alert from one detection" if detections == 1 else f"an object from its first {detections} detections"
