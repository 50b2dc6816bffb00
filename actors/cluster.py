"""Start a whole system, or connect to one that runs.

A system is: a Ray cluster (our own, or the one RAY_ADDRESS names), the host actors, the engine's workers and the HTTP
entrance as Serve applications. `data_dir/run.json` tells other processes where it is.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import logging
import os
import socket
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from actors.leftovers import SCRATCH_PARENT, SCRATCH_PREFIX, end_former_life, end_processes
from actors.placement import LOG_NODE
from actors.ports import free_port, hold, is_free, serve_environment
from actors.ray_auth import use_token
from s3palette.settings import Settings

__all__ = ["ClusterError", "Running", "System", "connect", "running"]

OBJECT_STORE_BYTES = 100 * 2**20
"""No photo passes through Ray's object store."""
READY_WITHIN_S = 120.0
STOP_PATIENCE_S = 10.0
KNOCK_S = 5.0
TARGETS = "prometheus.json"
"""What Prometheus scrapes, for its file_sd_configs: beside run.json, and as long as the system runs."""
_LOCKED_WITHIN_S = 0.3
"""`_is_held` has the lock for a moment too."""


Targets = Callable[[Settings], Sequence[Any]]
"""Settings -> the Serve applications to run, as `ray.serve.RunTarget`s. Called once Ray's environment is set."""


class ClusterError(Exception):
    """The system cannot be started or reached. One sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class Running:
    """What `run.json` says of a running system."""

    pid: int
    """Process that started it and stops it on SIGTERM."""
    ray_address: str
    url: str
    engine: str
    hosts: int
    ray_logs: str
    metrics: list[str]
    """Addresses that Prometheus scrapes, "192.0.2.7:9464", one a node."""
    ray_token: str | None
    """File with the cluster's token; None: the cluster is not ours, RAY_AUTH_* says how to get in."""


def running(data_dir: Path) -> Running | None:
    """The system that runs on this data dir, or None."""
    try:
        told = Running(**json.loads((data_dir / "run.json").read_text()))
        if not _is_held(data_dir / "lock"):
            return None  # its starter was killed, and the pid may be somebody else's by now
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ClusterError(f"S3P_DATA_DIR {data_dir} cannot be used as a folder ({error.strerror}).") from error
    except (ValueError, TypeError) as error:
        raise ClusterError(f"{data_dir / 'run.json'} is damaged ({error}); delete it.") from error
    return told


def connect(data_dir: Path) -> Running:
    """Connect this process to the system of a data dir, as a second Ray driver. Raises ClusterError."""
    import ray

    from actors.refs import NAMESPACE

    told = running(data_dir)
    if told is None:
        raise ClusterError(f"Nothing runs on {data_dir}; start it with 's3palette up'.")
    if not ray.is_initialized():
        if told.ray_token is not None:
            use_token(Path(told.ray_token))
        try:
            _knock(told.ray_address)
            ray.init(address=told.ray_address, namespace=NAMESPACE, log_to_driver=False, logging_level="ERROR")
        except (OSError, RuntimeError) as error:
            raise ClusterError(
                f"Ray at {told.ray_address} does not let us in ({type(error).__name__}); restart with 's3palette down' "
                f"and 's3palette up', Ray's logs are in {told.ray_logs}."
            ) from error
    return told


def _knock(address: str) -> None:
    """Raise OSError where nothing listens: Ray itself would wait for minutes."""
    host, _, port = address.rpartition(":")
    with socket.create_connection((host, int(port)), timeout=KNOCK_S):
        pass


class System:
    """A system started by this process. `with System(settings, targets) as system:` runs until the block ends.

    `targets` makes the Serve applications (`serve_app.targets`); `say` gets one line a step. Raises ClusterError
    before anything runs when the data dir or the port is taken.
    """

    def __init__(self, settings: Settings, targets: Targets, say: Callable[[str], None] = lambda line: None) -> None:
        self._settings = settings
        self._targets = targets
        self._say = say
        self._lock: IO[str] | None = None
        self._scratch = tempfile.TemporaryDirectory(prefix=SCRATCH_PREFIX, dir=SCRATCH_PARENT)
        self._hosts: list[Any] = []
        self._port: socket.socket | None = None
        self._own_cluster = "RAY_ADDRESS" not in os.environ
        self.url = settings.local_url

    def __enter__(self) -> System:
        try:
            self._take_data_dir()
            self._start()
        except OSError as error:
            self.close()
            raise ClusterError(f"The system cannot start: {error}.") from error
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _take_data_dir(self) -> None:
        data_dir = self._settings.data_dir
        try:
            data_dir.mkdir(parents=True, exist_ok=True)
            lock = (data_dir / "lock").open("a+")
        except OSError as error:
            raise ClusterError(f"S3P_DATA_DIR {data_dir} cannot be used as a folder ({error.strerror}).") from error
        if not _hold(lock):
            lock.close()
            raise ClusterError(
                f"A system already runs on {data_dir}; stop it with 's3palette down', or choose another S3P_DATA_DIR."
            )
        self._lock = lock
        try:
            end_former_life(lock, Path(self._scratch.name))
        except OSError as error:
            raise ClusterError(f"S3P_DATA_DIR {data_dir} cannot be written to ({error.strerror}).") from error
        if not is_free(self._settings.http_port, self._settings.http_host):
            raise ClusterError(
                f"Port {self._settings.http_port} on {self._settings.http_host} is taken; "
                "choose another with --port or S3P_HTTP_PORT."
            )
        metrics_port = self._settings.metrics_port
        if self._own_cluster and metrics_port is not None and not is_free(metrics_port, "0.0.0.0"):
            raise ClusterError(f"Port {metrics_port} is taken; choose another with S3P_METRICS_PORT, or none.")
        self._port = hold(self._settings.http_port, self._settings.http_host)

    def _start(self) -> None:
        settings = self._settings
        self._check_engine()
        self._prepare_store()
        os.environ.update(serve_environment(Path(self._scratch.name)))
        if self._own_cluster:
            use_token(settings.ray_token_path)
            os.environ.setdefault("RAY_TMPDIR", str(SCRATCH_PARENT))
        import ray
        from ray import serve

        from actors.host_actor import HostActor
        from actors.refs import NAMESPACE, host_name

        logging.getLogger("ray.serve").setLevel(logging.WARNING)
        self._say("Starting Ray")
        if self._own_cluster:
            ray.init(
                namespace=NAMESPACE,
                include_dashboard=False,
                log_to_driver=False,
                logging_level="ERROR",
                object_store_memory=OBJECT_STORE_BYTES,
                resources={LOG_NODE: 1_000},
                _metrics_export_port=settings.metrics_port or free_port(),
            )
        else:
            ray.init(address=os.environ["RAY_ADDRESS"], namespace=NAMESPACE, log_to_driver=False, logging_level="ERROR")
            self._check_cluster(ray)
        self._check_gpus(ray)
        self._say("Opening the event log")
        host_class = ray.remote(
            num_cpus=0, max_restarts=-1, max_task_retries=-1, max_concurrency=10_000, resources={LOG_NODE: 1}
        )(HostActor)
        self._hosts = [
            host_class.options(name=host_name(index), lifetime="detached").remote(index, settings)
            for index in range(settings.hosts)
        ]
        try:
            ray.get([host.figures.remote() for host in self._hosts], timeout=READY_WITHIN_S)
        except ray.exceptions.RayError as error:
            raise ClusterError(f"The event log in {settings.data_dir} cannot be used: {_cause(error)}") from error
        self._say("Starting the entrance" if settings.engine == "external" else "Starting the entrance and the engine")
        try:
            serve.start(http_options={"host": settings.http_host, "port": settings.http_port})
        except (RuntimeError, ray.exceptions.RayError) as error:
            raise ClusterError(f"The entrance did not start: {_cause(error)}") from error
        try:
            serve.run_many(self._targets(settings), wait_for_applications_running=True)
        except RuntimeError as error:
            raise ClusterError(_why_not_deployed(serve.status())) from error
        self._await_ready()
        if self._port is not None:
            self._port.close()
        self._write_address(ray)

    def _check_engine(self) -> None:
        from engine.segment.sam3 import Sam3Unavailable
        from s3palette.engines import check_engine, engine_note

        if (note := engine_note(self._settings)) is not None:
            self._say(note)
        if not self._own_cluster:
            return  # the weights lie where the workers run
        try:
            check_engine(self._settings)
        except Sam3Unavailable as error:
            raise ClusterError(str(error)) from error

    def _check_gpus(self, ray: Any) -> None:
        """Whether the workers can have their GPU. With a folder store they stay with it; with a bucket they run on any
        machine, and a cluster of others may bring one yet."""
        settings, folder = self._settings, self._settings.store == "folder"
        if settings.segmenter != "sam3":
            return
        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        there = sum(each.get("GPU", 0) for each in nodes if LOG_NODE in each or not folder)
        if there >= settings.sam3_gpus:
            return
        if not folder and not self._own_cluster:
            self._say("No machine of the cluster has a GPU for SAM 3 yet; waiting is for its autoscaler.")
            return
        where = "on the machine with the folder store, where the workers must run" if folder else "here"
        raise ClusterError(
            f"SAM 3 wants {settings.sam3_gpus:g} of a GPU and Ray finds {there:g} {where}; set S3P_SAM3_GPUS=0 to run "
            "it on the CPU, or S3P_ENGINE=classical."
        )

    def _prepare_store(self) -> None:
        from s3palette.storage import StorageError, open_store

        try:
            asyncio.run(open_store(self._settings).prepare())
        except StorageError as error:
            raise ClusterError(f"The system cannot start: {error}.") from error

    def _check_cluster(self, ray: Any) -> None:
        if LOG_NODE not in ray.cluster_resources():
            raise ClusterError(
                f"No node of the cluster at RAY_ADDRESS keeps the event log; start one with "
                f"""ray start --resources='{{"{LOG_NODE}": 1000}}'."""
            )
        if self._settings.store == "folder" and sum(node["Alive"] for node in ray.nodes()) > 1:
            raise ClusterError(
                "S3P_STORE=folder cannot serve workers on several machines; set S3P_STORE=s3, or use one machine."
            )

    def _await_ready(self) -> None:
        import httpx

        until = time.monotonic() + READY_WITHIN_S
        said = "no answer"
        while time.monotonic() < until:
            with contextlib.suppress(httpx.HTTPError):
                answer = httpx.get(f"{self.url}/ready", timeout=5.0)
                if answer.status_code == 200:
                    return
                said = answer.text[:500]
            time.sleep(0.1)
        raise ClusterError(f"The system did not become ready within {READY_WITHIN_S:.0f} s: {said}")

    def _write_address(self, ray: Any) -> None:
        told = Running(
            pid=os.getpid(),
            ray_address=ray.get_runtime_context().gcs_address,
            url=self.url,
            engine=self._settings.engine,
            hosts=self._settings.hosts,
            ray_token=str(self._settings.ray_token_path) if self._own_cluster else None,
            metrics=[
                f"{node['NodeManagerAddress']}:{node['MetricsExportPort']}" for node in ray.nodes() if node["Alive"]
            ],
            ray_logs=str(Path(ray._private.worker._global_node.get_logs_dir_path())),
        )
        _write_whole(self._settings.data_dir / TARGETS, [{"targets": told.metrics, "labels": {"system": self.url}}])
        _write_whole(self._settings.data_dir / "run.json", asdict(told))

    def close(self) -> None:
        """Let running turns end, close the log, stop what this process started. Idempotent."""
        if self._lock is not None:
            for told in ("run.json", TARGETS):
                (self._settings.data_dir / told).unlink(missing_ok=True)
        if self._port is not None:
            self._port.close()
        self._stop_ray()
        end_processes(Path(self._scratch.name))
        if self._lock is not None:
            self._lock.close()
            self._lock = None
        self._scratch.cleanup()

    def _stop_ray(self) -> None:
        import ray

        if not ray.is_initialized():
            return
        with contextlib.suppress(Exception):  # a host that does not answer is stopped with the cluster
            ray.get([host.close.remote(STOP_PATIENCE_S) for host in self._hosts], timeout=STOP_PATIENCE_S + 5)
        if not self._own_cluster:
            from ray import serve

            for app in ("api", "engine"):
                with contextlib.suppress(Exception):
                    serve.delete(app)
            for host in self._hosts:
                ray.kill(host)
        self._hosts = []
        ray.shutdown()


def _write_whole(path: Path, content: Any) -> None:
    """As JSON; a reader sees the old file or the new one, never a part."""
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(content))
    draft.replace(path)


def _hold(lock: IO[str]) -> bool:
    """Take the lock of a data dir. False: another process has it."""
    until = time.monotonic() + _LOCKED_WITHIN_S
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                return False
            time.sleep(0.02)
        else:
            return True


def _is_held(path: Path) -> bool:
    """True while a process holds the lock. Raises OSError where there is none."""
    with path.open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def _why_not_deployed(status: Any) -> str:
    """The last line of the traceback that a replica left behind, without the name of its error."""
    for application in status.applications.values():
        for name, deployment in application.deployments.items():
            lines = deployment.message.strip().splitlines()
            if len(lines) > 1:
                return f"{name} did not start: {lines[-1].partition(': ')[2] or lines[-1]}"
    return "Ray Serve could not start the entrance or the engine; 's3palette doctor' may know why."


def _cause(error: Exception) -> str:
    return str(getattr(error, "cause", None) or error).strip().splitlines()[-1]
