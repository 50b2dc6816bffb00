"""Photos owed from the life before wait for the engine workers; they do not use up their attempts."""

from __future__ import annotations

from typing import Any

import pytest

from actors.photo_dispatch import DEPLOYMENT, ENGINE_APP, PhotoTask
from s3palette.photo_outcome import PhotoOutcome

pytestmark = [
    pytest.mark.ray,
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # Ray Serve's own, on import
]

TASK = PhotoTask("u_1", "j_1", 0, "seller", {"Product": {"action": "recolor", "value": "#2E6FB7"}}, ())


class Workers:
    """A deployment handle whose `process.remote` answers at once."""

    @property
    def process(self) -> Workers:
        return self

    async def remote(self, task: PhotoTask) -> PhotoOutcome:
        return PhotoOutcome("done", output_key=f"outputs/{task.user_id}/{task.job_id}/{task.idx}_result.png")


async def test_a_photo_waits_until_the_workers_are_deployed(monkeypatch: pytest.MonkeyPatch) -> None:
    from ray import serve
    from ray.serve.exceptions import RayServeException

    from actors import host_actor

    not_yet = [RayServeException("There is no Serve instance running"), KeyError("engine does not exist")]

    def look(deployment: str, app: str) -> Any:
        assert (deployment, app) == (DEPLOYMENT, ENGINE_APP)
        if not_yet:
            raise not_yet.pop(0)
        return Workers()

    monkeypatch.setattr(serve, "get_deployment_handle", look)
    monkeypatch.setattr(host_actor, "LOOK_FOR_WORKERS_EVERY_S", 0)
    outcome = await host_actor._engine(TASK)
    assert (outcome.status, outcome.output_key) == ("done", "outputs/u_1/j_1/0_result.png")
    assert not not_yet


async def test_a_fault_of_the_workers_themselves_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from ray import serve

    from actors import host_actor

    class Broken(Workers):
        async def remote(self, task: PhotoTask) -> PhotoOutcome:
            raise KeyError("a fault in a worker")

    monkeypatch.setattr(serve, "get_deployment_handle", lambda *_: Broken())
    with pytest.raises(KeyError, match="a fault in a worker"):
        await host_actor._engine(TASK)
