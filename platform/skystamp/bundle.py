"""A model folder with everything a classification needs, and the refusal to use one whose answers have changed.

    bundle/
      bundle.json    name, classes, architecture, software versions, what it was trained on
      spec.json      the `InputSpec` or `SequenceSpec`: how inputs are made
      model.keras    architecture and weights
      example.npz    raw inputs of a few training alerts or sequences, and the probabilities the model gave them
      card.md        for people

`load` makes the example's inputs again, asks the model, and raises if an answer moved: a changed preprocessing, library
or weight file is found before it answers anybody. Nothing in the folder is pickled.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float32

from skystamp import inputs
from skystamp.errors import BundleError, UsageError
from skystamp.inputs import Raw, RawSequences, Spec

if TYPE_CHECKING:
    import keras

    from skystamp.models.engine import Predict

FORMAT = 1
TOLERANCE = 1e-4  # of a probability; engines and processors differ by 1e-6
EXAMPLE_ALERTS = 8

_DEPENDENCIES = ("keras", "tensorflow", "numpy", "astropy")


@dataclass(frozen=True)
class Bundle:
    """A model that is ready to answer, with what made its inputs and what its answers mean."""

    classes: tuple[str, ...]
    spec: Spec
    about: Mapping[str, Any]
    predict_inputs: "Predict" = field(repr=False)

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
        parts = [self._predict_part(raw.take(slice(start, start + batch))) for start in range(0, len(raw), batch)]
        return np.concatenate(parts) if parts else np.empty((0, len(self.classes)), np.float32)

    def _predict_part(self, raw: Any) -> Float32[np.ndarray, "alert class"]:
        return self.predict_inputs(self.spec.feed(raw))


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
    """
    from skystamp.models import engine, saved

    folder.mkdir(parents=True, exist_ok=True)
    answers = Bundle(tuple(classes), spec, {"name": name}, engine.compiled(model)).predict(example)
    if not len(answers):
        raise BundleError("a bundle should have an example of at least one alert. Received: none")
    saved.save(model, folder / "model.keras")
    (folder / "spec.json").write_text(spec.to_json())
    kept: dict[str, Any] = {**example.arrays(), "probabilities": answers}
    np.savez_compressed(folder / "example.npz", **kept)
    facts = {**about, "format": FORMAT, "name": name, "classes": list(classes), "software": _software()}
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
        bundle = Bundle(tuple(facts["classes"]), spec, facts, _load_model(folder / "model.keras"))
    except (OSError, ValueError, KeyError, TypeError, UsageError) as error:
        raise BundleError(f"{folder} should be a whole bundle. Received: {error}") from error
    _check(bundle, example, answers, folder)
    return bundle


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
