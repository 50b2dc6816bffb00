"""What an operator does to a user of the running system."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from actors.cluster import ClusterError, connect
from s3palette.cli._fail import one_sentence
from s3palette.cli.system import DataDir, settings_from
from s3palette.domain.errors import PaletteError

__all__ = ["app"]

app = typer.Typer(help="Look at a user, change the plan, grant credits.", no_args_is_help=True)
UserId = Annotated[str, typer.Argument(metavar="USER", help="User id, u_...")]


@app.command()
def show(user: UserId, data_dir: DataDir = None) -> None:
    """Credits, plan, rules and jobs of a user."""
    for name, value in _tell(data_dir, user, "state").items():
        typer.echo(f"{name}: {value}")


@app.command("set-plan")
def set_plan(user: UserId, plan: Annotated[str, typer.Argument(help="free or pro")], data_dir: DataDir = None) -> None:
    """Move a user to another plan."""
    typer.echo(f"{user} is on plan {_tell(data_dir, user, 'set_plan', plan)['plan']}.")


@app.command()
def grant(
    user: UserId,
    amount: Annotated[int, typer.Argument(help="credits, 1 or more")],
    reason: Annotated[str, typer.Option(help="written into the ledger")] = "granted by the operator",
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
