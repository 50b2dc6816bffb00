"""Ray's token authentication: whoever connects to the cluster can run code in it, so a token of our own guards it.

Ray 2.60 switches it on for a cluster of its own and keeps one token a home directory; a second process must be told.
Here the token is a secret of the data dir, so whoever may read the data may connect, and nobody else.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path

__all__ = ["use_token"]


def use_token(path: Path) -> None:
    """Let this process and its children authenticate with the token in `path`. Call it before `ray.init`."""
    os.environ["RAY_AUTH_MODE"] = "token"
    os.environ["RAY_AUTH_TOKEN_PATH"] = str(path)
    if "ray" in sys.modules:  # Ray has read the environment already
        importlib.import_module("ray._raylet").Config.initialize("")
