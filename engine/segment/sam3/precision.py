"""How every pass of the model runs."""

from __future__ import annotations

from contextlib import AbstractContextManager, ExitStack
from typing import Any

import torch

__all__ = ["inference"]


def inference(device: torch.device, half: bool) -> AbstractContextManager[Any]:
    """No gradients; with `half` under bfloat16 autocast."""
    stack = ExitStack()
    stack.enter_context(torch.no_grad())
    if half:
        stack.enter_context(torch.autocast(device.type, torch.bfloat16))
    return stack
