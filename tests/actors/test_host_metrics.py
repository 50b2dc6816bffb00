"""What a host counts: each thing once, when its event is committed."""

from __future__ import annotations

import asyncio
from collections import Counter as Tally
from datetime import timedelta
from typing import Any

import pytest

from actors.host_metrics import HostMetrics
from actors.metrics import Counter, Gauge, Histogram, Metric
from actors.photo_dispatch import PhotoDispatch, PhotoTask
from event_store import MemoryEventStore
from s3palette.domain.job import ConfirmUpload, Execute, GetJob, JobPolicy
from s3palette.domain.model import Address
from s3palette.domain.user import ReserveJob, SignUp
from s3palette.photo_outcome import PhotoOutcome

from .conftest import HostMaker, now, until

USER, JOB = Address("user", "u_1"), Address("job", "j_1")
RULE = {"Wall": {"action": "recolor", "value": "offwhite_b"}}


class Recorded:
    """Sums of counters, last values of gauges, counts of histograms, by name and labels."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.seen: dict[tuple[str, ...], float] = Tally()

        def add(metric: Metric, amount: float, *labels: str) -> None:
            self.seen[self._key(metric, labels)] += amount

        def put(metric: Metric, amount: float, *labels: str) -> None:
            self.seen[self._key(metric, labels)] = amount

        def count(metric: Metric, amount: float, *labels: str) -> None:
            self.seen[self._key(metric, labels)] += 1

        patch.setattr(Counter, "add", add)
        patch.setattr(Gauge, "set", put)
        patch.setattr(Histogram, "observe", count)

    @staticmethod
    def _key(metric: Metric, labels: tuple[str, ...]) -> tuple[str, ...]:
        assert len(labels) == len(metric.labels)
        return metric.name.removeprefix("s3palette_"), *labels

    def of(self, name: str) -> dict[tuple[str, ...], float]:
        return {key[1:]: value for key, value in self.seen.items() if key[0] == name}


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch) -> Recorded:
    return Recorded(monkeypatch)


async def test_a_job_is_counted_as_its_events_are_committed(
    recorded: Recorded, make_host: HostMaker, log: MemoryEventStore
) -> None:
    tries: Tally[int] = Tally()

    async def engine(task: PhotoTask) -> PhotoOutcome:
        tries[task.idx] += 1
        if task.idx == 0 and tries[0] == 1:
            raise ConnectionError("the worker died")
        if task.idx == 1:
            return PhotoOutcome("failed", "This is not a photo.")
        key = f"outputs/{task.user_id}/{task.job_id}/{task.idx}_result.png"
        return PhotoOutcome("done", output_key=key, timings_ms={"decode": 20.0, "matte": 0.0, "unheard of": 1500.0})

    async def ask(*args: Any, **options: Any) -> Any:
        return await host.ask(*args, **options)

    metrics = HostMetrics(0)
    dispatch = PhotoDispatch(metrics.measured(engine), ask, log, now=now, in_flight=1, timeout_s=5)
    policy = JobPolicy(fault_backoff=(timedelta(seconds=0.01),) * 3)
    host = await make_host(policy, run_photo=dispatch.run, observe=metrics.committed)
    await host.ask(USER, SignUp(at=now(), user_id="u_1", device_key=None))
    await host.ask(USER, ReserveJob(at=now(), job_id="j_1", preset="interior", item_count=3))
    for _ in range(2):  # a repeated command is answered and not counted again
        await host.ask(JOB, ConfirmUpload(at=now(), user_id="u_1", sizes=dict.fromkeys(range(3), 1)), command_id="c")
    await host.ask(JOB, Execute(at=now(), user_id="u_1", plan="free", concepts=RULE, dispatch="engine"))

    async def ended() -> bool:
        job = await host.ask(JOB, GetJob(user_id="u_1"))
        return bool(job["status"] == "done")

    await until(ended)
    statuses = ("created", "uploaded", "queued", "running", "done")
    assert recorded.of("jobs_total") == {(status,): 1 for status in statuses}
    assert recorded.of("photos_total") == {("done",): 2, ("failed",): 1}
    assert recorded.of("photo_retries_total") == {("fault",): 1}
    assert recorded.of("engine_call_seconds") == {("fault",): 1, ("failed",): 1, ("done",): 2}
    stages = recorded.of("engine_stage_seconds_total")
    assert stages == pytest.approx({("decode",): 0.04, ("matte",): 0.0, ("other",): 3.0})


async def never(task: PhotoTask) -> PhotoOutcome:
    raise AssertionError("there is no photo")


async def test_gauges_are_what_holds_now(recorded: Recorded, make_host: HostMaker, log: MemoryEventStore) -> None:
    host = await make_host()
    await host.ask(USER, SignUp(at=now(), user_id="u_1", device_key=None))
    await host.ask(USER, ReserveJob(at=now(), job_id="j_1", preset="interior", item_count=3))
    dispatch = PhotoDispatch(never, host.ask, log, now=now, in_flight=1, timeout_s=5)
    sampling = asyncio.create_task(HostMetrics(0).sample(host, dispatch, log))

    async def sampled() -> bool:
        return ("photos_at_engine", "0") in recorded.seen

    await until(sampled)
    sampling.cancel()
    assert recorded.of("entities_awake") == {("0",): 2}
    assert recorded.of("outbox_rows")["0", "alarm"] == 1
    assert recorded.of("outbox_rows")["0", "tell"] == 0
    assert recorded.of("outbox_late_seconds")["0", "alarm"] == 0
    assert recorded.of("photos_waiting") == recorded.of("photos_at_engine") == {("0",): 0}
    assert recorded.of("outbox_dead_rows") == {(): 0}


async def test_only_one_host_tells_of_dead_rows(
    recorded: Recorded, make_host: HostMaker, log: MemoryEventStore
) -> None:
    host = await make_host()
    dispatch = PhotoDispatch(never, host.ask, log, now=now, in_flight=1, timeout_s=5)
    sampling = asyncio.create_task(HostMetrics(1).sample(host, dispatch, log))
    await asyncio.sleep(0.05)
    sampling.cancel()
    assert recorded.of("entities_awake") == {("1",): 0}
    assert recorded.of("outbox_dead_rows") == {}
