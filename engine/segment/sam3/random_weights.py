"""SAM 3 with random weights, for tests and benchmarks: the real code and arithmetic, answers without meaning."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any, Final, Literal

import torch
from torch import Tensor
from transformers import Sam3Config, Sam3Model

from engine.segment.sam3.transformers_backend import TransformersBackend

__all__ = ["hash_tokenize", "random_backend", "random_model"]

_GAIN: Final = 6.0
"""Weights of the tiny model are this much larger than freshly initialised ones, or no prompt would change anything."""
_TINY: Final[dict[str, Any]] = {
    "vision_config": {
        "backbone_config": {
            "model_type": "sam3_vit_model",
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 2,
            "image_size": 112,
            "patch_size": 14,
            "window_size": 4,
            "global_attn_indexes": [1],
            "pretrain_image_size": 56,
        },
        "fpn_hidden_size": 32,
        "backbone_feature_sizes": [[32, 32], [16, 16], [8, 8]],
    },
    "text_config": {
        "model_type": "clip_text_model",
        "vocab_size": 512,
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "max_position_embeddings": 32,
        "projection_dim": 32,
        "bos_token_id": 510,
        "eos_token_id": 511,
        "pad_token_id": 0,
    },
    "geometry_encoder_config": {"hidden_size": 32, "num_layers": 1, "num_attention_heads": 2, "intermediate_size": 64},
    "detr_encoder_config": {"hidden_size": 32, "num_layers": 2, "num_attention_heads": 2, "intermediate_size": 64},
    "detr_decoder_config": {
        "hidden_size": 32,
        "num_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 64,
        "num_queries": 20,
    },
    "mask_decoder_config": {"hidden_size": 32, "num_attention_heads": 2},
}


def random_model(size: Literal["tiny", "full"], seed: int = 0) -> Any:
    """A `Sam3Model`: "tiny" has 0.26 M parameters and takes 112² photos, "full" is the 840 M of the real one."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if size == "full":
            return Sam3Model(Sam3Config()).eval()
        model = Sam3Model(Sam3Config(**_TINY)).eval()
    with torch.no_grad():
        for weight in model.parameters():
            if weight.dim() > 1:
                weight.mul_(_GAIN)
    return model


def random_backend(
    size: Literal["tiny", "full"],
    seed: int = 0,
    device: str = "cpu",
    compile_mode: str | None = None,
    half: bool | None = None,
) -> TransformersBackend:
    """`random_model` ready to answer; its tokenizer is `hash_tokenize`, the rest as `TransformersBackend` has it."""
    model = random_model(size, seed)
    vocabulary = int(model.config.text_config.vocab_size)

    def tokenize(texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        return hash_tokenize(texts, vocabulary)

    return TransformersBackend(model, tokenize, torch.device(device), compile_mode, half)


def hash_tokenize(texts: Sequence[str], vocabulary: int, length: int = 32) -> tuple[Tensor, Tensor]:
    """Token ids and attention mask, (K, length) each: a word's token is its checksum. No vocabulary file needed."""
    ids = torch.zeros(len(texts), length, dtype=torch.int64)
    attention = torch.zeros(len(texts), length, dtype=torch.int64)
    for row, text in enumerate(texts):
        words = [2 + zlib.crc32(word.encode()) % (vocabulary - 4) for word in text.split()][: length - 2]
        tokens = [vocabulary - 2, *words, vocabulary - 1]
        ids[row, : len(tokens)] = torch.tensor(tokens)
        attention[row, : len(tokens)] = 1
    return ids, attention
