"""Photos and boxes into the model's square, and boxes back.

SAM 3 sees the whole photo squashed to a square, without padding: positions are shares of width and height, and a mask
stretched over the photo lies where it belongs.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from engine.segment.sam3.backend import BoxPrompts
from engine.types import Exemplar, Photo

__all__ = ["box_prompts", "normalise", "to_photo_box", "to_square"]


def to_square(photo: Photo, side: int) -> Tensor:
    """(3, side, side) uint8, resampled as torchvision's `Resize` on uint8 tensors does (antialiased bilinear)."""
    # A copy: the photo may be read-only, and torch has no such tensors. Interleaved is the fast path of uint8.
    pixels = torch.tensor(photo.rgb).permute(2, 0, 1)[None]
    if photo.size == (side, side):
        return pixels[0].contiguous()
    return torch.nn.functional.interpolate(pixels, (side, side), mode="bilinear", antialias=True)[0].contiguous()


def normalise(pixels: Tensor) -> Tensor:
    """uint8 to float32 in -1..1: mean and deviation of 0.5 a channel."""
    return pixels.float().div_(127.5).sub_(1.0)


def box_prompts(exemplars: Sequence[Sequence[Exemplar]]) -> BoxPrompts:
    """Boxes of P pairs, padded to one length; a box is cut at the photo's edge."""
    longest = max((len(shown) for shown in exemplars), default=0)
    boxes = torch.zeros(len(exemplars), longest, 4)
    positive = torch.zeros(len(exemplars), longest, dtype=torch.bool)
    valid = torch.zeros(len(exemplars), longest, dtype=torch.bool)
    for p, shown in enumerate(exemplars):
        for n, exemplar in enumerate(shown):
            x0, y0, x1, y1 = (min(max(edge, 0.0), 1.0) for edge in exemplar.box)
            boxes[p, n] = torch.tensor([(x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0])
            positive[p, n] = exemplar.positive
            valid[p, n] = True
    return BoxPrompts(boxes, positive, valid)


def to_photo_box(box: Sequence[float], size: tuple[int, int]) -> tuple[float, float, float, float]:
    """x0, y0, x1, y1 in photo pixels from shares of the photo, cut at its edge; `size` is (height, width)."""
    height, width = size
    x0, y0, x1, y1 = (min(max(float(edge), 0.0), 1.0) for edge in box)
    return x0 * width, y0 * height, x1 * width, y1 * height
