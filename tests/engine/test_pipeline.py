"""Whole photos through the engine: the truths that hold for every output."""

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image
from skimage import data

from engine import BadPhoto, NeedsModel, decode, process
from engine.pipeline import encode, render, segment
from engine.segment.replay import ReplaySegmenter
from engine.types import (
    Action,
    Exemplar,
    Instance,
    LabelMap,
    Layer,
    Photo,
    PhotoResult,
    Prompt,
    Quad,
    Recipe,
    Recolor,
    Refinement,
    Remove,
    Segmentation,
    Tone,
)

GREEN, BLUE = Recolor((40, 160, 60)), Recolor((30, 50, 200))


def png(rgb: np.ndarray, **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "PNG", **options)
    return buffer.getvalue()


def block(size: tuple[int, int], *boxes: tuple[int, int, int, int]) -> LabelMap:
    """Label map with box k (y0, y1, x0, x1) as instance k."""
    labels = np.zeros(size, np.uint16)
    for k, (y0, y1, x0, x1) in enumerate(boxes, start=1):
        labels[y0:y1, x0:x1] = k
    return labels


def recipe(layers: Mapping[str, Action], protect: Sequence[str] = ()) -> Recipe:
    names = [*layers, *(name for name in protect if name not in layers)]
    return Recipe(
        tuple(Prompt(name, name.lower()) for name in names),
        tuple(Layer(name, action) for name, action in layers.items()),
        tuple(protect),
    )


def run(
    source: bytes,
    masks: Mapping[str, LabelMap],
    layers: Mapping[str, Action],
    protect: Sequence[str] = (),
    needs_model: Sequence[str] = (),
) -> PhotoResult:
    return process(source, recipe(layers, protect), ReplaySegmenter([(decode(source), masks)], needs_model))


def pixels(result: PhotoResult) -> np.ndarray:
    return decode(result.png).rgb


COFFEE = data.coffee()
SIZE = (400, 600)
CUP = block(SIZE, (60, 260, 180, 460))
LOGO = block(SIZE, (120, 180, 300, 520))


@pytest.mark.parametrize("photo", ["coffee", "chelsea", "astronaut"])
def test_outside_and_in_protection_every_byte_is_the_inputs(photo: str) -> None:
    rgb = getattr(data, photo)()
    size = rgb.shape[:2]
    rng = np.random.default_rng(1)
    blobs = cv2.GaussianBlur(rng.normal(size=(*size, 2)), (0, 0), 12)
    mask, protected = (blobs[..., 0] > 0.01).astype(np.uint16), (blobs[..., 1] > 0.02).astype(np.uint16)
    out = pixels(run(png(rgb), {"Wall": mask, "Logo": protected}, {"Wall": GREEN}, ["Logo"]))
    changed = (out != rgb).any(axis=2)
    own = ((mask > 0) & (protected == 0)).astype(np.uint8)
    away = cv2.distanceTransform(1 - own, cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    assert not changed[protected > 0].any()
    assert not changed[away > max(2, int(0.004 * max(size)))].any()
    assert changed[own > 0].mean() > 0.9


def test_a_coarse_mask_obeys_the_same_bounds() -> None:
    photo = Photo(COFFEE)
    prompt = Prompt("Cup", "cup")
    coarse = cv2.resize((CUP > 0).astype(np.float32), (72, 48), interpolation=cv2.INTER_AREA)
    found = [Segmentation(prompt, "found", 0.9, (Instance(0.9, (180, 60, 460, 260), coarse),), "sam3")]
    rendered = render(photo, found, recipe({"Cup": GREEN}), source="sam3")
    labels = cv2.imdecode(np.frombuffer(rendered.masks["Cup"], np.uint8), cv2.IMREAD_UNCHANGED)
    away = cv2.distanceTransform((labels == 0).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_PRECISE)
    changed = (rendered.photo.rgb != COFFEE).any(axis=2)
    assert not changed[away > 2].any()
    assert changed[100:220, 220:420].mean() > 0.95


def test_the_later_layer_has_an_overlap_and_protection_beats_both() -> None:
    masks = {"A": block(SIZE, (50, 250, 100, 350)), "B": block(SIZE, (150, 350, 250, 500)), "P": LOGO}
    alone = {
        name: pixels(run(png(COFFEE), {name: masks[name]}, {name: action}))
        for name, action in (("A", GREEN), ("B", BLUE))
    }
    overlap = (slice(190, 240), slice(260, 340))
    assert np.array_equal(pixels(run(png(COFFEE), masks, {"A": GREEN, "B": BLUE}))[overlap], alone["B"][overlap])
    assert np.array_equal(pixels(run(png(COFFEE), masks, {"B": BLUE, "A": GREEN}))[overlap], alone["A"][overlap])
    guarded = pixels(run(png(COFFEE), masks, {"A": GREEN, "B": BLUE}, ["P"]))
    assert np.array_equal(guarded[LOGO > 0], COFFEE[LOGO > 0])


def test_a_later_zero_tone_keeps_its_pixels_as_they_were() -> None:
    masks = {"A": block(SIZE, (50, 350, 50, 550)), "B": block(SIZE, (150, 250, 250, 400))}
    out = pixels(run(png(COFFEE), masks, {"A": GREEN, "B": Tone()}))
    assert np.array_equal(out[153:247, 253:397], COFFEE[153:247, 253:397])
    assert (out[60:140, 60:540] != COFFEE[60:140, 60:540]).any()


def test_zero_tone_is_the_identity() -> None:
    assert np.array_equal(pixels(run(png(COFFEE), {"Cup": CUP}, {"Cup": Tone()})), COFFEE)


def test_a_concept_that_is_absent_changes_nothing_and_says_so() -> None:
    result = run(png(COFFEE), {}, {"Window": GREEN}, ["Logo"])
    assert np.array_equal(pixels(result), COFFEE)
    assert result.warnings == (
        "Window is not in this photo; nothing was changed for it.",
        "Logo is not in this photo; there was nothing to protect.",
    )
    assert result.masks == {}


def test_a_concept_that_needs_the_model_is_a_warning_beside_one_that_does_not() -> None:
    result = run(png(COFFEE), {"Cup": CUP}, {"Window": GREEN, "Cup": BLUE}, ["Logo"], needs_model=["Window", "Logo"])
    assert result.warnings == (
        "Window cannot be found by the replay engine; it needs the SAM 3 model, so nothing was changed for it.",
        "Logo cannot be found by the replay engine; it needs the SAM 3 model, so it was not protected.",
    )
    assert (pixels(result) != COFFEE).any()


@pytest.mark.parametrize(
    ("names", "says"),
    [
        (["Door"], "Door cannot be found by the replay engine: the SAM 3 model is needed."),
        (["Door", "Window"], "Door and Window cannot"),
        (["Door", "Light", "Window"], "Door, Light and Window cannot"),
    ],
)
def test_where_every_concept_needs_the_model_the_photo_fails(names: list[str], says: str) -> None:
    with pytest.raises(NeedsModel, match=says):
        run(png(COFFEE), {"Cup": CUP}, dict.fromkeys(names, GREEN), ["Cup"], needs_model=names)


def test_a_needs_model_and_an_absent_concept_are_no_failure() -> None:
    result = run(png(COFFEE), {}, {"Door": GREEN, "Cup": GREEN}, needs_model=["Door"])
    assert np.array_equal(pixels(result), COFFEE)
    assert len(result.warnings) == 2


def test_a_concept_wholly_under_protection_changes_nothing_and_says_so() -> None:
    result = run(png(COFFEE), {"Cup": CUP, "Logo": CUP}, {"Cup": GREEN}, ["Logo"])
    assert np.array_equal(pixels(result), COFFEE)
    assert result.warnings == ("Cup lies wholly within what is protected; nothing was changed for it.",)


def test_a_find_without_a_single_pixel_is_as_good_as_absent() -> None:
    prompt = Prompt("Cup", "cup")
    faint = Segmentation(prompt, "found", 0.6, (Instance(0.6, (0, 0, 9, 9), np.full((9, 9), 0.3, np.float32)),), "sam3")
    rendered = render(Photo(COFFEE), [faint], recipe({"Cup": GREEN}), source="sam3")
    assert np.array_equal(rendered.photo.rgb, COFFEE)
    assert rendered.warnings == ("Cup is not in this photo; nothing was changed for it.",)


def test_what_a_later_layer_covers_does_not_tint_an_earlier_one() -> None:
    rgb = np.full((200, 200, 3), 150, np.uint8)
    rgb[20:180, 20:180] = 40
    masks = {"Floor": block((200, 200), (0, 200, 0, 200)), "Rug": block((200, 200), (20, 180, 20, 180))}
    out = pixels(run(png(rgb), masks, {"Floor": GREEN, "Rug": BLUE}))
    assert np.abs(out[5, 100].astype(int) - (40, 160, 60)).max() <= 1  # it goes on beyond the photo, as walls do
    assert out[100, 100].tolist() == [30, 50, 200]


def test_a_removed_thing_leaves_the_repainted_surface_behind() -> None:
    rgb = np.full((200, 200, 3), 150, np.uint8)
    rgb[80:110, 90:120] = 30
    masks = {"Wall": block((200, 200), (0, 200, 0, 200)), "Switch": block((200, 200), (80, 110, 90, 120))}
    masks["Wall"] = masks["Wall"] * (masks["Switch"] == 0)
    out = pixels(run(png(rgb), masks, {"Wall": GREEN, "Switch": Remove()}))
    assert np.abs(out.astype(int) - GREEN.target).max() <= 2


def test_only_the_instance_that_is_to_go_goes() -> None:
    rgb = np.full((120, 240, 3), 150, np.uint8)
    rgb[40:80, 40:80], rgb[40:80, 160:200] = (200, 30, 30), (30, 30, 200)
    masks = {"Window": block((120, 240), (40, 80, 40, 80), (40, 80, 160, 200))}
    plan = recipe({"Window": Tone()})
    plan = replace(plan, layers=(replace(plan.layers[0], overrides={1: Remove()}),))
    out = pixels(process(png(rgb), plan, ReplaySegmenter([(Photo(rgb), masks)])))
    assert np.abs(out[30:90, 30:90].astype(int) - 150).max() <= 2
    assert np.array_equal(out[:, 120:], rgb[:, 120:])


def test_nothing_protected_is_removed_with_a_thing() -> None:
    rng = np.random.default_rng(0)
    rgb = rng.integers(90, 110, (150, 150, 3), dtype=np.uint8)
    rgb[50:100, 50:100] = 220
    masks = {"Cabinet": block((150, 150), (50, 100, 50, 100)), "Handle": block((150, 150), (70, 74, 60, 104))}
    out = pixels(run(png(rgb), masks, {"Cabinet": Remove()}, protect=("Handle",)))
    kept = masks["Handle"] > 0
    assert np.array_equal(out[kept], rgb[kept])
    gone = (masks["Cabinet"] > 0) & ~cv2.dilate(kept.astype(np.uint8), np.ones((9, 9), np.uint8)).astype(bool)
    assert out[gone].max() < 130


def test_a_thing_that_fills_the_photo_stays_with_a_warning() -> None:
    rgb = np.full((100, 100, 3), 150, np.uint8)
    result = run(png(rgb), {"Wall": block((100, 100), (0, 100, 0, 100))}, {"Wall": Remove()})
    assert np.array_equal(pixels(result), rgb)
    assert result.warnings == (
        "Wall leaves too little of this photo around it to fill its place from; a part of it stays.",
    )


@pytest.mark.parametrize(
    "broken",
    [
        Recipe((), (Layer("Wall", GREEN),)),
        Recipe((), (), ("Logo",)),
        Recipe((), (), (), Refinement({"Wall": {1: "locked"}})),
        Recipe((), (), (), Refinement(exemplars=(Exemplar("Wall", (0, 0, 1, 1)),))),
        Recipe((), (), (), Refinement(planes=(Quad("Floor", ((0, 1), (1, 1), (1, 0), (0, 0))),))),
    ],
)
def test_a_recipe_without_its_prompts_is_a_programming_error(broken: Recipe) -> None:
    with pytest.raises(ValueError, match="no prompt for"):
        process(b"", broken, ReplaySegmenter([]))


def test_bad_photos_and_limits_come_through() -> None:
    with pytest.raises(BadPhoto):
        process(b"hello", recipe({"Wall": GREEN}), ReplaySegmenter([]))
    with pytest.raises(BadPhoto, match="too large"):
        process(png(COFFEE), recipe({"Wall": GREEN}), ReplaySegmenter([]), max_pixels=1000)


def test_masks_and_instances_are_reported() -> None:
    windows = block(SIZE, (10, 60, 20, 90), (100, 200, 300, 400))
    result = run(png(COFFEE), {"Window": windows, "Cup": CUP}, {"Window": GREEN, "Door": GREEN}, ["Cup"])
    assert set(result.masks) == {"Window", "Cup"}
    back = cv2.imdecode(np.frombuffer(result.masks["Window"], np.uint8), cv2.IMREAD_UNCHANGED)
    assert np.array_equal(back, windows)
    report = json.loads(result.instances)
    assert report["size"] == [600, 400]
    assert report["source"] == "replay"
    assert list(report["concepts"]) == ["Window", "Door", "Cup"]
    assert report["concepts"]["Door"] == {"status": "absent", "presence": 0.0, "instances": []}
    assert report["concepts"]["Window"]["instances"][1] == {
        "id": 2,
        "score": 1.0,
        "box": [300.0, 100.0, 400.0, 200.0],
        "area_px": 10_000,
        "state": "included",
    }


def test_more_than_255_instances() -> None:
    labels = np.zeros((60, 60), np.uint16)
    labels[::3, ::3] = np.arange(1, 401).reshape(20, 20)
    result = run(png(COFFEE[:60, :60]), {"Tile": labels}, {"Tile": GREEN})
    back = cv2.imdecode(np.frombuffer(result.masks["Tile"], np.uint8), cv2.IMREAD_UNCHANGED)
    assert back.dtype == np.uint16
    assert np.array_equal(back, labels)


def test_alpha_is_kept_and_orientation_applied() -> None:
    rgba = np.dstack([COFFEE, np.linspace(0, 255, 600).astype(np.uint8)[None].repeat(400, axis=0)])
    block_of_exif = Image.Exif()
    block_of_exif[0x0112] = 6
    source = png(rgba, exif=block_of_exif.tobytes())
    upright = decode(source)
    mask = block(upright.size, (50, 200, 50, 200))
    result = run(source, {"Cup": mask}, {"Cup": GREEN})
    out = decode(result.png)
    assert result.size == out.size == (600, 400)
    assert out.alpha is not None
    assert upright.alpha is not None
    assert np.array_equal(out.alpha, upright.alpha)
    assert decode(result.preview).size == (512, 341)


def test_one_pixel() -> None:
    result = run(png(np.full((1, 1, 3), 90, np.uint8)), {"Wall": np.ones((1, 1), np.uint16)}, {"Wall": GREEN})
    assert pixels(result).tolist() == [[[40, 160, 60]]]
    assert decode(result.preview).size == (1, 1)


def test_a_recipe_of_nothing_copies_the_photo() -> None:
    result = process(png(COFFEE), Recipe((), ()), ReplaySegmenter([]))
    assert np.array_equal(pixels(result), COFFEE)
    assert result.warnings == ()


def test_the_same_bytes_on_every_run() -> None:
    results = [run(png(COFFEE), {"Cup": CUP, "Logo": LOGO}, {"Cup": GREEN}, ["Logo"]) for _ in range(2)]
    assert results[0].png == results[1].png
    assert results[0].preview == results[1].preview
    assert results[0].masks == results[1].masks
    assert results[0].instances == results[1].instances


def test_every_photo_is_segmented_by_itself() -> None:
    photos = [Photo(COFFEE), Photo(COFFEE[:, ::-1].copy())]
    masks = [CUP, CUP[:, ::-1].copy()]
    player = ReplaySegmenter([(photo, {"Cup": mask}) for photo, mask in zip(photos, masks, strict=True)])
    plan = recipe({"Cup": GREEN})
    for photo, mask, found in zip(photos, masks, segment(photos, plan.prompts, player), strict=True):
        result = encode(render(photo, found, plan, source=player.name))
        back = cv2.imdecode(np.frombuffer(result.masks["Cup"], np.uint8), cv2.IMREAD_UNCHANGED)
        assert np.array_equal(back, mask)
    with pytest.raises(LookupError):
        segment([Photo(COFFEE[::-1].copy())], plan.prompts, player)


def test_a_replay_of_the_wrong_size_is_refused() -> None:
    with pytest.raises(ValueError, match="label map of Cup"):
        ReplaySegmenter([(Photo(COFFEE), {"Cup": CUP[:-1]})])


def test_the_input_photo_is_not_touched() -> None:
    photo = Photo(COFFEE.copy())
    player = ReplaySegmenter([(photo, {"Cup": CUP})])
    plan = recipe({"Cup": GREEN})
    (found,) = segment([photo], plan.prompts, player)
    render(photo, found, plan, source="replay")
    assert np.array_equal(photo.rgb, COFFEE)


def test_every_stage_is_timed() -> None:
    result = run(png(COFFEE), {"Cup": CUP}, {"Cup": GREEN})
    assert list(result.timings_ms) == ["decode", "segment", "matte", "apply", "encode"]
    assert all(took >= 0 for took in result.timings_ms.values())
