import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from actors.lane import Envelope, Lane, Outcome
from s3palette.domain.errors import Forbidden, Overloaded
from s3palette.domain.model import Address
from s3palette.domain.user import GetUser


def envelope(number: int) -> Envelope:
    return Envelope(Address("user", str(number)), GetUser())


class Host:
    """Answers each message with its user's number; counts the calls."""

    def __init__(self, gate: asyncio.Event | None = None) -> None:
        self.calls: list[int] = []
        self.gate = gate

    async def batch(self, envelopes: Sequence[Envelope]) -> list[Outcome]:
        self.calls.append(len(envelopes))
        if self.gate is not None:
            await self.gate.wait()
        return [(True, each.to.id) for each in envelopes]


async def test_what_waits_in_one_tick_travels_together() -> None:
    host = Host()
    lane = Lane(host.batch)
    assert await asyncio.gather(*(lane.ask(envelope(i)) for i in range(50))) == [str(i) for i in range(50)]
    assert host.calls == [50]


async def test_what_comes_while_a_call_is_under_way_travels_with_its_return() -> None:
    host = Host(asyncio.Event())
    lane = Lane(host.batch, gather_s=60)
    assert host.gate is not None
    first = asyncio.create_task(lane.ask(envelope(0)))
    await asyncio.sleep(0.001)
    others = [asyncio.create_task(lane.ask(envelope(number))) for number in range(1, 10)]
    await asyncio.sleep(0.001)
    assert host.calls == [1]
    host.gate.set()
    assert await asyncio.gather(first, *others) == [str(i) for i in range(10)]
    assert host.calls == [1, 9]


async def test_a_slow_turn_does_not_hold_up_the_others() -> None:
    slow = asyncio.Event()

    async def send(envelopes: Sequence[Envelope]) -> list[Outcome]:
        if envelopes[0].to.id == "0":
            await slow.wait()
        return [(True, each.to.id) for each in envelopes]

    lane = Lane(send, gather_s=0.001)
    stuck = asyncio.create_task(lane.ask(envelope(0)))
    await asyncio.sleep(0)
    assert await asyncio.wait_for(lane.ask(envelope(1)), 1) == "1"
    slow.set()
    assert await stuck == "0"


async def test_under_load_batches_grow_instead_of_calls() -> None:
    host = Host(asyncio.Event())
    lane = Lane(host.batch, calls=2, gather_s=0)
    asked = []
    for number in range(10):  # ten ticks
        asked.append(asyncio.create_task(lane.ask(envelope(number))))
        await asyncio.sleep(0.001)
    assert host.calls == [1, 1]
    assert host.gate is not None
    host.gate.set()
    assert await asyncio.gather(*asked) == [str(i) for i in range(10)]
    assert host.calls == [1, 1, 8]


async def test_an_error_reaches_only_its_caller() -> None:
    async def send(envelopes: Sequence[Envelope]) -> list[Outcome]:
        return [(False, Forbidden("not yours")) if each.to.id == "1" else (True, each.to.id) for each in envelopes]

    answers = await asyncio.gather(*(Lane(send).ask(envelope(i)) for i in range(3)), return_exceptions=True)
    assert answers[0] == "0"
    assert isinstance(answers[1], Forbidden)
    assert answers[2] == "2"


async def test_a_caller_that_hangs_up_does_not_kill_the_lane() -> None:
    host = Host(asyncio.Event())
    lane = Lane(host.batch)
    quitter, stayer = asyncio.create_task(lane.ask(envelope(0))), asyncio.create_task(lane.ask(envelope(1)))
    await asyncio.sleep(0.001)
    quitter.cancel()
    await asyncio.sleep(0)
    assert host.gate is not None
    host.gate.set()
    assert await stayer == "1"
    assert await lane.ask(envelope(2)) == "2"


async def test_a_call_that_fails_is_overload_for_its_callers_and_the_lane_lives_on() -> None:
    answers: list[Any] = [RuntimeError("host gone"), [(True, "back")]]

    async def send(envelopes: Sequence[Envelope]) -> Any:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    lane = Lane(send)
    with pytest.raises(Overloaded):
        await lane.ask(envelope(0))
    assert await lane.ask(envelope(0)) == "back"


async def test_too_many_waiting_is_refused_at_once() -> None:
    host = Host(asyncio.Event())
    lane = Lane(host.batch, calls=1, limit=3)
    asked = [asyncio.create_task(lane.ask(envelope(0)))]
    await asyncio.sleep(0.001)
    asked += [asyncio.create_task(lane.ask(envelope(i))) for i in range(1, 4)]
    await asyncio.sleep(0)
    with pytest.raises(Overloaded) as refused:
        await lane.ask(envelope(9))
    assert refused.value.retry_after == 1
    assert host.gate is not None
    host.gate.set()
    assert len(await asyncio.gather(*asked)) == 4
