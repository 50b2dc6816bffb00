"""Whether every part of the system answers, asked at the moment of the question."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping

from ray import serve

from actors.log_reads import LogReads
from actors.photo_dispatch import DEPLOYMENT, ENGINE_APP
from actors.refs import host_handle
from s3palette.settings import Settings
from s3palette.storage import ObjectStore

__all__ = ["RayReadiness"]

PATIENCE_S = 3.0


class RayReadiness:
    """Asks the hosts, the event log and its disk, the object store and the engine side by side, each at most 3 s."""

    def __init__(self, settings: Settings, store: ObjectStore, reads: LogReads) -> None:
        self._settings = settings
        self._store = store
        self._reads = reads

    async def __call__(self) -> Mapping[str, bool]:
        """Part -> whether it answered. With engine=external there is no engine here to ask."""
        parts = {"hosts": self._hosts(), "log": self._reads.check(), "store": self._store.check()}
        if self._settings.engine != "external":
            parts["engine"] = self._engine()
        answers = await asyncio.gather(*(_answers(part) for part in parts.values()))
        return dict(zip(parts, answers, strict=True))

    async def _hosts(self) -> None:
        hosts = [host_handle(index) for index in range(self._settings.hosts)]
        for figures in await asyncio.gather(*(host.figures.remote() for host in hosts)):
            if figures["draining"]:
                raise RuntimeError("the system is being stopped")

    async def _engine(self) -> None:
        if self._settings.engine_min_replicas:
            await serve.get_deployment_handle(DEPLOYMENT, ENGINE_APP).name.remote()
        else:
            # It may sleep, and a question would wake it: a GPU machine would never go while somebody looks.
            await asyncio.to_thread(_check_deployed)


def _check_deployed() -> None:
    state = serve.status().applications[ENGINE_APP].status
    if state != "RUNNING":
        raise RuntimeError(f"the engine's application is {state}")


async def _answers(part: Awaitable[None]) -> bool:
    try:
        await asyncio.wait_for(part, PATIENCE_S)
    except Exception:  # whatever it is, the part does not answer
        return False
    return True
