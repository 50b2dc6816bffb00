"""The world that users and jobs live in: their log, their read models, and what is owed, delivered when one says so."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from event_store.types import RecordedEvent, Row
from s3palette.domain import codec
from s3palette.domain.errors import PaletteError
from s3palette.domain.job import (
    CancelJob,
    ConfirmUpload,
    CreateJob,
    Execute,
    GetOffer,
    JobBehaviour,
    JobPolicy,
    RecordFault,
    RecordResult,
    RefusePhotos,
    StartPhoto,
)
from s3palette.domain.model import Address, Command, OfferPhotos, RunPhoto, Tell, Wake
from s3palette.domain.user import (
    CreateRule,
    DeleteRule,
    ReleaseReservation,
    ReserveJob,
    SetPlan,
    SettleJob,
    SignUp,
    UserBehaviour,
)
from s3palette.read_models import PROJECTIONS

COLORS = {"Wall": "#8FA78F"}
STEPS = {
    "created": {"uploaded", "canceled"},
    "uploaded": {"queued", "canceled"},
    "queued": {"running", "done", "failed", "canceled"},
    "running": {"done", "failed", "canceled"},
    "done": set(),
    "failed": set(),
    "canceled": set(),
}
# Whatever an outbox or a careful client sends again must find nothing left to do.
IDEMPOTENT = (
    SignUp, ReserveJob, SettleJob, ReleaseReservation, CreateJob, ConfirmUpload, Execute, CancelJob, RecordResult,
    RecordFault, RefusePhotos, StartPhoto, Wake, DeleteRule, CreateRule, SetPlan,
)  # fmt: skip


class Tables:
    """Rows of the read models in a dict."""

    def __init__(self) -> None:
        self.rows: dict[tuple[str, tuple[Any, ...]], Row] = {}
        self.keys = {table.name: table.key for projection in PROJECTIONS for table in projection.tables}

    def get(self, table: str, key: Sequence[Any]) -> Row | None:
        row = self.rows.get((table, tuple(key)))
        return None if row is None else dict(row)

    def put(self, table: str, row: Row) -> None:
        self.rows[table, tuple(row[column] for column in self.keys[table])] = dict(row)

    def delete(self, table: str, key: Sequence[Any]) -> None:
        self.rows.pop((table, tuple(key)), None)

    def of(self, table: str) -> list[Row]:
        return [row for (name, _), row in self.rows.items() if name == table]


class World:
    """Time stands still unless it is moved; nothing is delivered by itself."""

    def __init__(self) -> None:
        super().__init__()  # a machine's, where a test is one
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.behaviours: dict[str, Any] = {"user": UserBehaviour(), "job": JobBehaviour(JobPolicy(offers=True))}
        self.states: dict[Address, Any] = {}
        self.log: list[RecordedEvent] = []
        self.owed: list[tuple[Address, bytes]] = []
        self.tables = Tables()

    def send(self, to: Address, command: Command) -> Any:
        """The reply; None where the command is refused. Events and effects are kept together, as in a transaction."""
        behaviour = self.behaviours[to.kind]
        try:
            decision = behaviour.decide(self.states.get(to), command)
        except PaletteError as refused:
            return refused
        for event in decision.events:
            self.commit(to, event)
        self.owed += [(to, codec.encode_effect(effect)[1]) for effect in decision.effects]
        if isinstance(command, IDEMPOTENT):
            try:
                again = behaviour.decide(self.states.get(to), command)
            except PaletteError:
                pass
            else:
                assert (again.events, again.effects) == ((), ()), f"{command} done twice"
        return decision.reply

    def commit(self, to: Address, event: Any) -> None:
        before = getattr(self.states.get(to), "status", None)
        self.states[to] = self.behaviours[to.kind].evolve(self.states.get(to), event)
        after = getattr(self.states[to], "status", None)
        assert before is None or before == after or after in STEPS[before]
        name, version, data = codec.encode_event(event)
        position = len(self.log) + 1
        stream_version = sum(1 for recorded in self.log if recorded.stream == to.stream) + 1
        recorded = RecordedEvent(position, to.stream, stream_version, "e", name, version, data, b"{}", "", b"", b"")
        self.log.append(recorded)
        for projection in PROJECTIONS:
            projection.apply(recorded, self.tables)

    def deliver(self, number: int, *, acknowledged: bool, outcome: str) -> None:
        place = number % len(self.owed)
        sender, data = self.owed[place]
        if acknowledged:
            del self.owed[place]
        effect = codec.decode_effect(data)
        if isinstance(effect, Tell):
            answer = self.send(effect.to, effect.command)
            if isinstance(answer, PaletteError) and effect.on_refused is not None:
                self.send(sender, effect.on_refused)
            return
        if isinstance(effect, OfferPhotos):
            self.offer_photos(sender, effect, outcome)
            return
        self.run_photo(sender, effect, outcome)

    def offer_photos(self, job: Address, offer: OfferPhotos, outcome: str) -> None:
        asked = GetOffer(idxs=offer.idxs, attempt=offer.attempt)
        told = self.behaviours["job"].answer(self.states.get(job), asked)
        if outcome == "fault":
            self.send(job, RefusePhotos(at=self.now, idxs=offer.idxs, attempt=offer.attempt, error="unknown preset"))
            return
        for idx in told["idxs"] if outcome != "lost" else ():
            self.send(job, self.result(told["user_id"], job.id, idx, outcome, None))

    def run_photo(self, job: Address, task: RunPhoto, outcome: str) -> None:
        told = self.send(job, StartPhoto(at=self.now, idx=task.idx, attempt=task.attempt))
        if not isinstance(told, dict) or not told["start"] or outcome == "lost":
            return
        if outcome == "fault":
            self.send(job, RecordFault(at=self.now, idx=task.idx, attempt=task.attempt, error="worker lost"))
            return
        self.send(job, self.result(told["user_id"], job.id, task.idx, outcome, task.attempt))

    def result(
        self, user_id: str, job_id: str, idx: int, outcome: Any, attempt: int | None, colors: Any = COLORS
    ) -> RecordResult:
        key = f"outputs/{user_id}/{job_id}/{idx}_result.png" if outcome == "done" else None
        name = f"{idx}-{attempt}"
        return RecordResult(
            at=self.now, idx=idx, status=outcome, output_key=key, idempotency_key=name, attempt=attempt, error="bad",
            colors=colors,
        )  # fmt: skip

    def jobs(self) -> list[Address]:
        return [address for address in self.states if address.kind == "job"]

    def some_job(self, number: int, who: str | None) -> tuple[Address, str]:
        """A job that exists where one does, and its owner where nobody else is meant."""
        jobs = self.jobs() or [Address("job", "j_0")]
        job = jobs[number % len(jobs)]
        state = self.states.get(job)
        return job, who or (state.user_id if state is not None else "u_1")

    def effects(self) -> list[tuple[Address, Any]]:
        return [(sender, codec.decode_effect(data)) for sender, data in self.owed]

    def deadline(self, address: Address) -> datetime | None:
        found = self.behaviours[address.kind].deadline(self.states[address])
        assert found is None or isinstance(found, datetime)
        return found
