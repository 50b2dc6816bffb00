"""user: look at one, change the plan, grant credits; the latter two by the running system's own actor."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal

import typer

from actors.cluster import ClusterError, connect
from event_store import EventStoreError
from s3palette.cli._fail import fail, one_sentence
from s3palette.cli._log import reading
from s3palette.cli.system import DataDir, settings_from
from s3palette.domain.errors import PaletteError
from s3palette.domain.plans import PLANS
from s3palette.domain.user import MAX_GRANT
from s3palette.read_models import PROJECTIONS
from s3palette.settings import Settings

__all__ = ["app"]

app = typer.Typer(help="Look at a user, change the plan, grant credits.", no_args_is_help=True)
UNDER_WAY: Final = ("created", "uploaded", "queued", "running")
JOB_COLUMNS: Final = ("job_id", "status", "preset", "done", "failed", "total", "created_at")
LEDGER_KINDS: Final = ("grant", "reserve", "spend", "refund")
LEDGER_COLUMNS: Final = ("at", "kind", "amount", "balance_after", "job_id", "reason")
NEWEST: Final = 10
UserId = Annotated[str, typer.Argument(metavar="USER", help="User id, u_...")]


@app.command()
def show(
    user: UserId,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Plan, credits, slots, jobs under way, rules and the newest entries of the ledger; the system may run or not."""
    settings = settings_from(data_dir=data_dir)
    with one_sentence(EventStoreError):
        facts = asyncio.run(_facts(settings, user))
    if facts is None:
        raise fail(f"There is no user {user}; 's3palette events tail' shows who signed up lately.")
    if as_json:
        typer.echo(json.dumps(facts, ensure_ascii=False))
        return
    for line in _lines(facts):
        typer.echo(line)


async def _facts(settings: Settings, user: str) -> dict[str, Any] | None:
    of_user = {"user_id": user}
    async with reading(settings, PROJECTIONS) as log:
        found = await log.select("users", of_user)
        if not found:
            return None
        jobs = [job for status in UNDER_WAY for job in await log.select("jobs_log", {**of_user, "status": status})]
        rules = await log.select("rules", of_user, order=["seq"])
        ledger = await log.select("billing_events", of_user, order=["seq"])
    sums = {kind: sum(row["amount"] for row in ledger if row["kind"] == kind) for kind in LEDGER_KINDS}
    row = found[0]
    open_ = sums["reserve"] - sums["spend"] - sums["refund"]
    adds_up = (sums["grant"], sums["spend"], open_) == (row["granted"], row["spent"], row["reserved"])
    return {
        **{name: value for name, value in row.items() if name != "seq"},
        "max_rule_slots": PLANS[row["plan"]].rule_slots,
        "max_concurrent_jobs": PLANS[row["plan"]].max_jobs,
        "adds_up": adds_up and row["granted"] == row["credits"] + row["reserved"] + row["spent"],
        "ledger_sums": sums,
        "jobs": [{name: job[name] for name in JOB_COLUMNS} for job in jobs],
        "rules": [{name: rule[name] for name in ("id", "name", "preset_id", "updated_at")} for rule in rules],
        "ledger": [{name: entry[name] for name in LEDGER_COLUMNS} for entry in ledger[-NEWEST:]],
    }


def _lines(facts: dict[str, Any]) -> Iterator[str]:
    yield f"{facts['user_id']}  plan {facts['plan']}, signed up {facts['created_at']}"
    balance = f"{facts['granted']} granted = {facts['credits']} free + {facts['reserved']} reserved"
    verdict = "" if facts["adds_up"] else "   THE LEDGER DOES NOT ADD UP"
    yield f"credits  {balance} + {facts['spent']} spent{verdict}"
    yield f"jobs     {facts['concurrent_jobs']} of {facts['max_concurrent_jobs']} at once"
    for job in facts["jobs"]:
        ended = f"{job['done']} done, {job['failed']} failed of {job['total']}"
        yield f"  {job['job_id']}  {job['status']}, {job['preset']}, {ended}, since {job['created_at']}"
    yield f"rules    {facts['rule_slots']} of {facts['max_rule_slots']} slots"
    for rule in facts["rules"]:
        yield f"  {rule['id']}  {rule['name']} ({rule['preset_id']}), changed {rule['updated_at']}"
    yield f"ledger   the newest {len(facts['ledger'])}"
    for entry in facts["ledger"]:
        about = " ".join(filter(None, (entry["job_id"], entry["reason"])))
        yield f"  {entry['at']}  {entry['kind']:<7} {entry['amount']:>6}  balance {entry['balance_after']:>6}  {about}"


@app.command("set-plan")
def set_plan(
    user: UserId,
    plan: Annotated[Literal["free", "pro"], typer.Argument(help="The plan.")],
    data_dir: DataDir = None,
) -> None:
    """Move a user to another plan; the first step up tops the credits up to that plan's."""
    typer.echo(f"{user} is on plan {_tell(data_dir, user, 'set_plan', plan)['plan']}.")


@app.command()
def grant(
    user: UserId,
    amount: Annotated[int, typer.Argument(min=1, max=MAX_GRANT, help="Credits.")],
    reason: Annotated[str, typer.Option(help="Written into the ledger.")] = "granted by the operator",
    data_dir: DataDir = None,
) -> None:
    """Give a user credits."""
    typer.echo(f"{user} has {_tell(data_dir, user, 'grant', amount, reason)['credits']} credits.")


def _tell(data_dir: Any, user: str, method: str, *args: Any) -> Any:
    import ray

    from actors.user_limiter import user_limiter

    settings = settings_from(data_dir=data_dir)
    with one_sentence(ClusterError):
        connect(settings.data_dir)
    with one_sentence(PaletteError):
        try:
            return ray.get(getattr(user_limiter(user), method).remote(*args))
        except ray.exceptions.RayTaskError as error:
            raise error.cause from None
