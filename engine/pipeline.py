"""One photo through the engine: decode, segment, render, encode.

`process` runs the four stages one after another. They are functions of their own so that a worker with a GPU can
overlap them: while photo n is segmented, n+1 decodes and n-1 renders and encodes.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from engine.apply import Paint, claim, composite, fit_recolor, fit_tone
from engine.errors import NeedsModel, NotSupported
from engine.image_io import MAX_PIXELS, decode, encode_label_map, encode_png, encode_preview
from engine.masks import binary, label_map
from engine.matte import Matte, reach, soft_matte
from engine.protect import protected_mask, without
from engine.report import (
    absent_warning,
    concept_report,
    fully_protected_warning,
    instances_json,
    needs_model_reason,
    warnings_for,
)
from engine.segment.port import Segmenter
from engine.types import (
    Action,
    LabelMap,
    Layer,
    Mask,
    Photo,
    PhotoResult,
    Prompt,
    Recipe,
    Recolor,
    Rgb,
    Segmentation,
    Texture,
    Tone,
)

__all__ = ["Rendered", "check_supported", "encode", "process", "render", "segment"]


@dataclass(frozen=True, slots=True, eq=False)
class Rendered:
    """A photo with its recipe applied, to be encoded; label maps are PNG already, or they would fill the memory."""

    photo: Photo
    """The result: same size, alpha and format as the input."""
    masks: Mapping[str, bytes]
    instances: bytes
    warnings: tuple[str, ...] = ()
    timings_ms: Mapping[str, float] = field(default_factory=dict)


def process(data: bytes, recipe: Recipe, segmenter: Segmenter, *, max_pixels: int = MAX_PIXELS) -> PhotoResult:
    """Apply a recipe to one photo file. The same bytes give the same result on every run.

    Raises:
        BadPhoto: the file cannot be used.
        NeedsModel: the segmenter can find none of the selected concepts.
        NotSupported: the recipe asks for an action that is not built yet; raised before any heavy work.
    """
    check_supported(recipe)
    timings: dict[str, float] = {}
    with _timed(timings, "decode"):
        photo = decode(data, max_pixels=max_pixels)
    with _timed(timings, "segment"):
        (found,) = segment([photo], recipe.prompts, segmenter)
    return encode(render(photo, found, recipe, source=segmenter.name), timings)


def check_supported(recipe: Recipe) -> None:
    """Raise NotSupported, naming the concept, for actions that validate but are not built yet.

    Raises:
        ValueError: a layer or protected concept without a prompt: the recipe itself is broken.
    """
    known = {prompt.concept for prompt in recipe.prompts}
    for concept in (*(layer.concept for layer in recipe.layers), *recipe.protect):
        if concept not in known:
            raise ValueError(f"the recipe has no prompt for {concept}")
    for layer in recipe.layers:
        if isinstance(layer.action, Texture):
            raise NotSupported(f"Texture for {layer.concept} is not built yet: choose a colour instead of a pattern.")
        if not isinstance(layer.action, Recolor | Tone):
            raise NotSupported(f"Remove for {layer.concept} is not built yet: recolor and tone are.")
        if layer.overrides:
            raise NotSupported(
                f"Actions for single instances of {layer.concept} are not built yet: use one action for all of them."
            )


def segment(photos: Sequence[Photo], prompts: Sequence[Prompt], segmenter: Segmenter) -> list[list[Segmentation]]:
    """Ask for the same prompts in several photos: encoded as one batch, answered each by itself, in order."""
    if not prompts:
        return [[] for _ in photos]
    texts = segmenter.encode_text(prompts)
    return [segmenter.segment(features, prompts, texts) for features in segmenter.encode_images(photos)]


def render(photo: Photo, segmentations: Sequence[Segmentation], recipe: Recipe, *, source: str) -> Rendered:
    """Apply the recipe to a decoded photo.

    Outside all mattes, and in every protected mask, the result has the photo's bytes. Full-size masks exist for one
    concept at a time.

    Args:
        photo: the decoded photo; not changed.
        segmentations: the answers to `recipe.prompts` for this photo.
        recipe: what to do.
        source: name of the segmenter, for warnings and the instances report.

    Raises:
        NeedsModel: every selected concept is `needs_model`.
        NotSupported: see `check_supported`.
    """
    check_supported(recipe)
    found = {answer.prompt.concept: answer for answer in segmentations}
    selected = [layer.concept for layer in recipe.layers]
    if selected and all(found[concept].status == "needs_model" for concept in selected):
        raise NeedsModel(needs_model_reason(selected, source))
    work = _Work(photo, found)
    protected = protected_mask(photo.size, (work.labels(c) for c in recipe.protect if work.is_found(c)))
    warnings = warnings_for(segmentations, selected, source)
    out = photo.rgb.copy()
    free: Matte = np.full(photo.size, 255, np.uint8)
    # Last first: `claim` gives a later layer its pixels before an earlier one can.
    for layer in reversed(recipe.layers):
        if work.is_found(layer.concept):
            warnings += _apply(work, layer, protected, free, out)
    concepts = {c: work.reports.get(c) or concept_report(found[c], None) for c in found}
    return Rendered(
        Photo(out, photo.alpha, photo.format),
        work.masks,
        instances_json(photo.size, source, concepts),
        tuple(warnings),
        work.timings,
    )


def encode(rendered: Rendered, timings_ms: Mapping[str, float] | None = None) -> PhotoResult:
    """Encode a rendered photo; `timings_ms` are those of the stages before `render`."""
    timings = {**(timings_ms or {}), **rendered.timings_ms}
    photo = rendered.photo
    with _timed(timings, "encode"):
        png = encode_png(photo.rgb, photo.alpha)
        preview = encode_preview(photo.rgb, photo.alpha)
    return PhotoResult(png, preview, rendered.masks, rendered.instances, rendered.warnings, photo.size, timings)


class _Work:
    """What one `render` gathers: encoded masks, reports, timings."""

    def __init__(self, photo: Photo, found: Mapping[str, Segmentation]) -> None:
        self.photo = photo
        self.masks: dict[str, bytes] = {}
        self.reports: dict[str, dict[str, Any]] = {}
        self.timings: dict[str, float] = {"matte": 0.0, "apply": 0.0, "encode": 0.0}
        self._found = found

    def is_found(self, concept: str) -> bool:
        return self._found[concept].status == "found"

    def labels(self, concept: str) -> LabelMap:
        """The concept's label map at photo size; encoded and reported on the way."""
        with _timed(self.timings, "matte"):
            labels = label_map(self.photo, self._found[concept].instances)
        if concept not in self.masks:
            with _timed(self.timings, "encode"):
                self.masks[concept] = encode_label_map(labels)
            self.reports[concept] = concept_report(self._found[concept], labels)
        return labels


def _apply(work: _Work, layer: Layer, protected: Mask, free: Matte, out: Rgb) -> list[str]:
    """Run one layer; the warnings it gives."""
    rgb = work.photo.rgb
    mask = binary(work.labels(layer.concept))
    if not mask.any():
        return [absent_warning(layer.concept)]
    region = without(mask, protected)
    if not region.any():
        return [fully_protected_warning(layer.concept)]
    with _timed(work.timings, "matte"):
        matte = claim(soft_matte(rgb, region, protected), free)
    with _timed(work.timings, "apply"):
        paint = _fit(rgb, region, matte, layer.action)
        if paint is not None:
            composite(out, rgb, matte, paint, reach(work.photo.size))
    return []


def _fit(rgb: Rgb, region: Mask, matte: Matte, action: Action) -> Paint | None:
    """The action fitted to this photo's region; None where it changes nothing."""
    if isinstance(action, Recolor):
        return fit_recolor(rgb, region, matte, action)
    if isinstance(action, Tone):
        return fit_tone(action)
    raise NotSupported(f"{type(action).__name__} is not built yet.")


@contextmanager
def _timed(timings: dict[str, float], stage: str) -> Iterator[None]:
    started = time.perf_counter()
    try:
        yield
    finally:
        timings[stage] = timings.get(stage, 0.0) + (time.perf_counter() - started) * 1000
