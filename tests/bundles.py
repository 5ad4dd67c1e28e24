"""Bundles of small untrained networks, which answer as trained ones do: by every pixel and every number they read."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

NAMES = ("first-detection", "temporal-2", "temporal-3")


def make(root: Path, names: Sequence[str] = NAMES) -> dict[str, Path]:
    """Write the bundles of some models, and return their folders by name."""
    from skystamp import bundle, metadata, taxonomy
    from skystamp.inputs import InputSpec, Raw, RawSequences, SequenceSpec
    from skystamp.models import stamp, temporal

    rng = np.random.default_rng(0)
    stamps = rng.normal(100, 10, (4, 3, 63, 63, 3)).astype(np.float32)
    numbers = rng.uniform(0, 20, (4, 3, len(metadata.FEATURES)))
    raw = RawSequences(stamps, numbers, 59000.0 + np.cumsum(np.ones((4, 3)), 1), rng.uniform(8, 16, (4, 5)))
    first, one = Raw(stamps[:, 0], numbers[:, 0]), "first-detection"
    folders = {}
    for name in names:
        n = 1 if name == one else int(name.removeprefix("temporal-"))
        if n == 1:
            network, spec, example = stamp.build(stamp.StampConfig(k=1), seed=1), InputSpec().fitted(first), first
        else:
            config = temporal.TemporalConfig(n, side=21, crop=21, k=1, cell="conv1d", window=2, units=8)
            spec, example = SequenceSpec(n, crop=21).fitted(raw.first(n)), raw.first(n)
            network = temporal.build(config, seed=n)
        classes = taxonomy.FIRST_DETECTION if n == 1 else taxonomy.TEMPORAL
        said = {"name": name, "spec": spec, "classes": classes, "example": example}
        folders[name] = bundle.save(root / name, network, **said, about={}, card="# toy")
    return folders
