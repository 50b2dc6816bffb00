"""status: what runs, what waits, what failed for good."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Annotated, Any

import httpx
import typer

from actors import control
from actors.cluster import ClusterError, Running, running
from s3palette.cli._fail import fail, one_sentence
from s3palette.cli._shown import age, size
from s3palette.cli.system import DataDir, settings_from

__all__ = ["status"]

JOB_ORDER = ("created", "uploaded", "queued", "running", "done", "failed", "canceled")


def status(
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False, data_dir: DataDir = None
) -> None:
    """Queue, hosts, replicas, outbox, dead letters, log and store; exit code 1 when something does not answer."""
    settings = settings_from(data_dir=data_dir)
    with one_sentence(ClusterError):
        told = running(settings.data_dir)
    if told is None:
        if as_json:
            typer.echo(json.dumps({"running": False, "data_dir": str(settings.data_dir)}))
            raise typer.Exit(1)
        raise fail(f"Nothing runs on {settings.data_dir}; start it with 's3palette up'.")
    facts = _facts(told)
    if as_json:
        typer.echo(json.dumps(facts, ensure_ascii=False))
    else:
        _show(facts)
    if not facts["well"]:
        raise typer.Exit(1)


def _facts(told: Running) -> dict[str, Any]:
    about = {"running": True, "url": told.url, "engine": told.engine, "pid": told.pid, "version": told.version}
    seen = {"metrics": [f"http://{each}/metrics" for each in told.metrics], "ray_logs": told.ray_logs}
    try:
        inside = control.ask(told.control, {"do": "status"})
    except (OSError, ValueError) as error:
        inside = {"error": f"Process {told.pid} does not answer ({error}); restart it with 's3palette down' and 'up'."}
    ready = _ready(told.url)
    hosts_well = all(host["alive"] for host in inside.get("hosts", []))
    well = "error" not in inside and all(ready.values()) and hosts_well
    return {**about, **seen, "well": well, "ready": ready, **inside}


def _ready(url: str) -> dict[str, bool]:
    """Part -> whether it answers, asked over HTTP as a load balancer asks."""
    try:
        answer = httpx.get(f"{url}/ready", timeout=5.0).json()
        checks: dict[str, bool] = answer["data"]["checks"]
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return {"entrance": False}
    return {"entrance": True, **checks}


def _show(facts: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False, markup=False)  # paths and other people's messages may have brackets
    silent = [part for part, answers in facts["ready"].items() if not answers]
    state = "stopping" if facts.get("stopping") else "ready" if not silent else f"silent: {', '.join(silent)}"
    engine = facts.get("segmenter") or facts["engine"]
    console.print(f"{facts['url']}  {engine} engine, version {facts['version']}, pid {facts['pid']}", style="bold")
    console.print(f"  {state}", style="green" if facts["well"] else "red")
    if "error" in facts:
        console.print(facts["error"], style="red")
        return
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, lines in _rows(facts):
        table.add_row(name, Text("\n".join(lines) or "none"))
    console.print(table)


def _rows(facts: dict[str, Any]) -> Iterable[tuple[str, list[str]]]:
    """(heading, lines) in the order they are shown."""
    hosts = facts["hosts"]
    awake = [host for host in hosts if host["alive"]]
    photos = {name: sum(host[f"photos_{name}"] for host in awake) for name in ("running", "waiting")}
    jobs = facts.get("jobs", {})
    yield "photos", [f"{photos['running']} at the engine, {photos['waiting']} waiting"]
    yield "jobs", [", ".join(f"{jobs[name]} {name}" for name in JOB_ORDER if name in jobs)] if jobs else []
    yield "hosts", [_host(host) for host in hosts]
    yield (
        "replicas",
        ["no answer from Ray Serve"] if facts["replicas"] is None else [_replica(each) for each in facts["replicas"]],
    )
    yield "outbox", [_owed(kind, owed) for kind, owed in sorted(facts.get("outbox", {}).items())]
    dead = facts.get("dead", 0)
    yield "dead", [f"{dead}; see 's3palette dead list'"] if dead else []
    log, store = facts["log"], facts["store"]
    yield "log", [log.get("error") or f"{size(log['bytes'])} in {log['path']}"]
    room = f", {size(store['free_bytes'])} free in {store['path']}" if "free_bytes" in store else ""
    yield "store", [f"{store['kind']}{room}"]
    yield "metrics", facts["metrics"]
    yield "Ray's logs", [facts["ray_logs"]]


def _host(host: dict[str, Any]) -> str:
    if not host["alive"]:
        return f"{host['index']}: no answer ({host['state']}), {host['restarts']} restarts"
    return f"{host['index']}: alive, {host['awake']} entities resident, {host['restarts']} restarts, pid {host['pid']}"


def _replica(deployment: dict[str, Any]) -> str:
    counts = ", ".join(f"{count} {state.lower()}" for state, count in sorted(deployment["replicas"].items()))
    line = f"{deployment['application']}/{deployment['deployment']}: {deployment['status'].lower()}, {counts or 'none'}"
    return f"{line}; {deployment['message']}" if deployment["message"] else line


def _owed(kind: str, owed: dict[str, Any]) -> str:
    if kind == "alarm":
        return f"alarm: {owed['rows']} set"
    failing = f", {owed['failing']} failing" if owed["failing"] else ""
    return f"{kind}: {owed['rows']}, oldest {age(owed['oldest_s'])}{failing}"
