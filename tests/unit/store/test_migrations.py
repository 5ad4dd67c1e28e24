"""Migrations lead where the tables say, on both databases, from nothing and again."""

import pytest
import sqlalchemy as sa

from skystamp.errors import StoreError
from skystamp.store import engine, migrations, open_store


def test_migrations_and_tables_agree(store):
    assert migrations.differences(store.engine) == []


def test_a_difference_would_be_seen(store):
    with engine.writing(store.engine) as connection:
        connection.execute(sa.text("ALTER TABLE offsets ADD COLUMN surplus TEXT"))

    assert [found[0] for found in migrations.differences(store.engine)] == ["remove_column"]


def test_an_empty_database_is_upgraded_through_all_revisions_once(store_url, request):
    made = engine.make_engine(store_url)
    request.addfinalizer(made.dispose)

    assert migrations.current(made) is None
    assert migrations.upgrade(made)[-1] == migrations.newest()
    assert migrations.upgrade(made) == []
    assert migrations.current(made) == migrations.newest()


def test_a_store_of_a_newer_program_is_refused(store):
    with engine.writing(store.engine) as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))

    url = store.engine.url.render_as_string(hide_password=False)
    with pytest.raises(StoreError, match="9999"):
        open_store(url)
    with pytest.raises(StoreError, match="9999"):
        migrations.upgrade(store.engine)


def test_a_store_that_should_exist_is_not_made(store_url):
    with pytest.raises(StoreError, match="skystamp store upgrade"):
        open_store(store_url, create=False)


def test_a_failed_upgrade_leaves_nothing_behind(store_url, monkeypatch, request):
    from alembic.operations import Operations

    real = Operations.create_table

    def failing(self, name, *args, **kwargs):
        if name == "labels":
            raise RuntimeError("the power went out")
        return real(self, name, *args, **kwargs)

    monkeypatch.setattr(Operations, "create_table", failing)
    made = engine.make_engine(store_url)
    request.addfinalizer(made.dispose)
    with pytest.raises(RuntimeError):
        migrations.upgrade(made)

    with engine.reading(made) as connection:
        assert sa.inspect(connection).get_table_names() == []
