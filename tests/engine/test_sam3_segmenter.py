"""The SAM 3 segmenter on a tiny model with random weights: the real code of every step, on the CPU."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.pipeline import process, segment
from engine.segment.classical import ClassicalSegmenter
from engine.segment.sam3 import Sam3Options, load_sam3
from engine.segment.sam3.random_weights import random_backend, random_model
from engine.segment.sam3.segmenter import Sam3Segmenter
from engine.segment.sam3.transformers_backend import TransformersBackend
from engine.types import Exemplar, Layer, Prompt, Recipe, Recolor

from ._sam3 import LENIENT, assert_same, backend, photo, prompts, save_tiny, segmenter

HIGHLIGHT = Prompt("Gloss", None, "highlight")


@pytest.mark.parametrize("count", [1, 40])
def test_all_concepts_in_one_pass_answer_as_one_by_one(count: int) -> None:
    asked, seen = prompts(count), photo(1)
    model = segmenter()
    (features,) = model.encode_images([seen])
    together = model.segment(features, asked, model.encode_text(asked))
    alone = [model.segment(features, [p], model.encode_text([p]))[0] for p in asked]
    assert len(together) == count
    assert any(answer.instances for answer in together)
    assert_same(together, alone)


def test_photos_of_a_batch_answer_as_one_by_one() -> None:
    photos = [photo(1), photo(2, (140, 60)), photo(3, (112, 112)), photo(4, (31, 200))]
    asked = [prompts(3), prompts(1), prompts(5), prompts(2)]
    model = segmenter()
    batch = model.answer([model.prepare(p, a) for p, a in zip(photos, asked, strict=True)])
    for seen, wanted, answers in zip(photos, asked, batch, strict=True):
        assert_same(answers, model.answer([model.prepare(seen, wanted)])[0])


@pytest.mark.parametrize("options", [{"max_batch": 1}, {"max_batch": 2, "max_pairs": 1}, {"max_pairs": 4}])
def test_the_size_of_the_parts_changes_nothing(options: dict[str, int]) -> None:
    photos, asked = [photo(k) for k in range(3)], prompts(3)
    small, large = segmenter(replace(LENIENT, **options)), segmenter()
    one = small.answer([small.prepare(p, asked) for p in photos])
    other = large.answer([large.prepare(p, asked) for p in photos])
    for a, b in zip(one, other, strict=True):
        assert_same(a, b)


def test_the_port_and_the_batch_give_the_same() -> None:
    asked = [*prompts(2), HIGHLIGHT]
    model = segmenter()
    assert_same(segment([photo(5)], asked, model)[0], model.answer([model.prepare(photo(5), asked)])[0])


def test_a_cached_text_is_the_fresh_one() -> None:
    model, asked = segmenter(), prompts(4)
    cached = model.encode_text(asked[:3]) and model.encode_text(asked)
    fresh = segmenter().encode_text(asked)
    for one, other in zip(cached, fresh, strict=True):
        assert one is not None
        assert other is not None
        torch.testing.assert_close(one.tokens, other.tokens, atol=1e-6, rtol=0)
        assert torch.equal(one.valid, other.valid)


def test_a_text_is_encoded_once_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []
    own, real = random_backend("tiny"), backend().encode_text
    monkeypatch.setattr(own, "encode_text", lambda texts: seen.extend(texts) or real(texts))
    model = Sam3Segmenter(own, LENIENT)
    asked = [*prompts(3), replace(prompts(1)[0], concept="Other")]
    for seed in range(3):
        model.answer([model.prepare(photo(seed), asked)])
    assert seen == [p.text for p in prompts(3)]


def test_order_is_by_score_then_position_and_the_same_on_every_run() -> None:
    model = segmenter()
    first, second = ([model.answer([model.prepare(photo(7), prompts(2))])[0]] for _ in range(2))
    for answer in first[0]:
        keys = []
        for instance in answer.instances:
            ys, xs = np.nonzero(instance.mask >= 0.5)
            keys.append((-instance.score, ys.min(), xs.min()))
        assert len(keys) > 3
        assert keys == sorted(keys)
    assert_same(first[0], second[0], 0)


def test_presence_gates_a_concept() -> None:
    asked = prompts(1)
    sure = segmenter().answer([segmenter().prepare(photo(1), asked)])[0][0]
    strict = segmenter(replace(LENIENT, threshold=sure.presence))
    answer = strict.answer([strict.prepare(photo(1), asked)])[0][0]
    assert sure.instances
    assert (answer.status, answer.instances) == ("absent", ())
    assert answer.presence == pytest.approx(sure.presence)
    assert all(instance.score <= sure.presence for instance in sure.instances)


def test_an_absent_concept_costs_no_masks(monkeypatch: pytest.MonkeyPatch) -> None:
    own = random_backend("tiny")
    model = Sam3Segmenter(own, replace(LENIENT, threshold=0.999))
    monkeypatch.setattr(own.model.mask_decoder.pixel_decoder, "forward", None)
    assert {a.status for a in model.answer([model.prepare(photo(1), prompts(3))])[0]} == {"absent"}


def test_boxes_and_masks_are_those_of_the_photo() -> None:
    model, size = segmenter(), (60, 170)
    for answer in model.answer([model.prepare(photo(2, size), prompts(3))])[0]:
        for instance in answer.instances:
            x0, y0, x1, y1 = instance.box
            assert 0 <= x0 <= x1 <= size[1]
            assert 0 <= y0 <= y1 <= size[0]
            assert instance.mask.shape == (32, 32)
            assert instance.mask.dtype == np.float32
            assert 0 <= instance.mask.min() <= instance.mask.max() <= 1
            assert instance.mask.max() >= 0.5


@pytest.mark.parametrize("positive", [True, False])
def test_a_box_changes_its_own_concept_only(positive: bool) -> None:
    asked, seen, model = prompts(3), photo(3), segmenter()
    shown = [Exemplar("C1", (0.15, 0.1, 0.6, 0.8), positive)]
    plain = model.answer([model.prepare(seen, asked)])[0]
    refined = model.answer([model.prepare(seen, asked, shown)])[0]
    assert_same([plain[0], plain[2]], [refined[0], refined[2]])
    assert plain[1].presence != pytest.approx(refined[1].presence, abs=1e-4)


def test_boxes_of_different_numbers_share_a_pass() -> None:
    asked, seen, model = prompts(3), photo(3), segmenter()
    shown = [
        Exemplar("C0", (0.05, 0.05, 0.4, 0.55)),
        Exemplar("C0", (0.5, 0.2, 0.9, 0.9), False),
        Exemplar("C2", (0, 0, 1, 1)),
    ]
    (features,) = model.encode_images([seen])
    together = model.segment(features, asked, model.encode_text(asked), shown)
    alone = [model.segment(features, [p], model.encode_text([p]), shown)[0] for p in asked]
    assert_same(together, alone)


def test_a_positive_and_a_negative_box_differ() -> None:
    asked, model = prompts(1), segmenter()
    yes, no = (
        model.answer([model.prepare(photo(3), asked, [Exemplar("C0", (0.15, 0.1, 0.6, 0.8), label)])])[0][0]
        for label in (True, False)
    )
    assert yes.presence != pytest.approx(no.presence, abs=1e-5)


def test_highlights_come_from_the_pixels() -> None:
    seen, asked = photo(9, (200, 300)), prompts(1)
    model, classical = segmenter(replace(LENIENT, threshold=0.99)), ClassicalSegmenter()
    before, gloss, after = model.answer([model.prepare(seen, [asked[0], HIGHLIGHT, asked[0]])])[0]
    (own,) = segment([seen], [HIGHLIGHT], classical)[0]
    assert [before.source, gloss.source, after.source] == ["sam3", "classical", "sam3"]
    assert (gloss.prompt, gloss.status, gloss.presence) == (HIGHLIGHT, own.status, own.presence)
    assert len(gloss.instances) == len(own.instances)


def test_nothing_asked_is_nothing_answered() -> None:
    model = segmenter()
    assert model.answer([model.prepare(photo(1), []), model.prepare(photo(2), prompts(1))])[0] == []
    assert model.answer([]) == []


def test_a_weights_folder_gives_what_the_model_gave(tmp_path: Path) -> None:
    loaded = load_sam3(replace(LENIENT, weights=str(save_tiny(tmp_path)), device="cpu"))
    again = load_sam3(replace(LENIENT, weights=str(tmp_path), device="cpu"))
    asked = prompts(3)
    assert_same(*(m.answer([m.prepare(photo(1), asked)])[0] for m in (loaded, again)))
    loaded.check()


@pytest.mark.parametrize("shown", [[], [Exemplar("C1", (0.15, 0.1, 0.6, 0.8))]])
def test_half_precision_is_near_the_full_one(shown: list[Exemplar]) -> None:
    """What runs on CUDA, types included, on the CPU's bfloat16."""
    half = Sam3Segmenter(random_backend("tiny", half=True), LENIENT)
    asked = prompts(3)
    one, other = (m.answer([m.prepare(photo(1), asked, shown)])[0] for m in (half, segmenter()))
    for a, b in zip(one, other, strict=True):
        assert a.presence == pytest.approx(b.presence, abs=0.02)
        assert a.status == b.status == "found"
        assert a.instances[0].mask.dtype == np.float32


def test_weights_stored_in_half_give_what_autocast_gives() -> None:
    stored = random_backend("tiny", half=True)
    cast = TransformersBackend(random_model("tiny"), stored.tokenize, stored.device, half=False)
    cast._half = True
    pixels = torch.randint(0, 256, (2, 3, 112, 112), dtype=torch.uint8)
    assert stored.model.vision_encoder.backbone.layers[0].mlp.fc1.weight.dtype == torch.bfloat16
    for a, b in zip(stored.encode_images(pixels).levels, cast.encode_images(pixels).levels, strict=True):
        assert torch.equal(a, b)
    assert torch.equal(stored.encode_text(["wall"]).tokens, cast.encode_text(["wall"]).tokens)


def test_the_compiled_vision_encoder_is_one_graph_and_gives_the_same() -> None:
    plain = backend()
    own = random_backend("tiny")
    # Inductor needs a C compiler; that the graph is captured whole and the batch is padded does not.
    own._vision, own._compiled = torch.compile(own.model.vision_encoder, fullgraph=True, backend="eager"), True
    pixels = torch.randint(0, 256, (3, 3, 112, 112), dtype=torch.uint8)
    one, other = own.encode_images(pixels), plain.encode_images(pixels)
    assert len(one) == 3
    for a, b in zip(one.levels, other.levels, strict=True):
        torch.testing.assert_close(a, b, atol=1e-5, rtol=0)


def test_a_whole_photo_goes_through_the_pipeline() -> None:
    from engine.image_io import encode_png

    seen, asked = photo(1), prompts(2)
    recipe = Recipe(tuple(asked), (Layer("C0", Recolor((40, 160, 60))),), ("C1",))
    result = process(encode_png(seen.rgb), recipe, segmenter(Sam3Options(threshold=0.3)))
    assert result.size == seen.size
    assert set(result.masks) <= {"C0", "C1"}
