"""The edge over the real entities: one host on an event log in memory, a folder store, a clock that stands still."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from actors.entity_host import EntityHost
from actors.signup_window import SignupWindow
from event_store import MemoryEventStore, OutboxRow
from s3palette.domain.job import JobBehaviour
from s3palette.domain.model import Address, RunPhoto
from s3palette.domain.user import SetPlan, UserBehaviour
from s3palette.http import Deps, create_app
from s3palette.read_models import PROJECTIONS
from s3palette.settings import Settings, load_settings
from s3palette.storage import FolderStore
from s3palette.testing import FakeClock, SequentialIds

SECRET = {name: name[0] * 40 for name in ("jwt_secret", "callback_secret", "device_key", "storage_secret")}
RULE = {"Floor": {"action": "recolor", "value": "oak_a"}}


class OneReplicaLimiter:
    """The sign-up window behind the edge's port."""

    def __init__(self, limit: int, clock: FakeClock) -> None:
        self._window = SignupWindow(limit, clock.timestamp)

    async def take(self, address: str) -> int:
        return self._window.take(address)


class Api:
    """A running edge. `client` sends no token; `user()` signs somebody up and gives a client that does."""

    def __init__(self, settings: Settings, clock: FakeClock, replace: Mapping[str, Any]) -> None:
        self.settings, self.clock = settings, clock
        self.events = MemoryEventStore(PROJECTIONS)
        self.host = EntityHost(
            self.events, [UserBehaviour(), JobBehaviour()], now=clock, run_photo=self._take_note_of_photo
        )
        self.store = FolderStore(
            settings.objects_dir, settings.storage_secret.get_secret_value(), settings.url_ttl, clock.timestamp
        )
        self.tasks: list[tuple[Address, RunPhoto]] = []
        self.checks = {"hosts": True, "log": True, "store": True, "engine": True}
        deps: dict[str, Any] = {
            "settings": settings,
            "brain": self,
            "reads": self.events,
            "store": self.store,
            "ready": self._ready,
            "signups": OneReplicaLimiter(settings.signup_limit, clock),
            "clock": clock,
            "new_id": SequentialIds(),
        }
        self.app = create_app(Deps(**(deps | replace)))
        self._clients: list[httpx.AsyncClient] = []
        self.client = self.connect()

    def connect(self, **options: Any) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app)
        client = httpx.AsyncClient(**({"transport": transport, "base_url": "http://api.test"} | options))
        self._clients.append(client)
        return client

    async def ask(self, to: Address, message: Any, command_id: str | None = None, correlation: str = "") -> Any:
        return await self.host.ask(to, message, command_id=command_id, correlation=correlation)

    async def user(self, device: str | None = None, plan: str = "free") -> httpx.AsyncClient:
        signed_up = (await self.client.post("/auth/anon", json={"device_hash": device})).json()["data"]
        if plan != "free":
            await self.ask(Address("user", signed_up["user_id"]), SetPlan(at=self.clock(), plan=plan))
        client = self.connect(headers={"Authorization": f"Bearer {signed_up['token']}"})
        client.user_id = signed_up["user_id"]  # type: ignore[attr-defined]
        return client

    async def job(self, user: httpx.AsyncClient, status: str = "created", photos: int = 2) -> str:
        """A job brought to that status the way clients do it."""
        made = (await user.post("/jobs", json={"preset": "interior", "item_count": photos})).json()["data"]
        job_id: str = made["job_id"]
        if status == "created":
            return job_id
        if status == "canceled":
            assert (await user.post(f"/jobs/{job_id}/cancel")).status_code == 200
            return job_id
        for upload in made["presigned_urls"]:
            assert (await self.client.put(upload["url"], content=b"photo")).status_code == 200
        assert (await user.post(f"/jobs/{job_id}/confirm-upload")).status_code == 200
        if status == "uploaded":
            return job_id
        assert (await user.post(f"/jobs/{job_id}/execute", json={"concepts": RULE})).status_code == 202
        results = {"queued": [], "running": ["done"], "done": ["done"] * photos, "failed": ["failed"] * photos}[status]
        for idx, result in enumerate(results):
            assert (await self.callback(user, job_id, idx, status=result)).status_code == 200
        return job_id

    async def callback(self, user: httpx.AsyncClient, job_id: str, idx: int, **fields: Any) -> httpx.Response:
        body = {"idx": idx, "status": "done", "idempotency_key": f"key-{idx}"} | fields
        if body["status"] == "done" and "output_key" not in body:
            body["output_key"] = f"outputs/{user.user_id}/{job_id}/{body['idx']}_result.png"  # type: ignore[attr-defined]
        return await self.client.post(
            f"/jobs/{job_id}/callback", json=body, headers={"X-Callback-Secret": SECRET["callback_secret"]}
        )

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()
        await self.host.close(1.0)

    async def _ready(self) -> Mapping[str, bool]:
        return self.checks

    async def _take_note_of_photo(self, job: Address, task: RunPhoto, row: OutboxRow, correlation: str) -> None:
        self.tasks.append((job, task))
        await self.events.settle([row.id])


@pytest.fixture
async def make_api(tmp_path: Path) -> AsyncIterator[Callable[..., Api]]:
    """Makes edges with other settings (`replace`: other dependencies)."""
    made: list[Api] = []

    def make(replace: Mapping[str, Any] | None = None, **settings: Any) -> Api:
        loaded = load_settings(**({"data_dir": tmp_path / "data"} | SECRET | settings))
        made.append(Api(loaded, FakeClock(), replace or {}))
        return made[-1]

    yield make
    for api in made:
        await api.close()


@pytest.fixture
async def api(make_api: Callable[..., Api]) -> Api:
    return make_api()
