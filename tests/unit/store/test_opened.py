"""Opening a store, and what it costs to list candidates from it."""

import sqlalchemy as sa

from skystamp.store import Batch, CandidateFilter, engine
from tests.storing import NOW


def test_a_store_is_opened_again_with_what_it_holds(store, store_url, opening):
    store.set_offsets([], now=NOW)
    with engine.writing(store.engine) as connection:
        connection.execute(sa.text("INSERT INTO offsets VALUES ('a', '', 1, 0)"))

    assert opening(store_url, create=False).offset("a") == 1


def test_an_empty_batch_touches_nothing(store):
    store.close()
    said = []
    sa.event.listen(store.engine, "before_cursor_execute", lambda *args: said.append(args))

    store.record(Batch(), now=NOW)

    assert said == []


def test_candidates_come_from_an_index(tmp_path, opening):
    store = opening(f"sqlite:///{tmp_path}/store.db")
    said = []
    sa.event.listen(store.engine, "before_cursor_execute", lambda *args: said.append((args[2], args[3])))
    store.candidates(CandidateFilter())
    statement, parameters = said[-1]

    with engine.reading(store.engine) as connection:
        steps = connection.exec_driver_sql("EXPLAIN QUERY PLAN " + statement, parameters).all()

    assert "ix_objects_label_p_label" in " ".join(str(step) for step in steps)


def test_a_store_does_not_show_its_password(tmp_path):
    made = engine.make_engine("postgresql://ada:secret@127.0.0.1:9/none")

    assert "secret" not in engine.shown(made.url)
    assert "secret" not in repr(made)
