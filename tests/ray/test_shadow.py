"""serve_apps.shadow: which alerts a challenger scores, and what its queue does when it is slow, absent or broken."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from ray.exceptions import RayActorError

from skystamp.api import ShadowModel
from skystamp.classify import Classification, Rejection
from skystamp.errors import Reason

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of Serve and what it imports
    pytest.mark.filterwarnings("ignore:.*Any type hint is inferred as AnyType:UserWarning"),
]

NAME = "first-detection"


class Remote:
    """A deployment's method that answers with what a function gives, and keeps what it was asked."""

    def __init__(self, answer: Callable[..., Any]) -> None:
        self.asked: list[Any] = []
        self._answer = answer

    async def remote(self, *values: Any) -> Any:
        self.asked += values
        found = self._answer(*values)
        if isinstance(found, BaseException):
            raise found
        return await found if asyncio.iscoroutine(found) else found


class Handle:
    """A challenger's deployment."""

    def __init__(self, score: Callable[..., Any], status: Callable[[], Any] | None = None) -> None:
        self.score = Remote(score)
        self.status = Remote(status or (lambda: ShadowModel(name=NAME, reference=f"{NAME}@challenger", version="4")))

    @property
    def keys(self) -> list[Any]:
        return [key for part in self.score.asked for key in part]


def made(handle: Handle, share: float = 1.0, room: int = 100, clock: Callable[[], float] | None = None) -> Any:
    from serve_apps.shadow import Shadow, ShadowSettings

    options = {} if clock is None else {"clock": clock}
    return Shadow({NAME: handle}, ShadowSettings(share, idle_s=30.0), room=room, **options)  # type: ignore[dict-item]


def outcome(number: int, model: str = NAME) -> Classification:
    return Classification("ztf", f"ZTF{number}", number, 59000.0, 1, {"SN": 1.0}, model, "1")


async def settled() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


def test_the_same_alerts_are_chosen_whenever_it_is_asked_and_as_many_as_the_share_says():
    from serve_apps.shadow import is_chosen

    keys = [("ztf", number) for number in range(20_000)]
    chosen = {key for key in keys if is_chosen(key, 0.1)}

    assert chosen == {key for key in reversed(keys) if is_chosen(key, 0.1)}
    assert 0.09 < len(chosen) / len(keys) < 0.11
    assert chosen < {key for key in keys if is_chosen(key, 0.3)}
    assert not any(is_chosen(key, 0.0) for key in keys)
    assert all(is_chosen(key, 1.0) for key in keys)
    assert chosen != {("ztf", number) for _, number in keys if is_chosen(("lsst", number), 0.1)}


def test_what_is_answered_by_a_challenged_model_is_sent_and_nothing_else():
    async def run() -> Handle:
        handle = Handle(len)
        shadow = made(handle)
        rejection = Rejection(Reason.NOT_AVRO, "no")
        shadow.offer([outcome(1), rejection, outcome(2, "temporal-2"), outcome(3)])
        assert handle.keys == [], "offering waits for nothing"
        await settled()
        assert shadow.scored[NAME] == 2
        return handle

    handle = asyncio.run(run())

    assert handle.score.asked == [{("ztf", 1): ("ztf", "ZTF1"), ("ztf", 3): ("ztf", "ZTF3")}]


def test_what_does_not_fit_is_counted_and_told_now_and_then(caplog):
    async def run() -> Any:
        handle = Handle(lambda _: asyncio.sleep(3600))
        shadow = made(handle, room=5, clock=lambda: now[0])
        shadow.offer([outcome(number) for number in range(9)])
        shadow.offer([outcome(20)])
        now[0] += 61
        shadow.offer([outcome(21)])
        shadow.offer([outcome(0)])
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        return shadow

    now = [1000.0]
    with caplog.at_level("WARNING", "ray.serve"):
        shadow = asyncio.run(run())

    assert shadow.missed[NAME] == 6
    told = [record.getMessage() for record in caplog.records]
    assert [line.split(" has missed ")[1].split(",")[0] for line in told] == ["1 alerts", "5 alerts"]
    assert "the queue is full" in told[0]


def test_nothing_is_sent_for_a_while_to_a_challenger_that_holds_no_model():
    async def run() -> Handle:
        handle = Handle(lambda _: None)
        shadow = made(handle, clock=lambda: now[0])
        shadow.offer([outcome(1)])
        await settled()
        shadow.offer([outcome(2)])
        await settled()
        now[0] += 31
        shadow.offer([outcome(3)])
        await settled()
        assert shadow.missed[NAME] == 0
        return handle

    now = [1000.0]

    assert asyncio.run(run()).keys == [("ztf", 1), ("ztf", 3)]


def test_a_challenger_that_fails_costs_its_own_alerts_and_the_next_are_sent(caplog):
    faults = [RayActorError()]

    async def run() -> Any:
        handle = Handle(lambda part: faults.pop() if faults else len(part))
        shadow = made(handle)
        shadow.offer([outcome(1)])
        await settled()
        shadow.offer([outcome(2)])
        await settled()
        return shadow

    with caplog.at_level("WARNING", "ray.serve"):
        shadow = asyncio.run(run())

    assert (shadow.missed[NAME], shadow.scored[NAME]) == (1, 1)
    assert "RayActorError" in caplog.text


def test_a_challenger_that_does_not_say_what_it_holds_is_told_and_holds_up_nothing(monkeypatch):
    from serve_apps import shadow as module

    monkeypatch.setattr(module, "_STATUS_S", 0.05)

    async def run(handle: Handle) -> Any:
        return await made(handle, share=0.5).status()

    (slow,) = asyncio.run(run(Handle(len, lambda: asyncio.sleep(3600))))
    (dead,) = asyncio.run(run(Handle(len, RayActorError)))
    (well,) = asyncio.run(run(Handle(len)))

    assert slow.problem == "it does not answer: TimeoutError"
    assert dead.problem == "it does not answer: RayActorError"
    assert (well.version, well.share, well.problem) == ("4", 0.5, None)


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("first-detection@champion", "first-detection@challenger"),
        ("first-detection/3", "first-detection@challenger"),
        ("first-detection@challenger", None),
        ("FOLDER", None),
    ],
)
def test_a_registered_model_has_a_challenger_and_a_folder_none(reference, expected, tmp_path):
    from serve_apps.shadow import challenger_of

    assert challenger_of(reference.replace("FOLDER", str(tmp_path))) == expected


@pytest.mark.parametrize(("changes", "expected"), [({}, 1), ({"store": None}, 0), ({"shadow": 0.0}, 0)])
def test_there_are_challengers_only_where_something_is_remembered_and_asked_for(changes, expected):
    from serve_apps.alerts import Args, _challengers

    args = Args(**{"store": "sqlite:///x.db", **changes})

    assert len(_challengers(args, "sqlite:///mlflow.db")) == expected
