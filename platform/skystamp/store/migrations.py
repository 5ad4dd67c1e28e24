"""The store's schema and its versions: `versions` holds the steps, Alembic runs them, `tables` is where they lead.

A new, empty database is brought to the newest schema when it is opened; one of an older schema is refused until
``skystamp store upgrade`` is called, because an upgrade may take long and other processes may still be writing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from alembic.runtime.migration import MigrationStep
from alembic.script import ScriptDirectory
from sqlalchemy.engine import Connection, Engine

from skystamp.errors import StoreError
from skystamp.store import engine as engines
from skystamp.store import tables

_LOCK = 7_390_118  # PostgreSQL's number of the lock that an upgrade holds; ours alone by chance


def newest() -> str:
    """Return the newest revision."""
    return str(_script().get_current_head())


def current(engine: Engine) -> str | None:
    """Return a database's revision, None if it has no tables of ours."""
    with engines.reading(engine) as connection:
        return MigrationContext.configure(connection).get_current_revision()


def upgrade(engine: Engine) -> list[str]:
    """Bring a database to the newest revision; return those it went through, oldest first.

    Raises
    ------
    StoreError
        If it is of a revision that we do not know: a newer program made it.
    """
    engines.make_folder(engine)
    with engines.writing(engine) as connection, _alone(connection):
        steps = _steps(MigrationContext.configure(connection).get_current_revision())
        context = MigrationContext.configure(connection, opts={"fn": lambda _revision, _context: steps})
        with Operations.context(context):
            context.run_migrations()
    return [step.to_revisions[0] for step in steps]


def prepare(engine: Engine, *, create: bool = True) -> None:
    """Make the tables of a new, empty database; refuse one of another revision, and a new one unless `create`.

    Raises
    ------
    StoreError
        If its revision is not the newest one.
    """
    where = engines.shown(engine.url)
    if not create and not engines.exists(engine):
        raise StoreError(f"the store should exist: make it by `skystamp store upgrade`. Received: {where}")
    engines.make_folder(engine)
    found = current(engine)
    if found is None and create:
        upgrade(engine)
    elif found != newest():
        said = f"the store should be of revision {newest()}: run `skystamp store upgrade`"
        raise StoreError(f"{said}. Received: {found or 'no tables'} ({where})")


def differences(engine: Engine) -> list[Any]:
    """Return in what a database's tables differ from `tables.metadata`, as Alembic says it."""
    with engines.reading(engine) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        return list(compare_metadata(context, tables.metadata))


def _steps(found: str | None) -> list[Any]:
    script = _script()
    known = {revision.revision for revision in script.walk_revisions()}
    if found is not None and found not in known:
        raise StoreError(f"the store should be of a revision that this version knows. Received: {found}")
    ahead = list(script.iterate_revisions("head", found or "base"))
    return [MigrationStep.upgrade_from_script(script.revision_map, revision) for revision in reversed(ahead)]


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """Let one process upgrade at a time; SQLite's own write lock, taken at the beginning, does it there."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
    yield


@cache
def _script() -> ScriptDirectory:
    folder = Path(__file__).parent
    return ScriptDirectory(str(folder), version_locations=[str(folder / "versions")])
