"""Overlays and contact sheets: what is drawn where."""

from __future__ import annotations

import json

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from s3palette.sheets import (
    AlbumRule,
    PhotoView,
    Row,
    Swatch,
    concept_colours,
    contact_sheet,
    found_words,
    overlay,
    thumbnail,
    with_legend,
)
from s3palette.sheets._lettering import fitted, text_width, writable
from s3palette.sheets.contact import CELL

RECOLOR = {"action": "recolor", "value": "oak_a"}


def grey(height: int = 120, width: int = 160) -> NDArray[np.uint8]:
    return np.full((height, width, 3), 128, np.uint8)


def left_half(height: int = 120, width: int = 160) -> NDArray[np.uint16]:
    labels = np.zeros((height, width), np.uint16)
    labels[:, : width // 2] = 1
    return labels


def png(labels: NDArray[np.uint16]) -> bytes:
    encoded: bytes = cv2.imencode(".png", labels.astype(np.uint8))[1].tobytes()
    return encoded


def report(**concepts: list[float]) -> bytes:
    return json.dumps(
        {
            "concepts": {
                name: {
                    "status": "found" if scores else "absent",
                    "presence": max(scores, default=0.0),
                    "instances": [{"id": k, "score": score} for k, score in enumerate(scores, 1)],
                }
                for name, scores in concepts.items()
            }
        }
    ).encode()


def test_each_concept_has_a_colour_of_its_own() -> None:
    names = [f"c{k}" for k in range(14)]
    colours = concept_colours([*names, "c0"])
    assert list(colours) == names
    assert len(set(colours.values())) == 14


def test_the_tint_lies_inside_the_mask_only() -> None:
    photo = grey()
    picture = overlay(photo, {"Wall": left_half()}, {"Wall": (255, 0, 0)})
    assert np.array_equal(photo, grey())
    inside, outside = picture[60, 30], picture[60, 130]
    assert inside[0] > inside[1] + 60
    assert outside[0] == outside[1] == outside[2]


def test_borders_between_instances_are_drawn_in_the_full_colour() -> None:
    labels = np.ones((120, 160), np.uint16)
    labels[:, 80:] = 2
    picture = overlay(grey(), {"Window": labels}, {"Window": (0, 200, 0)})
    assert tuple(picture[60, 80]) == (0, 200, 0)
    assert tuple(picture[60, 40]) != (0, 200, 0)


def test_protected_concepts_are_striped_and_lie_on_top() -> None:
    colours = {"Wall": (255, 0, 0), "Grout": (0, 0, 255)}
    everywhere = np.ones((120, 160), np.uint16)
    picture = overlay(grey(), {"Grout": everywhere, "Wall": everywhere}, colours, protected=["Grout"]).astype(int)
    redder = picture[20:100, 20:140, 0] > picture[20:100, 20:140, 2]
    assert 0.3 < redder.mean() < 0.7


def test_label_maps_of_another_size_are_stretched() -> None:
    picture = overlay(grey(), {"Wall": left_half(30, 40)}, {"Wall": (255, 0, 0)})
    assert picture[60, 30, 0] > picture[60, 30, 1]
    assert picture[60, 130, 0] == picture[60, 130, 1]


@pytest.mark.parametrize("count", [1, 14])
def test_a_legend_goes_under_the_picture_and_wraps(count: int) -> None:
    entries = [Swatch(f"Concept number {k}", (9, 9, 9)) for k in range(count)]
    image = with_legend(grey(300, 400), entries)
    assert np.array_equal(np.asarray(image)[:300], grey(300, 400))
    assert (np.asarray(image)[300:] == 9).all(axis=2).any()
    assert (image.height > 400) == (count == 14)


@pytest.mark.parametrize(
    ("size", "expected"),
    [((900, 1200), (480, 640)), ((2000, 500), (480, 120)), ((100, 50), (100, 50)), ((1, 4000), (1, 640))],
)
def test_thumbnails_fit_their_cell(size: tuple[int, int], expected: tuple[int, int]) -> None:
    assert thumbnail(np.zeros((*size, 3), np.uint8)).shape[:2] == expected


def test_the_sheet_shows_every_picture_in_its_column() -> None:
    pictures = tuple(np.full((480, 640, 3), value, np.uint8) for value in (10, 120, 200))
    rows = [Row(pictures, "one.jpg", (Swatch("Wall 0.91", (1, 2, 3)),), ("a warning",)), Row(pictures, "거실.jpg")]
    sheet = np.asarray(contact_sheet("Title", ("A", "B", "C"), rows, [Swatch("Wall", (9, 8, 7))]))
    assert sheet.shape[1] == 2 * 64 + 3 * CELL[0] + 2 * 24
    for k, value in enumerate((10, 120, 200)):
        column = sheet[:, 64 + k * (CELL[0] + 24) : 64 + k * (CELL[0] + 24) + CELL[0]]
        assert (column == value).all(axis=(1, 2)).sum() == 2 * 480
    assert (sheet == (9, 8, 7)).all(axis=2).sum() > 300
    assert (sheet == (1, 2, 3)).all(axis=2).sum() > 150


def test_a_long_legend_makes_its_row_taller() -> None:
    found = [Swatch(f"Concept number {k} 0.50", (k + 1, 2, 3)) for k in range(12)]
    short, long = (contact_sheet("T", ("A",), [Row((grey(),), "x", tuple(found[:n]))], []) for n in (2, 12))
    assert long.height > short.height
    for k in range(12):
        assert (np.asarray(long) == (k + 1, 2, 3)).all(axis=2).sum() > 150


def test_every_warning_has_its_line() -> None:
    """Ink of the warnings' colour between the pictures of two rows: as many lines as there are warnings."""
    sentences = [f"Concept {k} is not in this photo; nothing was changed for it." for k in range(4)]
    rows = [Row((grey(), grey()), "x", (), tuple(sentences[:n])) for n in (1, 4)]
    for row in rows:
        sheet = np.asarray(contact_sheet("T", ("A", "B"), [row, Row((grey(), grey()), "y")], []))
        inked = (sheet == (168, 92, 0)).all(axis=2).any(axis=1)
        assert np.count_nonzero(np.diff(inked.astype(int)) == 1) >= len(row.warnings)
        pictures = (sheet[:, 64 : 64 + 160] == 128).all(axis=(1, 2))
        assert np.count_nonzero(pictures) == 240, "no picture is written over"


def test_names_the_font_cannot_write_are_noticed() -> None:
    assert writable("room 2.jpg · kitchen")
    assert not writable("거실.jpg")


def test_long_text_is_cut_to_its_width() -> None:
    cut = fitted("A very long name of a photo.jpg", 20, 120)
    assert cut.endswith("…")
    assert text_width(cut, 20) <= 120
    assert fitted("short", 20, 120) == "short"


def test_the_header_says_what_each_concept_becomes() -> None:
    concepts = {
        "Floor": RECOLOR,
        "Wall": {"action": "recolor", "value": "#010203"},
        "Ceiling": {"action": "tone", "value": "warm"},
        "Door": {"action": "tone", "value": {"exposure": 0.5, "saturation": -20}},
        "Handle": {"action": "remove", "value": None},
        "Tile": {"action": "texture", "value": "marble_a"},
    }
    header = AlbumRule(concepts, ("Grout",)).header()
    assert [entry.label for entry in header] == [
        "Floor: Oak A", "Wall: #010203", "Ceiling: tone warm", "Door: tone exposure +0.5, saturation -20",
        "Handle: remove", "Tile: Marble A texture", "Grout: protected",
    ]  # fmt: skip
    assert header[0].colour == (0xC8, 0xA2, 0x7A)
    assert header[1].colour == (1, 2, 3)
    assert [entry.striped for entry in header] == [False] * 6 + [True]


def test_the_header_names_instances_of_their_own() -> None:
    window = {**RECOLOR, "instances": {"2": {"action": "recolor", "value": "#010203"}}}
    header = AlbumRule({"Window": window, "Door": {**RECOLOR, "instances": None}}, ()).header()
    assert [entry.label for entry in header] == ["Window: Oak A", "Window #2: #010203", "Door: Oak A"]


def test_only_what_was_found_is_named() -> None:
    words = found_words(
        report(Wall=[0.914], Window=[0.8, 0.7], Floor=[], Door=[0.5]), ["Window", "Wall", "Floor", "Tile"]
    )
    assert list(words.items()) == [("Window", "Window 0.80 (2)"), ("Wall", "Wall 0.91")]


def test_a_row_of_a_finished_photo() -> None:
    rule = AlbumRule({"Floor": RECOLOR}, ("Grout",))
    labels = left_half()
    masks = {"Floor": png(labels), "Grout": png(1 - labels)}
    view = PhotoView("room", grey(), grey() + 1, masks, report(Floor=[0.9], Grout=[0.4]), ("one.", "two."))
    row = rule.row(view)
    assert np.array_equal(row.pictures[0], grey())
    assert np.array_equal(row.pictures[1], grey() + 1)
    assert [(entry.label, entry.striped) for entry in row.found] == [("Floor 0.90", False), ("Grout 0.40", True)]
    assert row.warnings == ("one.", "two.")
    picture = rule.masks_picture(view)
    assert picture.width == 160
    assert picture.height > 120
