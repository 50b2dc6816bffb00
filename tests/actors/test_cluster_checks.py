"""Whether a cluster can serve these settings, decided before anything starts on it."""

from __future__ import annotations

import socket
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from actors.cluster import ClusterError, System
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


def test_a_metrics_port_that_is_taken_stops_the_start(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        settings = Settings(data_dir=tmp_path, http_port=free_port(), metrics_port=port)
        with pytest.raises(ClusterError, match=f"Port {port} is taken; choose another with S3P_METRICS_PORT"):
            System(settings, lambda _: []).__enter__()
