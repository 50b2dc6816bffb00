"""Decoding: every kind of file people upload, and every way a file can be broken."""

import io
import struct
import subprocess
import sys
import warnings
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms

from engine.errors import BadPhoto
from engine.image_io import decode, encode_label_map, encode_png, encode_preview

ROOT = Path(__file__).parents[2]
RAMP = np.dstack(
    np.broadcast_arrays(
        np.linspace(10, 240, 48).astype(np.uint8)[None],
        np.linspace(20, 200, 32).astype(np.uint8)[:, None],
        np.uint8(90),
    )
)
"""(32, 48, 3): every corner of it is told apart."""


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def ramp(mode: str = "RGB") -> Image.Image:
    return Image.fromarray(RAMP).convert(mode)


def exif(orientation: int) -> bytes:
    block = Image.Exif()
    block[0x0112] = orientation
    return block.tobytes()


def wide_gamut() -> bytes:
    """An RGB profile that is not sRGB: sRGB's own bytes with red and blue primaries exchanged."""
    data = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = struct.unpack_from(">I", data, 128)[0]
    entry = {bytes(data[132 + 12 * k : 136 + 12 * k]): 132 + 12 * k for k in range(count)}
    red, blue = entry[b"rXYZ"], entry[b"bXYZ"]
    data[red + 4 : red + 12], data[blue + 4 : blue + 12] = data[blue + 4 : blue + 12], data[red + 4 : red + 12]
    return bytes(data)


SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF", "GIF", "WEBP", "JPEG"])
def test_every_format_is_read(kind: str) -> None:
    options = {"WEBP": {"lossless": True}, "JPEG": {"quality": 98, "subsampling": 0}}.get(kind, {})
    photo = decode(saved(ramp(), kind, **options))
    assert photo.format == kind
    assert photo.size == (32, 48)
    assert photo.alpha is None
    assert photo.rgb.dtype == np.uint8
    assert photo.rgb.flags.c_contiguous
    error = np.abs(photo.rgb.astype(int) - RAMP).max()
    assert error <= {"JPEG": 6, "GIF": 20}.get(kind, 0)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied(kind: str, orientation: int) -> None:
    upright = {
        1: RAMP,
        2: RAMP[:, ::-1],
        3: RAMP[::-1, ::-1],
        4: RAMP[::-1],
        5: RAMP.swapaxes(0, 1),
        6: RAMP.swapaxes(0, 1)[:, ::-1],
        7: RAMP.swapaxes(0, 1)[::-1, ::-1],
        8: RAMP.swapaxes(0, 1)[::-1],
    }[orientation]
    options: dict[str, object] = {"exif": exif(orientation)}
    if kind == "WEBP":
        options["lossless"] = True
    if kind == "JPEG":
        options |= {"quality": 98, "subsampling": 0}
    photo = decode(saved(ramp(), kind, **options))
    assert photo.rgb.shape == upright.shape
    assert np.abs(photo.rgb.astype(int) - upright).max() <= (6 if kind == "JPEG" else 0)


def test_a_broken_exif_block_means_as_stored() -> None:
    data = saved(ramp(), "PNG", exif=b"Exif\x00\x00II*\x00\xff\xff\xff\x7f")
    assert np.array_equal(decode(data).rgb, RAMP)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_alpha_channels_are_kept(mode: str) -> None:
    image = ramp(mode)
    alpha = np.linspace(0, 255, 48 * 32).astype(np.uint8).reshape(32, 48)
    image.putalpha(Image.fromarray(alpha))
    photo = decode(saved(image, "PNG"))
    assert photo.alpha is not None
    assert np.array_equal(photo.alpha, alpha)
    assert np.array_equal(photo.rgb, np.asarray(ramp("L").convert("RGB")) if mode == "LA" else RAMP)


def test_alpha_turns_with_the_photo() -> None:
    image = ramp("RGBA")
    image.putpixel((0, 0), (1, 2, 3, 7))
    photo = decode(saved(image, "PNG", exif=exif(6)))
    assert photo.alpha is not None
    assert photo.alpha.shape == (48, 32)
    assert photo.alpha[0, -1] == 7


@pytest.mark.parametrize("transparency", [3, bytes([255, 128, 0])], ids=["one index", "table"])
def test_palette_transparency(transparency: int | bytes) -> None:
    image = Image.new("P", (4, 1))
    image.putpalette([10, 0, 0, 20, 0, 0, 30, 0, 0, 40, 0, 0])
    image.putdata([0, 1, 2, 3])
    photo = decode(saved(image, "PNG", transparency=transparency))
    assert photo.rgb[0, :, 0].tolist() == [10, 20, 30, 40]
    assert photo.alpha is not None
    assert photo.alpha[0].tolist() == ([255, 255, 255, 0] if isinstance(transparency, int) else [255, 128, 0, 255])


def test_gray_palette_and_bilevel() -> None:
    assert np.array_equal(decode(saved(ramp("L"), "PNG")).rgb[..., 0], np.asarray(ramp("L")))
    assert set(np.unique(decode(saved(ramp("1"), "PNG")).rgb)) == {0, 255}
    assert np.array_equal(decode(saved(ramp("P"), "PNG")).rgb, np.asarray(ramp("P").convert("RGB")))


@pytest.mark.parametrize(("suffix", "channels"), [(".png", 1), (".png", 3), (".png", 4), (".tiff", 1), (".tiff", 3)])
def test_deep_samples_keep_their_high_byte(suffix: str, channels: int) -> None:
    deep = np.random.default_rng(0).integers(0, 65536, (16, 24, channels), dtype=np.uint16)
    data = cv2.imencode(suffix, deep)[1].tobytes()
    high = (deep >> 8).astype(np.uint8)
    photo = decode(data)
    expected = np.repeat(high, 3, axis=2) if channels == 1 else high[..., 2::-1]
    assert np.array_equal(photo.rgb, expected)
    if channels == 4:
        assert photo.alpha is not None
        assert np.array_equal(photo.alpha, high[..., 3])


def test_one_pixel() -> None:
    photo = decode(saved(Image.new("RGB", (1, 1), (9, 8, 7)), "PNG"))
    assert photo.rgb.tolist() == [[[9, 8, 7]]]


def test_the_first_frame_of_an_animation() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    for kind in ("GIF", "WEBP", "PNG", "TIFF"):
        options = {"lossless": True} if kind == "WEBP" else {}
        data = saved(frames[0], kind, save_all=True, append_images=frames[1:], **options)
        assert decode(data).rgb[0, 0].tolist() == [255, 0, 0]


def test_a_multi_picture_jpeg_is_a_jpeg() -> None:
    data = saved(ramp(), "MPO", save_all=True, append_images=[ramp().rotate(180)])
    photo = decode(data)
    assert photo.format == "JPEG"
    assert np.abs(photo.rgb.astype(int) - RAMP).mean() < 5


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_a_profile_is_converted(mode: str) -> None:
    source = Image.new(mode, (4, 4), (200, 40, 10, 77)[: len(mode)])
    photo = decode(saved(source, "PNG", icc_profile=wide_gamut()))
    red, _, blue = photo.rgb[0, 0].tolist()
    assert blue > 180 > 60 > red
    assert (photo.alpha is None) == (mode == "RGB")


def test_an_srgb_profile_leaves_every_byte() -> None:
    noise = np.random.default_rng(3).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    assert np.array_equal(decode(saved(Image.fromarray(noise), "PNG", icc_profile=SRGB)).rgb, noise)


@pytest.mark.parametrize("profile", [b"nonsense", SRGB[:200], b"\x00" * 4096])
def test_a_damaged_profile_is_ignored(profile: bytes) -> None:
    assert np.array_equal(decode(saved(ramp(), "PNG", icc_profile=profile)).rgb, RAMP)


def test_a_profile_of_another_kind_is_ignored() -> None:
    data = saved(ramp("CMYK"), "JPEG", icc_profile=SRGB, quality=98)
    assert np.abs(decode(data).rgb.astype(int) - RAMP).max() <= 12


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
def test_cmyk_without_a_profile(kind: str) -> None:
    photo = decode(saved(ramp("CMYK"), kind, **({"quality": 98} if kind == "JPEG" else {})))
    assert np.abs(photo.rgb.astype(int) - RAMP).max() <= 12


WHOLE = {
    "jpeg": saved(ramp().resize((240, 160)), "JPEG"),
    "progressive": saved(ramp().resize((240, 160)), "JPEG", progressive=True),
    "png": saved(ramp().resize((240, 160)), "PNG"),
    "webp": saved(ramp().resize((240, 160)), "WEBP"),
    "tiff": saved(ramp().resize((240, 160)), "TIFF"),
    "tiff-lzw": saved(ramp().resize((240, 160)), "TIFF", compression="tiff_lzw"),
    "bmp": saved(ramp().resize((240, 160)), "BMP"),
    "gif": saved(ramp().resize((240, 160)), "GIF"),
}


@pytest.mark.parametrize("kept", [0.02, 0.3, 0.5, 0.9, 0.97])
@pytest.mark.parametrize("name", WHOLE)
def test_truncated_files_are_refused(name: str, kept: float) -> None:
    data = WHOLE[name]
    assert decode(data).size == (160, 240)
    with pytest.raises(BadPhoto):
        decode(data[: int(len(data) * kept)])


@pytest.mark.parametrize("name", ["jpeg", "progressive", "png"])
def test_a_missing_end_is_noticed_to_the_byte(name: str) -> None:
    with pytest.raises(BadPhoto, match="truncated"):
        decode(WHOLE[name][:-1])


def test_a_thumbnails_end_marker_does_not_hide_a_missing_one() -> None:
    thumbnail = saved(ramp().resize((16, 12)), "JPEG")
    segment = b"\xff\xe5" + (len(thumbnail) + 2).to_bytes(2, "big") + thumbnail
    data = WHOLE["jpeg"][:2] + segment + WHOLE["jpeg"][2:]
    assert decode(data).size == (160, 240)
    with pytest.raises(BadPhoto):
        decode(data[: int(len(data) * 0.8)] + b"\x00" * 5000)


def test_bytes_behind_the_end_are_no_fault() -> None:
    assert decode(WHOLE["jpeg"] + b"trailer" * 50).size == (160, 240)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "empty"),
        (b"hello, I am a text", "not a photo"),
        (b"%PDF-1.7 ...", "not a photo"),
        (b"\x00" * 4096, "not a photo"),
        (saved(ramp(), "PPM"), "not a photo"),
        (saved(ramp(), "ICO"), "not a photo"),
        (saved(Image.new("F", (4, 4)), "TIFF"), "kind F"),
        (saved(Image.new("I", (4, 4)), "TIFF"), "kind I"),
    ],
)
def test_what_is_no_photo_says_so(data: bytes, says: str) -> None:
    with pytest.raises(BadPhoto, match=says):
        decode(data)


def bomb(kind: str, side: int) -> bytes:
    """A file that claims side x side pixels and holds next to none."""
    if kind == "PNG":
        header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
        chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(b"\x00" * 64)), (b"IEND", b"")]
        body = b"".join(struct.pack(">I", len(d)) + t + d + struct.pack(">I", zlib.crc32(t + d)) for t, d in chunks)
        return b"\x89PNG\r\n\x1a\n" + body
    if kind == "BMP":
        return b"BM" + struct.pack("<IHHIIiiHHIIiiII", 54, 0, 0, 54, 40, side, side, 1, 24, 0, 0, 0, 0, 0, 0)
    if kind == "GIF":
        return saved(Image.new("P", (2, 2)), "GIF")[:6] + struct.pack("<HH", side, side) + b"\x00\x00\x00,"
    data = bytearray(saved(Image.new("RGB", (8, 8)), "JPEG"))
    at = data.index(b"\xff\xc0")
    data[at + 5 : at + 9] = struct.pack(">HH", side, side)
    return bytes(data)


@pytest.mark.parametrize("side", [8001, 10_000, 14_000, 30_000])
@pytest.mark.parametrize("kind", ["PNG", "BMP", "JPEG"])
def test_a_bomb_is_refused_from_its_header(kind: str, side: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(BadPhoto, match="too large"):
            decode(bomb(kind, side))


def test_a_bomb_takes_no_memory() -> None:
    script = (
        "import resource, sys\n"
        "from engine.errors import BadPhoto\n"
        "from engine.image_io import decode\n"
        "data = sys.stdin.buffer.read()\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "try:\n    decode(data)\n"
        "except BadPhoto:\n    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], input=bomb("PNG", 30_000), capture_output=True, check=True, cwd=ROOT
    )
    assert int(done.stdout) < 20_000  # KiB


def test_the_limit_is_exact() -> None:
    data = saved(Image.new("RGB", (20, 10)), "PNG")
    assert decode(data, max_pixels=200).size == (10, 20)
    with pytest.raises(BadPhoto, match="20 × 10"):
        decode(data, max_pixels=199)


@pytest.mark.parametrize("name", ["jpeg", "png", "webp", "tiff", "tiff-lzw", "gif", "bmp"])
def test_flipped_bytes_give_a_photo_or_bad_photo(name: str) -> None:
    rng = np.random.default_rng(7)
    for _ in range(60):
        data = bytearray(WHOLE[name])
        for at in rng.integers(0, min(len(data), 400), 4):
            data[at] = rng.integers(0, 256)
        try:
            photo = decode(bytes(data))
        except BadPhoto:
            continue
        assert photo.rgb.ndim == 3


def test_threads_do_not_disturb_each_other() -> None:
    cut = WHOLE["jpeg"][:2000]

    def work(k: int) -> bool:
        if k % 2:
            with pytest.raises(BadPhoto):
                decode(cut)
            return True
        return decode(WHOLE["png"]).size == (160, 240)

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(work, range(40)))


def test_png_round_trip_is_exact() -> None:
    rng = np.random.default_rng(5)
    rgb = rng.integers(0, 256, (33, 17, 3), dtype=np.uint8)
    alpha = rng.integers(0, 256, (33, 17), dtype=np.uint8)
    assert np.array_equal(decode(encode_png(rgb)).rgb, rgb)
    back = decode(encode_png(rgb, alpha))
    assert np.array_equal(back.rgb, rgb)
    assert back.alpha is not None
    assert np.array_equal(back.alpha, alpha)


@pytest.mark.parametrize(
    ("size", "expected"), [((1000, 500), (512, 256)), ((300, 200), (300, 200)), ((1, 4000), (1, 512)), ((1, 1), (1, 1))]
)
def test_preview_size(size: tuple[int, int], expected: tuple[int, int]) -> None:
    photo = decode(encode_preview(np.zeros((*size, 3), np.uint8)))
    assert photo.format == "JPEG"
    assert photo.size == expected


def test_preview_shows_transparency_over_white() -> None:
    preview = decode(encode_preview(np.zeros((40, 40, 3), np.uint8), np.zeros((40, 40), np.uint8)))
    assert preview.rgb.min() >= 250


@pytest.mark.parametrize(("highest", "dtype"), [(0, np.uint8), (255, np.uint8), (256, np.uint16), (65535, np.uint16)])
def test_label_maps_are_as_deep_as_they_must(highest: int, dtype: type) -> None:
    labels = np.zeros((5, 6), np.uint16)
    labels[2, 3] = highest
    back = cv2.imdecode(np.frombuffer(encode_label_map(labels), np.uint8), cv2.IMREAD_UNCHANGED)
    assert back.dtype == dtype
    assert np.array_equal(back, labels)
