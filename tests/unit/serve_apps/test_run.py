"""serve_apps.run: what the first signal begins, the end of it ends; what the second one ends, it ends at once."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from threading import Thread

import pytest

from serve_apps import run
from serve_apps.run import Stopping
from serve_apps.stop import UnreachableError

Begin = Callable[..., Stopping]


@pytest.fixture
def begin(monkeypatch: pytest.MonkeyPatch) -> Iterator[Begin]:
    """Return what begins to wait for signals, with something in the place of the service's own end."""
    before = {one: signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)}
    threads = []

    def begun(ended: Callable[..., int]) -> Stopping:
        monkeypatch.setattr(run, "stop", ended)
        stopping = Stopping("alerts", 7.0)
        for one in before:
            signal.signal(one, stopping.on_signal)
        threads.append(Thread(target=stopping.drain))
        threads[-1].start()
        return stopping

    yield begun
    for thread in threads:
        thread.join(10)
    for one, handler in before.items():
        signal.signal(one, handler)


def work() -> None:
    """Do what `serve run` does: nothing, for ever."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        time.sleep(0.01)
    pytest.fail("nothing has ended this")


@pytest.mark.parametrize("first", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize(("held", "status"), [(0, 0), (3, 1)])
def test_a_signal_lets_the_service_finish_and_then_ends_it(
    begin: Begin, first: signal.Signals, held: int, status: int
) -> None:
    asked = []

    def ended(app: str, *, patience_s: float) -> int:
        asked.append((app, patience_s))
        time.sleep(0.3)
        return held

    begun, stopping = time.monotonic(), begin(ended)
    os.kill(os.getpid(), first)
    with pytest.raises(KeyboardInterrupt):
        work()

    assert time.monotonic() - begun >= 0.3
    assert (asked, stopping.status) == ([("alerts", 7.0)], status)


def test_a_second_signal_ends_it_at_once(begin: Begin) -> None:
    def ended(app: str, *, patience_s: float) -> int:
        time.sleep(1.0)
        return 0

    stopping = begin(ended)
    os.kill(os.getpid(), signal.SIGTERM)
    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGTERM)

    assert time.monotonic() - begun < 0.8
    assert stopping.status == 1
    with pytest.raises(KeyboardInterrupt):  # of the end of what was begun
        work()


def test_a_service_that_is_not_up_is_ended_at_once(begin: Begin, capsys: pytest.CaptureFixture[str]) -> None:
    def ended(app: str, *, patience_s: float) -> int:
        raise UnreachableError("Application 'alerts' does not exist.")

    stopping = begin(ended)
    os.kill(os.getpid(), signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt):
        work()

    assert stopping.status == 1
    assert "does not exist" in capsys.readouterr().out
