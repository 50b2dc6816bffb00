"""The batcher: what waits goes together, what is bad fails alone."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from engine._batcher import Batcher


class Work:
    """Squares numbers; holds the first part until `go` is set, refuses negative ones."""

    def __init__(self) -> None:
        self.parts: list[list[int]] = []
        self.go = threading.Event()
        self.begun = threading.Event()

    def __call__(self, part: Sequence[int]) -> list[int]:
        self.parts.append(list(part))
        self.begun.set()
        assert self.go.wait(10)
        if any(item < 0 for item in part):
            raise ValueError(f"bad: {min(part)}")
        return [item * item for item in part]


@contextmanager
def running(work: Work, limit: Callable[[], int] = lambda: 4) -> Iterator[Batcher[int, int]]:
    batcher: Batcher[int, int] = Batcher(work, limit, "test")
    try:
        yield batcher
    finally:
        work.go.set()
        batcher.close()


async def ask_while_busy(batcher: Batcher[int, int], work: Work, items: Sequence[int]) -> list[asyncio.Task[int]]:
    """The first item is under way when the others come."""
    tasks = [asyncio.create_task(batcher.ask(items[0]))]
    await asyncio.to_thread(work.begun.wait, 10)
    tasks += [asyncio.create_task(batcher.ask(item)) for item in items[1:]]
    await asyncio.sleep(0)
    work.go.set()
    return tasks


async def test_what_waits_goes_together_in_parts_of_the_limit() -> None:
    work = Work()
    with running(work) as batcher:
        tasks = await ask_while_busy(batcher, work, range(7))
        assert await asyncio.gather(*tasks) == [k * k for k in range(7)]
    assert work.parts == [[0], [1, 2, 3, 4], [5, 6]]


async def test_the_limit_is_asked_before_every_part() -> None:
    work, limits = Work(), iter([1, 3, 1, 0])
    with running(work, lambda: next(limits)) as batcher:
        tasks = await ask_while_busy(batcher, work, range(6))
        await asyncio.gather(*tasks)
    assert [len(part) for part in work.parts] == [1, 3, 1, 1]


async def test_a_bad_item_fails_alone() -> None:
    work = Work()
    with running(work) as batcher:
        tasks = await ask_while_busy(batcher, work, [1, 2, -3, 4])
        answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert [answer for answer in answers if not isinstance(answer, ValueError)] == [1, 4, 16]
    assert str(answers[2]) == "bad: -3"
    assert work.parts == [[1], [2, -3, 4], [2], [-3], [4]]


async def test_who_has_gone_is_not_worked_for() -> None:
    work = Work()
    with running(work) as batcher:
        first = asyncio.create_task(batcher.ask(1))
        await asyncio.to_thread(work.begun.wait, 10)
        gone, stays = (asyncio.create_task(batcher.ask(item)) for item in (2, 3))
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.sleep(0)
        work.go.set()
        assert (await first, await stays) == (1, 9)
    assert gone.cancelled()
    assert work.parts == [[1], [3]]


async def test_it_goes_on_after_a_pause() -> None:
    work = Work()
    work.go.set()
    with running(work) as batcher:
        assert await batcher.ask(3) == 9
        await asyncio.sleep(0.01)
        assert await batcher.ask(5) == 25
