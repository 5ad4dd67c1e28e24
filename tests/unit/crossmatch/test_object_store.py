"""A catalogue behind s3://, on a real server of S3's protocol on this machine."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from pyarrow import fs

from skystamp import crossmatch
from skystamp.errors import UsageError
from tests.skies import Sky


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """The address of a server with an empty store."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait(port, server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(30)


def wait(port: int, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"the S3 server did not start; its status is {server.poll()}")


@pytest.fixture
def store(endpoint: str, hard_folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of a catalogue in the store, which the standard variables lead to."""
    for name, value in {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }.items():
        monkeypatch.setenv(name, value)
    system, _ = fs.FileSystem.from_uri("s3://sky?allow_bucket_creation=true")
    system.create_dir("sky")
    fs.copy_files(str(hard_folder), "sky/allwise", destination_filesystem=system)
    return "s3://sky/allwise"


def test_catalogue_in_an_object_store_matches_as_the_local_one(store: str, hard_folder: Path, hard_sky: Sky):
    catalogue = crossmatch.open_catalogue(store)

    found = catalogue.match(hard_sky.ra, hard_sky.dec)

    local = crossmatch.open_catalogue(str(hard_folder)).match(hard_sky.ra, hard_sky.dec)
    np.testing.assert_array_equal(found, local)
    assert (catalogue.name, catalogue.url) == ("catalogue", "s3://sky/allwise")


def test_public_bucket_needs_no_credentials(store: str, endpoint: str, hard_sky: Sky, monkeypatch: pytest.MonkeyPatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name)
    catalogue = crossmatch.open_catalogue(f"{store}?anonymous=true&region=us-east-1&endpoint_override={endpoint}")

    found = catalogue.match(hard_sky.ra[:1], hard_sky.dec[:1])

    np.testing.assert_array_equal(found[0, 1:], hard_sky.magnitudes[0])


def test_bucket_or_folder_that_is_not_there_is_told(store: str):
    for url in ("s3://sky/nothing", "s3://nowhere/allwise"):
        with pytest.raises(UsageError, match="HATS layout"):
            crossmatch.open_catalogue(url)
