"""From the head's numbers to instances: threshold, duplicates, order, and the same thing claimed by two concepts.

Everything happens at the model's own mask resolution (288²); a full-size mask is never made here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from engine.segment.sam3.backend import Detection
from engine.segment.sam3.options import Sam3Options
from engine.segment.sam3.preprocess import to_photo_box
from engine.types import Instance, Segmentation

__all__ = ["distinct", "instances_of", "one_claim"]

_DIGITS = 4
"""Scores are rounded, or the noise of a different batch could swap two instances with equal scores."""


def instances_of(
    detection: Detection, sizes: Sequence[tuple[int, int]], options: Sam3Options
) -> list[tuple[Instance, ...]]:
    """The instances of every pair: above the threshold, once each, by falling score, then top, then left.

    `sizes` are (height, width) of each pair's photo. A mask without any pixel at 0.5 or above is no instance.
    """
    scores = detection.scores.cpu()
    pairs, queries = torch.nonzero(scores > options.threshold, as_tuple=True)
    if not len(pairs):
        return [()] * len(sizes)
    device = detection.scores.device
    masks = detection.masks(pairs.to(device), queries.to(device))
    found: list[tuple[Instance, ...]] = []
    boxes = detection.boxes.cpu()
    for pair, size in enumerate(sizes):
        rows = torch.nonzero(pairs == pair).flatten()
        # Best first, so that of two that are one the better stays.
        rows = rows[torch.argsort(scores[pair, queries[rows]], descending=True, stable=True)]
        logits = masks[rows.to(device)]
        kept = distinct(logits > 0, options.same_iou)
        probabilities = logits[kept.to(device)].sigmoid().cpu().numpy()
        instances = [
            Instance(round(float(scores[pair, query]), _DIGITS), to_photo_box(boxes[pair, query].tolist(), size), mask)
            for query, mask in zip(queries[rows][kept].tolist(), probabilities, strict=True)
        ]
        found.append(tuple(sorted(instances, key=_order)))
    return found


def distinct(masks: Tensor, iou: float) -> Tensor:
    """Greedy non-maximum suppression of (N, h, w) bool masks, best first: indices that stay, (M,) int64 on the CPU.

    A mask goes when it overlaps one that stays by more than `iou`, or has no pixel at all.
    """
    flat = masks.flatten(1).float()
    area = flat.sum(1)
    shared = flat @ flat.T
    overlap = (shared / (area[:, None] + area[None] - shared).clamp_min(1)).cpu()
    kept: list[int] = []
    for row in torch.nonzero(area > 0).flatten().tolist():
        if all(float(overlap[row, other]) <= iou for other in kept):
            kept.append(row)
    return torch.tensor(kept, dtype=torch.int64)


def one_claim(answers: Sequence[Segmentation], iou: float) -> list[Segmentation]:
    """Give a thing that two concepts claim to the better score (of equal ones to the earlier concept).

    Only concepts with a text that come several to a photo take part: two of them never mean the same pixels, while a
    surface and what is printed on it, or shines on it, may. A protected concept never gives a thing up.
    """
    claims = [(a, k) for a, answer in enumerate(answers) if _claims(answer) for k in range(len(answer.instances))]
    if len({a for a, _ in claims}) < 2:
        return list(answers)
    claims.sort(key=lambda claim: (-answers[claim[0]].instances[claim[1]].score, claim))
    masks = np.stack([answers[a].instances[k].mask >= 0.5 for a, k in claims])
    flat = masks.reshape(len(claims), -1).astype(np.float32)
    shared, area = flat @ flat.T, flat.sum(1)
    overlap = shared / np.maximum(area[:, None] + area[None] - shared, 1)
    kept: list[int] = []
    for row, (concept, _) in enumerate(claims):
        if answers[concept].prompt.protected or all(
            overlap[row, other] <= iou or claims[other][0] == concept for other in kept
        ):
            kept.append(row)
    stays = {claims[row] for row in kept}
    return [
        _with(answer, tuple(i for k, i in enumerate(answer.instances) if (a, k) in stays))
        if _claims(answer)
        else answer
        for a, answer in enumerate(answers)
    ]


def _claims(answer: Segmentation) -> bool:
    return answer.prompt.several and answer.prompt.text is not None


def _with(answer: Segmentation, instances: tuple[Instance, ...]) -> Segmentation:
    if len(instances) == len(answer.instances):
        return answer
    return replace(answer, instances=instances, status="found" if instances else "absent")


def _order(instance: Instance) -> tuple[float, int, int]:
    inside = instance.mask >= 0.5
    top = int(np.argmax(inside.any(axis=1)))
    left = int(np.argmax(inside.any(axis=0)))
    return -instance.score, top, left
