"""Which replica of a Serve deployment this process is."""

from __future__ import annotations

__all__ = ["replica_name"]


def replica_name(kind: str) -> str:
    """ "edge-0": the replica's rank, which its successor takes over, so that files named after it do not pile up.

    Raises ray.serve.exceptions.RayServeException outside a replica.
    """
    from ray import serve  # a worker's code is used without Serve too, and Serve reads its environment on import

    return f"{kind}-{serve.get_replica_context().rank.rank}"
