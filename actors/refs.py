"""References to entities: the plain one for programs on the cluster, the batching one inside the system.

ray.get(user_limiter("u_1").state.remote())     # a real ObjectRef, one call
await brain.ask(Address("user", "u_1"), GetUser())
"""

from __future__ import annotations

import asyncio
import pickle
import uuid
from collections.abc import Callable, Sequence
from typing import Any, Generic, ParamSpec

import ray

from actors.lane import Envelope, Lane, Outcome, Send
from actors.placement import host_of
from s3palette.domain.errors import Overloaded
from s3palette.domain.model import Address, Command, Query

__all__ = ["NAMESPACE", "Method", "RayBrain", "batch_sender", "host_count", "host_handle", "host_name"]

NAMESPACE = "s3palette"
P = ParamSpec("P")


def host_name(index: int) -> str:
    """Name of a host actor in the namespace."""
    return f"host-{index}"


def host_handle(index: int) -> Any:
    """Handle of a host. Raises ValueError where no such host runs on the cluster this process is connected to."""
    return ray.get_actor(host_name(index), namespace=NAMESPACE)


def host_count() -> int:
    """How many hosts the cluster was started with, told by the names of its actors."""
    named = ray.util.list_named_actors(all_namespaces=True)
    return sum(1 for each in named if each["namespace"] == NAMESPACE and each["name"].startswith("host-"))


class Method(Generic[P]):
    """One thing an entity can be told or asked, called as Ray's own actor methods are: `.remote(...)`."""

    def __init__(self, to: Address, message: Callable[P, Command | Query]) -> None:
        self._to = to
        self._message = message

    def remote(self, *args: P.args, **kwargs: P.kwargs) -> Any:
        """Send it; returns a `ray.ObjectRef` of the reply. Getting it raises the entity's error."""
        message = self._message(*args, **kwargs)
        command_id = uuid.uuid4().hex if isinstance(message, Command) else None  # Ray may repeat the call
        host = host_handle(host_of(self._to, host_count()))
        return host.ask.remote(self._to, message, command_id)


class RayBrain:
    """The batching ref of one process: a lane a host. It is the `Brain` that the HTTP edge asks."""

    def __init__(self, hosts: int, *, patience_s: float = 9.0) -> None:
        self._lanes = [Lane(batch_sender(index)) for index in range(hosts)]
        self._patience_s = patience_s

    async def ask(
        self, to: Address, message: Command | Query, command_id: str | None = None, correlation: str = ""
    ) -> Any:
        """The entity's reply. Raises its PaletteError, or Overloaded when no answer comes in time (a mobile client
        gives up after 10 s)."""
        if command_id is None and isinstance(message, Command):
            command_id = uuid.uuid4().hex  # Ray may repeat the call
        lane = self._lanes[host_of(to, len(self._lanes))]
        try:
            async with asyncio.timeout(self._patience_s):
                return await lane.ask(Envelope(to, message, command_id, correlation))
        except TimeoutError:
            raise Overloaded("The system did not answer in time; try again in a moment.", retry_after=2) from None


def batch_sender(index: int) -> Send:
    """What a `Lane` to that host sends with."""
    handle: Any = None

    async def send(envelopes: Sequence[Envelope]) -> Sequence[Outcome]:
        nonlocal handle
        if handle is None:
            handle = host_handle(index)
        # Pickled here, a message is bytes to Ray, which would else pickle it with the slower cloudpickle.
        answer = await handle.batch.remote(pickle.dumps(envelopes, pickle.HIGHEST_PROTOCOL))
        outcomes: Sequence[Outcome] = pickle.loads(answer)
        return outcomes

    return send
