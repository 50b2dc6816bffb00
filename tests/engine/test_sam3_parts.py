"""The parts of the SAM 3 adapter, each against its definition."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from engine.segment.sam3 import Sam3Options, Sam3Unavailable, find_weights
from engine.segment.sam3.backend import BoxPrompts, TextFeatures
from engine.segment.sam3.limits import SizeLimit, fitting
from engine.segment.sam3.load import compile_mode, load_sam3
from engine.segment.sam3.postprocess import distinct, instances_of, one_claim
from engine.segment.sam3.preprocess import box_prompts, normalise, to_photo_box, to_square
from engine.segment.sam3.roi_align import roi_align
from engine.types import Exemplar, Instance, Prompt, Segmentation

from ._sam3 import backend, photo, prompts, save_tiny


def theirs(pixels: torch.Tensor, text: TextFeatures, boxes: torch.Tensor, labels: torch.Tensor) -> Any:
    """`Sam3Model.forward` itself; a padded box (-10) leaves the CLS token alone, as Meta's code does without boxes."""
    with torch.no_grad():
        return backend().model(
            pixel_values=normalise(pixels),
            text_embeds=SimpleNamespace(pooler_output=text.tokens),
            attention_mask=text.valid.long(),
            input_boxes=boxes,
            input_boxes_labels=labels,
        )


@pytest.mark.parametrize("labels", [[[-10, -10]], [[1, -10]], [[1, 0]]])
def test_the_head_gives_what_the_librarys_own_forward_gives(labels: list[list[int]]) -> None:
    pixels = torch.randint(0, 256, (2, 3, 112, 112), dtype=torch.uint8, generator=torch.Generator().manual_seed(1))
    photos = torch.tensor([0, 0, 1, 1])
    text = backend().encode_text(["wall", "light switch", "door", "a very long name of a thing " * 9])
    label = torch.tensor(labels).expand(4, -1)
    boxes = torch.tensor([[0.4, 0.5, 0.3, 0.2], [0.7, 0.2, 0.1, 0.3]]).expand(4, -1, -1) * (label != -10)[..., None]
    used = int((label[0] != -10).sum())
    asked = BoxPrompts(boxes[:, :used], label[:, :used] == 1, torch.ones(4, used, dtype=torch.bool))
    ours = backend().detect(backend().encode_images(pixels), photos, text, asked)
    out = theirs(pixels[photos], text, boxes, label)
    torch.testing.assert_close(ours.presence, out.presence_logits.sigmoid().squeeze(-1), atol=1e-5, rtol=0)
    torch.testing.assert_close(ours.boxes, out.pred_boxes, atol=1e-5, rtol=0)
    scores = out.pred_logits.sigmoid() * out.presence_logits.sigmoid()
    torch.testing.assert_close(ours.scores, scores, atol=1e-5, rtol=0)
    pairs, queries = torch.tensor([0, 0, 2, 3]), torch.tensor([3, 7, 0, 19])
    torch.testing.assert_close(ours.masks(pairs, queries), out.pred_masks[pairs, queries], atol=1e-5, rtol=1e-5)


def by_the_book(features: np.ndarray, box: list[float], bins: int) -> np.ndarray:
    """RoIAlign as published: bilinear samples, averaged a bin; no half-pixel offset, one pixel at least."""
    height, width = features.shape[1:]
    x0, y0 = box[0], box[1]
    w, h = max(box[2] - x0, 1.0), max(box[3] - y0, 1.0)
    nx, ny = math.ceil(w / bins), math.ceil(h / bins)

    def at(y: float, x: float) -> np.ndarray:
        if y < -1 or y > height or x < -1 or x > width:
            return np.zeros(len(features))
        y, x = min(max(y, 0), height - 1), min(max(x, 0), width - 1)
        top, left = int(y), int(x)
        down, right = min(top + 1, height - 1), min(left + 1, width - 1)
        fy, fx = y - top, x - left
        upper = features[:, top, left] * (1 - fx) + features[:, top, right] * fx
        lower = features[:, down, left] * (1 - fx) + features[:, down, right] * fx
        return upper * (1 - fy) + lower * fy

    out = np.zeros((len(features), bins, bins))
    for r in range(bins):
        for c in range(bins):
            ys = [y0 + h / bins * (r + (i + 0.5) / ny) for i in range(ny)]
            xs = [x0 + w / bins * (c + (i + 0.5) / nx) for i in range(nx)]
            out[:, r, c] = np.mean([at(y, x) for y in ys for x in xs], axis=0)
    return out


@pytest.mark.parametrize(
    "box", [[2, 3, 9, 11], [0, 0, 12, 10], [4.3, 4.1, 4.5, 4.2], [-3, -2, 5, 4], [8, 7, 15, 14], [1.5, 0.25, 11, 2]]
)
def test_roi_align_is_the_published_one(box: list[float]) -> None:
    features = torch.randn(2, 3, 10, 12, generator=torch.Generator().manual_seed(0))
    pooled = roi_align(features, torch.tensor([[box], [box]]), 7)
    assert pooled.shape == (2, 3, 7, 7)
    for row in range(2):
        np.testing.assert_allclose(pooled[row], by_the_book(features[row].numpy(), box, 7), atol=1e-5)


@pytest.mark.parametrize("size", [(90, 140), (400, 250), (30, 20), (112, 112)])
def test_the_square_is_resampled_as_the_reference_does(size: tuple[int, int]) -> None:
    """torchvision's uint8 resize follows Pillow's antialiased bilinear to one level."""
    seen = photo(3, size)
    square = to_square(seen, 112).permute(1, 2, 0).numpy().astype(int)
    pillow = np.asarray(Image.fromarray(seen.rgb).resize((112, 112), Image.Resampling.BILINEAR)).astype(int)
    assert np.abs(square - pillow).max() <= 1


def test_pixels_are_normalised_about_a_half() -> None:
    values = normalise(torch.tensor([0, 51, 255], dtype=torch.uint8))
    torch.testing.assert_close(values, torch.tensor([-1.0, -0.6, 1.0]))


@pytest.mark.parametrize("size", [(3000, 4000), (4001, 17), (1, 1)])
def test_a_box_comes_back_from_the_square_exactly(size: tuple[int, int]) -> None:
    height, width = size
    box = (width * 0.125, height * 0.25, width * 0.75, height * 1.0)
    made = box_prompts([[Exemplar("A", (0.125, 0.25, 0.75, 1.0))]])
    cx, cy, w, h = made.boxes[0, 0].tolist()
    back = to_photo_box((cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2), size)
    assert back == pytest.approx(box, rel=1e-6)


def test_boxes_are_padded_and_cut_at_the_edge() -> None:
    shown = [Exemplar("A", (-0.05, 0.05, 1.25, 0.5), False), Exemplar("A", (0, 0, 0.1, 0.1))]
    made = box_prompts([shown, [], shown[1:]])
    assert made.valid.tolist() == [[True, True], [False, False], [True, False]]
    assert made.positive.tolist() == [[False, True], [False, False], [True, False]]
    assert made.boxes[0, 0].tolist() == pytest.approx([0.5, 0.275, 1.0, 0.45])
    assert box_prompts([[], []]).boxes.shape == (2, 0, 4)


def square_mask(y: int, x: int, side: int = 6) -> torch.Tensor:
    logits = torch.full((16, 16), -5.0)
    logits[y : y + side, x : x + side] = 5.0
    return logits


def detection(scores: list[float], masks: list[torch.Tensor]) -> Any:
    stacked = torch.stack(masks)[None]
    return SimpleNamespace(
        presence=torch.tensor([0.9]),
        scores=torch.tensor([scores]),
        boxes=torch.tensor([[[0.0, 0.25, 0.5, 1.5]] * len(scores)]),
        masks=lambda pairs, queries: stacked[pairs, queries],
    )


def test_equal_scores_are_ordered_top_then_left_whatever_the_query() -> None:
    places = [(8, 1), (1, 9), (1, 2), (8, 8)]
    for order in ([0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1]):
        scores = [0.7 + 1e-6 * k for k in range(4)]  # noise of another batch
        (found,) = instances_of(detection(scores, [square_mask(*places[k]) for k in order]), [(32, 32)], Sam3Options())
        corners = [tuple(np.argwhere(instance.mask >= 0.5)[0]) for instance in found]
        assert corners == [(1, 2), (1, 9), (8, 1), (8, 8)]


def test_the_better_of_two_that_are_one_stays() -> None:
    masks = [square_mask(2, 2), square_mask(2, 2), square_mask(9, 9), torch.full((16, 16), -1.0)]
    (found,) = instances_of(detection([0.6, 0.8, 0.55, 0.9], masks), [(100, 200)], Sam3Options())
    assert [instance.score for instance in found] == [0.8, 0.55]
    assert found[0].box == (0.0, 25.0, 100.0, 100.0)


def test_the_threshold_is_strict_and_empty_is_empty() -> None:
    (found,) = instances_of(detection([0.5, 0.2], [square_mask(1, 1), square_mask(8, 8)]), [(9, 9)], Sam3Options())
    assert found == ()


def test_suppression_is_greedy() -> None:
    a, b, c = square_mask(0, 0, 10) > 0, square_mask(0, 2, 10) > 0, square_mask(0, 4, 10) > 0
    assert distinct(torch.stack([a, b, c]), 0.5).tolist() == [0, 2]
    assert distinct(torch.stack([b, a, c]), 0.5).tolist() == [0]
    assert distinct(torch.zeros(0, 4, 4, dtype=torch.bool), 0.5).tolist() == []


def claim(
    concept: str, score: float, at: tuple[int, int], several: bool = True, protected: bool = False
) -> Segmentation:
    mask = (square_mask(*at) > 0).numpy().astype(np.float32)
    prompt = Prompt(concept, concept, several=several, protected=protected)
    return Segmentation(prompt, "found", 0.9, (Instance(score, (0, 0, 1, 1), mask),), "sam3")


@pytest.mark.parametrize(
    ("answers", "kept"),
    [
        ([claim("Window", 0.8, (2, 2)), claim("Door", 0.7, (2, 2))], ["Window"]),
        ([claim("Window", 0.6, (2, 2)), claim("Door", 0.7, (2, 2))], ["Door"]),
        ([claim("Window", 0.7, (2, 2)), claim("Door", 0.7, (2, 2))], ["Window"]),
        ([claim("Window", 0.8, (2, 2)), claim("Door", 0.7, (8, 8))], ["Window", "Door"]),
        ([claim("Product", 0.8, (2, 2), False), claim("Logo", 0.7, (2, 2))], ["Product", "Logo"]),
        ([claim("Window", 0.8, (2, 2)), claim("Door", 0.7, (2, 2), protected=True)], ["Window", "Door"]),
        ([claim("Window", 0.7, (2, 2)), claim("Door", 0.8, (2, 2), protected=True)], ["Door"]),
    ],
)
def test_one_thing_is_claimed_by_one_concept(answers: list[Segmentation], kept: list[str]) -> None:
    left = one_claim(answers, 0.85)
    assert [answer.prompt.concept for answer in left if answer.instances] == kept
    assert [answer.status == "found" for answer in left] == [bool(answer.instances) for answer in left]


def test_a_layer_of_pixels_claims_nothing() -> None:
    """Its masks have another size: the classical finder's."""
    gloss = Segmentation(
        Prompt("Gloss", None, "highlight", several=True),
        "found",
        0.9,
        (Instance(0.99, (0, 0, 1, 1), np.ones((9, 7), np.float32)),),
        "classical",
    )
    answers = [gloss, claim("Window", 0.8, (2, 2)), claim("Door", 0.7, (2, 2))]
    assert [len(answer.instances) for answer in one_claim(answers, 0.85)] == [1, 1, 0]


def test_out_of_memory_halves_the_part_and_goes_on() -> None:
    limit, sizes = SizeLimit(8), []

    def work(part: Any) -> list[int]:
        sizes.append(len(part))
        if len(part) > 2:
            raise torch.OutOfMemoryError("too much")
        return [item * 10 for item in part]

    assert limit.run(range(9), work) == [k * 10 for k in range(9)]
    assert sizes == [8, 4, 2, 2, 2, 2, 1]
    assert limit.size == 2


def test_one_that_does_not_fit_alone_is_an_error() -> None:
    def work(part: Any) -> list[int]:
        raise torch.OutOfMemoryError("too much")

    with pytest.raises(torch.OutOfMemoryError):
        SizeLimit(4).run([1, 2, 3], work)


@pytest.mark.parametrize(("free", "each", "size"), [(10_000, 1000, 8), (5000, 1000, 4), (10, 1000, 1), (10**9, 1, 16)])
def test_the_batch_follows_the_free_memory(free: int, each: int, size: int) -> None:
    assert fitting(free, each, 16) == size


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "gated"),
        ({"weights": "nowhere"}, "no file, no folder and no hub id"),
        ({"weights": "{here}/model.bin"}, "give sam3.pt"),
        ({"weights": "{here}/empty"}, "does not have config.json"),
        ({"weights": "{here}/sam3.pt"}, "S3P_SAM3_BPE"),
        ({"weights": "{here}/sam3.pt", "bpe": "{here}/none.gz"}, "no such file"),
        ({"weights": "{here}/sam3.pt", "backend": "transformers"}, "S3P_SAM3_BACKEND=official"),
        ({"weights": "facebook/sam3", "backend": "official"}, "download sam3.pt"),
        ({"weights": "{here}/empty", "backend": "official"}, "does not have sam3.pt"),
    ],
)
def test_what_is_missing_is_one_sentence(tmp_path: Path, given: dict[str, str], says: str) -> None:
    (tmp_path / "empty").mkdir()
    for name in ("sam3.pt", "model.bin"):
        (tmp_path / name).touch()
    options = Sam3Options(**{name: value.format(here=tmp_path) for name, value in given.items()})  # type: ignore[arg-type]
    with pytest.raises(Sam3Unavailable, match=says) as refusal:
        find_weights(options)
    assert "\n" not in str(refusal.value)


def test_the_official_package_is_named_with_its_extra(tmp_path: Path) -> None:
    for name in ("sam3.pt", "bpe.gz"):
        (tmp_path / name).touch()
    options = Sam3Options(weights=str(tmp_path), bpe=str(tmp_path / "bpe.gz"))
    with pytest.raises(Sam3Unavailable, match=r"sam3-official"):
        find_weights(options)


def test_a_damaged_folder_is_one_sentence(tmp_path: Path) -> None:
    save_tiny(tmp_path)
    (tmp_path / "model.safetensors").write_bytes(b"nothing")
    with pytest.raises(Sam3Unavailable, match="cannot be loaded"):
        load_sam3(Sam3Options(weights=str(tmp_path), device="cpu"))


def test_no_cuda_is_one_sentence(tmp_path: Path) -> None:
    if torch.cuda.is_available():
        pytest.skip("there is CUDA here")
    with pytest.raises(Sam3Unavailable, match="finds no CUDA"):
        load_sam3(Sam3Options(weights=str(save_tiny(tmp_path)), device="cuda"))


def test_nothing_is_compiled_on_the_cpu_unless_asked() -> None:
    assert compile_mode(Sam3Options(), torch.device("cpu")) is None
    assert compile_mode(Sam3Options(compile="default"), torch.device("cpu")) == "default"
    assert compile_mode(Sam3Options(compile="off"), torch.device("cuda")) is None


@pytest.fixture
def broken_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(graph: Any, inputs: Any) -> Any:
        raise OSError("no compiler here")

    real = torch.compile
    monkeypatch.setattr(torch, "compile", lambda module, **_: real(module, backend=broken))


@pytest.mark.usefixtures("broken_compiler")
def test_a_model_that_cannot_be_compiled_runs_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(
        "engine.segment.sam3.load.compile_mode", lambda options, _: {"auto": "default"}.get(options.compile)
    )
    loaded = load_sam3(Sam3Options(weights=str(save_tiny(tmp_path)), device="cpu"))
    assert "runs as it is" in caplog.text
    assert len(loaded.answer([loaded.prepare(photo(1), prompts(2))])[0]) == 2


@pytest.mark.usefixtures("broken_compiler")
def test_a_compilation_that_was_asked_for_and_fails_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(Sam3Unavailable, match="S3P_SAM3_COMPILE=off") as refusal:
        load_sam3(Sam3Options(weights=str(save_tiny(tmp_path)), device="cpu", compile="default"))
    assert "\n" not in str(refusal.value)


def test_asking_whether_sam3_is_there_does_not_import_torch() -> None:
    code = "import sys, engine.segment.sam3; sys.exit('torch' in sys.modules)"
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    assert subprocess.run([sys.executable, "-c", code], env=environment, check=False).returncode == 0
