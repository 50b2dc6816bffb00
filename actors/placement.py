"""Where an entity lives: (kind, id) → logical shard → host.

The number of shards is for good, it is written into outbox rows; the number of hosts may change at every start.
"""

from __future__ import annotations

from hashlib import blake2b

from s3palette.domain.model import Address

__all__ = ["LOG_NODE", "SHARDS", "host_of", "shard_of", "shards_of"]

SHARDS = 256
LOG_NODE = "s3palette_log"
"""Custom resource of the node that has the SQLite log: hosts and edge replicas stay there."""


def shard_of(to: Address) -> int:
    """Logical shard of an entity, 0..SHARDS-1; the same in every process and version (unlike `hash`)."""
    return blake2b(to.stream.encode(), digest_size=1).digest()[0]


def host_of(to: Address, hosts: int) -> int:
    """Index of the host that keeps the entity, 0..hosts-1."""
    return shard_of(to) % hosts


def shards_of(host: int, hosts: int) -> tuple[int, ...]:
    """Every shard that lives on a host."""
    return tuple(range(host, SHARDS, hosts))
