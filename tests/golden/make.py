"""Write the golden packets again: `python -m tests.golden.make`.

`packets.avro` holds two simulated packets of each class and two rejects in one deflate container; `expected.npz` and
`expected.json` hold what they have to become. Made once and kept: a test that fails after a change of the core says
that stored models would be fed something else. Make them anew only for that, and say so in the changelog.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np

from skystamp import avro, classify, inputs, surveys
from skystamp.avro import Decoded
from skystamp.inputs import InputSpec
from skystamp.metadata import FEATURES
from tests import faking

HERE = Path(__file__).parent
PACKETS, NUMBERS, FACTS = HERE / "packets.avro", HERE / "expected.npz", HERE / "expected.json"
SEED = 20
EACH = 2
SYNC = b"golden packets!!"
HISTORY = 2  # previous detections and forced photometry that a packet keeps, so that the file stays small


def records() -> list[dict[str, Any]]:
    """Return the golden records: simulated ones of each class, then one without a cutout and one without a position."""
    from skystamp import synthetic

    made = [
        _slim(synthetic.simulate_object(SEED, 10 * c + i, cls=name, max_detections=1).records[0])
        for c, name in enumerate(synthetic.CLASSES)
        for i in range(EACH)
    ]
    lost = {**made[0], "objectId": "ZTF20nocutout", "cutoutScience": None}
    nowhere = {**made[2], "objectId": "ZTF20nowhere", "candidate": {**made[2]["candidate"], "ra": -999.0}}
    return [*made, lost, nowhere]


def _slim(record: dict[str, Any]) -> dict[str, Any]:
    return {**record, **{name: (record[name] or [])[:HISTORY] for name in ("prv_candidates", "fp_hists")}}


def answers(data: bytes) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return what packets become: arrays, and facts as JSON keeps them."""
    model = faking.model()
    outcomes = list(classify.packets(data, model))
    good = [o.alert_id for o in outcomes if isinstance(o, classify.Classification)]
    alerts = [
        surveys.read(item.record, item.schema)
        for item, o in zip(avro.read(data), outcomes, strict=True)
        if isinstance(item, Decoded) and isinstance(o, classify.Classification)
    ]
    raw, _, _ = inputs.collect(alerts)
    spec = inputs.fitted(InputSpec(features=FEATURES), raw.metadata)
    made = inputs.make(spec, raw)
    arrays = {"metadata": raw.metadata, "inputs_metadata": made.metadata, "inputs_stamps": made.stamps}
    facts = {
        "alert_ids": good,
        "outcomes": [
            [o.object_id, o.label if isinstance(o, classify.Classification) else o.reason.value] for o in outcomes
        ],
        "stamps_sha256": [hashlib.sha256(stamp.tobytes()).hexdigest() for stamp in raw.stamps],
        "spec": json.loads(spec.to_json()),
    }
    return arrays, facts


def main() -> None:
    """Write the three files."""
    from skystamp import synthetic

    with PACKETS.open("wb") as file:
        avro.write(file, records(), synthetic.schema(), codec="deflate", sync=SYNC)
    arrays, facts = answers(PACKETS.read_bytes())
    np.savez_compressed(NUMBERS, **arrays)
    FACTS.write_text(json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    main()
