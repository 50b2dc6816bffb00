"""What can be chosen about SAM 3. Free of torch, so that settings and checks cost nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["Backend", "Compile", "Sam3Options"]

Backend = Literal["auto", "transformers", "official"]
Compile = Literal["auto", "off", "default", "reduce-overhead"]


@dataclass(frozen=True, slots=True)
class Sam3Options:
    """How the model is loaded and how sure it has to be."""

    weights: str | None = None
    """A file (`sam3.pt`), a folder (`config.json` and safetensors, or `sam3.pt`) or a hub id ("facebook/sam3")."""
    bpe: str | None = None
    """Path of `bpe_simple_vocab_16e6.txt.gz`; the official package needs it and does not ship it."""
    backend: Backend = "auto"
    """auto: what the weights are made for."""
    device: str | None = None
    """"cuda", "cuda:1", "cpu". None: CUDA where there is one."""
    compile: Compile = "auto"
    """Of the vision encoder. auto: on CUDA with triton and a C compiler, off elsewhere. "reduce-overhead" adds CUDA
    graphs."""
    threshold: float = 0.5
    """Least score of an instance, 0..1: sigma(logit) * sigma(presence). The default is Meta's own."""
    same_iou: float = 0.7
    """Two instances of one concept that overlap more (mask IoU) are one: the better score stays."""
    cross_iou: float = 0.85
    """The same between two concepts that come several to a photo: one thing is not a window and a door."""
    max_batch: int = 8
    """Photos in one vision pass at most; less where memory is short."""
    max_pairs: int = 32
    """(photo, concept) pairs in one pass of the head at most."""
