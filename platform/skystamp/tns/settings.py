"""A TOML file -> `Settings`: who reports, for which group, to which server. There is no default for any of it.

    address = "https://sandbox.wis-tns.org/api"    the sandbox; the real one is https://www.wis-tns.org/api
    bot_id = 123
    bot_name = "..."
    reporting_group = "..."     TNS's number of the group that reports
    data_source = "..."         TNS's number of the group whose data these are; ZTF is 48
    reporter = "A. Astronomer (Institute), B. Observer (Institute)"

A report in another group's name is public and for good, so what is not set is not sent. The bot's key is no setting.
"""

import ipaddress
import json
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from urllib.parse import urlsplit

from skystamp.errors import UsageError

KEY = "SKYSTAMP_TNS_KEY"
"""The name in the environment of the bot's key; entry points read it and pass the value in."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Who reports; "" for what is not set."""

    address: str = ""
    bot_id: str = ""
    bot_name: str = ""
    reporting_group: str = ""
    data_source: str = ""
    reporter: str = ""

    @property
    def missing(self) -> tuple[str, ...]:
        """What has to be set before anything can be sent."""
        return tuple(field.name for field in fields(self) if not getattr(self, field.name))

    @property
    def marker(self) -> str:
        """The User-Agent by which TNS tells bots that it knows from others."""
        number = int(self.bot_id) if self.bot_id.isdigit() else self.bot_id
        told = {"tns_id": number, "type": "bot", "name": self.bot_name}
        return f"tns_marker{json.dumps(told, separators=(',', ':'))}"

    @property
    def site(self) -> str:
        """Where people read what the address holds."""
        return self.address.removesuffix("/api")


def read(file: Path) -> Settings:
    """Return the settings of a file.

    Raises
    ------
    UsageError
        If it is no TOML, has a name that is none of ours or a value that can not be, or an address by which the key
        would travel for everybody to read.
    """
    try:
        found = tomllib.loads(file.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} should be TOML: {error}") from error
    known = [field.name for field in fields(Settings)]
    if unknown := sorted(set(found) - set(known)):
        raise UsageError(f"{file} should have {', '.join(known)}. Received: {', '.join(unknown)}")
    for name, value in found.items():
        if isinstance(value, bool) or not isinstance(value, (str, int)) or not str(value).isprintable():
            raise UsageError(f"{name} in {file} should be one line of text or a number. Received: {value!r}")
    settings = Settings(**{name: str(value).strip() for name, value in found.items()})
    return checked(settings)


def checked(settings: Settings) -> Settings:
    """Return the settings with the address in one form.

    Raises
    ------
    UsageError
        If the address is no https, unless it is of this machine; or the bot's name or number is no ASCII.
    """
    address = settings.address.rstrip("/")
    if address and not _is_safe(address):
        raise UsageError(f"address should be https://... or on this machine. Received: {address}")
    if not (settings.bot_id + settings.bot_name).isascii():
        raise UsageError(f"bot_id and bot_name should be ASCII. Received: {settings.bot_id} {settings.bot_name}")
    return Settings(address, *(getattr(settings, field.name) for field in fields(Settings)[1:]))


def _is_safe(address: str) -> bool:
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        return False
    if parts.username is not None or parts.query or parts.fragment or not host:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
