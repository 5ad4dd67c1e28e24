"""Who reports, from a file: complete or told what is missing, and never by an address that shows the key."""

from pathlib import Path

import pytest

from skystamp.errors import UsageError
from skystamp.tns import Settings, checked, read

FULL = """address = "https://sandbox.wis-tns.org/api/"
bot_id = 123
bot_name = "a_bot"
reporting_group = 74
data_source = "48"
reporter = "A. Astronomer (Institute)"
"""


def written(folder: Path, text: str) -> Path:
    (folder / "tns.toml").write_text(text)
    return folder / "tns.toml"


def test_a_file_is_read(tmp_path):
    found = read(written(tmp_path, FULL))

    assert found.missing == ()
    assert (found.address, found.reporting_group) == ("https://sandbox.wis-tns.org/api", "74")
    assert found.marker == 'tns_marker{"tns_id":123,"type":"bot","name":"a_bot"}'


def test_nothing_has_a_default():
    assert set(Settings().missing) == {
        "address",
        "bot_id",
        "bot_name",
        "reporting_group",
        "data_source",
        "reporter",
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("key = 'secret'", "Received: key"),
        ("bot_id = [1]", "one line of text or a number"),
        ("bot_id = true", "one line of text or a number"),
        ("reporter = 'a\\nb'\nbot_name = \"a\\nb\"", "one line of text"),
        ("address = ", "should be TOML"),
        ("address = 'http://www.wis-tns.org/api'", "should be https"),
        ("address = 'https://user:word@tns.example/api'", "should be https"),
        ("address = 'ftp://tns.example'", "should be https"),
        ("address = 'https://[x'", "should be https"),
        ("bot_name = 'Büro'", "ASCII"),
    ],
)
def test_what_can_not_be_is_told(tmp_path, text, said):
    with pytest.raises(UsageError, match=said):
        read(written(tmp_path, text))


@pytest.mark.parametrize("host", ["127.0.0.1:8000", "localhost", "[::1]:80"])
def test_this_machine_needs_no_https(host):
    assert checked(Settings(f"http://{host}/api")).address == f"http://{host}/api"
