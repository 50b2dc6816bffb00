"""How commands on this machine talk to the process that started the system: a socket only its owner can open.

One JSON object in, one out, a line each. It answers when Ray or the entrance does not, and without importing either.
"""

from __future__ import annotations

import contextlib
import json
import socket
import socketserver
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["Control", "ask"]

Answer = Callable[[dict[str, Any]], dict[str, Any]]


class Control:
    """Answers requests on a socket at `path`, each in a thread of its own, until it is closed."""

    def __init__(self, path: Path, answer: Answer) -> None:
        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                try:
                    request = json.loads(self.rfile.readline())
                except (ValueError, OSError):  # the caller hung up, or is none of ours
                    return
                if isinstance(request, dict):
                    reply = json.dumps(answer(request)).encode()
                    with contextlib.suppress(OSError):  # nobody waits for it any more
                        self.wfile.write(reply + b"\n")

        self._server = socketserver.ThreadingUnixStreamServer(str(path), Handler)
        self._server.daemon_threads = True
        path.chmod(0o600)
        threading.Thread(target=self._server.serve_forever, name="control", daemon=True).start()

    def close(self) -> None:
        """Take no more requests."""
        self._server.shutdown()
        self._server.server_close()


def ask(path: str, request: dict[str, Any], timeout_s: float = 10.0) -> dict[str, Any]:
    """The answer of the system whose socket it is. Raises OSError where nobody answers in time."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(timeout_s)
        connection.connect(path)
        connection.sendall(json.dumps(request).encode() + b"\n")
        with connection.makefile() as answer:
            line = answer.readline()
    if not line:
        raise OSError("it hung up")
    reply: dict[str, Any] = json.loads(line)
    return reply
