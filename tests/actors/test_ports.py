"""Ports: free ones are found, and one that is held is nobody else's but HAProxy's."""

from __future__ import annotations

import socket
from contextlib import closing
from pathlib import Path

import pytest

from actors.ports import free_port, hold, is_free, serve_environment


def test_a_free_port_is_free_and_none_of_the_kernels() -> None:
    port = free_port()
    assert is_free(port)
    with open("/proc/sys/net/ipv4/ip_local_port_range") as told:
        assert port < int(told.read().split()[0])


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::1"])
def test_a_held_port_is_taken_for_everybody_but_who_shares_it(host: str) -> None:
    port = free_port()
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with closing(hold(port, host)):
        with socket.socket(family) as stranger, pytest.raises(OSError, match="in use"):
            stranger.bind((host, port))
        with socket.socket(family) as proxy:  # as HAProxy binds
            proxy.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            proxy.bind((host, port))
            proxy.listen()
            with socket.create_connection(("127.0.0.1" if host == "0.0.0.0" else host, port), timeout=1):
                pass
    assert is_free(port, host)


def test_two_systems_get_ports_of_their_own(tmp_path: Path) -> None:
    one, other = (serve_environment(tmp_path / name) for name in ("one", "other"))
    ports = [{value for name, value in each.items() if "PORT" in name} for each in (one, other)]
    assert not ports[0] & ports[1]
