"""Prepared data -> the inputs of every kind of configuration, once, in the object store.

Configurations that differ in their inputs often share the largest part of them (the stamps, in an ablation of the
metadata), so every array is kept once, whoever reads it.
"""

import hashlib
import itertools
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import ray

from skystamp import manifest
from skystamp.cluster import train
from skystamp.cluster.data.shards import read_manifest
from skystamp.cluster.families import Configuration, Family
from skystamp.cluster.search.study import Shared, SharedInputs, Study
from skystamp.tracking import Tracker
from skystamp.training import Examples

SIMULATED = ("synthetic", "synthetic_sequences")
"""Recipes whose alerts are all simulated, which a model's card says."""


def share(study: Study, family: Family, tracker: Tracker, parent: str) -> Shared:
    """Put the inputs of all configurations of a study into the object store."""
    splits = ("train", "validation")
    data = {split: train.load(family, study.data, split) for split in splits}
    kinds: dict[Any, Configuration] = {}
    for settings in settings_of(study):
        chosen = family.configuration(settings)
        kinds.setdefault(chosen.key, chosen)
    known: dict[bytes, ray.ObjectRef] = {}
    example = ray.put(train.example_of(data["train"]))
    shared = {}
    for key, chosen in kinds.items():
        spec = train.spec_for(chosen, data["train"])
        made = {split: train.examples(spec, data[split], family.classes) for split in splits}
        shared[key] = SharedInputs(
            spec,
            example,
            {split: ray.put(examples.labels) for split, examples in made.items()},
            {split: {name: _put(a, known) for name, a in e.inputs.items()} for split, e in made.items()},
        )
    test = ray.put(train.load(family, study.data, manifest.TEST)) if study.test_each else None
    return Shared(shared, test, _about(study), tracker, parent)


def taken(shared: SharedInputs) -> tuple[Examples, Examples]:
    """Return what a trial learns from and is validated on, read where it lies in the object store."""
    train_examples, validation = (
        Examples(_got(shared.arrays[split]), ray.get(shared.labels[split])) for split in ("train", "validation")
    )
    return train_examples, validation


def settings_of(study: Study) -> Iterator[dict[str, Any]]:
    """Yield all settings of each configuration that a study may try."""
    if study.configurations:
        yield from ({**study.fixed, **settings} for settings in study.configurations.values())
        return
    for values in itertools.product(*study.space.values()):
        yield {**study.fixed, **dict(zip(study.space, values, strict=True))}


def _put(array: np.ndarray, known: dict[bytes, ray.ObjectRef]) -> ray.ObjectRef:
    """Return a reference to an array, the one it has already if the same is there."""
    whole = np.ascontiguousarray(array)
    digest = hashlib.blake2b(whole.data, digest_size=16, person=str(whole.shape).encode()[:16]).digest()
    if digest not in known:
        known[digest] = ray.put(whole)
    return known[digest]


def _got(references: Mapping[str, ray.ObjectRef]) -> dict[str, np.ndarray]:
    return dict(zip(references, ray.get(list(references.values())), strict=True))


def _about(study: Study) -> dict[str, Any]:
    sources = [read_manifest(folder) for folder in study.data]
    return {
        "study": study.name,
        "commit": study.commit,
        "data": [str(source["name"]) for source in sources],
        "data_hash": train.data_hash(study.data),
        "limits": "Learned from simulated alerts." if all(s["name"] in SIMULATED for s in sources) else "",
    }
