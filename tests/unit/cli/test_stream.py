"""cli.stream: sources, options that do not go together, and a folder from beginning to end as its own process."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from skystamp.cli.stream import _authorization, _dead_letter_url, _kafka, _metrics, open_feed
from skystamp.errors import UsageError
from skystamp.sources.kafka import Settings
from skystamp.stream import FileFeed
from tests import making, serving

KAFKA = "kafka://127.0.0.1:9/alerts?group=g"


def skystamp(*arguments: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", "from skystamp.cli import app; app()", "stream", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize(
    ("urls", "state", "until_end", "sentence"),
    [
        ([KAFKA, "/tmp"], None, False, "should be alone"),
        ([KAFKA], "state", False, "without --state"),
        (["/tmp"], None, True, "files end by themselves"),
        (["/no/such/folder"], None, False, "the path should exist"),
        (["kafka://127.0.0.1:9/alerts"], None, False, "should name its consumer group"),
    ],
    ids=["mixed", "state", "until-end", "no-folder", "no-group"],
)
def test_sources_and_options_that_do_not_go_together(
    urls: list[str], state: str | None, until_end: bool, sentence: str
) -> None:
    with pytest.raises(UsageError, match=sentence):
        open_feed(urls, Settings(), None if state is None else Path(state), until_end=until_end)


def test_a_folder_is_a_feed_of_files(tmp_path: Path) -> None:
    (tmp_path / "a.avro").write_bytes(making.packet())

    assert isinstance(open_feed([str(tmp_path)], Settings(), None), FileFeed)


def test_dead_letters_go_to_the_sources_brokers_or_where_the_url_says() -> None:
    assert _dead_letter_url("dead", [KAFKA]) == "kafka://127.0.0.1:9/dead"
    assert _dead_letter_url("kafka://b:1/dead", ["/tmp"]) == "kafka://b:1/dead"
    assert _dead_letter_url("", ["/tmp"]) == ""
    with pytest.raises(UsageError, match="--dead-letter should be kafka://"):
        _dead_letter_url("dead", ["/tmp"])


def test_a_metrics_port_that_is_taken_is_wrong_use() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as taken,
        pytest.raises(UsageError, match="--metrics-port"),
        _metrics(taken.getsockname()[1]),
    ):
        pass


def test_secrets_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SKYSTAMP_KAFKA_PASSWORD", "hunter2")

    assert _kafka(None).consumer == {"sasl.password": "hunter2"}
    assert _authorization({"SKYSTAMP_TOKEN": "t"}) == {"authorization": "Bearer t"}
    assert _authorization({}) == {}


def test_a_folder_is_streamed_once_and_then_there_is_nothing_left(tmp_path: Path) -> None:
    folder = tmp_path / "night"
    folder.mkdir()
    for i in range(20):
        (folder / f"{i:02d}.avro").write_bytes(making.packet(making.record(i)) if i != 7 else b"junk")
    with serving.running() as service:
        arguments = ("--source", str(folder), "--service", service.url, "--state", str(tmp_path / "state"))

        first, second = skystamp(*arguments, "--max-wait", "0.1"), skystamp(*arguments)

        assert (first.returncode, second.returncode) == (0, 0), first.stderr + second.stderr
        assert len(service.stored) == 20
        assert set(service.sent.values()) == {1}
    ends = [json.loads(done.stderr.splitlines()[-1]) for done in (first, second)]
    assert [end["event"] for end in ends] == ["ended", "ended"]
    assert [(end["classifications"], end["rejections"]) for end in ends] == [(19, 1), (0, 0)]


def test_wrong_use_is_one_sentence_and_status_2() -> None:
    done = skystamp("--source", os.devnull, "--service", "127.0.0.1:8000")

    assert done.returncode == 2
    assert "--service should be an http or https URL" in done.stderr
    assert "Traceback" not in done.stderr
