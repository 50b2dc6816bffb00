"""What the classical segmenter makes of the truth set's products, and that the truth about gloss is one."""

from __future__ import annotations

from functools import cache

import pytest
from _gloss import Case, cases, naive_gloss
from _logos import marked
from _truth import SCENES, Bits
from masks import ask, truth, union

CONCEPTS = ("product", "body", "background", "text")


@cache
def found(name: str) -> dict[str, Bits]:
    """(H, W) masks of a product's base photo, once a session."""
    rgb = SCENES[name].base()
    return {concept: union(answer.instances, rgb.shape[:2]) for concept, answer in ask(rgb, *CONCEPTS).items()}


@cache
def gloss(name: str, look: str) -> tuple[Case, Bits]:
    """A surface in a paint, and what is found to shine."""
    case = next(case for case in cases([name]) if case.name.endswith(f", {look}"))
    answer = ask(case.rgb, "highlight")["highlight"]
    return case, union(answer.instances, case.rgb.shape[:2])


@pytest.mark.parametrize(("name", "concept", "least"), [
    ("tin", "product", 0.97), ("tin", "body", 0.93), ("tin", "text", 0.8),
    ("jug", "product", 0.94),
    ("radio", "product", 0.95), ("radio", "text", 0.7),
])  # fmt: skip
def test_products_on_plain_ground(name: str, concept: str, least: float) -> None:
    mine, (theirs, decided) = found(name)[concept], truth(SCENES[name], concept)
    assert (mine & theirs & decided).sum() >= least * ((mine | theirs) & decided).sum()


def test_a_product_on_boards_before_a_wall_is_found_and_called_unsure() -> None:
    for concept, least in (("product", 0.8), ("body", 0.75), ("background", 0.9)):
        mine, (theirs, decided) = found("vase")[concept], truth(SCENES["vase"], concept)
        assert (mine & theirs & decided).sum() >= least * ((mine | theirs) & decided).sum()
    assert all(0.35 < answer.presence < 0.8 for answer in ask(SCENES["vase"].base(), "product", "background").values())


@pytest.mark.parametrize(("name", "paint", "mark"), [
    ("tin", "near_white", "ring"), ("tin", "saturated", "peaks"), ("jug", "light", "star"), ("radio", "dark", "star"),
])  # fmt: skip
def test_a_printed_mark_is_found_to_its_edge_and_is_no_text_nor_gloss(name: str, paint: str, mark: str) -> None:
    case = marked(name, paint, mark)
    logo, text, shine = ask(case.rgb, "logo", "text", "highlight").values()
    mine = union(logo.instances, case.logo.shape)
    assert 0.5 < logo.presence < 0.8
    assert (mine & case.logo).sum() > 0.88 * (mine | case.logo).sum()
    for other in (text, shine):
        assert not (union(other.instances, case.logo.shape) & case.logo).any()


@pytest.mark.parametrize("name", ["tin", "jug", "radio"])
def test_where_no_logo_is_plainly_seen_a_model_is_asked_for(name: str) -> None:
    """Lamps in the glaze, a dial, knobs, print."""
    answer = ask(SCENES[name].base(), "logo")["logo"]
    assert (answer.status, answer.instances) == ("needs_model", ())


@pytest.mark.parametrize(("name", "look", "tone"), [
    ("jug", "base", "dark"), ("jug", "near_white", "white"), ("radio", "base", "coloured"), ("radio", "dark", "dark"),
])  # fmt: skip
def test_mirrored_lamps_are_found_in_every_paint(name: str, look: str, tone: str) -> None:
    case, mask = gloss(name, look)
    assert case.tone == tone
    assert (mask & case.shines).sum() > 0.9 * case.shines.sum() > 1000
    assert (mask & case.dull).sum() < 0.006 * case.dull.sum()


@pytest.mark.parametrize("name", ["vase", "study"])
def test_matte_white_paint_is_not_taken_for_gloss(name: str) -> None:
    case, mask = gloss(name, "near_white")
    assert case.tone == "white"
    assert not case.shines.any()
    assert (mask & case.dull).sum() < 0.002 * case.dull.sum()


def test_the_peer_takes_sunlit_white_paint_for_gloss() -> None:
    shares = [float((naive_gloss(case.rgb) & case.dull).sum() / case.dull.sum()) for case in cases(["study"])]
    assert max(shares) > 0.02
