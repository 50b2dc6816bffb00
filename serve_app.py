"""Puts the pieces together for Ray Serve: the HTTP entrance and the engine's workers. No logic here."""

from __future__ import annotations

from typing import Any

from ray import serve

from actors.edge_metrics import EdgeMetrics
from actors.log_reads import LogReads
from actors.photo_dispatch import ENGINE_APP
from actors.placement import LOG_NODE
from actors.readiness import RayReadiness
from actors.refs import RayBrain
from actors.replica import replica_name
from actors.signup_window import HostSignupLimiter
from s3palette import logs
from s3palette.http import Deps, create_app
from s3palette.settings import Settings
from s3palette.storage import open_store

__all__ = ["edge_app", "targets"]


@serve.ingress()
class Edge:
    """One replica of the HTTP entrance: the FastAPI application over the actors of this cluster."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def __serve_build_asgi_app__(self) -> Any:
        settings = self._settings
        logs.configure(settings, replica_name("edge"))
        brain, store, reads = RayBrain(settings.hosts), open_store(settings), LogReads(settings.log_path)
        return create_app(
            Deps(
                settings=settings,
                brain=brain,
                reads=reads,
                store=store,
                ready=RayReadiness(settings, store, reads),
                signups=HostSignupLimiter(settings.signup_limit),
                observe=EdgeMetrics().observe,
                echoes_request_id=False,  # Serve does
            )
        )


def edge_app(settings: Settings) -> Any:
    """The Serve application of the entrance; its replicas stay on the node with the event log."""
    deployment = serve.deployment(
        name="Edge",
        num_replicas=settings.edge_replicas,
        max_ongoing_requests=10_000,  # more than the proxy has connections: the edge's own gates refuse
        logging_config={"enable_access_log": False},  # the proxy in front keeps one; here it costs 4 % of a request
        ray_actor_options={"num_cpus": 0, "resources": {LOG_NODE: 1}},
    )(Edge)
    return deployment.bind(settings)


def targets(settings: Settings) -> list[Any]:
    """Every Serve application of a system."""
    apps = [serve.RunTarget(edge_app(settings), name="api", route_prefix="/")]
    if settings.engine != "external":
        from actors.engine_worker import engine_app  # the edge's replicas import this module, and need no pixels

        apps.append(serve.RunTarget(engine_app(settings), name=ENGINE_APP, route_prefix=None))
    return apps
