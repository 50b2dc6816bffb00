"""Photos in and out: any file people upload becomes upright 8-bit sRGB; results become PNG and JPEG.

Decoding trusts nothing in the file. The size is checked from the header before a pixel is decoded, and whatever a
decoder raises on a broken file becomes `BadPhoto` with one sentence for the person who uploaded it.
"""

from __future__ import annotations

import io
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from engine._icc import to_srgb
from engine._png import png_of
from engine.errors import BadPhoto
from engine.types import LabelMap, Photo, Rgb

__all__ = ["MAX_PIXELS", "PREVIEW_SIDE", "decode", "encode_label_map", "encode_png", "encode_preview"]

MAX_PIXELS: Final = 64_000_000
PREVIEW_SIDE: Final = 512

_FORMATS: Final = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF")
_ORIENTATION: Final = 0x0112
_DEEP_GRAY: Final = ("I;16", "I;16L", "I;16B", "I;16N")
# Once for the process, not a call: all readers known before threads ask, and no bomb guard but ours, which is exact
# where Pillow's warns in a band of sizes.
Image.init()
Image.MAX_IMAGE_PIXELS = None


def decode(data: bytes, *, max_pixels: int = MAX_PIXELS) -> Photo:
    """Decode a photo to upright, 8-bit sRGB; alpha is kept.

    Reads JPEG (MPO: its first picture), PNG, WebP, TIFF, BMP and GIF; of several frames the first. EXIF orientation is
    applied. An ICC profile is converted to sRGB (perceptual intent) unless it already describes sRGB: then pixels stay
    as they are, bit for bit. Samples of 16 bits keep their high byte.

    Raises:
        BadPhoto: empty, no image of these formats, over `max_pixels`, truncated, damaged, or of a kind that has no
            plain reading as colours (floating point, 32-bit, Lab).
    """
    if not data:
        raise BadPhoto("The file is empty.")
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as image:
            _check_size(image, max_pixels)
            _check_complete(data, image.format or "")
            image.load()
            return _as_photo(image)
    except BadPhoto:
        raise
    except UnidentifiedImageError:
        raise BadPhoto("The file is not a photo that can be read: JPEG, PNG, WebP, TIFF, BMP and GIF can.") from None
    except Exception as error:  # decoders raise anything on hostile files: struct, zlib, overflow and memory errors too
        raise BadPhoto("The photo is truncated or damaged: its pixels cannot all be decoded.") from error


def encode_png(rgb: Rgb, alpha: NDArray[np.uint8] | None = None) -> bytes:
    """Encode (H, W, 3) uint8 sRGB, with (H, W) uint8 alpha where given, as PNG; fast rather than small."""
    return png_of(rgb if alpha is None else np.dstack((rgb, alpha)))


def encode_preview(rgb: Rgb, alpha: NDArray[np.uint8] | None = None, *, side: int = PREVIEW_SIDE) -> bytes:
    """Encode as JPEG with a longer side of at most `side` px (never enlarged); transparency over white."""
    height, width = rgb.shape[:2]
    scale = side / max(height, width)
    if scale < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        if alpha is not None:
            alpha = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)
        rgb = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    if alpha is not None:
        cover = alpha[..., None].astype(np.float32) / 255
        rgb = np.rint(rgb * cover + 255 * (1 - cover)).astype(np.uint8)
    bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
    encoded: NDArray[np.uint8] = cv2.imencode(".jpg", bgr, (cv2.IMWRITE_JPEG_QUALITY, 88))[1]
    return encoded.tobytes()


def encode_label_map(labels: LabelMap) -> bytes:
    """Encode (H, W) uint16 instance numbers as a gray PNG: 8 bit, or 16 bit where a number is above 255."""
    return png_of(labels if int(labels.max()) > 255 else labels.astype(np.uint8))


def _check_size(image: Image.Image, max_pixels: int) -> None:
    width, height = image.size
    if width < 1 or height < 1:
        raise BadPhoto("The photo has no pixels.")
    if width * height > max_pixels:
        raise BadPhoto(
            f"The photo is too large: {width} × {height} is {width * height / 1e6:.1f} megapixels, "
            f"at most {max_pixels / 1e6:g} are accepted."
        )


def _check_complete(data: bytes, kind: str) -> None:
    """Raise BadPhoto where the end marker is missing: libjpeg and Pillow's PNG reader forgive that in some cases."""
    if kind in ("JPEG", "MPO"):
        complete = data.find(b"\xff\xd9", _jpeg_scan_start(data)) >= 0
    elif kind == "PNG":
        complete = data.rfind(b"IEND\xaeB`\x82") >= 0
    else:
        return
    if not complete:
        raise BadPhoto("The photo is truncated: the end of the file is missing.")


def _jpeg_scan_start(data: bytes) -> int:
    """Offset behind the first SOS header, past every segment (an embedded thumbnail has end markers of its own)."""
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            at += 1
            continue
        marker = data[at + 1]
        if marker in (0x00, 0x01, 0xFF) or 0xD0 <= marker <= 0xD8:
            at += 1
            continue
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
        if marker == 0xDA:
            return at
    return len(data)


def _as_photo(image: Image.Image) -> Photo:
    orientation = _orientation(image)
    kind = "JPEG" if image.format == "MPO" else image.format or ""
    alpha = None
    if image.mode in _DEEP_GRAY:
        deep = np.asarray(image).astype(np.uint16, copy=False)
        clear = image.info.get("transparency")
        if isinstance(clear, int):
            alpha = np.where(deep == clear, 0, 255).astype(np.uint8)
        profile = image.info.get("icc_profile")
        image = Image.fromarray((deep >> 8).astype(np.uint8))
        image.info["icc_profile"] = profile
    elif image.mode in ("I", "F", "LAB", "HSV"):
        raise BadPhoto(
            f"Photos with samples of the kind {image.mode} cannot be read; save it with 8 or 16 bits as RGB."
        )
    elif image.has_transparency_data:
        profile = image.info.get("icc_profile")
        gray = image.mode in ("LA", "La", "L", "1")
        rgba = image.convert("RGBA")
        alpha = np.asarray(rgba.getchannel("A"))
        image = rgba.getchannel("R") if gray else rgba.convert("RGB")
        image.info["icc_profile"] = profile
    rgb = _upright(np.asarray(to_srgb(image)), orientation)
    return Photo(rgb, None if alpha is None else _upright(alpha, orientation), kind)


def _orientation(image: Image.Image) -> int:
    # After load(): Pillow turns TIFFs upright itself and then clears the tag. A broken EXIF block means "as stored".
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except Exception:
        return 1
    return value if isinstance(value, int) else 1


def _upright(pixels: NDArray[np.uint8], orientation: int) -> NDArray[np.uint8]:
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)
