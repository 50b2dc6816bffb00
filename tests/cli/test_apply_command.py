"""apply: photos in, results beside each other, one line a photo; a bad one fails alone."""

from __future__ import annotations

import errno
import re
import shutil
import subprocess
import sys
from pathlib import Path

import cv2
import pytest
from typer.testing import CliRunner, Result

from engine import decode
from s3palette.cli import app
from s3palette.cli._photo_files import output_names
from s3palette.cli._whole import whole
from s3palette.demo import ALBUMS

RULE = ("--preset", "seller", "--set", "Background=#C0D0E0", "--protect", "Label_Text")


@pytest.fixture(scope="module")
def small_photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A demo photo at 480 pixels."""
    photo = cv2.imread(str(ALBUMS[1].photos[0]))
    path = tmp_path_factory.mktemp("photos") / "mug.png"
    cv2.imwrite(str(path), cv2.resize(photo, (480, 360), interpolation=cv2.INTER_AREA))
    return path


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["apply", *map(str, arguments)])


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_results_previews_and_a_sheet(small_photo: Path, tmp_path: Path) -> None:
    out = tmp_path / "new" / "folder"
    done = run(small_photo, *RULE, "--out", out)
    assert done.exit_code == 0, done.output
    assert files(out) == {"mug_result.png", "mug_preview.jpg", "before-after.png"}
    before, after = decode(small_photo.read_bytes()).rgb, decode((out / "mug_result.png").read_bytes()).rgb
    assert after.shape == before.shape
    assert (after != before).any()
    (line,) = done.stdout.splitlines()
    assert re.match(rf"{re.escape(str(small_photo))}: Background \d\.\d\d.* \| 480x360, \d+ ms", line)
    assert done.stderr == ""


def test_masks_are_written_when_asked_for(small_photo: Path, tmp_path: Path) -> None:
    assert run(small_photo, *RULE, "--out", tmp_path, "--masks").exit_code == 0
    assert {"mug_Background.png", "mug_instances.json", "mug_masks.png"} <= files(tmp_path)


def test_a_bad_photo_fails_alone(small_photo: Path, tmp_path: Path) -> None:
    note, missing, out = tmp_path / "note.txt", tmp_path / "missing.jpg", tmp_path / "out"
    note.write_text("not a photo")
    done = run(note, small_photo, missing, *RULE, "--out", out)
    assert done.exit_code == 1
    assert len(done.stdout.splitlines()) == 1
    lines = done.stderr.splitlines()
    assert lines[0].startswith(f"{note}: The file is not a photo")
    assert lines[1] == f"{missing}: No such file or directory"
    assert lines[2] == f"2 of 3 photos failed; the others are in {out}."
    assert len(lines) == 3
    assert files(out) == {"mug_result.png", "mug_preview.jpg", "before-after.png"}


def test_where_every_photo_fails_no_others_are_promised(tmp_path: Path) -> None:
    done = run(tmp_path / "missing.jpg", *RULE, "--out", tmp_path / "out")
    assert done.exit_code == 1
    assert done.stderr.splitlines()[-1] == "1 of 1 photos failed."


def test_where_every_photo_fails_nothing_is_left(tmp_path: Path) -> None:
    out, there = tmp_path / "out", tmp_path / "there"
    there.mkdir()
    for folder in (out, there):
        assert run(tmp_path / "missing.jpg", *RULE, "--out", folder).exit_code == 1
    assert not out.exists()
    assert files(there) == set()


def test_two_photos_of_one_name_are_both_there(small_photo: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = shutil.copy(small_photo, tmp_path / "other" / "mug.png")
    out = tmp_path / "out"
    assert run(small_photo, other, *RULE, "--out", out).exit_code == 0
    assert {"mug_result.png", "mug-2_result.png"} <= files(out)


@pytest.mark.parametrize(
    ("photos", "expected"),
    [
        (["a/x.jpg", "b/x.png", "c/X.jpg"], ["x", "x-2", "X-3"]),
        (["x.jpg", "x-2.jpg", "y/x.jpg"], ["x", "x-2", "x-3"]),
        (["out/x.jpg", "out/x_result.png"], ["x-2", "x_result"]),
        (["out/x.jpg", "x_result.png"], ["x", "x_result"]),
    ],
)
def test_names_never_meet_each_other_or_an_input(photos: list[str], expected: list[str]) -> None:
    assert output_names([Path(photo) for photo in photos], Path("out")) == expected


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--preset", "seller", "--set", "Body=mud"), "--set Body: mud is neither"),
        (("--preset", "garden", "--set", "Body=#000000"), "--preset garden: there is no such preset"),
        (("--preset", "seller"), "--set is missing"),
        (
            ("--preset", "interior", "--set", "Floor=texture:oak_a", "--plane", "Floor=0.1,0.9,0.9,0.9"),
            "--plane Floor=0.1,0.9,0.9,0.9: write CONCEPT=0.1,",
        ),
        (
            ("--preset", "interior", "--set", "Floor=texture:oak_a", "--plane", "Floor=0,1,1,0,1,1,0,0"),
            "--plane Floor: the corners must go around",
        ),
    ],
)
def test_a_rule_that_cannot_run_is_refused_before_any_photo(
    tmp_path: Path, options: tuple[str, ...], said: str
) -> None:
    done = run(tmp_path / "missing.jpg", *options, "--out", tmp_path / "out")
    assert done.exit_code == 1
    assert done.stderr.startswith(said)
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_a_photo_that_needs_the_model_says_so(small_photo: Path, tmp_path: Path) -> None:
    done = run(small_photo, "--preset", "seller", "--set", "Logo=#000000", "--out", tmp_path)
    assert done.exit_code == 1
    assert "the SAM 3 model is needed" in done.stderr


def test_an_out_that_is_a_file_is_refused(small_photo: Path) -> None:
    done = run(small_photo, *RULE, "--out", small_photo)
    assert (done.exit_code, done.stderr) == (1, f"--out {small_photo}: File exists.\n")


def test_a_file_is_written_whole_or_not_at_all(small_photo: Path, tmp_path: Path) -> None:
    """What is in the way of the result, a full disk and Ctrl-C leave no half of one."""
    (tmp_path / "mug_result.png").mkdir()
    done = run(small_photo, *RULE, "--out", tmp_path)
    assert (done.exit_code, done.stderr.splitlines()[-1]) == (1, "1 of 1 photos failed.")
    assert files(tmp_path) == {"mug_result.png"}
    kept = tmp_path / "kept.png"
    kept.write_bytes(b"old")

    def broken_off(error: BaseException) -> None:
        with whole(kept) as draft:
            draft.write_bytes(b"ne")
            raise error

    for error in (OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()):
        with pytest.raises(type(error)):
            broken_off(error)
    assert files(tmp_path) == {"mug_result.png", "kept.png"}
    assert kept.read_bytes() == b"old"


def test_ray_is_never_imported(small_photo: Path, tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "from s3palette.cli import app\n"
        "try:\n    app(sys.argv[1:])\n"
        "except SystemExit as end:\n    assert not end.code, end.code\n"
        "assert 'cv2' in sys.modules\n"
        "print([name for name in sys.modules if name == 'ray' or name.startswith('ray.')])\n"
    )
    command = [sys.executable, "-c", program, "apply", str(small_photo), *RULE, "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
