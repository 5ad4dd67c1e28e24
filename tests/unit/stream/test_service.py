"""stream.service: a batch is asked for until it is stored, against a real HTTP server that misbehaves as told."""

import threading
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from skystamp.errors import Reason, Reject
from skystamp.sources.kafka import Abandoned
from skystamp.stream import Service, ServiceError
from tests import making
from tests.serving import FakeService

PACKETS = [making.packet(making.record(i)) for i in range(6)]


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("skystamp.stream.service._FIRST_PAUSE_S", 0.01)


@pytest.fixture
def abandon() -> threading.Event:
    return threading.Event()


@pytest.fixture
def asked(service: FakeService, abandon: threading.Event) -> Iterator[Service]:
    with httpx.Client(base_url=service.url, timeout=5) as client:
        yield Service(client, abandon)


def ids(answered: list[list[dict[str, Any]]]) -> list[list[int]]:
    return [[outcome["alert_id"] for outcome in outcomes] for outcomes in answered]


def candids(*numbers: int) -> list[list[int]]:
    return [[making.CANDIDATE["candid"] + number] for number in numbers]


def test_each_message_gets_the_outcomes_of_its_packets(asked: Service, service: FakeService) -> None:
    many = making.packet(making.record(8), making.record(9, cutoutScience=None))

    answered = asked.outcomes([PACKETS[0], many, PACKETS[1]])

    assert [len(outcomes) for outcomes in answered] == [1, 2, 1]
    assert answered[1][1]["reason"] == "missing_cutout"
    assert service.requests == [3]


def test_poison_costs_its_neighbours_nothing(asked: Service, service: FakeService) -> None:
    poison = [b"", b"junk", b"\0\0\0\0\1framed", PACKETS[0][:300], Reject(Reason.DAMAGED_ARCHIVE, "it ends early")]

    answered = asked.outcomes([PACKETS[0], *poison, PACKETS[1]])

    assert [outcomes[0]["outcome"] for outcomes in answered] == ["classification", *["rejection"] * 5, "classification"]
    assert [outcomes[0]["reason"] for outcomes in answered[1:6]] == [
        *["not_avro"] * 3,
        "truncated_avro",
        "damaged_archive",
    ]
    assert service.requests == [7]
    assert len(service.stored) == 7


@pytest.mark.parametrize("fault", [503, 500, 502, 504, 429, 408, "absent", "die", "die after"])
def test_a_fault_that_passes_is_asked_again(asked: Service, service: FakeService, fault: int | str) -> None:
    service.misbehave = [fault, fault]

    answered = asked.outcomes(PACKETS)

    assert ids(answered) == candids(*range(6))
    assert len(service.stored) == 6
    assert asked.counts["retries"] == 2


def test_a_service_that_hangs_is_asked_again(service: FakeService, abandon: threading.Event) -> None:
    service.misbehave = ["hang"]

    with httpx.Client(base_url=service.url, timeout=0.5) as client:
        answered = Service(client, abandon).outcomes(PACKETS[:1])

    assert ids(answered) == candids(0)


def test_a_service_that_starts_later_is_waited_for(abandon: threading.Event, service: FakeService) -> None:
    with httpx.Client(base_url="http://127.0.0.1:9", timeout=5) as client:
        waiting = Service(client, abandon)
        threading.Timer(0.3, lambda: setattr(client, "base_url", service.url)).start()

        answered = waiting.outcomes(PACKETS[:1])

    assert ids(answered) == candids(0)
    assert waiting.counts["retries"] >= 1


def test_a_proxy_without_an_application_is_waited_for_with_one_line(
    asked: Service, service: FakeService, caplog: pytest.LogCaptureFixture
) -> None:
    service.misbehave = ["absent"] * 5

    answered = asked.outcomes(PACKETS)

    assert ids(answered) == candids(*range(6))
    assert service.requests == [6]  # whole: it is not the packets' fault
    (told,) = [record for record in caplog.records if record.name == "skystamp.stream.service"]
    assert (told.message, told.fields["url"]) == ("the service is not there yet", service.url)
    service.misbehave = ["absent"]
    asked.outcomes(PACKETS[:1])
    assert [record.message for record in caplog.records].count("the service is not there yet") == 2


def test_the_service_says_how_long_to_wait(asked: Service, service: FakeService) -> None:
    service.misbehave, service.retry_after = [503], "1"
    start = time.monotonic()

    asked.outcomes(PACKETS[:1])

    assert time.monotonic() - start >= 1.0


def test_a_batch_that_is_too_large_is_split_and_its_outcomes_keep_their_order(
    asked: Service, service: FakeService
) -> None:
    service.max_packets = 2

    answered = asked.outcomes(PACKETS)

    assert ids(answered) == candids(*range(6))
    assert sorted(service.sent.values()) == [1] * 6


def test_a_message_of_many_packets_that_is_too_large_is_sent_in_parts(asked: Service, service: FakeService) -> None:
    two_blocks = making.raw_container(
        making.SCHEMA_FILE.read_text(), [(200, making.body(*[making.record(i) for i in range(200)]))] * 2
    )
    service.max_packets = 256

    (answered,) = asked.outcomes([two_blocks])

    assert len(answered) == 400
    assert service.requests == [1, 1, 1]


def test_a_packet_that_is_larger_than_the_service_takes_is_a_stored_rejection(
    asked: Service, service: FakeService
) -> None:
    service.max_bytes = 100_000
    huge = making.packet(making.record(7, cutoutScience={"fileName": "x", "stampData": bytes(200_000)}))

    answered = asked.outcomes([PACKETS[0], huge])

    assert [outcomes[0].get("reason") for outcomes in answered] == [None, "too_large"]
    assert "sha256" in answered[1][0]["detail"]
    assert len(service.stored) == 2


def test_a_packet_that_breaks_the_service_is_left_alone_with_it(
    asked: Service, service: FakeService, abandon: threading.Event
) -> None:
    service.poisonous = PACKETS[3]
    threading.Timer(2.0, lambda: setattr(service, "poisonous", b"")).start()

    answered = asked.outcomes(PACKETS)

    assert ids(answered) == candids(*range(6))
    assert asked.counts["split"] >= 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 415])
def test_a_refusal_for_good_is_an_error_in_the_services_words(
    asked: Service, service: FakeService, status: int
) -> None:
    service.misbehave = [status]

    with pytest.raises(ServiceError, match=rf"status {status} .*told_so"):
        asked.outcomes(PACKETS)

    assert service.stored == {}


@pytest.mark.parametrize(
    "answer",
    [
        b"hello",
        b"[]",
        b'{"outcomes": []}',
        b'{"containers": [2], "outcomes": [{}]}',
        b'{"containers": [], "outcomes": []}',
    ],
)
def test_an_answer_that_is_not_the_services_is_an_error(abandon: threading.Event, answer: bytes) -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=answer))

    with httpx.Client(base_url="http://x", transport=transport) as client, pytest.raises(ServiceError):
        Service(client, abandon).outcomes(PACKETS[:1])


def test_what_is_abandoned_is_given_up_at_once(asked: Service, service: FakeService, abandon: threading.Event) -> None:
    service.misbehave, service.retry_after = [503] * 100, "30"
    threading.Timer(0.2, abandon.set).start()
    start = time.monotonic()

    with pytest.raises(Abandoned):
        asked.outcomes(PACKETS)

    assert time.monotonic() - start < 10
