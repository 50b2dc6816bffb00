"""Start a whole system, watch it, stop it; `actors.running` finds and connects to one that runs.

A system is: a Ray cluster (our own, or the one RAY_ADDRESS names), the host actors, the engine's workers and the HTTP
entrance as Serve applications. `data_dir/run.json` tells other processes where it is.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import socket
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from actors.control import Control
from actors.leftovers import SCRATCH_PARENT, SCRATCH_PREFIX, end_former_life, end_processes
from actors.placement import LOG_NODE
from actors.ports import free_port, hold, is_free, serve_environment
from actors.ray_auth import use_token
from actors.running import ClusterError, Running, connect, running, take_lock, write_whole
from actors.status import gather_status
from actors.vitals import Vitals
from s3palette import __version__
from s3palette.settings import Settings

__all__ = ["ClusterError", "Running", "System", "connect", "running"]

OBJECT_STORE_BYTES = 100 * 2**20
"""No photo passes through Ray's object store."""
NO_TASK_EVENTS = {"task_events_report_interval_ms": 0}
"""Ray keeps a record of the last 100,000 calls for its dashboard, which is off: 160 MiB that fill up within hours."""
READY_WITHIN_S = 120.0
TARGETS = "prometheus.json"
"""What Prometheus scrapes, for its file_sd_configs: beside run.json, and as long as the system runs."""
LOOK_EVERY_S = 1.0
CLOSE_PATIENCE_S = 3.0
"""What is under way besides photos ends within milliseconds."""

Targets = Callable[[Settings], Sequence[Any]]
"""Settings -> the Serve applications to run, as `ray.serve.RunTarget`s. Called once Ray's environment is set."""


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
        self._control: Control | None = None
        self._vitals: Vitals | None = None
        self._stopping, self._hurry = threading.Event(), threading.Event()
        self._stop_within_s = settings.stop_within_s
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

    def stop(self, within_s: float | None = None) -> None:
        """Ask `wait` to return; `within_s` replaces the setting stop_within_s. Asked again, photos are not waited for
        any longer. Callable from signal handlers and other threads."""
        if self._stopping.is_set():
            self._hurry.set()
        elif within_s is not None:
            self._stop_within_s = within_s
        self._stopping.set()

    def wait(self) -> None:
        """Block until `stop` is called. Raises ClusterError when a part died that nothing brings back."""
        while not self._stopping.wait(LOOK_EVERY_S):
            if self._vitals is not None:
                try:
                    self._vitals.check()
                except ClusterError:
                    self._hosts = []  # there is nobody left to say goodbye to
                    raise

    def drain(self) -> int:
        """Refuse new work and let the photos under way end, within the time to stop or until `stop` is called again.

        Number of photos that have not ended: the next start takes them up, as it does those that had not begun.
        """
        import ray

        asked = [host.drain.remote(self._stop_within_s) for host in self._hosts]
        until = time.monotonic() + self._stop_within_s + CLOSE_PATIENCE_S
        waiting = asked
        while waiting and time.monotonic() < until and not self._hurry.is_set():
            _, waiting = ray.wait(waiting, num_returns=len(waiting), timeout=0.2)
        try:
            figures = ray.get([host.figures.remote() for host in self._hosts], timeout=CLOSE_PATIENCE_S)
        except ray.exceptions.RayError:  # a host that just died: its photos are owed
            return 0
        return sum(each["photos_running"] for each in figures)

    def _take_data_dir(self) -> None:
        data_dir = self._settings.data_dir
        try:
            data_dir.mkdir(parents=True, exist_ok=True)
            lock = (data_dir / "lock").open("a+")
        except OSError as error:
            raise ClusterError(f"S3P_DATA_DIR {data_dir} cannot be used as a folder ({error.strerror}).") from error
        if not take_lock(lock):
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
            try:
                ray.init(
                    namespace=NAMESPACE,
                    include_dashboard=False,
                    log_to_driver=False,
                    logging_level="ERROR",
                    object_store_memory=OBJECT_STORE_BYTES,
                    resources={LOG_NODE: 1_000},
                    _metrics_export_port=settings.metrics_port or free_port(),
                    _system_config=NO_TASK_EVENTS,
                )
            except Exception as error:  # Ray raises plain ones: a daemon that is too slow on a busy machine, say
                raise ClusterError(f"Ray did not start; try again: {_cause(error)}") from error
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
        self._open_to_operators(ray)

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

    def _open_to_operators(self, ray: Any) -> None:
        address = ray.get_runtime_context().gcs_address
        node = ray._private.worker._global_node if self._own_cluster else None
        host = "127.0.0.1" if self._settings.http_host in ("0.0.0.0", "::") else self._settings.http_host
        self._vitals = Vitals(node, address, host, self._settings.http_port)
        socket_path = Path(self._scratch.name) / "control.sock"
        self._control = Control(socket_path, self._answer)
        told = Running(
            pid=os.getpid(),
            ray_address=address,
            url=self.url,
            engine=self._settings.engine,
            hosts=self._settings.hosts,
            ray_token=str(self._settings.ray_token_path) if self._own_cluster else None,
            metrics=[
                f"{node['NodeManagerAddress']}:{node['MetricsExportPort']}" for node in ray.nodes() if node["Alive"]
            ],
            ray_logs=str(Path(ray._private.worker._global_node.get_logs_dir_path())),
            control=str(socket_path),
            version=__version__,
        )
        write_whole(self._settings.data_dir / TARGETS, [{"targets": told.metrics, "labels": {"system": self.url}}])
        write_whole(self._settings.data_dir / "run.json", asdict(told))

    def _answer(self, request: dict[str, Any]) -> dict[str, Any]:
        if request.get("do") == "stop":
            self.stop(request.get("within_s"))
            return {"stopping": True}
        return {"stopping": self._stopping.is_set(), **gather_status(self._settings, self._hosts)}

    def close(self) -> None:
        """Let running turns end, close the log, stop what this process started. Idempotent."""
        if self._control is not None:
            self._control.close()
            self._control = None
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
            ray.get([host.close.remote(CLOSE_PATIENCE_S) for host in self._hosts], timeout=CLOSE_PATIENCE_S + 5)
        if not self._own_cluster:
            with contextlib.suppress(Exception):  # Serve never came up, or is gone
                _stop_serve()
            for host in self._hosts:
                ray.kill(host)
        self._hosts = []
        ray.shutdown()


def _stop_serve() -> None:
    """On a cluster that lives on. Serve goes too, unless it runs something else: its proxy would hold our port."""
    from ray import serve

    from actors.photo_dispatch import ENGINE_APP

    ours = {"api", ENGINE_APP}
    if serve.status().applications.keys() <= ours:
        serve.shutdown()
    else:
        for app in ours:
            serve.delete(app, _blocking=False)


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
