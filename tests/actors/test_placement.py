import subprocess
import sys

from actors.placement import SHARDS, host_of, shard_of, shards_of
from s3palette.domain.model import Address


def test_every_process_agrees() -> None:
    program = (
        "from actors.placement import shard_of; from s3palette.domain.model import Address;"
        "print([shard_of(Address('user', f'u_{i}')) for i in range(20)])"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == str([shard_of(Address("user", f"u_{i}")) for i in range(20)])


def test_the_shard_of_a_name_is_for_good() -> None:
    """Outbox rows on disk carry it: a change needs a migration."""
    assert [shard_of(Address("user", "u_1")), shard_of(Address("job", "j_1"))] == [40, 131]


def test_hosts_share_the_shards_without_overlap() -> None:
    for hosts in (1, 2, 3, 7):
        shards = [shard for host in range(hosts) for shard in shards_of(host, hosts)]
        assert sorted(shards) == list(range(SHARDS))
        for number in range(50):
            to = Address("job", str(number))
            assert shard_of(to) in shards_of(host_of(to, hosts), hosts)


def test_entities_spread_evenly() -> None:
    counts = [0] * 4
    for number in range(4000):
        counts[host_of(Address("user", f"u_{number}"), 4)] += 1
    assert min(counts) > 800
