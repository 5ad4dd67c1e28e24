"""Several bundles of one configuration -> one bundle that answers with their mean and says how far they are apart.

    bundle/
      model-0.keras, model-1.keras, ...    the networks, each with the temperature that its bundle had
      bundle.json    ... "members": [{"file": "model-0.keras", "temperature": 1.1, "seed": 0}, ...]
      the rest as of any bundle

The mean of calibrated answers is flatter than it should be, so an ensemble can have a temperature of its own on top,
which is fitted on the mean (Rahaman & Thiery 2021: pool, then calibrate).
"""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from skystamp import bundle
from skystamp.bundle import Bundle
from skystamp.errors import BundleError
from skystamp.networks import Predict, tempered

LEAST = 2


def save(
    folder: Path, members: Sequence[Path], *, about: Mapping[str, Any] | None = None, temperature: float = 1.0
) -> Path:
    """Write the ensemble of bundles to a new folder and return it.

    Parameters
    ----------
    folder : Path
        Made if it is absent.
    members : sequence of Path
        Folders of bundles of one name, one spec and the same classes, whose networks differ.
    about : mapping, optional
        Beside what the first member says of itself.
    temperature : float
        Of the mean.

    Raises
    ------
    BundleError
        If they are fewer than two, one does not load or is an ensemble itself, two are the same, or they do not fit
        together.
    """
    loaded = [bundle.load(member) for member in members]
    _check(members, loaded)
    folder.mkdir(parents=True, exist_ok=True)
    facts = []
    for number, (source, one) in enumerate(zip(members, loaded, strict=True)):
        name = f"model-{number}.keras"
        shutil.copyfile(source / bundle.MODEL_FILE, folder / name)
        facts.append({"file": name, "temperature": one.temperature, "seed": one.about.get("seed")})
    made = joined(loaded, {**_shared(loaded), **(about or {}), "members": facts}, temperature)
    example = bundle.example_of(members[0])
    return bundle.write(folder, made, example, card(made))


def joined(members: Sequence[Bundle], about: Mapping[str, Any], temperature: float = 1.0) -> Bundle:
    """Return the bundle that answers with the mean of loaded ones, each at its own temperature."""
    first = members[0]
    networks = tuple(_calibrated(one) for one in members)
    return Bundle(first.classes, first.spec, about, bundle.pooled(networks), temperature, networks)


def card(made: Bundle) -> str:
    """Return the card of an ensemble."""
    seeds = ", ".join(str(member["seed"]) for member in made.about["members"])
    count = len(made.members)
    return f"""# {made.name}: an ensemble of {count}

Answers with the mean of {count} networks of one configuration (seeds {seeds}), for {", ".join(made.classes)}; `spread`
is the standard deviation of their probabilities, class by class. Temperature of the mean: {made.temperature:.3f}.

- Data: {made.about.get("data", "unknown")}, hash `{made.about.get("data_hash", "unknown")}`

Limits: scores hold for alerts like those it learned from; the spread tells how much the networks' seeds matter for an
alert, not whether all of them are wrong alike. It costs {count} times the time of one network.
"""


def _check(folders: Sequence[Path], loaded: Sequence[Bundle]) -> None:
    if len(loaded) < LEAST:
        raise BundleError(f"an ensemble should have {LEAST} members or more. Received: {len(loaded)}")
    first = loaded[0]
    for folder, one in zip(folders, loaded, strict=True):
        if one.members:
            raise BundleError(f"a member should be a single model. Received: {folder}, an ensemble")
        if _configuration(one) != _configuration(first):
            wanted = "members should be trainings of one configuration: one name, spec and settings, the same classes"
            raise BundleError(f"{wanted}. Received: {folder}, which differs from {folders[0]}")
    weights = {(folder / bundle.MODEL_FILE).resolve() for folder in folders}
    answers = {np.asarray(one.predict(bundle.example_of(folders[0]))).tobytes() for one in loaded}
    if len(weights) < len(folders) or len(answers) < len(loaded):
        raise BundleError(f"members should differ from one another. Received: {', '.join(map(str, folders))}")


def _configuration(one: Bundle) -> Any:
    return one.name, one.classes, one.spec, one.about.get("settings")


def _shared(loaded: Sequence[Bundle]) -> dict[str, Any]:
    """Return what all members say of themselves alike; scores and seeds are each one's own."""
    first = loaded[0].about
    return {
        key: value
        for key, value in first.items()
        if key not in ("validation", "test", "seed", "iterations", "calibration")
        and all(one.about.get(key) == value for one in loaded)
    }


def _calibrated(one: Bundle) -> Predict:
    return tempered(one.predict_inputs, one.temperature)
