"""--reference: a photo shows how a concept is to look in the others."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from typer.testing import CliRunner, Result

from engine import decode
from s3palette.cli import app
from s3palette.demo import ALBUMS

SIZE = (120, 160)
ROWS, COLUMNS = slice(20, 100), slice(30, 130)
BLUE, BROWN = (60, 110, 160), (140, 100, 60)


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["apply", *map(str, arguments), "--preset", "ootd", "--protect", "none"])


def shirt(path: Path, colour: tuple[int, int, int]) -> Path:
    """A photo of a shirt on a pale ground, and its mask in the folder `masks` beside it."""
    rgb = np.full((*SIZE, 3), (200, 198, 190), np.uint8)
    rgb[ROWS, COLUMNS] = colour
    noisy = rgb + np.random.default_rng(3).integers(-3, 4, rgb.shape)
    Image.fromarray(noisy.astype(np.uint8)).save(path)
    mask = np.zeros(SIZE, np.uint8)
    mask[ROWS, COLUMNS] = 1
    (path.parent / "masks").mkdir(exist_ok=True)
    Image.fromarray(mask).save(path.parent / "masks" / f"{path.stem}_Top.png")
    return path


@pytest.fixture
def album(tmp_path: Path) -> tuple[Path, Path]:
    return shirt(tmp_path / "blue.png", BLUE), shirt(tmp_path / "brown.png", BROWN)


def median(photo: Path) -> NDArray[np.float64]:
    inner = decode(photo.read_bytes()).rgb[40:80, 50:110].reshape(-1, 3)
    found: NDArray[np.float64] = np.median(inner, axis=0)
    return found


@pytest.mark.parametrize("within", [True, False], ids=["of the album", "another photo"])
def test_the_others_look_like_it_and_it_stays(album: tuple[Path, Path], tmp_path: Path, within: bool) -> None:
    blue, brown = album
    out = tmp_path / "out"
    photos = album if within else (brown,)
    done = run(*photos, "--reference", f"Top={blue}", "--mask", f"Top={tmp_path / 'masks'}", "--out", out)
    assert done.exit_code == 0, done.output
    first, *lines = done.stdout.splitlines()
    assert first == f"{blue}: Top #3C6EA0"
    assert len(lines) == len(photos)
    assert np.abs(median(out / "brown_result.png") - BLUE).max() <= 1
    if within:
        assert np.array_equal(decode((out / "blue_result.png").read_bytes()).rgb, decode(blue.read_bytes()).rgb)
    else:
        assert not (out / "blue_result.png").exists()


def test_two_photos_show_two_things(album: tuple[Path, Path], tmp_path: Path) -> None:
    blue, brown = album
    for photo in album:
        mask = np.zeros(SIZE, np.uint8)
        mask[104:118, 30:130] = 1
        Image.fromarray(mask).save(tmp_path / "masks" / f"{photo.stem}_Shoes.png")
    masks = [f"{concept}={tmp_path / 'masks'}" for concept in ("Top", "Shoes")]
    done = run(
        blue, brown, "--reference", f"Top={blue}", "--reference", f"Shoes={brown}", "--mask", masks[0], "--mask",
        masks[1], "--out", tmp_path / "out",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[:2] == [f"{blue}: Top #3C6EA0", f"{brown}: Shoes #C8C6BE"]
    assert np.abs(median(tmp_path / "out" / "brown_result.png") - BLUE).max() <= 1
    assert np.abs(median(tmp_path / "out" / "blue_result.png") - BLUE).max() <= 1


def test_what_is_said_of_the_albums_instances_is_not_said_of_another_photo(
    album: tuple[Path, Path], tmp_path: Path
) -> None:
    """Top#1 is green in the album, and the first Top of the other photo shows the colour all the same."""
    blue, brown = album
    masks = ("--mask", f"Top={tmp_path / 'masks'}")
    done = run(brown, "--reference", f"Top={blue}", "--set", "Top#1=#28A03C", *masks, "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith(f"{blue}: Top #3C6EA0")
    assert np.abs(median(tmp_path / "out" / "brown_result.png") - (0x28, 0xA0, 0x3C)).max() <= 1
    within = run(*album, "--reference", f"Top={blue}", "--set", "Top#1=#28A03C", *masks, "--out", tmp_path / "none")
    assert "no colour could be measured. Every Top in this photo is excluded, locked or has" in within.stderr
    assert not (tmp_path / "none").exists()


def test_the_mask_of_the_one_photo_is_not_that_of_another(album: tuple[Path, Path], tmp_path: Path) -> None:
    """The album's one mask is nowhere near the thing in the other photo, which the engine finds by itself."""
    mug = next(path for each in ALBUMS for path in each.photos if path.stem == "mug_teal_daylight")
    mask = tmp_path / "masks" / "brown_Top.png"
    arguments = ("apply", album[1], "--preset", "seller", "--protect", "none", "--out", tmp_path / "out")
    chosen = ("--reference", f"Body={mug}", "--mask", f"Body={mask}")
    done = CliRunner().invoke(app, [*map(str, arguments), *chosen])
    assert done.exit_code == 0, done.output
    colour = bytes.fromhex(done.stdout.splitlines()[0].rpartition("#")[2])
    assert np.abs(median(tmp_path / "out" / "brown_result.png") - tuple(colour)).max() <= 1
    assert colour[2] > colour[0] + 20, "teal, and not the ground"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("Top",), "--reference Top: write CONCEPT=FILE."),
        (("Top=nothing.jpg",), "--reference Top: there is no photo nothing.jpg."),
        (("Wall={blue}",), "--reference Wall: ootd has no such concept; it has Person, Top,"),
        (("Top={blue}", "--reference", "Top={brown}"), "--reference Top is given twice"),
        (("Top={blue}", "--set", "Top=#102030"), "--set Top: --reference Top gives it a colour too; give one of them."),
        (("Top={blue}", "--protect", "Top"), "--reference Top: --protect Top lets nothing touch it; give one of them."),
        (("Top={note}",), "--reference Top={note}: The file is not a photo"),
        (("Top={blue}",), "--reference Top={blue}: Top cannot be found by the classical engine"),
        (
            ("Top={blue}", "--mask", "Top={empty}"),
            "--reference Top={blue}: no colour could be measured. Top is not in this photo;",
        ),
    ],
)
def test_what_is_refused(album: tuple[Path, Path], tmp_path: Path, options: tuple[str, ...], says: str) -> None:
    (tmp_path / "note").write_text("not a photo")
    Image.fromarray(np.zeros(SIZE, np.uint8)).save(tmp_path / "empty.png")
    names = {"blue": album[0], "brown": album[1], "note": tmp_path / "note", "empty": tmp_path / "empty.png"}
    done = run(album[0], "--reference", *(option.format(**names) for option in options), "--out", tmp_path / "out")
    assert done.exit_code != 0
    assert done.stderr.startswith(says.format(**names)), done.stderr
    assert not (tmp_path / "out").exists()
