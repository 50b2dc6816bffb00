"""Functions that numba compiles: loops over pixels that numpy would need a pass and an array for at each step.

Compiled code lets other threads run, and is kept on disk: beside the module, or in the user's cache where that cannot
be written to (NUMBA_CACHE_DIR moves it). Where nothing can be written, or what is there cannot be read, every process
compiles for itself. No fastmath, no parallel loops: the same bytes everywhere, and threads are `engine._threads`'
affair.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba
from numba.core.caching import FunctionCache

__all__ = ["inlined", "kernel"]

F = TypeVar("F", bound=Callable[..., Any])


def kernel(function: F) -> F:
    """Compile a function at its first call for the types it is called with. Divides as numpy does."""
    compiled = numba.njit(nogil=True, error_model="numpy")(function)
    with contextlib.suppress(RuntimeError):  # numba finds no folder to keep it in
        compiled._cache = _Cache(function)  # private, hence the exact pin; `cache=True` does no more
    return cast(F, compiled)


class _Cache(FunctionCache):  # type: ignore[misc]  # numba has no types
    """numba's own, but a file that a power cut left half written, or a full disk, stops nobody."""

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            return super().load_overload(sig, target_context)
        except Exception:  # whatever unpickling garbage may raise
            with contextlib.suppress(OSError):
                self.flush()
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        with contextlib.suppress(Exception):  # it is kept in memory all the same
            super().save_overload(sig, data)


def inlined(function: F) -> F:
    """A step of kernels in the same module: it becomes a part of each. In other modules their caches would not see
    it change."""
    return cast(F, numba.njit(nogil=True, error_model="numpy", forceinline=True)(function))
