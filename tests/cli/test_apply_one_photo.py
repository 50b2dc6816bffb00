"""apply on one photo: masks from files, boxes, what is said of single instances, the sheet where it is wanted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from typer.testing import CliRunner, Result

from engine import decode
from s3palette.cli import app
from s3palette.cli._mask_files import MaskRefused, read_mask
from s3palette.cli._photo_options import read_refinement
from s3palette.cli._rule_options import RuleRefused, read_rule
from s3palette.demo import ALBUMS

SIZE = (120, 160)
WALL = ("--preset", "interior", "--set", "Wall=#204060", "--protect", "none")


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["apply", *map(str, arguments)])


def labels() -> NDArray[np.uint8]:
    """Two instances, 40 x 100 each."""
    made = np.zeros(SIZE, np.uint8)
    made[10:110, 20:60], made[10:110, 90:130] = 1, 2
    return made


def saved(path: Path, pixels: NDArray[np.generic], mode: str | None = None) -> Path:
    image = Image.fromarray(pixels)
    (image if mode is None else image.convert(mode)).save(path)
    return path


@pytest.fixture
def room(tmp_path: Path) -> Path:
    noise = np.random.default_rng(1).normal(180, 6, (*SIZE, 3))
    return saved(tmp_path / "room.png", np.clip(noise, 0, 255).astype(np.uint8))


def changed(room: Path, out: Path) -> NDArray[np.bool_]:
    before, after = decode(room.read_bytes()).rgb, decode((out / f"{room.stem}_result.png").read_bytes()).rgb
    differs: NDArray[np.bool_] = (before != after).any(axis=2)
    return differs


def test_a_mask_from_a_file_and_what_is_said_of_its_instances(room: Path, tmp_path: Path) -> None:
    mask = saved(tmp_path / "wall.png", labels())
    done = run(room, *WALL, "--mask", f"Wall={mask}", "--lock", "Wall=2", "--masks", "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert "Wall 1.00 (2)" in done.stdout
    differs = changed(room, tmp_path / "out")
    assert differs[labels() == 1].mean() > 0.9
    assert not differs[labels() == 2].any()
    assert np.array_equal(read_mask(tmp_path / "out" / "room_Wall.png"), labels())


def test_an_instance_of_its_own_colour(room: Path, tmp_path: Path) -> None:
    mask = saved(tmp_path / "wall.png", labels())
    done = run(room, *WALL, "--set", "Wall#2=#B01020", "--mask", f"Wall={mask}", "--out", tmp_path / "out")
    assert done.exit_code == 0, done.output
    after = decode((tmp_path / "out" / "room_result.png").read_bytes()).rgb
    for number, target in ((1, (0x20, 0x40, 0x60)), (2, (0xB0, 0x10, 0x20))):
        assert np.median(after[labels() == number], axis=0) == pytest.approx(target, abs=2)


def test_a_folder_of_photos_with_a_folder_of_masks(room: Path, tmp_path: Path) -> None:
    photos, masks = tmp_path / "photos", tmp_path / "masks"
    photos.mkdir()
    masks.mkdir()
    for name in ("b.png", "a.PNG", "c.png"):
        (photos / name).write_bytes(room.read_bytes())
    (photos / "note.txt").write_text("no photo")
    saved(masks / "a_Wall.png", labels())
    saved(masks / "b.png", np.minimum(labels(), 1) * np.uint8(255))
    done = run(photos, *WALL, "--mask", f"Wall={masks}", "--out", tmp_path / "out")
    assert done.exit_code == 1
    assert [line.split(" | ")[0] for line in done.stdout.splitlines()] == [
        f"{photos / 'a.PNG'}: Wall 1.00 (2)",
        f"{photos / 'b.png'}: Wall 1.00",
    ]
    assert f"{photos / 'c.png'}: {masks} has neither c_Wall.png nor c.png." in done.stderr
    assert {"a_result.png", "b_result.png"} <= {path.name for path in (tmp_path / "out").iterdir()}


def test_a_box_shows_what_the_engine_cannot_find(tmp_path: Path) -> None:
    mug = next(path for album in ALBUMS for path in album.photos if path.stem == "mug_teal_daylight")
    rule = ("--preset", "seller", "--set", "Accessories=#101010", "--protect", "none")
    assert "the SAM 3 model is needed" in run(mug, *rule, "--out", tmp_path).stderr
    done = run(mug, *rule, "--box", "Accessories=0.26,0.44,0.6,0.7", "--out", tmp_path)
    assert done.exit_code == 0, done.output
    rows, columns = np.nonzero(changed(mug, tmp_path))
    assert 0.4 * 900 < rows.min() < rows.max() < 0.74 * 900
    assert 0.22 * 1200 < columns.min() < columns.max() < 0.64 * 1200


def test_the_sheet_goes_where_it_is_wanted(room: Path, tmp_path: Path) -> None:
    mask = saved(tmp_path / "wall.png", labels())
    sheet = tmp_path / "sheets" / "wall.jpg"
    assert run(room, *WALL, "--mask", f"Wall={mask}", "--sheet", sheet, "--out", tmp_path / "out").exit_code == 0
    with Image.open(sheet) as picture:
        assert picture.format == "JPEG"
    assert not (tmp_path / "out" / "before-after.png").exists()


def test_a_sheet_that_cannot_be_written_is_named_and_the_results_stay(room: Path, tmp_path: Path) -> None:
    mask = saved(tmp_path / "wall.png", labels())
    sheet = room / "sheet.png"
    done = run(room, *WALL, "--mask", f"Wall={mask}", "--sheet", sheet, "--out", tmp_path / "out")
    assert (done.exit_code, done.stderr) == (1, f"--sheet {sheet}: File exists.\n")
    assert (tmp_path / "out" / "room_result.png").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--mask", "Wall"), "--mask Wall: write CONCEPT=FILE."),
        (("--mask", "Floor=wall.png"), "--mask Floor: of the rule's concepts it takes Wall."),
        (("--mask", "Wall=nowhere.png"), "--mask Wall: there is no nowhere.png."),
        (("--box", "Wall=1,2,3"), "--box Wall: a box is [x0, y0, x1, y1]."),
        (("--box", "Wall=a"), "--box Wall=a: write CONCEPT=0.1,0.2,0.6,0.9."),
        (("--box", "Wall=10,20,300,400"), "--box Wall: must hold shares of the upright photo, 0 to 1, not 10.0."),
        (("--not-box", "Wall=0,0,2,1"), "--not-box Wall: must hold shares"),
        (("--exclude", "Wall=x"), "--exclude Wall=x: write CONCEPT=2."),
        (("--exclude", "Door=2"), "--exclude Door: of the rule's concepts it takes Wall."),
        (("--lock", "Wall=1", "--exclude", "Wall=1"), "--lock Wall: #1 is excluded and locked at once."),
        (("--sheet", "wall.tiff"), "--sheet wall.tiff: its name must end in .png, .jpg, .jpeg."),
    ],
)
def test_a_wrong_option_is_named(room: Path, tmp_path: Path, options: tuple[str, ...], said: str) -> None:
    done = run(room, *WALL, *options, "--out", tmp_path / "out")
    assert done.exit_code == 1
    assert done.stderr.startswith(said)
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("option", ["--box", "--not-box", "--plane", "--exclude", "--lock"])
def test_what_is_said_of_one_photo_is_never_used_on_another(room: Path, option: str) -> None:
    value = {"--plane": "Wall=0,1,1,1,1,0,0,0", "--exclude": "Wall=1", "--lock": "Wall=1"}
    done = run(room, room, *WALL, option, value.get(option, "Wall=0.1,0.2,0.6,0.9"))
    assert (done.exit_code, done.stderr.splitlines()) == (
        1,
        ["--box, --not-box, --plane, --exclude and --lock speak of one photo, and there are 2."],
    )


def test_one_mask_is_never_used_on_two_photos(room: Path, tmp_path: Path) -> None:
    mask = saved(tmp_path / "wall.png", labels())
    done = run(room, room, *WALL, "--mask", f"Wall={mask}")
    assert done.exit_code == 1
    assert "is the mask of one photo and there are 2; give a folder" in done.stderr


@pytest.mark.parametrize("reference", [False, True], ids=["of the album", "a reference"])
def test_a_mask_in_a_folder_is_never_used_on_two_photos_of_one_name(
    room: Path, tmp_path: Path, reference: bool
) -> None:
    other = tmp_path / "other" / "room.png"
    other.parent.mkdir()
    other.write_bytes(room.read_bytes())
    saved(other.parent / "room_Wall.png", labels())
    album = (room, *WALL) if reference else (room, other, *WALL)
    shown = ("--reference", f"Floor={other}") if reference else ()
    done = run(*album, *shown, "--mask", f"Wall={other.parent}", "--out", tmp_path / "out")
    said = f"{other.parent / 'room_Wall.png'} cannot be the mask of {room} and of {other}; rename one of them."
    assert (done.exit_code, done.stderr) == (1, f"--mask Wall: {said}\n")


def test_a_photo_is_not_its_own_mask(tmp_path: Path) -> None:
    gray = saved(tmp_path / "gray.png", labels())
    done = run(gray, *WALL, "--mask", f"Wall={tmp_path}", "--out", tmp_path / "out")
    assert f"{gray}: {tmp_path} has no gray_Wall.png." in done.stderr


def test_a_mask_of_another_size_fails_its_photo(room: Path, tmp_path: Path) -> None:
    mask = saved(tmp_path / "wall.png", labels()[:-1])
    done = run(room, *WALL, "--mask", f"Wall={mask}", "--out", tmp_path / "out")
    assert done.exit_code == 1
    assert "The mask given for Wall is 160x119 pixels, the photo, upright, is 160x120." in done.stderr
    assert not (tmp_path / "out").exists(), "nothing came of it"


def test_an_empty_folder_is_said(tmp_path: Path) -> None:
    done = run(tmp_path, *WALL)
    assert done.exit_code == 1
    assert done.stderr.startswith(f"{tmp_path}: there is no photo in this folder (.bmp, ")


@pytest.mark.parametrize("mode", ["L", "P", "RGB", "RGBA", "I;16", "1"])
def test_forms_of_masks(tmp_path: Path, mode: str) -> None:
    two = labels()
    path = tmp_path / "mask.png"
    if mode == "P":
        image = Image.fromarray(two)
        image.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0])
        image.save(path)
    elif mode == "I;16":
        two_deep = two.astype(np.uint16)
        two_deep[two_deep == 2] = 300
        Image.fromarray(two_deep).save(path)
        assert np.array_equal(read_mask(path), two_deep)
        return
    elif mode == "1":
        two = np.minimum(two, 1)
        saved(path, two * np.uint8(255), "1")
    else:
        saved(path, two, mode)
    assert np.array_equal(read_mask(path), two)


def test_a_mask_of_black_and_white_is_one_instance(tmp_path: Path) -> None:
    white = np.where(labels() > 0, np.uint8(255), np.uint8(0))
    assert np.array_equal(read_mask(saved(tmp_path / "mask.png", white)), np.minimum(labels(), 1))


@pytest.mark.parametrize(
    ("name", "said"), [("a.jpg", "is no PNG"), ("half.png", "cannot be read"), ("c.png", "colours")]
)
def test_what_is_no_mask(tmp_path: Path, name: str, said: str) -> None:
    path = tmp_path / name
    if name == "c.png":
        saved(path, np.dstack([labels(), labels() * 2, labels()]))
    else:
        saved(path, labels())
        if name == "half.png":
            path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(MaskRefused, match=said):
        read_mask(path)


def test_options_in_the_shape_of_the_api() -> None:
    rule = read_rule("interior", ["Window=oak_a"], ["Door"])
    part = read_refinement(
        rule,
        exclude=["Window=2,3", "Window=5"],
        lock=["Door=1"],
        box=["Window=0.1,0.2,0.6,0.9", "Door=0,0,0.5,1"],
        not_box=["Window=0,0,0.1,0.1"],
    )
    assert part == {
        "exclude": {"Window": [2, 3, 5]},
        "lock": {"Door": [1]},
        "boxes": {
            "Window": {"positive": [[0.1, 0.2, 0.6, 0.9]], "negative": [[0.0, 0.0, 0.1, 0.1]]},
            "Door": {"positive": [[0.0, 0.0, 0.5, 1.0]], "negative": []},
        },
    }
    assert read_refinement(rule, exclude=[], lock=[], box=[], not_box=[]) == {}
    with pytest.raises(RuleRefused, match="--lock =1: write CONCEPT=2"):
        read_refinement(rule, exclude=[], lock=["=1"], box=[], not_box=[])


def test_a_texture_lies_as_the_marked_rectangle_says(tmp_path: Path) -> None:
    """White tiles of 0.1 m on 1.6 m of plain grey: their joints are 10 px apart with --plane, not without."""
    photo = saved(tmp_path / "plain.png", np.full((*SIZE, 3), 128, np.uint8))
    mask = saved(tmp_path / "floor.png", np.full(SIZE, 255, np.uint8))
    rule = ("--preset", "interior", "--set", "Floor=texture:tile_white", "--protect", "none", "--mask", f"Floor={mask}")
    marked = ("--plane", "Floor=0,1,1,1,1,0,0,0,1.6,1.2")
    assert run(photo, *rule, *marked, "--out", tmp_path / "marked").exit_code == 0
    assert run(photo, *rule, "--out", tmp_path / "found").exit_code == 0
    shares = []
    for out in ("marked", "found"):
        columns = decode((tmp_path / out / "plain_result.png").read_bytes()).rgb.astype(float).mean(axis=(0, 2))
        tones = np.abs(np.fft.rfft(columns - columns.mean())) ** 2
        shares.append(tones[16] / tones.sum())
    assert shares[0] > max(0.3, 3 * shares[1])
