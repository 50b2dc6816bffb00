"""The Ray actor that is a host: a thin shell over `EntityHost`."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import pickle
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from ray import serve
from ray.serve.exceptions import RayServeException

from actors.entity_host import EntityHost
from actors.host_metrics import HostMetrics
from actors.job_coordinator import job_behaviour
from actors.lane import Envelope, Lane, Outcome
from actors.photo_dispatch import DEPLOYMENT, ENGINE_APP, PhotoDispatch, PhotoTask
from actors.placement import host_of, shards_of
from actors.refs import batch_sender
from actors.signup_window import SignupWindow
from actors.user_limiter import user_behaviour
from event_store import SqliteEventStore
from s3palette import logs
from s3palette.domain.errors import InternalError, Overloaded, PaletteError
from s3palette.domain.job import Execute
from s3palette.domain.model import Address, Command, Query
from s3palette.domain.user import ReserveJob
from s3palette.photo_outcome import PhotoOutcome
from s3palette.read_models import PROJECTIONS
from s3palette.settings import Settings

if TYPE_CHECKING:
    from actors.external_dispatch import ExternalDispatch

__all__ = ["HostActor"]

log = logging.getLogger(__name__)

NEW_WORK = (ReserveJob, Execute)
"""What a host that is being stopped refuses."""
AGAIN_AFTER_S = 30
FORGET_ANSWERS_EVERY_S = 3600.0
LOOK_FOR_WORKERS_EVERY_S = 0.2


def utc_now() -> datetime:
    return datetime.now(UTC)


class HostActor:
    """Host `index` of `settings.hosts`: opens the event log, recovers what is owed, answers messages.

    Named, detached and restartable. After a restart Ray builds it anew with the same arguments, and everything it
    knew is loaded from the log as it is asked for.
    """

    def __init__(self, index: int, settings: Settings) -> None:
        logs.configure(settings, f"host-{index}")
        self._index = index
        self._settings = settings
        self._signups = SignupWindow(settings.signup_limit)
        self._lanes: dict[int, Lane] = {}
        self._chores: list[asyncio.Task[None]] = []
        self._external: ExternalDispatch | None = None
        self._draining: asyncio.Task[int] | None = None
        self._opening = asyncio.get_running_loop().create_task(self._open())

    async def _open(self) -> EntityHost:
        settings, metrics = self._settings, HostMetrics(self._index)
        self._store = await SqliteEventStore.open(settings.log_path, projections=PROJECTIONS, on_commit=metrics.wrote)
        behaviours = (user_behaviour(settings), job_behaviour(settings))
        self._dispatch = PhotoDispatch(
            metrics.measured(_engine),
            self._route,
            self._store,
            now=utc_now,
            in_flight=settings.engine_replicas * settings.engine_inflight,
            timeout_s=settings.photo_within_s,
            queue=settings.queued_photos,
        )
        if settings.external_url is not None:
            from actors.external_dispatch import ExternalDispatch  # brings the engine's types, and with them OpenCV

            self._external = ExternalDispatch(settings, self._route, self._store, now=utc_now)
        host = EntityHost(
            self._store,
            behaviours,
            now=utc_now,
            run_photo=self._dispatch.run,
            send_offer=None if self._external is None else self._external.send,
            admit=self._admit,
            route=self._route,
            observe=metrics.committed,
            shards=shards_of(self._index, settings.hosts),
            writer=f"host-{self._index}",
        )
        self._host = host
        owed = await host.start()
        self._chores = [
            asyncio.create_task(self._forget_answers()),
            asyncio.create_task(metrics.sample(host, self._dispatch, self._store)),
        ]
        log.info("host %d is open, %d outbox rows recovered", self._index, owed)
        return host

    async def batch(self, pickled: bytes) -> bytes:
        """Messages that travelled together, `Sequence[Envelope]` in, `list[Outcome]` out, both pickled.

        They are handled side by side, those of one entity in order.
        """
        host = await self._opening
        envelopes: Sequence[Envelope] = pickle.loads(pickled)
        outcomes = await asyncio.gather(*(self._one(host, envelope) for envelope in envelopes))
        return pickle.dumps(outcomes, pickle.HIGHEST_PROTOCOL)

    async def ask(self, to: Address, message: Command | Query, command_id: str | None = None) -> Any:
        """One message; raises what the entity raises. The plain ref ends here."""
        host = await self._opening
        return await host.ask(to, message, command_id=command_id)

    async def allow_signup(self, address: str) -> int:
        """Count one sign-up of a client address; 0: allowed, else seconds to wait."""
        return self._signups.take(address)

    async def figures(self) -> dict[str, int]:
        """What an operator looks at: entities awake, rows in the outbox, photos at the engine and waiting for it, and
        whether it is being stopped (1)."""
        host = await self._opening
        return {
            "awake": host.awake,
            "outbox": host.outbox.depth,
            "photos_running": self._dispatch.running,
            "photos_waiting": self._dispatch.waiting,
            "draining": int(self._draining is not None),
        }

    async def revive(self, ids: Sequence[str] | None) -> int:
        """Deliver dead outbox rows of this host's shards again, these or all; how many were dead."""
        host = await self._opening
        return await host.revive(ids)

    async def drain(self, patience_s: float) -> int:
        """Refuse new work, start no photo, let those under way end; how many have not.

        The first call's patience counts: Ray may repeat it."""
        await self._opening
        if self._draining is None:
            self._draining = asyncio.create_task(self._dispatch.drain(patience_s))
        return await asyncio.shield(self._draining)

    async def close(self, patience_s: float) -> None:
        """End what runs within `patience_s` seconds and close the log. What is not done stays owed."""
        host = await self._opening
        for chore in self._chores:
            chore.cancel()
        await host.close(patience_s)
        if self._external is not None:
            await self._external.close()
        await self._store.close()

    async def _one(self, host: EntityHost, envelope: Envelope) -> Outcome:
        try:
            reply = await host.ask(
                envelope.to,
                envelope.message,
                command_id=envelope.command_id,
                correlation=envelope.correlation,
                settles=envelope.settles,
            )
        except PaletteError as refusal:
            return False, refusal
        except Exception:
            about = {"request_id": envelope.correlation, "stream": envelope.to.stream}
            log.exception("%s could not be handled", type(envelope.message).__name__, extra=about)
            return False, InternalError("Something went wrong on our side; the request can be sent again.")
        return True, reply

    def _admit(self, command: Command) -> None:
        if self._draining is not None and isinstance(command, NEW_WORK):
            raise Overloaded("The system is being restarted; try again in a minute.", retry_after=AGAIN_AFTER_S)
        self._dispatch.admit(command)

    async def _route(
        self,
        to: Address,
        message: Command | Query,
        *,
        command_id: str | None = None,
        correlation: str = "",
        settles: Sequence[str] = (),
    ) -> Any:
        there = host_of(to, self._settings.hosts)
        if there == self._index:
            return await self._host.ask(to, message, command_id=command_id, correlation=correlation, settles=settles)
        lane = self._lanes.get(there)
        if lane is None:
            lane = self._lanes[there] = Lane(batch_sender(there))
        return await lane.ask(Envelope(to, message, command_id, correlation, tuple(settles)))

    async def _forget_answers(self) -> None:
        while True:
            oldest = datetime.fromtimestamp(utc_now().timestamp() - self._settings.command_answers_days * 86_400, UTC)
            await self._store.prune_commands(oldest.isoformat())
            await asyncio.sleep(FORGET_ANSWERS_EVERY_S)


async def _engine(task: PhotoTask) -> PhotoOutcome:
    workers = await _workers()
    outcome: PhotoOutcome = await workers.process.remote(task)
    return outcome


async def _workers() -> Any:
    """Handle of the engine workers, as soon as they are deployed.

    Hosts open before the engine, so a photo owed from the life before would use up its attempts while a model loads.
    The caller bounds the wait.
    """
    while True:
        # What Serve raises before its controller runs, and before the application is known to it.
        with contextlib.suppress(RayServeException, KeyError):
            return serve.get_deployment_handle(DEPLOYMENT, ENGINE_APP)
        await asyncio.sleep(LOOK_FOR_WORKERS_EVERY_S)
