"""Job lifecycles and reads a second through the real HTTP entrance, with engine=external.

    python bench/lifecycle.py [--lifecycles 200] [--reads 4000] [--at-once 8]

A lifecycle is what a client and an outside GPU provider do for one job of three photos: sign-up, create, three
uploads, confirm, execute, three callbacks, get: 11 requests, 9 of them durable writes of the event log or the store.
A read is GET /me, over 200 users. The peer is GET /health in the same run (no actor, no log): what the entrance alone
can do on this machine at this moment. The system this one replaces is named beside it with the figures its owners gave
(2-core machine, workerd): they were not measured in this run.
"""

from __future__ import annotations

import argparse
import asyncio
import time

from _http import Connection, run_side_by_side
from _system import Bench, cpu_seconds, machine, system

OLD_LIFECYCLES, OLD_READS = (21.0, 28.0), 550.0
PHOTO = b"\xff\xd8\xff\xe0" + bytes(1020)
RULE = {"concepts": {"Wall": {"action": "recolor", "value": "#F4F1EA"}}}


async def lifecycle(connection: Connection, bench: Bench, number: int) -> None:
    call = connection.call
    token = (await call("POST", "/auth/anon", body={"device_hash": f"device-{number}"}))["token"]
    job = await call("POST", "/jobs", token=token, body={"preset": "interior", "item_count": 3})
    path = f"/jobs/{job['job_id']}"
    for target in job["presigned_urls"]:
        await call("PUT", target["url"], body=PHOTO)
    await call("POST", f"{path}/confirm-upload", token=token)
    await call("POST", f"{path}/execute", token=token, body=RULE)
    user = job["presigned_urls"][0]["key"].split("/")[1]
    for idx in range(3):
        result = {
            "idx": idx,
            "status": "done",
            "output_key": f"outputs/{user}/{job['job_id']}/{idx}_result.png",
            "preview_key": f"previews/{user}/{job['job_id']}/{idx}_thumb.jpg",
            "idempotency_key": f"{job['job_id']}-{idx}",
        }
        await call("POST", f"{path}/callback", secret=bench.callback_secret, body=result)
    got = await call("GET", path, token=token)
    if got["job"]["status"] != "done":
        raise RuntimeError(f"job {job['job_id']} ended as {got['job']['status']}")


async def measure(bench: Bench, lifecycles: int, reads: int, at_once: int) -> None:
    url = bench.url

    async def one(connection: Connection, number: int) -> None:
        await lifecycle(connection, bench, number)

    await run_side_by_side(url, at_once, 2 * at_once, lambda c, n: lifecycle(c, bench, -1 - n))  # warm up
    before, began = cpu_seconds(bench.pid), time.monotonic()
    took = await run_side_by_side(url, at_once, lifecycles, one)
    wall = time.monotonic() - began
    after = cpu_seconds(bench.pid)

    tokens = []
    connection = Connection(url)
    for number in range(200):
        answer = await connection.call("POST", "/auth/anon", body={"device_hash": f"device-{number}"})
        tokens.append(answer["token"])
    await connection.close()

    async def me(connection: Connection, number: int) -> None:
        await connection.call("GET", "/me", token=tokens[number % len(tokens)])

    async def health(connection: Connection, number: int) -> None:
        await connection.call("GET", "/health")

    rates = {}
    for name, work in (("health", health), ("me", me)) * 3:  # in turn: the machine is shared and drifts
        seconds = await run_side_by_side(url, at_once, reads // 3, work)
        rates.setdefault(name, []).append((reads // 3) / seconds)
    noop, me_rate = sorted(rates["health"])[1], sorted(rates["me"])[1]

    per_second = lifecycles / took
    print(f"{machine()}, {at_once} at once")
    print(
        f"lifecycles    {per_second:8.1f} /s   {per_second / OLD_LIFECYCLES[1]:5.2f} x the old system's best "
        f"({OLD_LIFECYCLES[0]:.0f}-{OLD_LIFECYCLES[1]:.0f}/s, as told)   = {11 * per_second:.0f} requests/s"
    )
    print(f"GET /me       {me_rate:8.1f} /s   {me_rate / OLD_READS:5.2f} x the old system ({OLD_READS:.0f}/s, as told)")
    print(f"GET /health   {noop:8.1f} /s   peer: no actor, no log; GET /me reaches {me_rate / noop:.2f} of it")
    print("where the time goes in a lifecycle (CPU ms each):")
    for name in sorted(after, key=lambda name: before.get(name, 0.0) - after[name]):
        seconds = after[name] - before.get(name, 0.0)
        spent = 1000 * seconds / lifecycles
        if spent >= 0.05:
            print(f"  {name:26s} {spent:6.2f}   {100 * seconds / wall:4.0f} % of one core")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--lifecycles", type=int, default=200)
    options.add_argument("--reads", type=int, default=4000)
    options.add_argument("--at-once", type=int, default=8)
    chosen = options.parse_args()
    with system("external") as bench:
        asyncio.run(measure(bench, chosen.lifecycles, chosen.reads, chosen.at_once))


if __name__ == "__main__":
    main()
