"""A night -> what a model read and answered of it: of packets that it scores now, or of a store that has its answers.

    packets ── alerts, cropped stamps ── each object's first n detections ──> inputs, answers
    store ── answers of a version ── the detections that each is of ───────> inputs, answers

One answer an object: of the n-th accepted detection, where the model reads n. That is what its validation split has,
and later alerts of the object repeat it. What is left out is counted.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice

import numpy as np
from jaxtyping import Float32, Float64, Int64

from skystamp import classify, distributions, inputs
from skystamp.alert import Alert
from skystamp.avro import Decoded
from skystamp.bundle import Bundle
from skystamp.classify import Matcher
from skystamp.classify.sequenced import crossmatched
from skystamp.errors import Reject
from skystamp.inputs import InputSpec, Raw, RawSequences, SequenceSpec, tables
from skystamp.metadata import FEATURES, table
from skystamp.store import Store

_PART = 256

OTHER_DETECTION = "another detection than the model reads"


@dataclass(frozen=True, slots=True)
class Night:
    """What a model read and answered.

    Attributes
    ----------
    names, numbers, fills
        As `distributions.columns_of` gives them, without those of a catalogue where there is none.
    probabilities : float32 array, axes (object, class)
    packets : int
        That were looked at.
    left_out : mapping
        How many gave no answer of their own, by reason.
    no_catalogue : bool
        Whether the model reads a catalogue that there was not, which may move its answers.
    """

    names: tuple[str, ...]
    numbers: Float64[np.ndarray, "object column"]
    fills: tuple[float, ...]
    probabilities: Float32[np.ndarray, "object class"]
    packets: int
    left_out: Mapping[str, int] = field(default_factory=dict)
    no_catalogue: bool = False

    def __len__(self) -> int:
        return len(self.probabilities)


def of_packets(
    items: Iterable[Decoded | Reject], bundle: Bundle, *, catalogue: Matcher | None = None, most: int = 20_000
) -> Night:
    """Return a night of packets, of which the model is asked now.

    Parameters
    ----------
    items : iterable
        Records, or the faults in their places.
    bundle : Bundle
    catalogue : Matcher, optional
        For a model that reads a crossmatch.
    most : int
        Packets to read; each takes some 5 to 50 KB of memory.
    """
    left_out: Counter[str] = Counter()
    alerts, raw = _collected(islice(items, most), bundle, left_out)
    packets = len(alerts) + sum(left_out.values())
    members = _members(alerts, _detections(bundle), left_out)
    found = _sequences(bundle, alerts, raw, members, catalogue)
    feed = bundle.spec.feed(found)  # type: ignore[arg-type]  # of the kind that the spec reads
    return _night(bundle, feed, bundle.predict(found), packets, left_out, catalogue)


def of_store(
    store: Store,
    bundle: Bundle,
    model: str,
    version: str,
    span: tuple[float, float],
    *,
    catalogue: Matcher | None = None,
    most: int = 50_000,
) -> Night:
    """Return a night of a store (MJD, from and until), with the answers that it has of a model's version.

    Raises
    ------
    StoreUnavailable
        If the store is.
    """
    answers = [one.classification for one in store.scored(model, version, span, limit=most)]
    left_out: Counter[str] = Counter()
    wanted = _detections(bundle)
    histories = store.index(list({(one.survey, one.object_id) for one in answers}))
    accepted = {
        key: [one.alert_id for one in history.detections if one.place][:wanted] for key, history in histories.items()
    }
    kept = [one for one in answers if accepted[one.survey, one.object_id][wanted - 1 :] == [one.alert_id]]
    left_out.update({OTHER_DETECTION: len(answers) - len(kept)})
    reads = [[(one.survey, number) for number in accepted[one.survey, one.object_id]] for one in kept]
    alerts = store.alerts([key for read in reads for key in read], with_cutouts=False)
    seen = [alerts[key] for read in reads for key in read]
    members = np.arange(len(seen), dtype=np.int64).reshape(len(kept), wanted)
    nothing = Raw(np.empty((len(seen), 1, 1, 3), np.float32), table(seen))
    found = _sequences(bundle, seen, nothing, members, catalogue)
    said = np.array([[one.probabilities[name] for name in bundle.classes] for one in kept], np.float32)
    said = said.reshape(len(kept), len(bundle.classes))
    return _night(bundle, _numbers(bundle, found), said, len(answers), left_out, catalogue)


def _collected(items: Iterator[Decoded | Reject], bundle: Bundle, left_out: Counter[str]) -> tuple[list[Alert], Raw]:
    """Return the alerts without their cutouts, and their stamps as far as the model sees them."""
    spec, alerts, parts = bundle.spec, [], []
    while part := list(islice(items, _PART)):
        read = classify.alerts(part)
        left_out.update(one.reason.value for one in read if not isinstance(one, Alert))
        own = [one for one in read if isinstance(one, Alert)]
        raw, kept, rejects = inputs.collect(own, side=spec.side, crop=spec.crop)
        left_out.update(reject.reason.value for reject in rejects.values())
        alerts += [replace(own[i], cutouts={}) for i in kept]
        parts.append(raw)
    empty = Raw(np.empty((0, spec.crop, spec.crop, 3), np.float32), table([]))
    stamps = np.concatenate([empty.stamps, *(part.stamps for part in parts)])
    return alerts, Raw(stamps, np.concatenate([empty.metadata, *(part.metadata for part in parts)]))


def _members(alerts: Sequence[Alert], wanted: int, left_out: Counter[str]) -> Int64[np.ndarray, "object detection"]:
    """Return the first detections of each object that has as many as the model reads."""
    chosen = [one.accepted for one in classify.as_of(alerts) if one.place == wanted]
    members = list(dict.fromkeys(chosen))  # a packet that comes twice counts once
    left_out.update({OTHER_DETECTION: len(alerts) - len(members)})
    return np.array(members, np.int64).reshape(len(members), wanted)


def _sequences(
    bundle: Bundle,
    alerts: Sequence[Alert],
    raw: Raw,
    members: Int64[np.ndarray, "object detection"],
    catalogue: Matcher | None,
) -> Raw | RawSequences:
    if isinstance(bundle.spec, InputSpec):
        return raw.take(members[:, 0])
    first = [alerts[i] for i in members[:, 0]]
    wise, _ = crossmatched(first, bundle.spec, catalogue)
    return RawSequences.gathered(raw, np.array([one.mjd for one in alerts], np.float64), members, wise)


def _numbers(bundle: Bundle, raw: Raw | RawSequences) -> dict[str, np.ndarray]:
    """Return what the spec feeds, without the stamps, which are not there."""
    spec = bundle.spec
    nothing = {"stamps": np.empty((len(raw), 0), np.float32)}
    if isinstance(spec, InputSpec):
        chosen = tables.clipped(raw.metadata, FEATURES, spec.features, spec.clips, spec.missing)
        return {**nothing, "metadata": tables.standardised(chosen, spec.means, spec.deviations)}
    if not (spec.dynamic or spec.static):
        return nothing
    return {**nothing, **replace(spec, bands=()).feed(raw)}  # type: ignore[arg-type]  # of the kind that it reads


def _night(
    bundle: Bundle,
    feed: Mapping[str, np.ndarray],
    probabilities: Float32[np.ndarray, "object class"],
    packets: int,
    left_out: Counter[str],
    catalogue: Matcher | None,
) -> Night:
    names, numbers, fills = distributions.columns_of(bundle.spec, feed)
    kept = [i for i, name in enumerate(names) if catalogue or name.removeprefix("static/") not in inputs.WISE]
    told = {reason: count for reason, count in left_out.items() if count}
    return Night(
        tuple(names[i] for i in kept),
        numbers[:, kept],
        tuple(fills[i] for i in kept),
        probabilities,
        packets,
        told,
        len(kept) < len(names),
    )


def _detections(bundle: Bundle) -> int:
    return bundle.spec.detections if isinstance(bundle.spec, SequenceSpec) else 1
