"""cli.logs: a JSON object a line."""

import json
import logging
import subprocess
import sys

from skystamp.cli.logs import JsonLines


def record(message: str, *arguments: object, **extra: object) -> logging.LogRecord:
    made = logging.LogRecord("skystamp.x", logging.WARNING, "x.py", 1, message, arguments, None)
    made.__dict__.update(extra)
    return made


def test_a_line_has_time_level_event_and_the_callers_fields() -> None:
    told = json.loads(JsonLines().format(record("%d packets", 3, fields={"alert_id": 2**62, "path": logging})))

    assert (told["event"], told["level"], told["logger"]) == ("3 packets", "warning", "skystamp.x")
    assert told["alert_id"] == 2**62
    assert told["time"].endswith("+00:00")


def test_a_line_break_does_not_break_the_line() -> None:
    assert "\n" not in JsonLines().format(record("two\nlines"))


def test_an_exception_has_its_traceback() -> None:
    try:
        raise ValueError("odd")
    except ValueError:
        made = logging.LogRecord("x", logging.ERROR, "x.py", 1, "failed", (), sys.exc_info())

    assert "ValueError: odd" in json.loads(JsonLines().format(made))["traceback"]


def test_every_log_of_the_process_is_json_and_requests_are_not_told() -> None:
    code = (
        "import logging; from skystamp.cli.logs import log_as_json; log_as_json();"
        "logging.getLogger('a').info('one'); logging.getLogger('httpx').info('POST')"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert [json.loads(line)["event"] for line in done.stderr.splitlines()] == ["one"]
