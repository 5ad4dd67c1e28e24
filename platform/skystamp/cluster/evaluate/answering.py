"""Trainings of one configuration, and what they answer about a split of prepared data."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from skystamp import metadata, taxonomy, timing, tracking
from skystamp.classify import Model
from skystamp.cluster.data import details
from skystamp.cluster.data.shards import LabelledRaw, LabelledSequences, load_sequences, load_split
from skystamp.crossmatch import COLUMNS
from skystamp.errors import UsageError
from skystamp.evaluation import Judged
from skystamp.inputs import WISE, InputSpec, SequenceSpec
from skystamp.inputs.sequence import TIME_DIFFERENCE, colours

SIZES = (1, 64)
REPEATS = 20


@dataclass(frozen=True)
class Side:
    """Trainings of one configuration, by the references that were given."""

    references: tuple[str, ...]
    models: tuple[Model, ...]

    @property
    def label(self) -> str:
        """What a page calls them."""
        first = self.references[0]
        if len(self.models) == 1:
            return "/".join(Path(first).parts[-2:]) if Path(first).is_dir() else first
        return f"{self.models[0].name}, {len(self.models)} trainings"

    @property
    def spec(self) -> InputSpec | SequenceSpec:
        """How their inputs are made."""
        return self.models[0].bundle.spec

    @property
    def classes(self) -> tuple[str, ...]:
        """What they answer with."""
        return self.models[0].bundle.classes

    def about(self) -> list[dict[str, Any]]:
        """Return what a page says of each."""
        return [
            {
                "reference": reference,
                "name": model.name,
                "version": model.version,
                "seed": model.bundle.about.get("seed"),
                "temperature": model.bundle.temperature,
                "members": len(model.bundle.members),
            }
            for reference, model in zip(self.references, self.models, strict=True)
        ]


def side(references: Sequence[str], uri: str) -> Side:
    """Return the models behind references, loaded and checked.

    Raises
    ------
    UsageError
        If nothing answers to a reference, or they are not trainings of one configuration.
    BundleError
        If a bundle does not reproduce its example.
    """
    if not references:
        raise UsageError("there should be at least one model. Received: none")
    models = tuple(tracking.load(reference, uri) for reference in references)
    for reference, model in zip(references, models, strict=True):
        if _form(model) != _form(models[0]):
            wanted = "several models should be trainings of one configuration; `skystamp compare` takes two"
            raise UsageError(f"{wanted}. Received: {reference}, which is not configured as {references[0]}")
    return Side(tuple(references), models)


def answered(chosen: Side, folder: Path, split: str) -> tuple[Judged, int]:
    """Return the answers about a split, and how many objects are of classes that the models do not know.

    First-detection models are asked about each object's earliest packet, temporal ones about its first n accepted
    detections.

    Raises
    ------
    DatasetError
        If the folder holds no such split.
    """
    data = load(chosen.spec, folder, split)
    known = np.flatnonzero(np.isin(data.labels, list(chosen.classes)))
    left_out, data = len(data) - len(known), data.take(known)
    probabilities = np.stack([model.bundle.predict(data.raw) for model in chosen.models])
    columns = _columns(data)
    last = data.alert_ids if data.alert_ids.ndim == 1 else data.alert_ids[:, -1]
    found = details.bands(folder, split, last) if len(last) else None
    if found is not None:
        columns["band"] = found
    labels = np.array(taxonomy.indices(data.labels.tolist(), chosen.classes), np.int64)
    features = _features(chosen.spec, columns)
    return Judged(chosen.classes, labels, probabilities, data.object_ids, last, columns, features), left_out


def load(spec: InputSpec | SequenceSpec, folder: Path, split: str) -> LabelledRaw | LabelledSequences:
    """Return a split as models of this spec are asked about it: one detection or one sequence an object."""
    if isinstance(spec, SequenceSpec):
        return load_sequences(folder, split, spec.detections, crop=spec.crop)
    return load_split(folder, split, earliest=True, crop=spec.crop)


def stamps(spec: InputSpec | SequenceSpec, folder: Path, split: str, alerts: Sequence[int]) -> dict[int, np.ndarray]:
    """Return the whole stamps, float32 (detection, y, x, band), of the objects whose last detections are given."""
    if not alerts:
        return {}
    if not isinstance(spec, SequenceSpec):
        return {alert: image[None] for alert, image in details.stamps_of(folder, split, alerts).items()}
    rows = load_sequences(folder, split, spec.detections, crop=1).alert_ids
    wanted = {int(row[-1]): row.tolist() for row in rows if int(row[-1]) in set(alerts)}
    images = details.stamps_of(folder, split, [alert for row in wanted.values() for alert in row])
    return {last: np.stack([images[alert] for alert in row]) for last, row in wanted.items()}


def inference(model: Model, folder: Path, split: str) -> dict[str, Any]:
    """Return how long one training's answers take: network alone and from raw inputs, warm, medians."""
    from skystamp.models import running

    data = load(model.bundle.spec, folder, split)
    batches = [_timed(model, data.raw.take(np.arange(size) % len(data))) for size in SIZES]
    return {"engine": running.described(), "load": running.load(), "repeats": REPEATS, "batches": batches}


def _timed(model: Model, raw: Any) -> dict[str, Any]:
    bundle, feed = model.bundle, model.bundle.spec.feed(raw)
    network = timing.time_inference(bundle.predict_inputs, feed, repeats=REPEATS)
    whole = timing.time_inference(lambda _: bundle.predict(raw), feed, repeats=REPEATS)
    return {"size": len(raw), "network_s": network.median_s, "whole_s": whole.median_s}


def _form(model: Model) -> Any:
    """Return what trainings of one configuration share: all but seeds, and the means of the data they learned from."""
    bundle = model.bundle
    spec = {key: value for key, value in _plain(bundle.spec).items() if key not in ("means", "deviations")}
    return model.name, bundle.classes, spec, bundle.about.get("settings")


def _plain(spec: InputSpec | SequenceSpec) -> Mapping[str, Any]:
    return {name: getattr(spec, name) for name in spec.__dataclass_fields__}


def _columns(data: LabelledRaw | LabelledSequences) -> dict[str, np.ndarray]:
    """Return the metadata of each object by name; of sequences those of the last detection, positions of the first."""
    if isinstance(data, LabelledRaw):
        return dict(zip(metadata.FEATURES, data.raw.metadata.T, strict=True))
    last = dict(zip(metadata.FEATURES, data.raw.metadata[:, -1].T, strict=True))
    first = dict(zip(metadata.FEATURES, data.raw.metadata[:, 0].T, strict=True))
    wise = dict(zip(WISE, colours(data.raw.wise).T, strict=True)) if data.raw.wise.shape[1] == len(COLUMNS) else {}
    spans = {TIME_DIFFERENCE: data.mjd[:, -1] - data.mjd[:, max(data.mjd.shape[1] - 2, 0)]}
    return {**last, **{name: first[name] for name in ("ra", "dec", "gal_lat", "gal_long")}, **wise, **spans}


def _features(spec: InputSpec | SequenceSpec, columns: Mapping[str, Any]) -> tuple[str, ...]:
    names = (*spec.dynamic, *spec.static) if isinstance(spec, SequenceSpec) else spec.features
    return tuple(name for name in names if name in columns)
