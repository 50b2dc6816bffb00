"""The client for programs on the Ray cluster: talk to the actors themselves.

from s3palette.client.ray import connect, user_limiter

connect()                                            # the system of S3P_DATA_DIR, or RAY_ADDRESS
print(ray.get(user_limiter("u_1").state.remote()))   # a real ObjectRef
"""

from __future__ import annotations

import os
from pathlib import Path

import ray

from actors import cluster
from actors.job_coordinator import job_coordinator
from actors.refs import NAMESPACE
from actors.user_limiter import user_limiter
from s3palette.settings import Settings

__all__ = ["connect", "job_coordinator", "user_limiter"]


def connect(data_dir: Path | str | None = None) -> None:
    """Connect this process to a running system, found by the address file in its data dir; RAY_ADDRESS wins.

    Raises `actors.cluster.ClusterError` where nothing runs there.
    """
    if ray.is_initialized():
        return
    if data_dir is None and "RAY_ADDRESS" in os.environ:
        ray.init(address=os.environ["RAY_ADDRESS"], namespace=NAMESPACE, log_to_driver=False, logging_level="ERROR")
        return
    cluster.connect(Path(data_dir) if data_dir is not None else Settings().data_dir)
