"""Archives in, each packet answered with its object's earlier detections: a row a packet, in the order of the sources.

    sources ─ read ─> alerts and rejections, numbered ─> index: packet, object
    index ── grouped by object ──> batches of about 256 alerts of whole objects
    batch ── classify.histories ──> outcomes ── by packet ──> OUT.parquet

An object's alerts lie scattered over the nights of an archive. In this process they are held in memory; by Ray they are
written to a folder beside the table and taken from it by number, as prepared data are (docs/decisions/0013), and so are
the outcomes, to come back into the order of the packets. Both ways make the same batches, so both write the same bytes.

answering.py   batches of whole objects, their outcomes and counts
models.py      which models answer
on_ray.py      the way for archives larger than memory
scoring.py     `score_histories`
"""

from skystamp.cluster.histories.answering import Tally
from skystamp.cluster.histories.models import load, routed
from skystamp.cluster.histories.scoring import score_histories

__all__ = ["Tally", "load", "routed", "score_histories"]
