"""Packets spoilt in every way we could think of go through the classifier: each is an outcome, none is an exception.

The long form (`-m slow`) does the same with twenty-five times as many.
"""

import gzip
import json
import resource
import time
import zlib
from collections import Counter

import numpy as np
import pytest

from skystamp import classify, stamps
from skystamp.classify import Classification, Rejection
from skystamp.errors import Reason
from tests import faking, making

MODEL = faking.model()
SCHEMA_TEXT = json.dumps(making.schema_json())
RECORDS = [making.record(i, prv_candidates=making.history(i)) for i in range(6)]
PACKETS = [making.packet(record) for record in RECORDS]
BODIES = [making.body(record) for record in RECORDS]
HEAD = len(making.raw_container(SCHEMA_TEXT, []))


def choose(rng, items):
    return items[int(rng.integers(len(items)))]


def bit_flips(rng):
    """Return a packet with some bits of any part of it turned over."""
    data = bytearray(choose(rng, PACKETS))
    for at in rng.integers(0, len(data), int(rng.integers(1, 20))):
        data[at] ^= 1 << int(rng.integers(8))
    return bytes(data)


def flips_in_the_body(rng):
    """Return a packet whose frame is whole and whose record has bits turned over."""
    body = bytearray(choose(rng, BODIES))
    first = int(rng.integers(len(body)))
    for at in rng.integers(first, min(len(body), first + 2000), int(rng.integers(1, 10))):
        body[at] ^= 1 << int(rng.integers(8))
    return framed(bytes(body))


def flips_in_the_header(rng):
    data = bytearray(choose(rng, PACKETS))
    for at in rng.integers(0, HEAD, int(rng.integers(1, 8))):
        data[at] = int(rng.integers(256))
    return bytes(data)


def truncated(rng):
    data = choose(rng, PACKETS)
    cut = int(rng.integers(len(data)))
    return data[: cut + (cut == HEAD)]  # what ends just there is a valid container of no packets


def truncated_in_its_frame(rng):
    body = choose(rng, BODIES)
    return framed(body[: int(rng.integers(len(body)))])


def swapped_cutouts(rng):
    """Return a packet with cutouts of another, of the wrong name, or none."""
    record = dict(choose(rng, RECORDS))
    for name in making.CUTOUTS:
        record[name] = choose(rng, RECORDS)[choose(rng, making.CUTOUTS)] if rng.random() < 0.9 else None
    return making.packet(record)


def odd_numbers(rng):
    """Return a packet with numbers that no survey sends."""
    values = [None, -999.0, float("nan"), float("inf"), -1e30, 1e30, 0.0, -1.0]
    names = [n for n in making.CANDIDATE if isinstance(making.CANDIDATE[n], float)]
    candidate = {str(rng.choice(names)): choose(rng, values) for _ in range(3)}
    record = making.record(int(rng.integers(6)), candidate=candidate)
    required = ("jd", "ra", "dec", "magpsf", "sigmapsf", "ranr", "decnr", "jdstartref", "jdendref")
    record["candidate"].update({n: -999.0 for n in required if record["candidate"][n] is None})
    return making.packet(record)


def odd_text(rng):
    text = choose(rng, ["", "\x00", "null", "-999", "ü" * 200, "a" * 10_000, "'; drop table alerts"])
    record = making.record(int(rng.integers(6)), candidate={"isdiffpos": text, "ssnamenr": text})
    if rng.random() < 0.5:
        record = {**making.record(), choose(rng, ["objectId", "schemavsn", "publisher"]): text}
    return making.packet(record)


def huge_sizes(rng):
    """Return a packet that declares gigabytes somewhere."""
    body = bytearray(choose(rng, BODIES))
    at = int(rng.integers(len(body)))
    body[at:at] = making.varint(int(rng.integers(1 << 20, 1 << 62)))
    if rng.random() < 0.5:
        return framed(bytes(body))
    return making.raw_container(SCHEMA_TEXT, []) + making.varint(int(rng.integers(1, 1 << 40))) + bytes(body)


def spliced(rng):
    one, other = choose(rng, BODIES), choose(rng, BODIES)
    return framed(one[: int(rng.integers(len(one)))] + other[int(rng.integers(len(other))) :])


def bad_cutout(rng):
    """Return a packet with a cutout that is damaged, a bomb, or of another shape."""
    good = making.cutout(int(rng.integers(7)))
    spoilt = bytearray(good)
    for at in rng.integers(0, len(good), 3):
        spoilt[at] = int(rng.integers(256))
    shape = (int(rng.integers(1, 80)), int(rng.integers(1, 80)))
    plain = bytearray(gzip.decompress(good))
    plain[int(rng.integers(400))] = int(rng.integers(32, 127))
    data = [
        bytes(spoilt),
        good[: int(rng.integers(1, len(good)))],
        stamps.encode(making.image(1, shape)),
        zlib.compress(bytes(2_000_000), 1, wbits=31),
        gzip.compress(bytes(plain), 1),
        bytes(rng.integers(0, 256, 200, np.uint8)),
    ]
    return making.packet(
        making.record(0, **{choose(rng, making.CUTOUTS): {"fileName": "a", "stampData": choose(rng, data)}})
    )


def not_finite(rng):
    """Return a packet whose pixels are of any bits."""
    image = making.image(3)
    where = rng.random(image.shape) < rng.random()
    image[where] = rng.integers(0, 1 << 32, image.shape, np.uint32)[where].view(np.float32)
    return making.packet(
        making.record(0, **{choose(rng, making.CUTOUTS): {"fileName": "a", "stampData": stamps.encode(image)}})
    )


def noise(rng):
    return bytes(rng.integers(0, 256, int(rng.integers(1, 3000)), np.uint8))


def framed(body):
    """Return one record's bytes in a container whose frame is whole."""
    return making.raw_container(SCHEMA_TEXT, [(1, body)])


WHOLE = (
    *(
        flips_in_the_body,
        truncated_in_its_frame,
        swapped_cutouts,
        odd_numbers,
        odd_text,
        spliced,
        bad_cutout,
        not_finite,
    ),
)
MUTATIONS = (*WHOLE, bit_flips, flips_in_the_header, truncated, huge_sizes, noise)


def memory_kb():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def classify_mutated(count, seed):
    """Return how many outcomes of each kind so many mutated packets gave; asserts what each has to give."""
    rng, counts = np.random.default_rng(seed), Counter()
    for i in range(count):
        mutation = MUTATIONS[i % len(MUTATIONS)]
        outcomes = list(classify.packets(mutation(rng), MODEL))
        assert outcomes, mutation
        assert len(outcomes) == 1 or mutation not in WHOLE, mutation
        assert all(isinstance(outcome, (Classification, Rejection)) for outcome in outcomes)
        for outcome in outcomes:
            counts[outcome.reason if isinstance(outcome, Rejection) else "classification"] += 1
            if isinstance(outcome, Classification):
                assert np.isfinite(list(outcome.probabilities.values())).all()
    return counts


def test_two_thousand_mutated_packets_are_outcomes_in_bounded_memory_and_time():
    classify_mutated(len(MUTATIONS), seed=1)
    before, start = memory_kb(), time.perf_counter()

    counts = classify_mutated(2000, seed=2)

    assert memory_kb() - before < 200_000
    assert time.perf_counter() - start < 60
    assert counts["classification"] > 200
    assert set(Reason) - {Reason.DAMAGED_ARCHIVE} <= set(counts)


def test_mutations_are_the_same_every_time():
    first, again = (np.random.default_rng(5) for _ in range(2))

    assert all(mutation(first) == mutation(again) for mutation in MUTATIONS)


def test_mutated_packets_in_one_container_are_one_outcome_each():
    rng = np.random.default_rng(8)
    bodies = [bytearray(body) for body in BODIES]
    for body in bodies[::2]:
        body[int(rng.integers(len(body) // 2, len(body)))] ^= 255
    data = making.raw_container(SCHEMA_TEXT, [(1, bytes(body)) for body in bodies])

    outcomes = list(classify.packets(data, MODEL))

    assert len(outcomes) == len(bodies)
    assert [o.object_id for o in outcomes[1::2]] == [record["objectId"] for record in RECORDS[1::2]]
    assert all(isinstance(o, Classification) for o in outcomes[1::2])


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_fifty_thousand_mutated_packets_are_outcomes_in_bounded_memory():
    classify_mutated(len(MUTATIONS), seed=3)
    before = memory_kb()

    classify_mutated(50_000, seed=4)

    assert memory_kb() - before < 300_000
