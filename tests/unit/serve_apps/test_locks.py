"""Locks by name: writers of one object go one after the other, others at once."""

import asyncio

from serve_apps.locks import Locks


async def _hold(locks: Locks, names, told: list[str], word: str, pause: float = 0.01) -> None:
    async with locks.held(names):
        told.append(f"{word} in")
        await asyncio.sleep(pause)
        told.append(f"{word} out")


def run(*holders) -> tuple[list[str], Locks]:
    locks, told = Locks(), []

    async def main():
        await asyncio.gather(*(_hold(locks, names, told, word) for word, names in holders))

    asyncio.run(main())
    return told, locks


def test_holders_of_one_name_go_one_after_the_other():
    told, _ = run(("a", ["x"]), ("b", ["x", "y"]), ("c", ["y"]))

    assert told.index("a out") < told.index("b in")
    assert told.index("b out") < told.index("c in") or told.index("c out") < told.index("b in")


def test_holders_of_other_names_go_at_once():
    told, _ = run(("a", ["x"]), ("b", ["y"]))

    assert told[:2] == ["a in", "b in"]


def test_names_in_another_order_make_no_circle():
    told, _ = run(*((str(i), ["x", "y"] if i % 2 else ["y", "x"]) for i in range(20)))

    assert len(told) == 40


def test_nothing_is_kept_when_nobody_holds():
    _, locks = run(("a", ["x"]), ("b", ["x", "y"]), ("c", []))

    assert len(locks) == 0
    assert locks._locks == {}


def test_a_holder_that_is_cancelled_lets_the_next_one_in():
    locks, told = Locks(), []

    async def main():
        first = asyncio.create_task(_hold(locks, ["x"], told, "a", pause=10))
        await asyncio.sleep(0.01)
        waiting = asyncio.create_task(_hold(locks, ["x"], told, "b"))
        await asyncio.sleep(0.01)
        first.cancel()
        await waiting

    asyncio.run(main())
    assert told == ["a in", "b in", "b out"]
    assert len(locks) == 0
