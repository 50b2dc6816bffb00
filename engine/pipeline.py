"""One photo through the engine: decode, segment, render, encode.

`process` runs the four stages one after another. They are functions of their own so that a worker with a GPU can
overlap them: while photo n is segmented, n+1 decodes and n-1 renders and encodes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from engine._layers import paint_layers
from engine._timed import timed
from engine.errors import NeedsModel
from engine.image_io import MAX_PIXELS, decode, encode_png, encode_preview
from engine.report import concept_report, instances_json, needs_model_reason, warnings_for
from engine.segment.port import Segmenter
from engine.types import Exemplar, Keep, Photo, PhotoResult, Prompt, Recipe, Segmentation

__all__ = ["Measured", "Rendered", "check_recipe", "encode", "measure", "process", "render", "segment"]


@dataclass(frozen=True, slots=True, eq=False)
class Rendered:
    """A photo with its recipe applied, to be encoded; label maps are PNG already, or they would fill the memory."""

    photo: Photo
    """The result: same size, alpha and format as the input."""
    masks: Mapping[str, bytes]
    instances: bytes
    warnings: tuple[str, ...] = ()
    colours: Mapping[str, tuple[int, int, int]] = field(default_factory=dict)
    """See `PhotoResult.colours`."""
    timings_ms: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Measured:
    """What a photo shows of a recipe's concepts."""

    colours: Mapping[str, tuple[int, int, int]]
    """Concept -> sRGB, 0..255 each; of the concepts that there is something to see of."""
    warnings: tuple[str, ...]
    """Why others have none, in sentences."""


def process(data: bytes, recipe: Recipe, segmenter: Segmenter, *, max_pixels: int = MAX_PIXELS) -> PhotoResult:
    """Apply a recipe to one photo file. The same bytes give the same result on every run.

    Raises:
        BadPhoto: the file cannot be used.
        BadMask: a mask that was given for this photo does not fit it.
        NeedsModel: the segmenter can find none of the selected concepts.
        ValueError: the recipe itself is broken, see `check_recipe`; raised before any heavy work.
    """
    check_recipe(recipe)
    timings: dict[str, float] = {}
    with timed(timings, "decode"):
        photo = decode(data, max_pixels=max_pixels)
    with timed(timings, "segment"):
        (found,) = segment([photo], recipe.prompts, segmenter, {0: recipe.refinement.exemplars})
    return encode(render(photo, found, recipe, source=segmenter.name), timings)


def measure(data: bytes, recipe: Recipe, segmenter: Segmenter, *, max_pixels: int = MAX_PIXELS) -> Measured:
    """The colours that a recipe's concepts show in one photo file, before anything is painted.

    Each is the median of the pixels that the concept's own action would be fitted to, so without what is protected,
    belongs to a later layer, is locked or excluded or has an action of its own. Raises as `process` does.
    """
    check_recipe(recipe)
    photo = decode(data, max_pixels=max_pixels)
    (found,) = segment([photo], recipe.prompts, segmenter, {0: recipe.refinement.exemplars})
    kept = replace(recipe, layers=tuple(replace(layer, action=Keep()) for layer in recipe.layers))
    rendered = render(photo, found, kept, source=segmenter.name)
    return Measured(rendered.colours, rendered.warnings)


def check_recipe(recipe: Recipe) -> None:
    """Raise ValueError, naming the concept, where the recipe speaks of one that it has no prompt for."""
    known = {prompt.concept for prompt in recipe.prompts}
    own = recipe.refinement
    refined = (*own.states, *(box.concept for box in own.exemplars), *(quad.concept for quad in own.planes))
    for concept in (*(layer.concept for layer in recipe.layers), *recipe.protect, *refined):
        if concept not in known:
            raise ValueError(f"the recipe has no prompt for {concept}")


def segment(
    photos: Sequence[Photo],
    prompts: Sequence[Prompt],
    segmenter: Segmenter,
    exemplars: Mapping[int, Sequence[Exemplar]] | None = None,
) -> list[list[Segmentation]]:
    """Ask for the same prompts in several photos: encoded as one batch, answered each by itself, in order.

    `exemplars`: position in `photos` -> the boxes a user drew on that photo.
    """
    if not prompts:
        return [[] for _ in photos]
    shown, texts = exemplars or {}, segmenter.encode_text(prompts)
    return [
        segmenter.segment(features, prompts, texts, shown.get(idx, ()))
        for idx, features in enumerate(segmenter.encode_images(photos))
    ]


def render(photo: Photo, segmentations: Sequence[Segmentation], recipe: Recipe, *, source: str) -> Rendered:
    """Apply the recipe to a decoded photo.

    Outside all mattes, in every protected mask and in every locked instance the result has the photo's bytes. Full-size
    masks exist for one concept at a time.

    Args:
        photo: the decoded photo; not changed.
        segmentations: the answers to `recipe.prompts` for this photo.
        recipe: what to do.
        source: name of the segmenter, for warnings and the instances report.

    Raises:
        NeedsModel: every selected concept is `needs_model`.
        ValueError: see `check_recipe`.
    """
    check_recipe(recipe)
    found = {answer.prompt.concept: answer for answer in segmentations}
    selected = [layer.concept for layer in recipe.layers]
    if selected and all(found[concept].status == "needs_model" for concept in selected):
        raise NeedsModel(needs_model_reason(selected, source))
    warnings = warnings_for(segmentations, selected, source)
    done = paint_layers(photo, found, recipe)
    concepts = {c: done.reports.get(c) or concept_report(found[c], None) for c in found}
    return Rendered(
        Photo(done.rgb, photo.alpha, photo.format),
        done.masks,
        instances_json(photo.size, source, concepts),
        (*warnings, *done.warnings),
        done.colours,
        done.timings_ms,
    )


def encode(rendered: Rendered, timings_ms: Mapping[str, float] | None = None) -> PhotoResult:
    """Encode a rendered photo; `timings_ms` are those of the stages before `render`."""
    timings = {**(timings_ms or {}), **rendered.timings_ms}
    photo = rendered.photo
    with timed(timings, "encode"):
        png = encode_png(photo.rgb, photo.alpha)
        preview = encode_preview(photo.rgb, photo.alpha)
    return PhotoResult(
        png, preview, rendered.masks, rendered.instances, rendered.warnings, photo.size, rendered.colours, timings
    )
