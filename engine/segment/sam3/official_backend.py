"""SAM 3 as Meta's `sam3` package has it (0.1.4, `sam3.pt`). CUDA only: the package asks for that device by name.

The package's own `forward_grounding` is taken apart at its four steps, so that masks are made only for the pairs that
are asked for; the steps are private, so the version is pinned.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import torch
from torch import Tensor

from engine.segment.sam3.backend import BoxPrompts, TextFeatures, VisionFeatures
from engine.segment.sam3.errors import Sam3Unavailable
from engine.segment.sam3.precision import inference
from engine.segment.sam3.preprocess import normalise
from engine.segment.sam3.weights import Weights

__all__ = ["OfficialBackend", "load_official"]

_PREFIX = "detector."
"""The image model's weights in `sam3.pt`; the rest is the video tracker's."""


def load_official(weights: Weights, device: torch.device) -> OfficialBackend:
    """Build the package's image model and load `sam3.pt` into it.

    Raises:
        Sam3Unavailable: the file does not have the model's weights.
    """
    from sam3.model_builder import build_sam3_image_model

    model = build_sam3_image_model(bpe_path=str(weights.bpe), device="cpu", load_from_HF=False)
    stored = torch.load(weights.source, map_location="cpu", weights_only=True, mmap=True)
    stored = stored.get("model", stored)
    state = {name.removeprefix(_PREFIX): value for name, value in stored.items() if name.startswith(_PREFIX)}
    missing, _ = model.load_state_dict(state, strict=False)
    if missing:
        raise Sam3Unavailable(
            f"{weights.source} lacks {len(missing)} of SAM 3's weights ({missing[0]}, ...); download it again."
        )
    return OfficialBackend(model, device)


class OfficialBackend:
    """A `Sam3Backend` over the package's `Sam3Image` in eval mode, under bfloat16 autocast on CUDA."""

    name = "official"
    image_size = 1008

    def __init__(self, model: Any, device: torch.device) -> None:
        self._model = model.to(device).eval()
        self._half = device.type == "cuda"
        self.device = device

    def encode_images(self, pixels: Tensor) -> VisionFeatures:
        """See `Sam3Backend.encode_images`."""
        with self._mode():
            encoded = self._model.backbone.forward_image(normalise(pixels))
        return VisionFeatures(tuple(encoded["backbone_fpn"]), encoded["vision_pos_enc"][-1][:1])

    def encode_text(self, texts: Sequence[str]) -> TextFeatures:
        """See `Sam3Backend.encode_text`."""
        with self._mode():
            encoded = self._model.backbone.forward_text(list(texts), device=self.device)
        # Theirs are sequence first, and their mask is True at padding.
        return TextFeatures(encoded["language_features"].transpose(0, 1), ~encoded["language_mask"])

    def detect(self, vision: VisionFeatures, photos: Tensor, text: TextFeatures, boxes: BoxPrompts) -> _Detection:
        """See `Sam3Backend.detect`."""
        from sam3.model.data_misc import FindStage

        model = self._model
        backbone = {
            "backbone_fpn": list(vision.levels),
            "vision_pos_enc": [vision.position.expand(len(vision), -1, -1, -1)],
            "language_features": text.tokens.transpose(0, 1),
            "language_mask": ~text.valid,
        }
        find = FindStage(
            img_ids=photos,
            text_ids=torch.arange(len(photos), device=self.device),
            input_boxes=None,
            input_boxes_mask=None,
            input_boxes_label=None,
            input_points=None,
            input_points_mask=None,
        )
        with self._mode():
            prompt, prompt_mask, backbone = model._encode_prompt(backbone, find, self._geometry(boxes))
            backbone, encoded, _ = model._run_encoder(backbone, find, prompt, prompt_mask)
            out, queries = model._run_decoder(
                memory=encoded["encoder_hidden_states"],
                pos_embed=encoded["pos_embed"],
                src_mask=encoded["padding_mask"],
                out={},
                prompt=prompt,
                prompt_mask=prompt_mask,
                encoder_out=encoded,
            )
        presence = out["presence_logit_dec"].float().sigmoid().reshape(-1)
        return _Detection(
            presence=presence,
            scores=out["pred_logits"].float().sigmoid().squeeze(-1) * presence[:, None],
            boxes=out["pred_boxes_xyxy"].float(),
            backend=self,
            levels=vision.levels,
            photos=photos,
            memory=encoded["encoder_hidden_states"],
            prompt=prompt,
            prompt_mask=prompt_mask,
            queries=queries,
        )

    def masks(self, found: _Detection, pairs: Tensor, queries: Tensor) -> Tensor:
        """See `Detection.masks`."""
        needed, row = torch.unique_consecutive(pairs, return_inverse=True)
        with self._mode():
            out = self._model.segmentation_head(
                backbone_feats=list(found.levels),
                obj_queries=found.queries[:, needed],
                image_ids=found.photos[needed],
                encoder_hidden_states=found.memory[:, needed],
                prompt=found.prompt[:, needed],
                prompt_mask=found.prompt_mask[needed],
            )
        return out["pred_masks"][row, queries].float()

    def _geometry(self, boxes: BoxPrompts) -> Any:
        from sam3.model.geometry_encoders import Prompt

        return Prompt(
            box_embeddings=boxes.boxes.transpose(0, 1).to(self.device),
            box_mask=~boxes.valid.to(self.device),
            box_labels=boxes.positive.transpose(0, 1).to(self.device),
        )

    def _mode(self) -> AbstractContextManager[Any]:
        return inference(self.device, self._half)


class _Detection:
    """A `Detection` that runs the segmentation head when masks are asked for."""

    def __init__(
        self,
        *,
        presence: Tensor,
        scores: Tensor,
        boxes: Tensor,
        backend: OfficialBackend,
        levels: tuple[Tensor, ...],
        photos: Tensor,
        memory: Tensor,
        prompt: Tensor,
        prompt_mask: Tensor,
        queries: Tensor,
    ) -> None:
        self.presence, self.scores, self.boxes = presence, scores, boxes
        self._backend = backend
        self.levels, self.photos, self.queries = levels, photos, queries
        self.memory, self.prompt, self.prompt_mask = memory, prompt, prompt_mask

    def masks(self, pairs: Tensor, queries: Tensor) -> Tensor:
        """See `Detection.masks`."""
        return self._backend.masks(self, pairs, queries)
