"""`skystamp stream`: Kafka topics, folders or archives -> the service, until every packet's outcome is stored."""

import logging
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from types import FrameType
from typing import TYPE_CHECKING, Annotated

import typer

from skystamp.errors import UsageError

if TYPE_CHECKING:
    from skystamp.sources.feeds import Feed
    from skystamp.sources.kafka import Publisher, Settings
    from skystamp.stream import Delivery, Limits, Totals
    from skystamp.stream.running import Tell

UNFINISHED = 1  # exit status: told to stop, and what was on its way did not finish in time

log = logging.getLogger(__name__)


def stream(
    source: Annotated[
        list[str],
        typer.Option(help="kafka://HOST:PORT[,HOST:PORT]/TOPIC?group=NAME, or a file, folder or URL; repeatable."),
    ],
    service: Annotated[str, typer.Option(help="URL of the service.")] = "http://127.0.0.1:8000",
    out: Annotated[str, typer.Option(help="kafka://HOST:PORT/TOPIC for the outcomes, in Avro.")] = "",
    dead_letter: Annotated[
        str, typer.Option(help="TOPIC of the source's brokers, or kafka://HOST:PORT/TOPIC, for rejected packets.")
    ] = "",
    kafka_settings: Annotated[
        Path | None,
        typer.Option(
            envvar="SKYSTAMP_KAFKA_SETTINGS", help="File of NAME=VALUE lines: TLS, SASL, in librdkafka's names."
        ),
    ] = None,
    state: Annotated[Path | None, typer.Option(help="File that remembers where files were left, to resume.")] = None,
    batch: Annotated[int, typer.Option(help="Packets sent together, at most.", min=1)] = 256,
    batch_bytes: Annotated[int, typer.Option(help="Bytes sent together, about.", min=1)] = 16 << 20,
    max_wait: Annotated[float, typer.Option(help="Seconds until a batch leaves though it is not full.", min=0)] = 2.0,
    in_flight: Annotated[int, typer.Option(help="Batches on their way at once.", min=1, max=64)] = 4,
    until_end: Annotated[bool, typer.Option("--until-end", help="End where the topics end now.")] = False,
    max_packets: Annotated[int | None, typer.Option(help="Messages or files to read, at most.", min=1)] = None,
    every: Annotated[float, typer.Option(help="Seconds between two lines of statistics.", min=0.1)] = 10.0,
    timeout: Annotated[float, typer.Option(help="Seconds until a request is sent again.", min=0.1)] = 120.0,
    grace: Annotated[float, typer.Option(help="Seconds for what is on its way when told to stop.", min=0)] = 30.0,
    metrics_port: Annotated[
        int | None,
        typer.Option(help="Port on 127.0.0.1 where Prometheus finds /metrics; none by default.", min=1, max=65535),
    ] = None,
) -> None:
    """Send packets to the service until their outcomes are stored, then commit.

    Nothing is lost: a packet's offset is committed when the service, the output topic and the dead-letter topic have
    what is theirs. SIGTERM and SIGINT finish what is on its way; a second one ends at once. Exit status 0: ended, or
    stopped in order; 1: stopped with packets on their way, which the next start reads again; 2: a fault.
    """
    from skystamp.cli.logs import log_as_json
    from skystamp.stream import Limits

    log_as_json()
    if not service.startswith(("http://", "https://")):
        raise UsageError(f"--service should be an http or https URL. Received: {service}")
    limits = Limits(batch, batch_bytes, max_wait, in_flight, max_packets, every, grace)
    kafka, dead = _kafka(kafka_settings), _dead_letter_url(dead_letter, source)
    stop, abandon = stopped_by_signals(), Event()
    feed = open_feed(source, kafka, state, until_end=until_end)
    publishers = [None if not url else _publisher(url, kafka) for url in (out, dead)]
    with _metrics(metrics_port) as tell:
        totals = _run(feed, service, timeout, limits, publishers, stop, abandon, tell)
    _tell(totals, stopped=stop.is_set())


def open_feed(urls: list[str], kafka: "Settings", state: Path | None, *, until_end: bool = False) -> "Feed":
    """Return the feed of some sources: one Kafka URL, or any number of files, folders and other URLs.

    Raises
    ------
    UsageError
        If they are mixed, or options are given that the others have.
    """
    from skystamp import sources
    from skystamp.sources.kafka import KafkaFeed, is_kafka, parse
    from skystamp.stream import FileFeed, Journal

    if not any(is_kafka(url) for url in urls):
        if until_end:
            raise UsageError("--until-end is for Kafka: files end by themselves")
        return FileFeed(sources.find(urls), None if state is None else Journal(state))
    if len(urls) > 1 or state is not None:
        raise UsageError(
            "a Kafka source should be alone, and without --state: its group remembers. Several topics: A,B"
        )
    return KafkaFeed(parse(urls[0], reader=True), kafka, until_end=until_end)


def _run(
    feed: "Feed",
    url: str,
    timeout_s: float,
    limits: "Limits",
    publishers: "list[Publisher | None]",
    stop: Event,
    abandon: Event,
    tell: "Tell | None" = None,
) -> "Totals":
    import httpx

    from skystamp import stream as streaming

    pool = httpx.Limits(max_connections=limits.in_flight)
    with httpx.Client(base_url=url, timeout=timeout_s, limits=pool, headers=_authorization(os.environ)) as client:
        service = streaming.Service(client, abandon)
        delivery: Delivery = streaming.Delivery(service, abandon, _now, *publishers)
        totals = streaming.run(
            feed, delivery, limits, stop=stop, abandon=abandon, counts=lambda: service.counts, tell=tell
        )
    for publisher in publishers:
        if publisher is not None:
            publisher.close()
    return totals


@contextmanager
def _metrics(port: int | None) -> Iterator["Tell | None"]:
    """Give what is to be told the statistics, and answer Prometheus with them, if a port was given."""
    from skystamp.stream import measured

    if port is None:
        yield None
        return
    statistics = measured.Statistics()
    with ExitStack() as stack:
        try:
            stack.enter_context(measured.exposed(statistics, port))
        except OSError as error:
            raise UsageError(f"--metrics-port should be a free port. Received: {port}, {error}") from error
        yield statistics


def _kafka(path: Path | None) -> "Settings":
    """Return the client's settings: those of the environment, then those of the file."""
    from skystamp.sources.kafka import read_settings

    names = {"SKYSTAMP_KAFKA_USERNAME": "sasl.username", "SKYSTAMP_KAFKA_PASSWORD": "sasl.password"}
    return read_settings(path, {name: os.environ[key] for key, name in names.items() if key in os.environ})


def _authorization(environment: Mapping[str, str]) -> dict[str, str]:
    token = environment.get("SKYSTAMP_TOKEN", "")
    return {"authorization": f"Bearer {token}"} if token else {}


def _dead_letter_url(target: str, urls: list[str]) -> str:
    from skystamp.sources.kafka import is_kafka, parse

    if not target or is_kafka(target):
        return target
    if not is_kafka(urls[0]):
        raise UsageError("--dead-letter should be kafka://HOST:PORT/TOPIC where the source is no Kafka topic")
    return f"kafka://{parse(urls[0], reader=True).brokers}/{target}"


def _publisher(url: str, kafka: "Settings") -> "Publisher":
    from skystamp.sources.kafka import Publisher, parse

    return Publisher(parse(url, reader=False), kafka)


def stopped_by_signals() -> Event:
    """Return what the first SIGTERM or SIGINT sets; the second ends the process as if nobody had asked."""
    stop = Event()

    def asked(_number: int, _frame: FrameType | None) -> None:
        stop.set()
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, signal.SIG_DFL)

    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, asked)
    return stop


def _now() -> datetime:
    return datetime.now(UTC)


def _tell(totals: "Totals", *, stopped: bool) -> None:
    fields = {
        "packets": totals.packets,
        "classifications": sum(totals.classes.values()),
        "rejections": sum(totals.reasons.values()),
        "given_up": totals.abandoned,
    }
    log.info("stopped" if stopped else "ended", extra={"fields": fields})
    if totals.abandoned:
        logging.shutdown()
        os._exit(UNFINISHED)  # a request may be waited for still, and nobody will read its answer
