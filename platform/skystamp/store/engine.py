"""A URL -> an engine: how SQLite and PostgreSQL are opened, how transactions begin, and how their faults are told.

    sqlite:///PATH              WAL, so that readers and one writer go on together; writers wait for one another
    postgresql://USER@HOST/DB   psycopg 3; connections are checked before use, so that a restarted server is no fault

SQLite commits with ``synchronous=NORMAL``: what was committed survives the end of any process, and a loss of power may
take the last moments. ``sqlite:///PATH?synchronous=FULL`` waits for the disk at each commit.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.engine import URL, Connection, Engine, make_url

from skystamp.errors import StoreError, StoreUnavailable

BUSY_S = 30.0
IDLE_S = 600.0  # that a client may stand still within a transaction: one that hangs gives up its locks
SYNCHRONOUS = ("NORMAL", "FULL")

_WRITES = "skystamp_writes"
# A server that is gone without a word is a fault after about half a minute, not after the kernel's two hours.
_NOTICE_A_DEAD_NETWORK = {
    "tcp_user_timeout": 30_000,
    "keepalives_idle": 15,
    "keepalives_interval": 5,
    "keepalives_count": 3,
}


def make_engine(url: str, *, connections: int = 4, busy_s: float = BUSY_S, statement_s: float | None = None) -> Engine:
    """Return an engine for a store's URL; nothing is opened yet.

    Parameters
    ----------
    url : str
    connections : int
        Kept at most.
    busy_s : float
        How long to wait for another writer, or for a connection.
    statement_s : float, optional
        How long a server may work on one statement; without it as long as it takes, as an export does.

    Raises
    ------
    StoreError
        If the URL is of another kind.
    """
    parsed = _parsed(url)
    if parsed.get_backend_name() == "postgresql":
        return _postgresql(parsed, connections, busy_s, statement_s)
    synchronous = str(parsed.query.get("synchronous", SYNCHRONOUS[0])).upper()
    if synchronous not in SYNCHRONOUS or set(parsed.query) - {"synchronous"}:
        raise StoreError(f"a SQLite URL may say synchronous, one of {SYNCHRONOUS}. Received: {dict(parsed.query)}")
    engine = sa.create_engine(
        parsed.set(query={}),
        pool_size=connections,
        max_overflow=0,
        pool_timeout=busy_s,
        connect_args={"timeout": busy_s},
    )
    event.listen(engine, "connect", _Pragmas(synchronous))
    event.listen(engine, "begin", _begin)
    return engine


def _postgresql(url: URL, connections: int, busy_s: float, statement_s: float | None) -> Engine:
    limits = {"lock_timeout": busy_s, "idle_in_transaction_session_timeout": IDLE_S}
    limits |= {"statement_timeout": statement_s} if statement_s else {}
    try:
        return sa.create_engine(
            url.set(drivername="postgresql+psycopg"),
            pool_size=connections,
            max_overflow=0,
            pool_timeout=busy_s,
            pool_pre_ping=True,
            connect_args={
                "connect_timeout": 10,
                "options": " ".join(f"-c {name}={int(1000 * seconds)}" for name, seconds in limits.items()),
                **_NOTICE_A_DEAD_NETWORK,
            },
        )
    except ModuleNotFoundError as error:
        wanted = "a PostgreSQL store needs the driver psycopg: pip install 'skystamp[postgres]'"
        raise StoreError(f"{wanted}. Received: {error}") from error


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Yield a connection in a transaction that sees one state of the store."""
    with told(engine), engine.connect() as connection:
        if connection.dialect.name == "postgresql":
            connection = connection.execution_options(isolation_level="REPEATABLE READ")
        with connection.begin():
            yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Yield a connection in a transaction that is committed at the end, or rolled back if anything is raised."""
    with told(engine), engine.connect().execution_options(**{_WRITES: True}) as connection, connection.begin():
        yield connection


@contextmanager
def told(engine: Engine) -> Iterator[None]:
    """Tell a database's faults that may pass, such as a lock or a server that restarts, as StoreUnavailable."""
    try:
        yield
    except (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError) as error:
        where, fault = shown(engine.url), getattr(error, "orig", None) or error
        said = " ".join(str(fault).split())
        raise StoreUnavailable(f"the store should be reachable and free. Received: {said} ({where})") from error


def shown(url: URL | str) -> str:
    """Return a URL without its password."""
    return make_url(url).render_as_string(hide_password=True)


def _parsed(url: str) -> URL:
    wanted = "a store's URL should be sqlite:///PATH or postgresql://USER@HOST/DATABASE"
    try:
        parsed = make_url(url)
    except sa.exc.ArgumentError:  # the text itself may hold a password
        raise StoreError(f"{wanted}. Received: a text of {len(url)} characters that is no URL") from None
    is_file = parsed.get_backend_name() == "sqlite" and parsed.database not in (None, "", ":memory:")
    is_server = parsed.drivername in ("postgresql", "postgres", "postgresql+psycopg")
    if parsed.drivername == "postgres":
        parsed = parsed.set(drivername="postgresql")
    if not (is_file or is_server):
        raise StoreError(f"{wanted}. Received: {shown(parsed)}")
    return parsed


def absolute_url(url: str) -> str:
    """Return a store's URL that means the same in any folder: a SQLite file's path is made absolute.

    Raises
    ------
    StoreError
        If the URL is of another kind.
    """
    parsed = _parsed(url)
    if parsed.get_backend_name() != "sqlite":
        return url
    return parsed.set(database=str(Path(str(parsed.database)).absolute())).render_as_string(hide_password=False)


def make_folder(engine: Engine) -> None:
    """Make the folder of a SQLite file that does not exist yet."""
    if engine.dialect.name == "sqlite":
        Path(str(engine.url.database)).absolute().parent.mkdir(parents=True, exist_ok=True)


def exists(engine: Engine) -> bool:
    """Return whether there is a database to connect to, as far as its file tells."""
    return engine.dialect.name != "sqlite" or Path(str(engine.url.database)).exists()


class _Pragmas:
    """What each new SQLite connection is told; a class because it holds the setting."""

    def __init__(self, synchronous: str) -> None:
        self._synchronous = synchronous

    def __call__(self, connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, below
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", f"synchronous={self._synchronous}", "foreign_keys=ON", "cache_size=-65536"):
            cursor.execute(f"PRAGMA {pragma}").fetchall()
        cursor.close()


def _begin(connection: Connection) -> None:
    """Take the write lock at the beginning: a transaction that reads first and then writes could not wait for it."""
    writes = connection.get_execution_options().get(_WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
