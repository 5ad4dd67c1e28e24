"""Paths and URLs of catalogues."""

import pytest
from pyarrow import fs

from skystamp.crossmatch.places import file_system
from skystamp.errors import UsageError


@pytest.mark.parametrize("form", ["{}", "{}/", "file://{}", "file://{}/"])
def test_local_folder_is_found_by_path_and_by_url(tmp_path, form):
    system, path = file_system(form.format(tmp_path))

    assert isinstance(system, fs.LocalFileSystem)
    assert path == str(tmp_path)


def test_path_may_be_relative(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert file_system("sky")[1] == str(tmp_path / "sky")


def test_public_bucket_is_read_without_credentials():
    system, path = file_system("s3://bucket/wise/allwise?anonymous=true&region=us-west-2")

    assert (system.region, path) == ("us-west-2", "bucket/wise/allwise")


@pytest.mark.parametrize(
    "url", ["nothing://bucket/allwise", "s3://b/p?anonymous=true&colour=red", "s3://b/p?colour=red&region=us-east-1"]
)
def test_url_that_can_not_be_read_is_told(url):
    with pytest.raises(UsageError, match="Received: " + url.partition("?")[0]):
        file_system(url)
