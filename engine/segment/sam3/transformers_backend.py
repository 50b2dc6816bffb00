"""SAM 3 as `transformers` has it (`Sam3Model`, safetensors).

The modules and weights are theirs; the order of work in the head is ours, and gives the same numbers with less of it:

- The encoder's first self-attention does not see the prompt, so it runs once a photo and not once a pair.
- Masks are made only for the pairs and queries that are asked for: what is absent skips the mask decoder, a third of
  the head.
- The last 1x1 convolution before the masks is folded into the queries: q (W x + b) = (q W) x + q b.

Text-only prompts get the geometry encoder's CLS token, as in Meta's own code and in training; `Sam3Model.forward`
leaves it out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from types import MethodType
from typing import Any

import torch
from torch import Tensor
from transformers.masking_utils import create_bidirectional_mask
from transformers.models.sam3.modeling_sam3 import inverse_sigmoid

from engine.segment.sam3.backend import BoxPrompts, TextFeatures, VisionFeatures
from engine.segment.sam3.precision import inference
from engine.segment.sam3.preprocess import normalise
from engine.segment.sam3.roi_align import roi_align

__all__ = ["Tokenize", "TransformersBackend"]

Tokenize = Callable[[Sequence[str]], tuple[Tensor, Tensor]]
"""Texts -> (K, L) int64 token ids and (K, L) attention mask, 0 at padding."""


class TransformersBackend:
    """A `Sam3Backend` over a `Sam3Model` in eval mode.

    Half precision is bfloat16 autocast: float16 broke features of this model in fused attention.
    """

    name = "transformers"

    def __init__(
        self,
        model: Any,
        tokenize: Tokenize,
        device: torch.device,
        compile_mode: str | None = None,
        half: bool | None = None,
    ) -> None:
        """Take over `model` (moved to `device`).

        Args:
            model: a `transformers.Sam3Model`.
            tokenize: its tokenizer.
            device: where it shall run.
            compile_mode: `torch.compile` mode of the vision encoder; None: not compiled.
            half: run in half precision. None: on CUDA.
        """
        self.model = model.to(device).eval()
        self.tokenize = tokenize
        self._half = device.type == "cuda" if half is None else half
        self.device = device
        self.image_size = int(model.config.image_size)
        geometry = self.model.geometry_encoder
        geometry._encode_boxes = MethodType(_encode_boxes, geometry)
        if self._half:
            _store_half(self.model)
        self._vision = self.model.vision_encoder
        self._compiled = compile_mode is not None
        if self._compiled:
            self._vision = torch.compile(self._vision, mode=compile_mode, dynamic=False)

    def encode_images(self, pixels: Tensor) -> VisionFeatures:
        """See `Sam3Backend.encode_images`."""
        count = len(pixels)
        if self._compiled and count & (count - 1):
            # Compiled for powers of two, so that an odd batch costs some arithmetic and not a new compilation.
            pixels = torch.cat([pixels, pixels[:1].expand((1 << count.bit_length()) - count, -1, -1, -1)])
        with self.mode():
            encoded = self._vision(normalise(pixels))
        # The fourth and coarsest level is not used by the head.
        levels = tuple(level[:count] for level in encoded.fpn_hidden_states[:-1])
        if self._compiled:
            # CUDA graphs write the next pass into the same memory.
            levels = tuple(level.clone() for level in levels)
        return VisionFeatures(levels, encoded.fpn_position_encoding[-2][:1].clone())

    def encode_text(self, texts: Sequence[str]) -> TextFeatures:
        """See `Sam3Backend.encode_text`."""
        ids, attention = self.tokenize(texts)
        with self.mode():
            ids, attention = ids.to(self.device), attention.to(self.device)
            tokens = self.model.get_text_features(input_ids=ids, attention_mask=attention).pooler_output
        return TextFeatures(tokens, attention.bool())

    def detect(self, vision: VisionFeatures, photos: Tensor, text: TextFeatures, boxes: BoxPrompts) -> _Detection:
        """See `Sam3Backend.detect`."""
        model = self.model
        with self.mode():
            geometry, geometry_valid = self._geometry(vision, photos, boxes)
            prompt = torch.cat([text.tokens, geometry.to(text.tokens.dtype)], dim=1)
            valid = torch.cat([text.valid, geometry_valid], dim=1)
            memory = self._encode(vision, photos, prompt, valid)
            decoded = model.detr_decoder(
                vision_features=memory,
                text_features=prompt,
                vision_pos_encoding=_flat(vision.position),
                text_mask=valid,
                spatial_shapes=torch.tensor([vision.levels[-1].shape[-2:]]),
            )
            queries = decoded.intermediate_hidden_states[-1]
            # In float32: the sigmoid of a bfloat16 would place a box edge to 1/256 of the photo.
            reference = inverse_sigmoid(decoded.reference_boxes[-1].float())
            xywh = (reference + model.detr_decoder.box_head(queries).float()).sigmoid()
            logits = model.dot_product_scoring(queries[None], prompt, valid)[-1].squeeze(-1).float()
            presence = decoded.presence_logits[-1].squeeze(-1).float().sigmoid()
        centre, half = xywh[..., :2], xywh[..., 2:] / 2
        return _Detection(
            presence=presence,
            scores=logits.sigmoid() * presence[:, None],
            boxes=torch.cat([centre - half, centre + half], dim=-1),
            mode=self.mode,
            decoder=model.mask_decoder,
            levels=vision.levels,
            photos=photos,
            memory=memory,
            prompt=prompt,
            valid=valid,
            queries=queries,
        )

    def _geometry(self, vision: VisionFeatures, photos: Tensor, boxes: BoxPrompts) -> tuple[Tensor, Tensor]:
        """Tokens of boxes and CLS, (P, N + 1, C), with their validity (P, N + 1)."""
        coarse, count = vision.levels[-1], boxes.boxes.shape[1]
        if count:
            coarse = coarse[photos]
        rows = coarse.shape[0]
        encoded = self.model.geometry_encoder(
            box_embeddings=boxes.boxes.to(coarse.device) if count else coarse.new_zeros(rows, 0, 4),
            box_mask=boxes.valid.to(coarse.device) if count else photos.new_zeros(rows, 0, dtype=torch.bool),
            box_labels=boxes.positive.to(coarse.device).long() if count else photos.new_zeros(rows, 0),
            img_feats=(coarse,),
            img_pos_embeds=(vision.position.expand(rows, -1, -1, -1),),
        )
        tokens, valid = encoded.last_hidden_state, encoded.attention_mask
        # Without boxes the tokens know the photo only, so they were made once a photo.
        return (tokens, valid) if count else (tokens[photos], valid[photos])

    def _encode(self, vision: VisionFeatures, photos: Tensor, prompt: Tensor, valid: Tensor) -> Tensor:
        """The encoder over P pairs: (P, h * w, C)."""
        encoder = self.model.detr_encoder
        position = _flat(vision.position)
        features = _flat(vision.levels[-1])
        first = encoder.layers[0]
        alone = first.layer_norm1(features)
        attended, _ = first.self_attn(query=alone + position, key=alone + position, value=alone)
        features = (features + attended)[photos]
        mask = create_bidirectional_mask(
            config=encoder.config, inputs_embeds=features, attention_mask=valid, encoder_hidden_states=prompt
        )
        attended, _ = first.cross_attn(query=first.layer_norm2(features), key=prompt, value=prompt, attention_mask=mask)
        features = features + attended
        features = features + first.mlp(first.layer_norm3(features))
        for layer in encoder.layers[1:]:
            features = layer(features, prompt_feats=prompt, vision_pos_encoding=position, prompt_cross_attn_mask=mask)
        return features

    def mode(self) -> AbstractContextManager[Any]:
        """No gradients, and the precision everything runs in."""
        return inference(self.device, self._half)


class _Detection:
    """A `Detection` that runs the mask decoder when masks are asked for."""

    def __init__(
        self,
        *,
        presence: Tensor,
        scores: Tensor,
        boxes: Tensor,
        mode: Callable[[], AbstractContextManager[Any]],
        decoder: Any,
        levels: tuple[Tensor, ...],
        photos: Tensor,
        memory: Tensor,
        prompt: Tensor,
        valid: Tensor,
        queries: Tensor,
    ) -> None:
        self.presence, self.scores, self.boxes = presence, scores, boxes
        self._mode, self._decoder = mode, decoder
        self._levels, self._photos = levels, photos
        self._memory, self._prompt, self._valid, self._queries = memory, prompt, valid, queries

    def masks(self, pairs: Tensor, queries: Tensor) -> Tensor:
        """See `Detection.masks`."""
        needed, counts = torch.unique_consecutive(pairs, return_counts=True)
        decoder = self._decoder
        with self._mode():
            pixels = self._pixels(needed)
            embedded = decoder.mask_embedder(self._queries[pairs, queries])
            projection = decoder.instance_projection
            folded = embedded @ projection.weight.flatten(1)
            offset = embedded @ projection.bias
            parts = [
                torch.einsum("nc,chw->nhw", rows, pixels[row]) for row, rows in enumerate(folded.split(counts.tolist()))
            ]
            return (torch.cat(parts) + offset[:, None, None]).float()

    def _pixels(self, pairs: Tensor) -> Tensor:
        """(P', C, h, w) pixel embeddings at mask resolution of some pairs."""
        decoder, prompt = self._decoder, self._prompt[pairs]
        memory = self._memory[pairs]
        mask = create_bidirectional_mask(
            config=decoder.config,
            inputs_embeds=memory,
            attention_mask=self._valid[pairs],
            encoder_hidden_states=prompt,
        )
        attended, _ = decoder.prompt_cross_attn(
            query=decoder.prompt_cross_attn_norm(memory), key=prompt, value=prompt, attention_mask=mask
        )
        coarse = (memory + attended).transpose(1, 2).unflatten(2, self._levels[-1].shape[-2:])
        finer = [level[self._photos[pairs]] for level in self._levels[:-1]]
        return decoder.pixel_decoder([*finer, coarse])


def _flat(feature_map: Tensor) -> Tensor:
    """(B, C, h, w) to (B, h * w, C)."""
    return feature_map.flatten(2).transpose(1, 2)


def _encode_boxes(
    self: Any, boxes: Tensor, boxes_mask: Tensor, boxes_labels: Tensor, vision_features: Tensor
) -> tuple[Tensor, Tensor]:
    """`Sam3GeometryEncoder._encode_boxes` with our `roi_align`: theirs needs torchvision."""
    count, (height, width) = boxes.shape[1], vision_features.shape[-2:]
    embedded = self.boxes_direct_project(boxes)
    if count:
        centre, half = boxes[..., :2].float().cpu(), boxes[..., 2:].float().cpu() / 2
        scale = torch.tensor([width, height, width, height], dtype=torch.float32)
        corners = torch.cat([centre - half, centre + half], dim=-1) * scale
        pooled = self.boxes_pool_project(roi_align(vision_features, corners, self.roi_size))
        embedded = embedded + pooled.view(*boxes.shape[:2], self.hidden_size)
    position = self._encode_box_coordinates(*(edge.flatten() for edge in boxes.unbind(-1)))
    embedded = embedded + self.boxes_pos_enc_project(position.view(*boxes.shape[:2], position.shape[-1]))
    return self.label_embed(boxes_labels) + embedded, boxes_mask


def _store_half(model: Any) -> None:
    """Keep in bfloat16 the weights that autocast would cast in every pass: same numbers, half the memory."""
    for part in (model.vision_encoder, model.text_encoder):
        for module in part.modules():
            if isinstance(module, torch.nn.Linear | torch.nn.Conv2d | torch.nn.ConvTranspose2d):
                module.to(torch.bfloat16)
