"""A folder's path or URL -> the file system that holds it and the path there.

Local paths, ``file://`` and the file systems that pyarrow knows: ``s3://``, ``gs://``, ``hdfs://``. S3's endpoint,
region and credentials come from the standard AWS_* variables or the URL's query (``?region=us-west-2``); a public
bucket is read without credentials by ``?anonymous=true&region=us-west-2``, which names its own endpoint if it needs one
(``endpoint_override=``).
"""

import os
from urllib.parse import parse_qs, urlsplit

import pyarrow as pa
from pyarrow import fs

from skystamp.errors import UsageError

_KNOWN = "a folder, or a URL as file:///data/allwise, s3://bucket/allwise or gs://bucket/allwise"


def file_system(url: str) -> tuple[fs.FileSystem, str]:
    """Return the file system of a path or URL, and the path in it without a slash at its end.

    Raises
    ------
    UsageError
        If the URL is of no file system that can be read.
    """
    if "://" not in url:
        return fs.LocalFileSystem(), os.path.abspath(os.path.expanduser(url))  # noqa: PTH100, PTH111  keeps symlinks
    try:
        system, path = _anonymous(url) or fs.FileSystem.from_uri(url)
    except (pa.ArrowInvalid, OSError) as error:
        raise UsageError(f"the catalogue should be {_KNOWN}. Received: {url} ({error})") from error
    return system, path.rstrip("/")


def _anonymous(url: str) -> tuple[fs.FileSystem, str] | None:
    """Return a public bucket's file system, None where credentials are wanted."""
    # from_uri knows AWS_ENDPOINT_URL but no anonymous access; the class knows the latter alone: the URL says the rest.
    parts = urlsplit(url)
    query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    if parts.scheme != "s3" or query.pop("anonymous", "") != "true":
        return None
    if set(query) - {"region", "endpoint_override", "scheme"}:
        raise UsageError(f"an anonymous S3 URL may have region, endpoint_override and scheme. Received: {url}")
    return fs.S3FileSystem(anonymous=True, **query), parts.netloc + parts.path
