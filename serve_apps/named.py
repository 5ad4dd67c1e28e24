"""A setting that names a variable of the environment -> its value, in the process that needs it.

``store: env:SKYSTAMP_STORE`` keeps a URL with a password out of Serve's configuration, which its dashboard shows and
`serve config` prints: the name travels, and each replica looks into the environment that its node's Ray was started in.
"""

import os

from skystamp.errors import UsageError
from skystamp.store import absolute_url

_PREFIX = "env:"


def is_named(setting: str) -> bool:
    """Return whether a setting is a variable's name and not the value itself."""
    return setting.startswith(_PREFIX)


def made_absolute(store: str) -> str:
    """Return a store's URL that means the same in every process; a variable's name as it is."""
    return store if is_named(store) else absolute_url(store)


def store_url(setting: str) -> str:
    """Return a store's URL.

    Raises
    ------
    UsageError
        If the variable is not set here, or its SQLite file would be another in each process. Its value is not shown.
    """
    if not is_named(setting):
        return setting
    name = setting.removeprefix(_PREFIX)
    url = os.environ.get(name, "")
    if not url:
        raise UsageError(f"{name} should hold the store's URL in the environment of each node's Ray. Received: nothing")
    if url.startswith("sqlite:") and absolute_url(url) != url:
        raise UsageError(f"the SQLite file that {name} names should have an absolute path: sqlite:////FOLDER/FILE")
    return url
