"""The statistics of a stream as Prometheus asks for them, on a port of its own: the stream runs outside of Ray.

What is scraped is what the newest line of the log says (`running`, every ``--every`` seconds), and
``skystamp_stream_told_timestamp_seconds`` says how old that is: one that stands still is a stream that hangs.
"""

import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric


@dataclass(frozen=True, slots=True)
class Measure:
    """One metric: its name, what it says, the field of the statistics it is of, and its tag if that is a mapping."""

    name: str
    text: str
    field: str
    tag: str = ""
    scale: float = 1.0

    def of(self, told: Mapping[str, Any]) -> Metric:
        """Return the metric as the statistics have it; without samples where they have nothing."""
        made = CounterMetricFamily if self.name.endswith("_total") else GaugeMetricFamily
        family = made(self.name, self.text, labels=[self.tag] if self.tag else [])
        found = told.get(self.field, {} if self.tag else None)
        values = {(str(key),): value for key, value in found.items()} if self.tag else {(): found}
        for labels, value in values.items():
            if value is not None:
                family.add_metric(list(labels), value * self.scale)
        return family


MEASURES = (
    Measure("skystamp_stream_packets_total", "Packets whose outcomes are stored.", "packets"),
    Measure("skystamp_stream_outcomes_total", "Classifications, by class.", "classes", "class"),
    Measure("skystamp_stream_rejections_total", "Rejections, by reason.", "rejections", "reason"),
    Measure("skystamp_stream_lag_messages", "Messages of a partition that are not answered yet.", "lag", "partition"),
    Measure("skystamp_stream_in_flight_batches", "Batches that were sent and not answered.", "on_their_way"),
    Measure("skystamp_stream_requests_total", "Requests to the service, those made again among them.", "requests"),
    Measure("skystamp_stream_retries_total", "Waits before a request was made again.", "retries"),
    Measure("skystamp_stream_splits_total", "Batches that were sent in parts.", "split"),
    Measure("skystamp_stream_memory_bytes", "Memory of the process.", "memory_mb", scale=2.0**20),
    Measure("skystamp_stream_told_timestamp_seconds", "When these numbers were taken, Unix time.", "told"),
)


class Statistics:
    """The newest statistics of a stream; a class because one thread tells them and others ask."""

    def __init__(self) -> None:
        self._told: Mapping[str, Any] = {}
        self._lock = threading.Lock()

    def __call__(self, fields: Mapping[str, Any]) -> None:
        """Take what the stream tells."""
        with self._lock:
            self._told = {**fields, "told": time.time()}

    def collect(self) -> Iterable[Metric]:
        """Yield every metric, as prometheus_client asks for it."""
        with self._lock:
            told = self._told
        for measure in MEASURES:
            yield measure.of(told)


@contextmanager
def exposed(statistics: Statistics, port: int, *, host: str = "127.0.0.1") -> Iterator[int]:
    """Answer Prometheus at ``http://HOST:PORT/metrics`` for as long as this lasts; give the port, a free one for 0.

    Raises
    ------
    OSError
        If the port is taken.
    """
    registry = CollectorRegistry()
    registry.register(statistics)
    server, thread = start_http_server(port, addr=host, registry=registry)
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
