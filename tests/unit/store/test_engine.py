"""URLs, settings and faults of the two databases."""

import threading
import time

import pytest
import sqlalchemy as sa

from skystamp.errors import StoreError, StoreUnavailable
from skystamp.store import Batch, Offset, engine, open_store


@pytest.mark.parametrize(
    "url",
    [
        "",
        "store.db",
        "sqlite://",
        "sqlite:///:memory:",
        "mysql://u:secret@h/d",
        "sqlite:///a.db?mode=ro",
        "x y://secret",
    ],
)
def test_another_kind_of_url_is_refused_without_telling_its_password(url):
    with pytest.raises(StoreError, match=r"sqlite:///PATH|synchronous") as error:
        open_store(url)

    assert "secret" not in str(error.value)


def test_sqlite_is_opened_for_readers_beside_a_writer(tmp_path, opening):
    store = opening(f"sqlite:///{tmp_path}/new/folder/store.db")

    assert pragmas(store) == {"journal_mode": "wal", "synchronous": 1, "foreign_keys": 1, "busy_timeout": 30_000}


def test_sqlite_may_be_told_to_wait_for_the_disk(tmp_path, opening):
    store = opening(f"sqlite:///{tmp_path}/store.db?synchronous=full")

    assert pragmas(store)["synchronous"] == 2


def test_a_writer_waits_for_another_and_then_writes(store):
    with engine.writing(store.engine) as connection:
        connection.execute(sa.text("INSERT INTO offsets VALUES ('a', '', 1, 0)"))
        other = threading.Thread(target=store.set_offsets, args=([Offset("a", "", 2)],), kwargs={"now": 0.0})
        other.start()
        time.sleep(0.1)
    other.join()

    assert store.offset("a") == 2


def test_one_who_waits_too_long_is_told_to_come_again_and_has_written_nothing(store_url, opening):
    store = opening(store_url, busy_s=0.2)
    with engine.writing(store.engine) as connection:
        connection.execute(sa.text("INSERT INTO offsets VALUES ('a', '', 1, 0)"))
        with pytest.raises(StoreUnavailable, match="reachable and free"):
            store.record(Batch(offsets=[Offset("b", "", 1), Offset("a", "", 2)]), now=0.0)

    assert (store.offset("a"), store.offset("b")) == (1, None)


def test_readers_see_one_state_while_another_writes(store):
    with engine.reading(store.engine) as connection:
        count = sa.text("SELECT count(*) FROM offsets")
        before = connection.execute(count).scalar_one()
        store.set_offsets([Offset("a", "", 1)], now=0.0)
        after = connection.execute(count).scalar_one()

    assert (before, after, store.offset("a")) == (0, 0, 1)


def test_a_server_that_is_away_is_unavailable_and_its_password_is_not_told():
    with pytest.raises(StoreUnavailable, match="connect") as error:
        open_store("postgresql://someone:secret@127.0.0.1:9/none")

    assert "secret" not in str(error.value)


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_a_restarted_server_costs_no_call_after_it_is_back(server, opening, end):
    store = opening(server.make_database(f"restarted-by-{end}"))
    store.set_offsets([Offset("a", "", 1)], now=0.0)
    server.stop("immediate") if end == "stop" else server.kill()
    with pytest.raises(StoreUnavailable):
        store.offset("a")
    server.start()

    assert store.offset("a") == 1


def test_a_server_that_stands_still_keeps_who_asks_waiting_and_then_answers(server, opening):
    store = opening(server.make_database("standing-still"))
    writer = threading.Thread(target=store.set_offsets, args=([Offset("a", "", 1)],), kwargs={"now": 0.0})
    with server.standing_still():
        writer.start()
        writer.join(1.0)
        assert writer.is_alive()
    writer.join(30)

    assert store.offset("a") == 1


def test_a_statement_may_be_given_a_time(server, opening):
    url = server.make_database("statements")
    patient, hasty = opening(url), opening(url, statement_s=0.2)
    slow = sa.text("SELECT pg_sleep(0.5)")

    with engine.reading(patient.engine) as connection:
        connection.execute(slow)
    with pytest.raises(StoreUnavailable, match="statement timeout"), engine.reading(hasty.engine) as connection:
        connection.execute(slow)


def test_a_client_that_stands_still_in_a_transaction_does_not_for_ever(server, opening):
    store = opening(server.make_database("idle"))

    with engine.reading(store.engine) as connection:
        said = connection.execute(sa.text("SHOW idle_in_transaction_session_timeout")).scalar_one()

    assert said == "10min"


def pragmas(store):
    names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
    with engine.reading(store.engine) as connection:
        return {name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one() for name in names}
