"""Sources -> the service -> topics, and nothing lost on the way: `run` is the loop of `skystamp stream`.

    feed ─ messages ─ Gathering ─ batch ─ POST /v1/classify until 200 ─ output topic, dead letters, flushed ─ saved
                                  a few on their way at once; over that the feed is held

gathering   messages -> batches that leave when full or when their first message is old enough
service     a batch -> the outcomes of each of its messages, asked for until they are stored
published   an outcome -> its message in the output topic (`outcome.avsc`); a poison packet -> its dead letter
delivery    a batch -> stored, published
running     the loop: read, send, answer for, save, tell; measured: what it tells, for Prometheus
files       folders and archives as a feed; journal: where each file was left

A message is answered for only when all this has happened, and its position saved only after that. So a packet may be
sent twice, after a crash, and is never not sent; the store takes it once. It needs no cluster: any number of these
processes may run beside the service or far from it.
"""

from skystamp.stream.delivery import Delivered, Delivery
from skystamp.stream.files import FileFeed
from skystamp.stream.journal import Journal
from skystamp.stream.running import Limits, Totals, run
from skystamp.stream.service import Service, ServiceError

__all__ = ["Delivered", "Delivery", "FileFeed", "Journal", "Limits", "Service", "ServiceError", "Totals", "run"]
