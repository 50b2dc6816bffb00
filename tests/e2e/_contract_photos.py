"""Photos good and hostile, made here, and what a client reads back of an album that has ended."""

from __future__ import annotations

import io
import time
import zlib
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageOps

from ._contract import Album, data_of, unsigned

__all__ = [
    "ENDS_WITHIN_S",
    "HEIGHT",
    "UPRIGHT",
    "WIDTH",
    "Ended",
    "Pixels",
    "ball",
    "damaged_files",
    "decoded",
    "encoded",
    "flat",
    "good_forms",
    "hostile_files",
    "opened",
    "room",
    "run",
]

Pixels = NDArray[np.uint8]

WIDTH, HEIGHT = 480, 320
UPRIGHT = (WIDTH, HEIGHT)
ENDS_WITHIN_S = 150


def ball(seed: int = 1, *, shiny: bool = False) -> Pixels:
    """(HEIGHT, WIDTH, 3) uint8 sRGB: a shaded ball on a plain ground, which the classical engine finds."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float64)
    squared = ((x - WIDTH / 2) ** 2 + (y - HEIGHT / 2) ** 2) / (0.3 * HEIGHT) ** 2
    shade = 0.6 + 0.5 * np.sqrt(np.clip(1 - squared, 0, None))
    red, ground = (
        np.array([170.0, 60, 40]) * shade[..., None],
        np.array([232.0, 230, 228]) * (1.02 - y[..., None] / 4000),
    )
    if shiny:
        red = red + 220 * np.exp(-((x - WIDTH / 2 + 25) ** 2 + (y - HEIGHT / 2 + 30) ** 2) / 120)[..., None]
    noise = np.random.default_rng(seed).normal(0, 1.5, (HEIGHT, WIDTH, 1))
    return np.asarray(np.clip(np.where((squared < 1)[..., None], red, ground) + noise, 0, 255), np.uint8)


def room(name: str) -> Pixels:
    """(450, 600, 3) uint8 sRGB: one of the rooms that ship with the demo, smaller."""
    with Image.open(str(files("s3palette.demo") / "photos" / f"{name}.jpg")) as photo:
        return np.asarray(photo.convert("RGB").resize((600, 450)), np.uint8)


def encoded(picture: Image.Image | Pixels, form: str = "PNG", **options: Any) -> bytes:
    """The picture as a file of that form."""
    image = picture if isinstance(picture, Image.Image) else Image.fromarray(picture)
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def flat(width: int, height: int) -> bytes:
    """A plain grey JPEG of any size, a few hundred kB."""
    return encoded(Image.new("RGB", (width, height), (180, 180, 180)), "JPEG")


def _with_size(png: bytes, width: int, height: int) -> bytes:
    """The PNG with another size in its header, checksum and all: the data is that of the old size."""
    header = b"IHDR" + width.to_bytes(4, "big") + height.to_bytes(4, "big") + png[24:29]
    return png[:12] + header + zlib.crc32(header).to_bytes(4, "big") + png[33:]


def good_forms() -> dict[str, bytes]:
    """Files of the same ball, upright WIDTH x HEIGHT, that all are photos (and one of a single pixel)."""
    photo = Image.fromarray(ball())
    with_alpha = photo.copy()
    with_alpha.putalpha(Image.linear_gradient("L").resize(UPRIGHT).point(lambda alpha: 128 + alpha // 2))
    turned = Image.Exif()
    turned[0x0112] = 6
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    jpeg = encoded(photo, "JPEG", quality=92)
    return {
        "PNG": encoded(photo),
        "JPEG": jpeg,
        "JPEG and something behind it": jpeg + b"trailing bytes",
        "CMYK JPEG": encoded(photo.convert("CMYK"), "JPEG"),
        "grey JPEG": encoded(photo.convert("L"), "JPEG"),
        "turned JPEG": encoded(photo.rotate(90, expand=True), "JPEG", exif=turned, quality=95),
        "RGBA PNG": encoded(with_alpha),
        "16-bit PNG": encoded(Image.fromarray(ball()[..., 1].astype(np.uint16) * 257)),
        "palette PNG": encoded(photo.quantize(64)),
        "PNG with a profile": encoded(photo, icc_profile=profile),
    }


def hostile_files() -> dict[str, bytes]:
    """Files that are no photo, each in another way."""
    png, jpeg = encoded(ball()), encoded(ball(), "JPEG")
    return {
        "words": b"this is not an image at all, whatever it is called",
        "one byte": b"\x00",
        "half a JPEG": jpeg[: len(jpeg) // 2],
        "half a PNG": png[: len(png) // 2],
        "a JPEG's beginning": jpeg[:20],
        "bomb": _with_size(png, 30_000, 30_000),
        "SVG": b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><rect width="9" height="9"/></svg>',
        "HEIC": b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + b"\x00" * 200,
    }


def damaged_files() -> dict[str, bytes]:
    """Files that begin as a photo does and then are none: bombs, lies about the size, small damage."""
    png, jpeg = encoded(ball()), encoded(ball(), "JPEG")
    text = b"zTXt" + b"c\0\0" + zlib.compress(bytes(100_000_000), 9)
    text_bomb = (len(text) - 4).to_bytes(4, "big") + text + zlib.crc32(text).to_bytes(4, "big")
    return {
        "text bomb": png[:33] + text_bomb + png[33:],
        "64 MP claimed": _with_size(png, 8000, 8000),
        "no size": _with_size(png, 0, 5),
        "no end": jpeg[:-200],
        "one byte changed": png[:60] + bytes([png[60] ^ 255]) + png[61:],
    }


@dataclass(frozen=True)
class Ended:
    """An album that has ended, with its photos as they were sent."""

    owner: httpx.Client
    job: dict[str, Any]
    sent: list[bytes]

    def item(self, idx: int) -> dict[str, Any]:
        item: dict[str, Any] = self.job["items"][idx]
        return item

    def _link(self, idx: int, which: str) -> str:
        (link,) = [link for link in self.job["download_urls"] if link["idx"] == idx]
        address: str = link[which]
        return address

    def output(self, idx: int) -> Image.Image:
        """The result, which must be a PNG."""
        return opened(self.owner, self._link(idx, "output_url"), "PNG")

    def preview(self, idx: int) -> Image.Image:
        return opened(self.owner, self._link(idx, "preview_url"), "JPEG")

    def label_map(self, idx: int, concept: str) -> NDArray[Any]:
        """(H, W): 0 where the concept is not, k on instance #k."""
        return np.asarray(opened(self.owner, self.item(idx)["masks"][concept], "PNG"))


def opened(owner: httpx.Client, address: str, form: str) -> Image.Image:
    """The picture at a signed address, which needs no token."""
    answer = unsigned(owner, "GET", address)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == f"image/{form.lower()}"
    image = Image.open(io.BytesIO(answer.content))
    assert image.format == form
    image.load()
    return image


def decoded(photo: bytes) -> Pixels:
    """(H, W, 3) uint8: the photo upright, as another program reads it."""
    return np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(photo))).convert("RGB"))


def run(owner: httpx.Client, photos: list[bytes], /, preset: str = "seller", **rule: Any) -> Ended:
    """Upload the photos, apply the rule, wait for the end."""
    album = Album.create(owner, len(photos), preset)
    for idx, photo in enumerate(photos):
        assert album.put(idx, photo).is_success
    data_of(album.confirm())
    data_of(album.execute(**rule), 202)
    until = time.monotonic() + ENDS_WITHIN_S
    while (job := album.view())["status"] not in ("done", "failed"):
        assert time.monotonic() < until, job
        time.sleep(0.05)
    return Ended(owner, job, photos)
