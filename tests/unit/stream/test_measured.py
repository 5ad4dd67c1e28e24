"""What Prometheus is told of a stream."""

import urllib.request

import pytest
from prometheus_client.parser import text_string_to_metric_families

from skystamp.stream import measured
from skystamp.stream.measured import Statistics

FIELDS = {
    "packets": 12,
    "classes": {"SN": 9, "AGN": 2},
    "rejections": {"not_fits": 1},
    "on_their_way": 3,
    "lag": {"alerts[0]": 7, "alerts[1]": 0},
    "memory_mb": 2,
    "requests": 5,
}


def scraped(statistics: Statistics) -> dict[tuple[str, str], float]:
    with measured.exposed(statistics, 0) as port:
        text = urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics").read().decode()
    return {
        (sample.name, "".join(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_what_the_stream_told_last_is_scraped():
    statistics = Statistics()
    statistics({**FIELDS, "packets": 1})
    statistics(FIELDS)

    found = scraped(statistics)

    assert found.pop(("skystamp_stream_told_timestamp_seconds", "")) > 1.7e9
    assert found == {
        ("skystamp_stream_packets_total", ""): 12,
        ("skystamp_stream_outcomes_total", "SN"): 9,
        ("skystamp_stream_outcomes_total", "AGN"): 2,
        ("skystamp_stream_rejections_total", "not_fits"): 1,
        ("skystamp_stream_in_flight_batches", ""): 3,
        ("skystamp_stream_lag_messages", "alerts[0]"): 7,
        ("skystamp_stream_lag_messages", "alerts[1]"): 0,
        ("skystamp_stream_memory_bytes", ""): 2 << 20,
        ("skystamp_stream_requests_total", ""): 5,
    }


def test_before_the_first_line_there_is_nothing():
    assert scraped(Statistics()) == {}


def test_a_port_that_is_taken_is_an_error():
    with (
        measured.exposed(Statistics(), 0) as port,
        pytest.raises(OSError, match="in use"),
        measured.exposed(Statistics(), port),
    ):
        pass
