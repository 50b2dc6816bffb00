"""What ends a system: a dead daemon of Ray, an entrance that stays away. Anything else is brought back by others."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from actors import vitals
from actors.ports import free_port
from actors.running import ClusterError
from actors.vitals import KNOCKS_IN_A_ROW, Vitals


@pytest.fixture
def listening() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def node(*dead: str) -> Any:
    return SimpleNamespace(dead_processes=lambda: [(name, None) for name in dead])


@pytest.mark.parametrize("dead", [(), ("log_monitor", "dashboard")])
def test_a_system_goes_on(listening: int, dead: tuple[str, ...]) -> None:
    Vitals(node(*dead), "", "127.0.0.1", listening).check()


@pytest.mark.parametrize("dead", ["gcs_server", "raylet"])
def test_a_daemon_of_ray_is_not_replaced(listening: int, dead: str) -> None:
    with pytest.raises(ClusterError, match=f"Ray's {dead} ended"):
        Vitals(node("log_monitor", dead), "", "127.0.0.1", listening).check()


def test_another_ones_cluster_may_be_silent_for_a_moment(listening: int) -> None:
    watch = Vitals(None, f"127.0.0.1:{free_port()}", "127.0.0.1", listening)
    for _ in range(KNOCKS_IN_A_ROW - 1):
        watch.check()
    with pytest.raises(ClusterError, match="does not answer"):
        watch.check()


def test_an_entrance_may_be_away_for_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(vitals.time, "monotonic", lambda: clock[0])
    watch = Vitals(node(), "", "127.0.0.1", free_port())
    watch.check()
    clock[0] += vitals.ENTRANCE_BACK_WITHIN_S
    watch.check()
    clock[0] += 1
    with pytest.raises(ClusterError, match="The entrance has taken no connection for 61 s"):
        watch.check()
