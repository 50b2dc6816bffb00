"""Whether a cluster can serve these settings, decided before anything starts on it."""

from __future__ import annotations

import socket
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from actors.cluster import ClusterError, System, _why_not_deployed
from actors.engine_worker import engine_app
from actors.placement import LOG_NODE
from actors.ports import free_port
from s3palette.settings import Settings


def nodes(*resources: dict[str, float]) -> Any:
    """What Ray tells of a cluster, as far as the checks ask."""
    return SimpleNamespace(nodes=lambda: [{"Alive": True, "Resources": each} for each in resources])


SAM3 = {"engine": "sam3", "sam3_weights": "facebook/sam3"}
BUCKET = {
    "store": "s3",
    "s3_endpoint": "http://s3.test",
    "s3_access_key": "k",
    "s3_secret_key": "s",
    "s3_bucket": "album",
}


def check(cluster: Any, **settings: Any) -> list[str]:
    """What was said; raises what the check raises."""
    said: list[str] = []
    with closing(System(Settings(**settings), lambda _: [], said.append)) as system:
        system._check_gpus(cluster)
    return said


HEAD, GPU_HEAD, GPU_WORKER = {LOG_NODE: 1000.0}, {LOG_NODE: 1000.0, "GPU": 1.0}, {"GPU": 8.0}


@pytest.mark.parametrize("cluster", [nodes(HEAD), nodes(HEAD, GPU_WORKER)])
def test_a_gpu_away_from_the_folder_store_is_refused(cluster: Any) -> None:
    with pytest.raises(ClusterError, match="finds 0 on the machine with the folder store"):
        check(cluster, **SAM3)


@pytest.mark.parametrize(
    ("cluster", "settings"),
    [
        (nodes(GPU_HEAD), SAM3),
        (nodes(HEAD), {**SAM3, "sam3_gpus": 0}),
        (nodes(HEAD, GPU_WORKER), {**SAM3, **BUCKET}),
        (nodes(HEAD), {"engine": "classical"}),
    ],
)
def test_what_can_run_is_let_through(cluster: Any, settings: dict[str, Any]) -> None:
    assert check(cluster, **settings) == []


def test_one_machine_without_a_gpu_is_refused_with_a_bucket_too() -> None:
    with pytest.raises(ClusterError, match="finds 0 here; set S3P_SAM3_GPUS=0"):
        check(nodes(HEAD), **SAM3, **BUCKET)


def test_a_cluster_may_bring_its_gpu_later(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAY_ADDRESS", "head:6379")
    assert "autoscaler" in check(nodes(HEAD), **SAM3, **BUCKET)[0]


@pytest.mark.filterwarnings("ignore:Using extra keyword arguments:DeprecationWarning")  # of Ray Serve's own import
@pytest.mark.parametrize(("settings", "resources"), [({}, {LOG_NODE: 1}), (BUCKET, {})])
def test_workers_stay_with_a_folder_store_and_go_anywhere_with_a_bucket(settings: Any, resources: Any) -> None:
    """A machine that joins later has no such folder: its workers would fail every photo."""
    deployment = engine_app(Settings(engine="classical", **settings))._bound_deployment
    assert deployment.ray_actor_options.get("resources", {}) == resources


@pytest.mark.filterwarnings("ignore:Using extra keyword arguments:DeprecationWarning")
@pytest.mark.parametrize("least", [0, 1, 2])
def test_the_engine_keeps_its_least_replicas(least: int) -> None:
    deployment = engine_app(
        Settings(engine="classical", engine_replicas=2, engine_min_replicas=least)
    )._bound_deployment
    config = deployment._deployment_config.autoscaling_config
    assert (config.min_replicas, config.max_replicas) == (least, 2)


def test_a_store_that_cannot_be_used_stops_the_start(tmp_path: Any) -> None:
    settings = Settings(**BUCKET | {"s3_endpoint": "http://127.0.0.1:1", "data_dir": tmp_path})
    with closing(System(settings, lambda _: [])) as system, pytest.raises(ClusterError, match=r"127\.0\.0\.1:1/album"):
        system._prepare_store()


TRACEBACK = """The deployment failed to start 3 times in a row. See controller logs for details. Error:
ray::ServeReplica:engine:EngineWorker.initialize_and_get_metadata() (pid=1, ip=127.0.0.1)
  File "engine/segment/sam3/_load.py", line 1, in load_sam3
engine.segment.sam3.errors.Sam3Unavailable: SAM 3 cannot be loaded from /weights: header too large
"""


@pytest.mark.filterwarnings("ignore:Using extra keyword arguments:DeprecationWarning")
@pytest.mark.parametrize(
    ("message", "said"),
    [
        (TRACEBACK, "EngineWorker did not start: SAM 3 cannot be loaded from /weights: header too large"),
        (TRACEBACK + "MemoryError", "EngineWorker did not start: MemoryError"),
        ("", "Ray Serve could not start the entrance or the engine; 's3palette doctor' may know why."),
    ],
)
def test_an_engine_that_cannot_start_says_why(message: str, said: str) -> None:
    from ray.serve import schema

    def app(status: str, **deployments: str) -> Any:
        return schema.ApplicationStatusOverview(
            schema.ApplicationStatus(status), "", 0.0, {
                name: schema.DeploymentStatusOverview(
                    schema.DeploymentStatus.UPDATING, schema.DeploymentStatusTrigger.CONFIG_UPDATE_STARTED, {}, told
                )
                for name, told in deployments.items()
            },
        )  # fmt: skip

    apps = {"api": app("RUNNING", Edge=""), "engine": app("DEPLOY_FAILED", EngineWorker=message)}
    assert _why_not_deployed(schema.ServeStatus(applications=apps)) == said


def test_a_metrics_port_that_is_taken_stops_the_start(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        settings = Settings(data_dir=tmp_path, http_port=free_port(), metrics_port=port)
        with pytest.raises(ClusterError, match=f"Port {port} is taken; choose another with S3P_METRICS_PORT"):
            System(settings, lambda _: []).__enter__()
