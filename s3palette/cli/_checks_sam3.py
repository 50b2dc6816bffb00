"""What `doctor` looks at for SAM 3: weights, torch, a compiler, the official package."""

from __future__ import annotations

import os
import shutil
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from s3palette.cli._finding import Finding
from s3palette.settings import Settings

__all__ = ["compiler", "official", "torch_and_gpu", "weights"]

_GB: Final = 10**9
_SAM3_GPU: Final = 12 * _GB


def weights(settings: Settings) -> Finding:
    from engine.segment.sam3 import Sam3Unavailable, find_weights
    from s3palette.engines import sam3_options

    if not settings.sam3_weights:
        return Finding("ok", "SAM 3 is not in use; S3P_SAM3_WEIGHTS would turn it on.")
    try:
        weights = find_weights(sam3_options(settings))
    except Sam3Unavailable as refusal:
        return Finding("fail", str(refusal))
    if not Path(weights.source).exists() and not os.environ.get("HF_TOKEN"):
        return Finding("warn", f"{weights.source} is a gated model on the hub: set HF_TOKEN unless you are logged in.")
    return Finding("ok", f"SAM 3 is {weights.source}, for the {weights.backend} backend.")


def torch_and_gpu(settings: Settings) -> Finding:
    wanted = settings.segmenter == "sam3"
    if find_spec("torch") is None:
        return Finding("fail" if wanted else "ok", "torch is not installed; pip install 's3palette[sam3]' for SAM 3.")
    import torch

    if torch.cuda.is_available():
        name, total = torch.cuda.get_device_name(), torch.cuda.mem_get_info()[1]
        told = f"torch {torch.__version__} on {name} with {total / _GB:.0f} GB"
        if torch.cuda.get_device_capability() < (8, 0):
            return Finding("warn", f"{told}, which has no bfloat16 units; use an Ampere GPU or newer.")
        if total < _SAM3_GPU:
            return Finding("warn", f"{told}; SAM 3 wants {_SAM3_GPU // _GB} GB, so set S3P_SAM3_BATCH=1.")
        return Finding("ok", f"{told}.")
    if wanted and settings.sam3_gpus:
        return Finding(
            "fail",
            f"torch {torch.__version__} finds no CUDA device; install a CUDA build and its driver, or set "
            "S3P_SAM3_GPUS=0 to run on the CPU, a minute a photo.",
        )
    return Finding("ok", f"torch {torch.__version__} without CUDA: SAM 3 would take about a minute a photo.")


def compiler(settings: Settings) -> Finding:
    if settings.segmenter != "sam3" or not settings.sam3_gpus or settings.sam3_compile == "off":
        return Finding("ok", "Nothing is compiled.")
    missing = [] if find_spec("triton") else ["triton (pip install triton)"]
    if not any(shutil.which(name) for name in ("cc", "gcc", "clang")):
        missing.append("a C compiler (Debian: apt-get install gcc)")
    if missing:
        return Finding("warn", f"torch.compile needs {' and '.join(missing)}; without, SAM 3 runs uncompiled.")
    return Finding("ok", "torch.compile has what it needs.")


def official(settings: Settings) -> Finding:
    chosen = settings.sam3_backend == "official" or (settings.sam3_weights or "").endswith(".pt")
    try:
        there = f"sam3 {version('sam3')} is installed"
    except PackageNotFoundError:
        if not chosen:
            return Finding("ok", "The official sam3 package is not installed and not needed.")
        return Finding("fail", "The official sam3 package is missing; pip install 's3palette[sam3-official]'.")
    lacking = [name for name in ("torchvision", "triton", "psutil") if find_spec(name) is None]
    if lacking:
        return Finding("fail" if chosen else "warn", f"{there} without {', '.join(lacking)}; install them with pip.")
    if tuple(map(int, version("numpy").split(".")[:2])) >= (2, 4):
        return Finding("fail" if chosen else "warn", f"{there}, but needs numpy below 2.4; pip install 'numpy<2.4'.")
    return Finding("ok", f"{there} with what it needs.")
