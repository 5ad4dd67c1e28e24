"""A door before a Kafka broker that asks who comes: SASL with PLAIN or SCRAM-SHA-512, as Kafka's own brokers speak it.

    client ── ApiVersions: the broker's answer ── SaslHandshake, SaslAuthenticate: the door's ── the rest: the broker's

The tests' broker keeps no users (`tests.brokers`), so that nobody could log in to it; the door knows one.
"""

import asyncio
import base64
import hashlib
import hmac
import secrets
import struct
from collections import Counter
from collections.abc import Generator
from contextlib import suppress
from dataclasses import dataclass, field

HANDSHAKE, API_VERSIONS, AUTHENTICATE = 17, 18, 36
_UNSUPPORTED, _REFUSED = 33, 58
_ROUNDS = 4096


class WrongLoginError(ValueError):
    """The user or the password is another."""


@dataclass
class Door:
    """Who may come in; `came` counts the logins by mechanism, and the refused ones."""

    user: str
    password: str
    behind: int
    came: Counter[str] = field(default_factory=Counter)

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection, to the end of either side."""
        try:
            inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", self.behind)
        except ConnectionError:
            writer.transport.abort()
            return
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError):
                if await self._ask(reader, writer, inner_reader, inner_writer):
                    await asyncio.gather(copied(reader, inner_writer), copied(inner_reader, writer))
        finally:
            for each in (writer, inner_writer):
                each.transport.abort()

    async def _ask(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        inner_reader: asyncio.StreamReader,
        inner_writer: asyncio.StreamWriter,
    ) -> bool:
        """Return whether a client is who it should be."""
        mechanism, steps = "", None
        while True:
            request = await _frame(reader)
            key, version, correlation, name = struct.unpack_from(">hhih", request)
            body = request[10 + max(name, 0) :]
            if key == API_VERSIONS:
                inner_writer.write(_framed(request))
                writer.write(_framed(await _frame(inner_reader)))
                continue
            head = struct.pack(">i", correlation)
            if key == HANDSHAKE:
                mechanism = body[2:].decode()
                steps = {"PLAIN": self._plain, "SCRAM-SHA-512": self._scram}.get(mechanism, lambda: None)()
                fault = 0 if steps else _UNSUPPORTED
                writer.write(_framed(head + struct.pack(">hi", fault, 1) + _string("SCRAM-SHA-512")))
                if steps:
                    next(steps)
                continue
            assert (key, steps is not None) == (AUTHENTICATE, True), f"request {key} before the login"
            ending = struct.pack(">q", 0) if version else b""
            try:
                told, done = steps.send(body[4:]), False
            except StopIteration as last:
                told, done = last.value, True
            except WrongLoginError:
                self.came["refused"] += 1
                writer.write(
                    _framed(head + struct.pack(">h", _REFUSED) + _string("who are you?") + _bytes(b"") + ending)
                )
                await writer.drain()
                return False
            writer.write(_framed(head + struct.pack(">hh", 0, -1) + _bytes(told) + ending))
            if done:
                self.came[mechanism] += 1
                return True

    def _plain(self) -> Generator[bytes, bytes, bytes]:
        given = yield b""
        if given.split(b"\0") != [b"", self.user.encode(), self.password.encode()]:
            raise WrongLoginError
        return b""

    def _scram(self) -> Generator[bytes, bytes, bytes]:
        """RFC 5802, the server's side."""
        first = (yield b"").removeprefix(b"n,,")
        said = dict(part.split(b"=", 1) for part in first.split(b","))
        salt, nonce = secrets.token_bytes(16), said[b"r"] + secrets.token_hex(8).encode()
        asked = b"r=%s,s=%s,i=%d" % (nonce, base64.b64encode(salt), _ROUNDS)
        final, _, proof = (yield asked).rpartition(b",p=")
        salted = hashlib.pbkdf2_hmac("sha512", self.password.encode(), salt, _ROUNDS)
        client, message = _hmac(salted, b"Client Key"), b",".join((first, asked, final))
        signature = _hmac(hashlib.sha512(client).digest(), message)
        wanted = bytes(a ^ b for a, b in zip(client, signature, strict=True))
        if said[b"n"] != self.user.encode() or not hmac.compare_digest(base64.b64decode(proof), wanted):
            raise WrongLoginError
        return b"v=" + base64.b64encode(_hmac(_hmac(salted, b"Server Key"), message))


async def copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Copy bytes until either side has gone."""
    with suppress(ConnectionError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
    writer.close()


async def _frame(reader: asyncio.StreamReader) -> bytes:
    (size,) = struct.unpack(">i", await reader.readexactly(4))
    return await reader.readexactly(size)


def _framed(data: bytes) -> bytes:
    return struct.pack(">i", len(data)) + data


def _string(text: str) -> bytes:
    return struct.pack(">h", len(text)) + text.encode()


def _bytes(data: bytes) -> bytes:
    return struct.pack(">i", len(data)) + data


def _hmac(key: bytes, data: bytes) -> bytes:
    return hmac.new(key, data, "sha512").digest()
