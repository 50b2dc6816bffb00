"""Where the weights are and which backend they are made for, found without importing torch."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal

from engine.segment.sam3.errors import Sam3Unavailable
from engine.segment.sam3.options import Sam3Options

__all__ = ["HUB_ID", "MODEL_PAGE", "Weights", "find_weights"]

HUB_ID: Final = "facebook/sam3"
MODEL_PAGE: Final = "https://huggingface.co/facebook/sam3"
_PT: Final = "sam3.pt"
_HUB: Final = re.compile(r"[\w.-]+/[\w.-]+")
_PACKAGES: Final = {
    "transformers": (("torch", "transformers"), "sam3"),
    "official": (("torch", "torchvision", "sam3", "triton", "psutil"), "sam3-official"),
}


@dataclass(frozen=True, slots=True)
class Weights:
    """Weights that were found."""

    backend: Literal["transformers", "official"]
    source: str
    """A path, or a hub id (transformers only)."""
    bpe: Path | None = None
    """The vocabulary; official only."""


def find_weights(options: Sam3Options) -> Weights:
    """Find the weights, and check that the packages and files they need are there.

    Raises:
        Sam3Unavailable: something is missing; says what and how to get it.
    """
    if not options.weights:
        raise Sam3Unavailable(
            f"SAM 3 has no weights: they are gated, so ask for them at {MODEL_PAGE}, then set S3P_SAM3_WEIGHTS to the "
            f"downloaded folder or sam3.pt, or to {HUB_ID} with HF_TOKEN."
        )
    weights = _locate(options, options.weights)
    packages, extra = _PACKAGES[weights.backend]
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        raise Sam3Unavailable(
            f"SAM 3 with these weights needs {', '.join(missing)}; install with pip install 's3palette[{extra}]'."
        )
    return weights


def _locate(options: Sam3Options, given: str) -> Weights:
    path = Path(given).expanduser()
    if path.is_file():
        if path.suffix != ".pt":
            raise Sam3Unavailable(
                f"S3P_SAM3_WEIGHTS is {path}; give sam3.pt, or the folder that has model.safetensors."
            )
        return _official(options, path)
    if path.is_dir():
        safetensors = (path / "config.json").is_file() and any(path.glob("*.safetensors"))
        if safetensors and options.backend != "official":
            return Weights("transformers", str(path))
        if (path / _PT).is_file():
            return _official(options, path / _PT)
        wanted = _PT if options.backend == "official" else f"config.json and model.safetensors, or {_PT}"
        raise Sam3Unavailable(f"S3P_SAM3_WEIGHTS is the folder {path}, which does not have {wanted}.")
    if _HUB.fullmatch(given) and not given.startswith("."):
        if options.backend == "official":
            raise Sam3Unavailable(f"The official package needs a file: download {_PT} and set S3P_SAM3_WEIGHTS to it.")
        return Weights("transformers", given)
    raise Sam3Unavailable(f"S3P_SAM3_WEIGHTS is {given}, which is no file, no folder and no hub id like {HUB_ID}.")


def _official(options: Sam3Options, path: Path) -> Weights:
    if options.backend == "transformers":
        raise Sam3Unavailable(
            f"{path} is made for the official package: set S3P_SAM3_BACKEND=official, or give a safetensors folder."
        )
    if not options.bpe:
        raise Sam3Unavailable(
            "The official sam3 package comes without its vocabulary: set S3P_SAM3_BPE to bpe_simple_vocab_16e6.txt.gz "
            "(the wheel of open_clip_torch has the same file)."
        )
    bpe = Path(options.bpe).expanduser()
    if not bpe.is_file():
        raise Sam3Unavailable(f"S3P_SAM3_BPE is {bpe}, and there is no such file.")
    return Weights("official", str(path), bpe)
