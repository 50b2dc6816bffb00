"""The host with the real users and jobs, over a memory log."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from actors.entity_host import EntityHost
from event_store import MemoryEventStore
from s3palette.domain.errors import ConcurrencyLimit, JobNotFound, PaletteError, TokenInvalid
from s3palette.domain.job import CancelJob, ConfirmUpload, CreateJob, Execute, GetJob, JobPolicy, RecordResult
from s3palette.domain.model import Address, RunPhoto
from s3palette.domain.user import GetUser, GrantCredits, ReserveJob, SetPlan, SettleJob, SignUp

from .conftest import HostMaker, now, until

USER, JOB = Address("user", "u_1"), Address("job", "j_1")
RULE = {"Wall": {"action": "recolor", "value": "#F4F1EA"}}


async def sign_up(host: EntityHost, user: Address = USER) -> Any:
    return await host.ask(user, SignUp(at=now(), user_id=user.id, device_key=None))


async def reserve(host: EntityHost, job: Address = JOB, count: int = 3) -> Any:
    return await host.ask(USER, ReserveJob(at=now(), job_id=job.id, preset="interior", item_count=count))


async def execute(host: EntityHost, dispatch: Any = "external", count: int = 3) -> None:
    await host.ask(JOB, ConfirmUpload(at=now(), user_id="u_1", sizes=dict.fromkeys(range(count), 10)))
    await host.ask(JOB, Execute(at=now(), user_id="u_1", plan="free", concepts=RULE, dispatch=dispatch))


async def deliver(host: EntityHost, idx: int) -> Any:
    result = RecordResult(
        at=now(), idx=idx, status="done", output_key=f"outputs/u_1/j_1/{idx}_result.png", idempotency_key=str(idx)
    )
    return await host.ask(JOB, result)


async def test_a_reservation_makes_the_job_before_its_reply(make_host: HostMaker, log: MemoryEventStore) -> None:
    host = await make_host()
    await sign_up(host)
    assert await reserve(host) == {"job_id": "j_1", "item_count": 3}
    assert (await host.ask(JOB, GetJob(user_id="u_1")))["status"] == "created"
    assert [row.kind for row in await log.owed()] == ["alarm"]  # the message is settled by what it led to


async def test_whoever_sees_a_job_done_has_slot_and_credits_back(make_host: HostMaker, log: MemoryEventStore) -> None:
    host = await make_host()
    await sign_up(host)
    await reserve(host)
    await execute(host)
    for idx in range(3):
        await deliver(host, idx)
    assert (await host.ask(JOB, GetJob(user_id="u_1")))["status"] == "done"
    me = await host.ask(USER, GetUser())
    assert (me["credits"], me["reserved"], me["spent"], me["concurrent_jobs"]) == (7, 0, 3, 0)
    assert await log.owed() == []


async def test_fifty_sign_ups_at_once_are_one_user(make_host: HostMaker) -> None:
    host = await make_host()
    answers = await asyncio.gather(*(sign_up(host) for _ in range(50)))
    assert sum(answer["is_new"] for answer in answers) == 1


async def test_commands_of_one_user_are_decided_one_after_the_other(make_host: HostMaker) -> None:
    host = await make_host()
    await sign_up(host)
    jobs = [Address("job", f"j_{number}") for number in range(20)]
    answers = await asyncio.gather(*(reserve(host, job) for job in jobs), return_exceptions=True)
    assert sum(isinstance(answer, dict) for answer in answers) == 1
    assert sum(isinstance(answer, ConcurrencyLimit) for answer in answers) == 19


@pytest.mark.parametrize("second_life", [False, True])
async def test_a_repeated_command_gets_the_first_answer(make_host: HostMaker, second_life: bool) -> None:
    host = await make_host()
    await sign_up(host)
    grant = GrantCredits(at=now(), amount=5, reason="gift")
    first = await host.ask(USER, grant, command_id="c-1")
    if second_life:
        host = await make_host()
    await host.ask(USER, GrantCredits(at=now(), amount=1, reason="between"))
    assert await host.ask(USER, grant, command_id="c-1") == first == {"credits": 15}
    assert (await host.ask(USER, GetUser()))["credits"] == 16


async def test_a_command_repeated_after_its_state_moved_on_is_still_answered(make_host: HostMaker) -> None:
    """The first reservation was answered; Ray repeats it: no CONCURRENCY_LIMIT, no second reservation."""
    host = await make_host()
    await sign_up(host)
    command = ReserveJob(at=now(), job_id="j_1", preset="interior", item_count=3)
    first = await host.ask(USER, command, command_id="c-1")
    await host.ask(JOB, CancelJob(at=now(), user_id="u_1"))
    assert await host.ask(USER, command, command_id="c-1") == first
    assert (await host.ask(USER, GetUser()))["reserved"] == 0


async def test_refusals_reach_the_caller_and_leave_nothing(make_host: HostMaker, log: MemoryEventStore) -> None:
    host = await make_host()
    with pytest.raises(TokenInvalid):
        await host.ask(USER, SetPlan(at=now(), plan="pro"))
    with pytest.raises(JobNotFound):
        await host.ask(JOB, GetJob(user_id="u_1"))
    assert await log.streams() == []


async def test_a_caller_that_hangs_up_tears_nothing(make_host: HostMaker, log: MemoryEventStore) -> None:
    host = await make_host()
    await sign_up(host)
    for number in range(20):
        asking = asyncio.create_task(reserve(host, Address("job", f"j_{number}"), 1))
        for _ in range(number % 10):
            await asyncio.sleep(0)
        asking.cancel()
        await asyncio.wait([asking])
        me = await until(lambda: settled_me(host))
        if me["reserved"]:
            await host.ask(Address("job", f"j_{number}"), CancelJob(at=now(), user_id="u_1"))
    me = await settled_me(host)
    assert (me["credits"], me["reserved"]) == (10, 0)
    assert await log.owed() == []


async def settled_me(host: EntityHost) -> Any:
    return await host.ask(USER, GetUser())


async def test_a_stale_activation_loads_again_and_decides_anew(make_host: HostMaker) -> None:
    one, other = await make_host(), await make_host()
    await sign_up(one)
    await other.ask(USER, GetUser())
    await asyncio.gather(
        *(host.ask(USER, GrantCredits(at=now(), amount=1, reason="race")) for host in (one, other) for _ in range(20))
    )
    await one.ask(USER, GrantCredits(at=now(), amount=1, reason="last"))
    await other.ask(USER, GrantCredits(at=now(), amount=1, reason="last"))
    assert (await other.ask(USER, GetUser()))["credits"] == 52


async def test_what_a_former_life_owed_is_done_by_the_next(make_host: HostMaker, log: MemoryEventStore) -> None:
    """The first host commits the reservation and dies before it tells the job."""
    dying = await make_host()
    await sign_up(dying)
    await dying.outbox.close(0)  # nothing is delivered any more
    await reserve(dying)
    assert "tell" in {row.kind for row in await log.owed()}
    host = await make_host()
    job = await until(lambda: answer_or_none(host, JOB))
    assert job["status"] == "created"


async def answer_or_none(host: EntityHost, job: Address) -> Any:
    try:
        return await host.ask(job, GetJob(user_id=None))
    except PaletteError:
        return None


async def test_a_job_that_cannot_be_created_gives_its_reservation_back(make_host: HostMaker) -> None:
    host = await make_host()
    await sign_up(host)
    await host.ask(JOB, CreateJob(at=now(), job_id="j_1", user_id="somebody", preset="seller", item_count=9))
    await reserve(host)

    async def released() -> bool:
        me = await host.ask(USER, GetUser())
        return (me["credits"], me["reserved"], me["concurrent_jobs"]) == (10, 0, 0)

    await until(released)


async def test_sleep_and_waking_change_nothing(make_host: HostMaker) -> None:
    host = await make_host(resident=2, snapshot_every=5)
    users = [Address("user", f"u_{number}") for number in range(10)]
    for user in users:
        await sign_up(host, user)
    for round_ in range(6):
        for user in users:
            await host.ask(user, GrantCredits(at=now(), amount=round_ + 1, reason="round"))
            assert host.awake <= 2
    for user in users:
        assert (await host.ask(user, GetUser()))["credits"] == 10 + 21


async def test_idle_entities_fall_asleep(make_host: HostMaker) -> None:
    host = await make_host(idle_s=0.05)
    await sign_up(host)
    assert host.awake == 1

    async def asleep() -> bool:
        return host.awake == 0

    await until(asleep)
    assert (await host.ask(USER, GetUser()))["credits"] == 10


async def test_an_alarm_expires_a_job_and_refunds_it(make_host: HostMaker, log: MemoryEventStore) -> None:
    host = await make_host(JobPolicy(upload_within=timedelta(seconds=0.15)))
    await sign_up(host)
    await reserve(host)

    async def expired() -> bool:
        return bool((await host.ask(JOB, GetJob(user_id="u_1")))["reason"] == "expired")

    await until(expired)
    me = await host.ask(USER, GetUser())
    assert (me["credits"], me["concurrent_jobs"]) == (10, 0)
    assert await log.owed() == []


async def test_an_alarm_outlives_its_host(make_host: HostMaker) -> None:
    dying = await make_host(JobPolicy(upload_within=timedelta(seconds=0.15)))
    await sign_up(dying)
    await reserve(dying)
    await dying.close(0)
    host = await make_host()

    async def expired() -> bool:
        return bool((await host.ask(JOB, GetJob(user_id="u_1")))["status"] == "canceled")

    await until(expired)


async def test_a_deadline_that_moves_back_wakes_early_and_waits_on(make_host: HostMaker) -> None:
    """Confirming an upload moves the deadline from 0.1 s to 0.4 s: the job expires at 0.4 s and not before."""
    policy = JobPolicy(upload_within=timedelta(seconds=0.1), execute_within=timedelta(seconds=0.4))
    host = await make_host(policy)
    await sign_up(host)
    await reserve(host)
    await host.ask(JOB, ConfirmUpload(at=now(), user_id="u_1", sizes={0: 1, 1: 1, 2: 1}))
    await asyncio.sleep(0.2)
    assert (await host.ask(JOB, GetJob(user_id="u_1")))["status"] == "uploaded"

    async def expired() -> bool:
        return bool((await host.ask(JOB, GetJob(user_id="u_1")))["status"] == "canceled")

    await until(expired)


@pytest.mark.parametrize("options", [{}, {"resident": 1}])
async def test_a_deadline_that_moved_back_holds_in_the_next_life(make_host: HostMaker, options: Any) -> None:
    policy = JobPolicy(upload_within=timedelta(seconds=0.2), execute_within=timedelta(seconds=0.5))
    dying = await make_host(policy)
    await sign_up(dying)
    await reserve(dying)
    await dying.ask(JOB, ConfirmUpload(at=now(), user_id="u_1", sizes={0: 1, 1: 1, 2: 1}))
    await dying.close(0)
    host = await make_host(policy, **options)
    await host.ask(JOB, GetJob(user_id="u_1"))

    async def expired() -> bool:
        return bool((await host.ask(JOB, GetJob(user_id="u_1")))["status"] == "canceled")

    await asyncio.sleep(0.3)
    assert not await expired()
    await until(expired, 3)


async def test_the_engine_gets_a_task_a_photo(make_host: HostMaker, log: MemoryEventStore) -> None:
    seen: list[int] = []

    async def run(job: Address, task: RunPhoto, row: Any, correlation: str) -> None:
        seen.append(task.idx)
        assert job == JOB
        await log.settle([row.id])

    host = await make_host(run_photo=run)
    await sign_up(host)
    await reserve(host)
    await execute(host, "engine")

    async def all_seen() -> bool:
        return sorted(seen) == [0, 1, 2]

    await until(all_seen)


async def test_a_step_whose_outcome_is_unknown_is_taken_up(make_host: HostMaker) -> None:
    """The log commits the reservation and then fails the caller: the job must come to be all the same."""

    class Failing(MemoryEventStore):
        fail = False

        async def append(self, step: Any) -> Any:
            done = await super().append(step)
            if self.fail:
                self.fail = False
                raise OSError("the answer was lost")
            return done

    log = Failing()
    host = await make_host(store=log)
    await sign_up(host)
    log.fail = True
    with pytest.raises(OSError, match="lost"):
        await reserve(host)
    assert (await host.ask(USER, GetUser()))["reserved"] == 3
    job = await until(lambda: answer_or_none(host, JOB))
    assert job["status"] == "created"


async def test_a_settlement_twice_is_spent_once(make_host: HostMaker) -> None:
    host = await make_host()
    await sign_up(host)
    await reserve(host)
    settle = SettleJob(at=now(), job_id="j_1", status="failed", delivered=1, refunded=2)
    assert [await host.ask(USER, settle) for _ in range(2)] == [{"settled": True}, {"settled": False}]
    me = await host.ask(USER, GetUser())
    assert (me["credits"], me["spent"], me["reserved"]) == (9, 1, 0)
