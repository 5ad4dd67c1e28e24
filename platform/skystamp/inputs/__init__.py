"""The only maker of model inputs: in training, in scoring and in serving.

    one detection    alerts ── collect ──> Raw ── InputSpec.feed ──────────────> stamps, metadata
    a sequence       Raw, times, catalogue ──> RawSequences ── SequenceSpec.feed ──> stamps, dynamic, static

`Raw` and `RawSequences` hold what alerts say, NaN where they say nothing; what a spec feeds is finite float32, by the
names of the model's inputs. Everything that is needed to make it stands in the spec, which travels in the model's
bundle.
"""

import json
from typing import Any

from skystamp.errors import UsageError
from skystamp.inputs.detection import Inputs, InputSpec, Raw, collect, fitted, make
from skystamp.inputs.scaling import normalised
from skystamp.inputs.sequence import DYNAMIC, STATIC, WISE, RawSequences, SequenceSpec
from skystamp.inputs.tables import CLIPS, MISSING

__all__ = [
    "CLIPS",
    "DYNAMIC",
    "MISSING",
    "STATIC",
    "WISE",
    "InputSpec",
    "Inputs",
    "Raw",
    "RawSequences",
    "SequenceSpec",
    "Spec",
    "collect",
    "fitted",
    "make",
    "normalised",
    "raw_of",
    "spec_of",
]

Spec = InputSpec | SequenceSpec

_KINDS: dict[str, tuple[type[InputSpec] | type[SequenceSpec], type[Raw] | type[RawSequences]]] = {
    InputSpec.KIND: (InputSpec, Raw),
    SequenceSpec.KIND: (SequenceSpec, RawSequences),
}


def spec_of(text: str) -> Spec:
    """Return the spec that a spec's `to_json` wrote; one without a kind is of single detections.

    Raises
    ------
    UsageError
        If the kind is unknown, or a field is unknown, missing or of another type.
    """
    content: dict[str, Any] = json.loads(text)
    kind = content.get("kind", InputSpec.KIND)
    if kind not in _KINDS:
        raise UsageError(f"an input spec should be of the kinds {sorted(_KINDS)}. Received: {kind!r}")
    return _KINDS[kind][0].from_json(text)


def raw_of(spec: Spec, arrays: Any) -> Any:
    """Return the raw inputs of a spec's kind whose `arrays` were kept in a mapping."""
    return _KINDS[spec.KIND][1].from_arrays(arrays)
