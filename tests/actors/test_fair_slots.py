import asyncio

import pytest

from actors.fair_slots import FairSlots, SlotsClosed


async def run(slots: FairSlots, key: str, name: str, order: list[str]) -> None:
    async with slots.of(key):
        order.append(name)
        await asyncio.sleep(0)


async def test_jobs_take_turns_whatever_their_length() -> None:
    slots, order = FairSlots(1), list[str]()
    names = [("big", f"big{i}") for i in range(4)] + [("small", "small0")]
    await asyncio.gather(*(run(slots, key, name, order) for key, name in names))
    assert order == ["big0", "big1", "small0", "big2", "big3"]


async def test_never_more_than_the_slots_run_at_once() -> None:
    slots, running, most = FairSlots(3), 0, 0

    async def work(key: int) -> None:
        nonlocal running, most
        async with slots.of(str(key % 5)):
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.001)
            running -= 1

    await asyncio.gather(*(work(i) for i in range(40)))
    assert most == 3
    assert slots.waiting == 0


async def test_who_gives_up_waiting_leaves_no_hole() -> None:
    slots, order = FairSlots(1), list[str]()
    async with slots.of("a"):
        quitter = asyncio.create_task(run(slots, "b", "quitter", order))
        stayer = asyncio.create_task(run(slots, "c", "stayer", order))
        await asyncio.sleep(0)
        quitter.cancel()
    await stayer
    assert order == ["stayer"]
    await asyncio.wait_for(run(slots, "d", "later", order), 1)


async def test_a_slot_handed_to_a_cancelled_waiter_is_passed_on() -> None:
    slots, order = FairSlots(1), list[str]()
    entered = slots.of("a")
    await entered.__aenter__()
    quitter = asyncio.create_task(run(slots, "b", "quitter", order))
    await asyncio.sleep(0)
    await entered.__aexit__(None, None, None)  # the slot is the quitter's now, who has not run yet
    quitter.cancel()
    await asyncio.wait([quitter])
    await asyncio.wait_for(run(slots, "c", "next", order), 1)
    assert order == ["next"]


async def test_a_failure_inside_gives_the_slot_back() -> None:
    slots = FairSlots(1)
    with pytest.raises(ValueError, match="inside"):
        async with slots.of("a"):
            raise ValueError("inside")
    async with asyncio.timeout(1), slots.of("b"):
        pass


def test_no_slots_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="at least one"):
        FairSlots(0)


async def test_closing_turns_waiters_away_and_waits_for_the_slots_in_use() -> None:
    slots, order = FairSlots(1), list[str]()
    holding = slots.of("a")
    await holding.__aenter__()
    waiter = asyncio.create_task(run(slots, "b", "waiter", order))
    await asyncio.sleep(0)
    closing = asyncio.create_task(slots.close())
    assert isinstance((await asyncio.wait_for(asyncio.gather(waiter, return_exceptions=True), 1))[0], SlotsClosed)
    assert (slots.taken, slots.waiting, closing.done()) == (1, 0, False)
    await holding.__aexit__(None, None, None)
    await asyncio.wait_for(closing, 1)
    with pytest.raises(SlotsClosed):
        await run(slots, "c", "late", order)
    assert order == []
    await asyncio.wait_for(slots.close(), 1)
