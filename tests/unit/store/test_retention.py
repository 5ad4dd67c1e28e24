"""Old cutouts go, everything else stays."""

from skystamp import live
from skystamp.store import retention
from tests.storing import MODELS, NOW, arriving, content, nightly


def test_old_cutouts_are_dropped_and_nothing_else(store, monkeypatch):
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    alerts = nightly(7)
    live.answer(store, MODELS, arriving(alerts), now=NOW)
    before = content(store)

    dropped = store.drop_cutouts(alerts[5].mjd)

    after = content(store)
    assert dropped == 5
    assert len(after.pop("cutouts")) == 2
    assert after == {name: rows for name, rows in before.items() if name != "cutouts"}
    assert store.drop_cutouts(alerts[5].mjd) == 0
