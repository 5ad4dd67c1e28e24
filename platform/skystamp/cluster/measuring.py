"""Bundles side by side -> their figures for the gate: on one machine, at one time, on one set of data.

Figures that were logged on different machines or data do not compare; these do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from skystamp import bundle, inputs, manifest, timing
from skystamp.bundle import Bundle
from skystamp.cluster import families, train
from skystamp.errors import UsageError
from skystamp.tracking import Figures

ROUNDS = 5
"""Both are timed in each round, and the quietest round of each counts: other work on the machine only ever adds."""

REPEATS = 20


def latencies(folders: Mapping[str, Path], *, rounds: int = ROUNDS, repeats: int = REPEATS) -> dict[str, float]:
    """Return of each bundle the seconds of one answer: inputs and network, warm, for one alert or sequence by itself.

    Each answers its own example, in this process, in turn.

    Raises
    ------
    BundleError
        If one does not load.
    """
    loaded = {name: bundle.load(folder) for name, folder in folders.items()}
    examples = {name: _one(folders[name]) for name in loaded}
    found = [
        {name: _seconds(each, examples[name], repeats) for name, each in loaded.items()} for _ in range(max(1, rounds))
    ]
    return {name: min(each[name] for each in found) for name in folders}


def tested(name: str, folders: Mapping[str, Path], data: Sequence[Path]) -> dict[str, Figures]:
    """Return accuracy and calibration error of each bundle on the test split of prepared data.

    Parameters
    ----------
    name : str
        Of the model, in `routing.MODEL_FOR`: which data it reads.

    Raises
    ------
    UsageError
        If there is no such name, or the data's test split has nothing that the model reads.
    """
    split = train.load(families.of(name), data, manifest.TEST)
    if not len(split):
        where = ", ".join(map(str, data))
        raise UsageError(f"the test split should have objects that {name} reads. Received: none in {where}")
    digest = train.data_hash(data)
    scores = {key: train.evaluate(folder, split)[0] for key, folder in folders.items()}
    return {key: Figures(each["accuracy"], each["calibration_error"], None, digest) for key, each in scores.items()}


def side_by_side(
    name: str,
    folders: Mapping[str, Path],
    known: Mapping[str, Figures],
    *,
    measure: bool,
    data: Sequence[Path] = (),
) -> dict[str, Figures]:
    """Return the figures of each bundle: those that are `known`, with those that are asked for measured now."""
    found, folders = dict(known), {key: folders[key] for key in known}
    if data:
        now = tested(name, folders, data)
        found = {key: replace(now[key], latency_s=each.latency_s) for key, each in found.items()}
    if measure:
        seconds = latencies(folders)
        found = {key: replace(each, latency_s=seconds[key]) for key, each in found.items()}
    return found


def _one(folder: Path) -> inputs.Raw | inputs.RawSequences:
    """Return one alert or sequence of a bundle's own example."""
    return bundle.example_of(folder).take(slice(0, 1))


def _seconds(loaded: Bundle, example: inputs.Raw | inputs.RawSequences, repeats: int) -> float:
    return timing.time_inference(lambda _: loaded.predict(example), example.arrays(), repeats=repeats).per_example_s
