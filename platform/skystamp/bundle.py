"""A model folder with everything a classification needs, and the refusal to use one whose answers have changed.

    bundle/
      bundle.json    name, classes, architecture, software versions, what it was trained on
      spec.json      the `InputSpec` or `SequenceSpec`: how inputs are made
      model.keras    architecture and weights; of an ensemble model-0.keras, model-1.keras, ... (`ensemble`)
      example.npz    raw inputs of a few training alerts or sequences, and the probabilities the model gave them
      card.md        for people

`load` makes the example's inputs again, asks the model, and raises if an answer moved: a changed preprocessing, library
or weight file is found before it answers anybody. Nothing in the folder is pickled.

bundle.json may name a ``temperature`` (`calibration`), which every answer passes: what is served is calibrated. Without
one it is 1, which changes nothing.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float32

from skystamp import inputs, networks
from skystamp.calibration import tempered
from skystamp.errors import BundleError, UsageError
from skystamp.inputs import Raw, RawSequences, Spec

if TYPE_CHECKING:
    import keras

    from skystamp.networks import Predict

FORMAT = 1
MODEL_FILE = "model.keras"
TOLERANCE = 1e-4  # of a probability; engines and processors differ by 1e-6
EXAMPLE_ALERTS = 8

_DEPENDENCIES = ("keras", "tensorflow", "numpy", "astropy")


@dataclass(frozen=True, slots=True)
class Predicted:
    """Probabilities of each class, and how far the members of an ensemble are apart; None of a single model.

    `spread` is the standard deviation over the members of each class's probability, at the bundle's temperature.
    """

    probabilities: Float32[np.ndarray, "alert class"]
    spread: Float32[np.ndarray, "alert class"] | None = None

    def named(self, classes: Sequence[str]) -> list[tuple[dict[str, float], dict[str, float] | None]]:
        """Return of each alert its probabilities by class, and their spread."""
        rows = [dict(zip(classes, row, strict=True)) for row in self.probabilities.tolist()]
        if self.spread is None:
            return [(row, None) for row in rows]
        spreads = [dict(zip(classes, row, strict=True)) for row in self.spread.tolist()]
        return list(zip(rows, spreads, strict=True))


@dataclass(frozen=True)
class Bundle:
    """A model that is ready to answer, with what made its inputs and what its answers mean.

    `predict_inputs` is the network alone, of an ensemble the mean of its `members`; no temperature is applied there.
    """

    classes: tuple[str, ...]
    spec: Spec
    about: Mapping[str, Any]
    predict_inputs: "Predict" = field(repr=False)
    temperature: float = 1.0
    members: tuple["Predict", ...] = field(default=(), repr=False)

    @property
    def name(self) -> str:
        """The registered name under which the bundle was made, for example ``first-detection``."""
        return str(self.about["name"])

    def predict(self, raw: Raw | RawSequences, *, batch: int = 256) -> Float32[np.ndarray, "alert class"]:
        """Return the probability of each of `classes` for each alert or sequence, float32, rows summing to 1.

        Parameters
        ----------
        raw : Raw or RawSequences
            Of the kind that the spec reads, cropped to no less than `spec.crop`.
        batch : int
            How many pass the network at once; it bounds memory and changes no answer.
        """
        return self.predict_with_spread(raw, batch=batch).probabilities

    def predict_with_spread(self, raw: Raw | RawSequences, *, batch: int = 256) -> Predicted:
        """Return the probabilities that `predict` does, with their spread over the members of an ensemble."""
        parts = [self._predict_part(raw.take(slice(start, start + batch))) for start in range(0, len(raw), batch)]
        if not parts:
            none = np.empty((0, len(self.classes)), np.float32)
            return Predicted(none, none if self.members else None)
        spreads = [part.spread for part in parts if part.spread is not None]
        return Predicted(
            np.concatenate([part.probabilities for part in parts]), np.concatenate(spreads) if spreads else None
        )

    def _predict_part(self, raw: Any) -> Predicted:
        feed = self.spec.feed(raw)
        if not self.members:
            return Predicted(tempered(self.predict_inputs(feed), self.temperature))
        each = np.stack([member(feed) for member in self.members])
        return Predicted(tempered(each.mean(axis=0), self.temperature), tempered(each, self.temperature).std(axis=0))


def pooled(members: Sequence["Predict"]) -> "Predict":
    """Return what answers with the mean of several networks' probabilities."""
    return networks.mean(members)


def save(
    folder: Path,
    model: "keras.Model",
    *,
    name: str,
    spec: Spec,
    classes: Sequence[str],
    example: Raw | RawSequences,
    about: Mapping[str, Any],
    card: str,
    temperature: float = 1.0,
) -> Path:
    """Write a bundle and return its folder.

    Parameters
    ----------
    folder : Path
        Made if it is absent; the files of a bundle that is there already are replaced.
    model : keras.Model
        From what `spec` feeds, by its names, to probabilities (alert, class).
    name, spec, classes
        What the bundle says of itself.
    example : Raw or RawSequences
        A few of what the spec reads, cropped to no less than its crop; the model's answers are kept beside them.
    about : mapping
        Anything else worth keeping, as JSON: parameters, scores, the data set's hash, the commit.
    card : str
        Markdown.
    temperature : float
        Of the answers, from `calibration.fitted_temperature`.
    """
    from skystamp.models import engine, saved

    folder.mkdir(parents=True, exist_ok=True)
    saved.save(model, folder / MODEL_FILE)
    made = Bundle(tuple(classes), spec, {**about, "name": name}, engine.compiled(model), temperature)
    return write(folder, made, example, card)


def write(folder: Path, made: Bundle, example: Raw | RawSequences, card: str) -> Path:
    """Write what a bundle has beside its networks' files, the answers to its example among it, and return the folder.

    Raises
    ------
    BundleError
        If the example is empty.
    """
    if not len(example):
        raise BundleError("a bundle should have an example of at least one alert. Received: none")
    folder.mkdir(parents=True, exist_ok=True)
    kept: dict[str, Any] = {**example.arrays(), "probabilities": made.predict(example)}
    np.savez_compressed(folder / "example.npz", **kept)
    (folder / "spec.json").write_text(made.spec.to_json())
    always = {"format": FORMAT, "name": made.name, "classes": list(made.classes), "software": _software()}
    facts = {**made.about, **always, "temperature": made.temperature}
    (folder / "bundle.json").write_text(json.dumps(facts, indent=1, sort_keys=True))
    (folder / "card.md").write_text(card)
    return folder


def load(folder: Path) -> Bundle:
    """Return the bundle in a folder, after it has reproduced its example.

    Raises
    ------
    BundleError
        If a file is missing or unreadable, the format is another, or an answer differs by more than `TOLERANCE`.
    """
    facts = _facts(folder)
    try:
        spec = inputs.spec_of((folder / "spec.json").read_text())
        with np.load(folder / "example.npz", allow_pickle=False) as file:
            example, answers = inputs.raw_of(spec, file), file["probabilities"]
        members = tuple(_load_member(folder, member) for member in facts.get("members", ()))
        network = pooled(members) if members else _load_model(folder / MODEL_FILE)
        bundle = Bundle(tuple(facts["classes"]), spec, facts, network, _temperature(facts), members)
    except (OSError, ValueError, KeyError, TypeError, UsageError) as error:
        raise BundleError(f"{folder} should be a whole bundle. Received: {error}") from error
    _check(bundle, example, answers, folder)
    return bundle


def example_of(folder: Path) -> Raw | RawSequences:
    """Return the raw inputs of a bundle's example."""
    with np.load(folder / "example.npz", allow_pickle=False) as file:
        found: Raw | RawSequences = inputs.raw_of(inputs.spec_of((folder / "spec.json").read_text()), file)
    return found


def recalibrate(folder: Path, temperature: float, about: Mapping[str, Any]) -> Bundle:
    """Give a whole bundle another temperature, and facts such as what it was fitted on; return the bundle.

    Raises
    ------
    BundleError
        If the bundle does not load as it is.
    """
    before = load(folder)
    after = replace(before, temperature=temperature, about={**before.about, **about})
    write(folder, after, example_of(folder), (folder / "card.md").read_text())
    return after


def amend(folder: Path, facts: Mapping[str, Any], card: Callable[[Mapping[str, Any]], str]) -> None:
    """Add facts to what a bundle says of itself, such as its test scores, and write its card anew from all of them."""
    everything = {**_facts(folder), **facts}
    (folder / "bundle.json").write_text(json.dumps(everything, indent=1, sort_keys=True))
    (folder / "card.md").write_text(card(everything))


def read_about(folder: Path) -> dict[str, Any]:
    """Return what a bundle says of itself, without loading its model.

    Raises
    ------
    BundleError
        If the folder holds no bundle of this format.
    """
    return _facts(folder)


def _facts(folder: Path) -> dict[str, Any]:
    try:
        facts: dict[str, Any] = json.loads((folder / "bundle.json").read_text())
    except (OSError, ValueError) as error:
        raise BundleError(f"{folder} should hold a bundle.json. Received: {error}") from error
    if facts.get("format") != FORMAT:
        raise BundleError(f"{folder} should have format {FORMAT}. Received: {facts.get('format')!r}")
    return facts


def _temperature(facts: Mapping[str, Any]) -> float:
    found = float(facts.get("temperature", 1.0))
    if not (np.isfinite(found) and found > 0):
        raise ValueError(f"a temperature should be positive. Received: {found}")
    return found


def _load_member(folder: Path, member: Mapping[str, Any]) -> "Predict":
    """Return one network of an ensemble, at the temperature that it had as a bundle of its own."""
    return networks.tempered(_load_model(folder / member["file"]), float(member["temperature"]))


def _load_model(path: Path) -> "Predict":
    from skystamp.models import engine, saved

    return engine.compiled(saved.load(path))


def _check(bundle: Bundle, example: Raw | RawSequences, answers: np.ndarray, folder: Path) -> None:
    again = bundle.predict(example)
    if again.shape != answers.shape:
        raise BundleError(f"{folder} should answer its example in shape {answers.shape}. Received: {again.shape}")
    difference = float(np.abs(again - answers).max())
    if not difference <= TOLERANCE:
        raise BundleError(
            f"{folder} should give its example the probabilities it was saved with, within {TOLERANCE}. "
            f"Received: a difference of {difference:.2g}"
        )


def _software() -> dict[str, str]:
    from importlib import metadata

    return {name: metadata.version(name) for name in (*_DEPENDENCIES, "skystamp")}
