"""Whether a cluster can serve these settings, decided before anything starts on it."""

from __future__ import annotations

from contextlib import closing
from types import SimpleNamespace
from typing import Any

import pytest

from actors.cluster import ClusterError, System
from actors.engine_worker import engine_app
from actors.placement import LOG_NODE
from s3palette.settings import Settings


def nodes(*resources: dict[str, float]) -> Any:
    """What Ray tells of a cluster, as far as the checks ask."""
    return SimpleNamespace(nodes=lambda: [{"Alive": True, "Resources": each} for each in resources])


def check(cluster: Any, **settings: Any) -> None:
    with closing(System(Settings(**settings), lambda _: [])) as system:
        system._check_gpus(cluster)


HEAD, GPU_HEAD, GPU_WORKER = {LOG_NODE: 1000.0}, {LOG_NODE: 1000.0, "GPU": 1.0}, {"GPU": 8.0}


@pytest.mark.parametrize("cluster", [nodes(HEAD), nodes(HEAD, GPU_WORKER)])
def test_a_gpu_away_from_the_folder_store_is_refused(cluster: Any) -> None:
    with pytest.raises(ClusterError, match="finds 0 on the machine with the folder store"):
        check(cluster, engine="sam3", sam3_weights="facebook/sam3")


@pytest.mark.parametrize(
    ("cluster", "settings"),
    [
        (nodes(GPU_HEAD), {"engine": "sam3", "sam3_weights": "facebook/sam3"}),
        (nodes(HEAD), {"engine": "sam3", "sam3_weights": "facebook/sam3", "sam3_gpus": 0}),
        (nodes(HEAD), {"engine": "classical"}),
    ],
)
def test_what_can_run_is_let_through(cluster: Any, settings: dict[str, Any]) -> None:
    check(cluster, **settings)


@pytest.mark.filterwarnings("ignore:Using extra keyword arguments:DeprecationWarning")  # of Ray Serve's own import
def test_workers_stay_with_the_folder_store() -> None:
    """A machine that joins later has no such folder: its workers would fail every photo."""
    deployment = engine_app(Settings(engine="classical"))._bound_deployment
    assert deployment.ray_actor_options["resources"] == {LOG_NODE: 1}
