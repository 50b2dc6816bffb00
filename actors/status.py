"""What an operator sees of a running system, as one JSON object: gathered in about a tenth of a second."""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from event_store import EventStoreError, SqliteEventStore
from s3palette.read_models import PROJECTIONS
from s3palette.settings import Settings

__all__ = ["gather_status"]

PATIENCE_S = 1.5
"""How long a part may take to answer before it is shown as silent."""


def gather_status(settings: Settings, hosts: Sequence[Any]) -> dict[str, Any]:
    """Hosts, replicas, queue, outbox, dead letters, log and store. `hosts`: handles of the host actors, in order.

    A part that does not answer in time has None or an "error" in its place; nothing is raised.
    """
    with ThreadPoolExecutor(2) as threads:
        replicas = threads.submit(_replicas)
        log = threads.submit(lambda: asyncio.run(_log(settings)))
        told = [_host(index, host, answer) for index, (host, answer) in enumerate(_figures(hosts))]
        return {
            "segmenter": settings.segmenter,
            "hosts": told,
            "replicas": replicas.result(),
            "store": _store(settings),
            **log.result(),
        }


def _figures(hosts: Sequence[Any]) -> list[tuple[Any, dict[str, int] | None]]:
    import ray

    asked = [host.figures.remote() for host in hosts]
    ready, _ = ray.wait(asked, num_returns=len(asked), timeout=PATIENCE_S) if asked else ([], [])
    answers: list[tuple[Any, dict[str, int] | None]] = []
    for host, reference in zip(hosts, asked, strict=True):
        try:
            answers.append((host, ray.get(reference) if reference in ready else None))
        except ray.exceptions.RayError:
            answers.append((host, None))
    return answers


def _host(index: int, handle: Any, figures: dict[str, int] | None) -> dict[str, Any]:
    import ray

    # Private, and Ray is pinned: the public state API needs the dashboard.
    actor = ray._private.state.actors(actor_id=handle._actor_id.hex())
    return {
        "index": index,
        "alive": figures is not None,
        "state": actor.get("State"),
        "restarts": actor.get("NumRestarts"),
        "pid": actor.get("Pid"),
        **(figures or {}),
    }


def _replicas() -> list[dict[str, Any]] | None:
    from ray import serve

    try:
        status = serve.status()
    except Exception:  # whatever it is, Serve's controller does not answer
        return None
    return [
        {
            "application": name,
            "deployment": deployed,
            "status": str(deployment.status.value),
            "replicas": {str(getattr(state, "value", state)): n for state, n in deployment.replica_states.items()},
            "message": deployment.message,
        }
        for name, application in status.applications.items()
        for deployed, deployment in application.deployments.items()
    ]


async def _log(settings: Settings) -> dict[str, Any]:
    try:
        log = await SqliteEventStore.open(settings.log_path, PROJECTIONS, read_only=True)
        try:
            owed, dead = await log.owed(), await log.dead()
            jobs = await log.count("jobs_log", "status")
        finally:
            await log.close()
    except EventStoreError as error:
        return {"log": {"path": str(settings.log_path), "error": str(error)}}
    now = time.time()
    outbox: dict[str, dict[str, Any]] = {}
    for row in owed:
        kind = outbox.setdefault(row.kind, {"rows": 0, "oldest_s": 0.0, "failing": 0})
        kind["rows"] += 1
        kind["oldest_s"] = round(max(kind["oldest_s"], now - row.owed_at), 1)
        kind["failing"] += row.attempts > 0
    sizes = [path.stat().st_size for path in settings.log_path.parent.glob(f"{settings.log_path.name}*")]
    return {
        "log": {"path": str(settings.log_path), "bytes": sum(sizes)},
        "jobs": jobs,
        "outbox": outbox,
        "dead": len(dead),
    }


def _store(settings: Settings) -> dict[str, Any]:
    if settings.store != "folder":
        return {"kind": settings.store}
    return {
        "kind": "folder",
        "path": str(settings.objects_dir),
        "free_bytes": shutil.disk_usage(settings.data_dir).free,
    }
