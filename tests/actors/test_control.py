"""The operator's socket: only its owner opens it, and nothing a caller does ends it."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from actors.control import Control, ask


@pytest.fixture
def path() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:  # a socket's path has 107 characters at most
        yield Path(folder) / "control.sock"


def test_it_answers_until_it_is_closed(path: Path) -> None:
    asked: list[dict[str, Any]] = []

    def answer(request: dict[str, Any]) -> dict[str, Any]:
        asked.append(request)
        return {"number": len(asked)}

    control = Control(path, answer)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [ask(str(path), {"do": "this"}), ask(str(path), {})] == [{"number": 1}, {"number": 2}]
    assert asked == [{"do": "this"}, {}]
    control.close()
    with pytest.raises(OSError, match="refused"):
        ask(str(path), {})


@pytest.mark.parametrize("sent", [b"", b"half", b"no json\n", b"[1]\n"])
def test_a_bad_request_is_hung_up_on_and_the_next_is_answered(path: Path, sent: bytes) -> None:
    control = Control(path, lambda request: {"well": request["well"]})
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect(str(path))
        caller.sendall(sent)
        caller.shutdown(socket.SHUT_WR)
        assert caller.recv(100) == b""
    assert ask(str(path), {"well": 1}) == {"well": 1}
    with pytest.raises(OSError, match="it hung up"):
        ask(str(path), {"unwell": 1})
    control.close()


def test_nobody_there() -> None:
    with pytest.raises(OSError, match="No such file"):
        ask("/nowhere/control.sock", {})
