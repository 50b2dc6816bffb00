"""A Ray cluster of two nodes on this machine: a head with the event log and no cores, a worker with cores and a GPU
that only Ray believes in. Nothing that needs either can run on the other."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from actors.placement import LOG_NODE
from actors.ports import free_port, serve_environment

__all__ = ["TwoNodes", "two_nodes"]

ATTEMPTS = 3
STOPS_WITHIN_S = 30.0


@dataclass(frozen=True)
class TwoNodes:
    environment: dict[str, str]
    """Lets a process into the cluster."""
    head: psutil.Process
    worker: psutil.Process

    def titles(self, node: psutil.Process) -> list[str]:
        """What Ray's workers on a node call themselves."""
        found = []
        for process in node.children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                found.append(" ".join(process.cmdline()))
        return [title for title in found if title.startswith("ray::")]


@contextlib.contextmanager
def two_nodes() -> Iterator[TwoNodes]:
    """Run the cluster until the block ends."""
    with tempfile.TemporaryDirectory(prefix="s3n-", dir="/tmp", ignore_cleanup_errors=True) as name:
        folder, address = Path(name), f"127.0.0.1:{free_port()}"
        (folder / "token").write_text(secrets.token_hex(32))
        access = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(folder / "token")}
        # Serve's actors have the environment of their node; its ports must be nobody else's here.
        own = {**os.environ, **serve_environment(folder), **access, "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S": "0"}
        nodes: list[subprocess.Popen[bytes]] = []

        def start(log: Path, *options: str) -> psutil.Process:
            # Ray gives a node 30 s to start, which a machine with other work may not keep.
            for _ in range(ATTEMPTS):
                ports = [f"--dashboard-agent-listen-port={free_port()}", "--min-worker-port=0", "--max-worker-port=0"]
                command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", *ports, *options]
                with log.open("w") as out:
                    node = subprocess.Popen(command, env=own, stdout=out, stderr=out)
                nodes.append(node)
                while node.poll() is None:
                    if "Ray runtime started" in log.read_text():
                        return psutil.Process(node.pid)
                    time.sleep(0.1)
            raise RuntimeError(f"Ray's node did not start:\n{log.read_text()[-3000:]}")

        try:
            resources = json.dumps({LOG_NODE: 1000})
            ports = [f"--port={address.rpartition(':')[2]}", f"--ray-client-server-port={free_port()}"]
            head = ["--head", "--num-cpus=0", "--include-dashboard=false", *ports, f"--temp-dir={folder}"]
            worker = [f"--address={address}", "--num-cpus=2", "--num-gpus=1"]
            yield TwoNodes(
                {**access, "RAY_ADDRESS": address},
                start(folder / "head.log", *head, f"--resources={resources}"),
                start(folder / "worker.log", *worker),
            )
        finally:
            for node in reversed(nodes):
                node.terminate()
            for node in nodes:
                try:
                    node.wait(STOPS_WITHIN_S)
                except subprocess.TimeoutExpired:
                    node.kill()
