"""From options to a segmenter that is loaded and warm."""

from __future__ import annotations

import logging
import shutil
from dataclasses import replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from engine.segment.sam3.errors import Sam3Unavailable
from engine.segment.sam3.options import Sam3Options
from engine.segment.sam3.weights import MODEL_PAGE, Weights, find_weights

if TYPE_CHECKING:
    import torch

    from engine.segment.sam3.backend import Sam3Backend
    from engine.segment.sam3.segmenter import Sam3Segmenter

__all__ = ["compile_mode", "load_backend", "load_sam3"]

log = logging.getLogger(__name__)


def load_sam3(options: Sam3Options) -> Sam3Segmenter:
    """Load the weights and run every batch size once: the first photo is as fast as the next.

    With `compile="auto"` a model that cannot be compiled runs as it is; the log says so.

    Raises:
        Sam3Unavailable: weights, packages or hardware are missing.
    """
    backend = load_backend(options)
    from torch._dynamo.exc import TorchDynamoException

    from engine.segment.sam3.segmenter import Sam3Segmenter

    segmenter = Sam3Segmenter(backend, options)
    try:
        segmenter.warm_up()
    except TorchDynamoException as error:
        if options.compile != "auto":
            raise Sam3Unavailable(
                f"SAM 3 cannot be compiled here ({_first_line(error)}); set S3P_SAM3_COMPILE=off."
            ) from error
        log.warning("SAM 3 cannot be compiled here and runs as it is: %s", _first_line(error))
        return load_sam3(replace(options, compile="off"))
    return segmenter


def load_backend(options: Sam3Options) -> Sam3Backend:
    """Load the weights into the backend they are made for. Raises Sam3Unavailable."""
    weights = find_weights(options)
    device = _device(options.device)
    if weights.backend == "official":
        return _official(weights, device)
    return _transformers(weights, device, compile_mode(options, device))


def compile_mode(options: Sam3Options, device: torch.device) -> str | None:
    """The `torch.compile` mode to use; None: do not compile."""
    if options.compile == "auto":
        able = device.type == "cuda" and find_spec("triton") is not None
        return "default" if able and any(shutil.which(name) for name in ("cc", "gcc", "clang")) else None
    return None if options.compile == "off" else options.compile


def _device(wanted: str | None) -> torch.device:
    import torch

    if wanted is None:
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    device = torch.device(wanted)
    if device.type == "cuda" and not torch.cuda.is_available():
        raise Sam3Unavailable(f"SAM 3 shall run on {wanted}, but torch finds no CUDA device here.")
    return device


def _transformers(weights: Weights, device: torch.device, mode: str | None) -> Sam3Backend:
    from huggingface_hub.errors import GatedRepoError, RepositoryNotFoundError
    from safetensors import SafetensorError
    from transformers import AutoTokenizer, Sam3Model
    from transformers.utils.logging import disable_progress_bar

    from engine.segment.sam3.transformers_backend import TransformersBackend

    disable_progress_bar()
    try:
        # float32 also where the file has less: autocast chooses the precision of each operation.
        model = Sam3Model.from_pretrained(weights.source, dtype="float32")
        tokenizer = AutoTokenizer.from_pretrained(weights.source)
    except (GatedRepoError, RepositoryNotFoundError):
        raise Sam3Unavailable(
            f"{weights.source} is not open to you: ask for access at {MODEL_PAGE} and set HF_TOKEN."
        ) from None
    except (OSError, ValueError, SafetensorError) as error:
        raise Sam3Unavailable(f"SAM 3 cannot be loaded from {weights.source}: {_first_line(error)}") from error
    length = int(model.config.text_config.max_position_embeddings)

    def tokenize(texts: Any) -> tuple[torch.Tensor, torch.Tensor]:
        encoded = tokenizer(list(texts), padding="max_length", max_length=length, truncation=True, return_tensors="pt")
        return encoded.input_ids, encoded.attention_mask

    return TransformersBackend(model, tokenize, device, mode)


def _official(weights: Weights, device: torch.device) -> Sam3Backend:
    if device.type != "cuda":
        raise Sam3Unavailable(
            "The official sam3 package runs on CUDA only, and there is none here; "
            "give a safetensors folder, which runs everywhere."
        )
    from engine.segment.sam3.official_backend import load_official

    return load_official(weights, device)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
