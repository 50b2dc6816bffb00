"""RoIAlign (He et al., Mask R-CNN, 2017, section 3) in plain torch.

torchvision's operator cannot be loaded beside every build of torch. The sampling grid of a box is a product of rows and
columns, so averaging bilinear samples is two small matrix products: rows (7, H) x features x columns (7, W). The
convention is torchvision's `roi_align(..., sampling_ratio=-1, aligned=False)`, which SAM 3 was trained with.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

__all__ = ["roi_align"]


def roi_align(features: Tensor, boxes: Tensor, bins: int) -> Tensor:
    """Pool the inside of boxes.

    Args:
        features: (P, C, H, W).
        boxes: (P, N, 4) float32 on the CPU: x0, y0, x1, y1 in pixels of `features`.
        bins: side of the result.

    Returns:
        (P * N, C, bins, bins), in the type of `features`.
    """
    height, width = features.shape[-2:]
    rows = _weights(boxes[..., 1], boxes[..., 3], bins, height).to(features)
    columns = _weights(boxes[..., 0], boxes[..., 2], bins, width).to(features)
    return torch.einsum("pnah,pchw,pnbw->pncab", rows, features, columns).flatten(0, 1)


def _weights(low: Tensor, high: Tensor, bins: int, size: int) -> Tensor:
    """(P, N, bins, size): the share each pixel of one axis has in each bin of each interval low..high, (P, N)."""
    weights = torch.zeros(*low.shape, bins, size)
    for p in range(low.shape[0]):
        for n in range(low.shape[1]):
            start = float(low[p, n])
            length = max(float(high[p, n]) - start, 1.0)
            samples = math.ceil(length / bins)
            at = start + (torch.arange(bins * samples) + 0.5) * (length / (bins * samples))
            weights[p, n] = _bilinear(at, size).view(bins, samples, size).mean(1)
    return weights


def _bilinear(at: Tensor, size: int) -> Tensor:
    """(n, size): what each pixel gives to a sample at each position; nothing beyond one pixel outside."""
    inside = (at >= -1) & (at <= size)
    at = at.clamp(0, size - 1)
    distance = (at[:, None] - torch.arange(size)[None]).abs()
    return (1 - distance).clamp_min(0) * inside[:, None]
