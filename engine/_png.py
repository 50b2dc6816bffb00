"""PNG files: lossless, and fast rather than small.

Each row is stored as its difference from the one above, which photos compress well by and costs next to nothing, and
deflated by ISA-L's igzip, several times as fast as zlib at its fastest and to no larger a file. Strips of rows are
deflated apart, side by side, as pigz does: each begins with an empty window and ends on a whole byte, so that they make
one stream when put together. PNG is ISO/IEC 15948, its stream RFC 1950.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from functools import reduce
from typing import Final

import numpy as np
from isal import isal_zlib
from numpy.typing import NDArray

from engine._threads import spread

__all__ = ["png_of"]

_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPE: Final = {1: 0, 3: 2, 4: 6}  # of so many channels: gray, RGB, RGBA
_UP: Final = 2  # filter type: the difference from the row above
_STRIP: Final = 1 << 20  # bytes of pixels, or one row
_LEVEL: Final = 1  # of igzip's 0 to 3: half the time of 3, smaller files for photos
_ZLIB_HEADER: Final = b"\x78\x01"  # deflate, a window of 32 KiB, fastest
_NO_ZLIB: Final = -15  # bare deflate with that window
_ADLER_BASE: Final = 65521
# ISA-L leaves the upper halves of the vector registers dirty, by which a thread's later SSE code is up to three times
# as slow, OpenCV's resize for one. numpy's loops clear them on their way out; these are the least that enter one.
_LANES: Final = np.zeros(64, np.uint8)


def png_of(pixels: NDArray[np.uint8] | NDArray[np.uint16]) -> bytes:
    """The file of (H, W) gray, (H, W, 3) RGB or (H, W, 4) RGBA samples, 8 or 16 bits each.

    The same pixels give the same bytes, whatever the number of threads; igzip itself may choose other ones on another
    kind of processor.

    Raises:
        ValueError: no pixels, or another number of channels.
    """
    height, width = pixels.shape[:2]
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    if not pixels.size or channels not in _COLOUR_TYPE:
        raise ValueError(f"no PNG has pixels of shape {pixels.shape}")
    header = struct.pack(">IIBBBBB", width, height, 8 * pixels.itemsize, _COLOUR_TYPE[channels], 0, 0, 0)
    stored = np.ascontiguousarray(pixels if pixels.itemsize == 1 else pixels.astype(">u2"))
    rows = stored.view(np.uint8).reshape(height, -1)
    strips = spread(lambda span: _deflated(rows, span), list(_spans(*rows.shape)))
    adler = reduce(_joined, (strip[1:] for strip in strips))[0]
    body = [_ZLIB_HEADER, *(strip[0] for strip in strips), struct.pack(">I", adler)]
    return b"".join((_SIGNATURE, *_chunk(b"IHDR", header), *_chunk(b"IDAT", *body), *_chunk(b"IEND")))


def _spans(height: int, width: int) -> Iterator[slice]:
    """Rows of `width` bytes each, in strips."""
    step = max(1, _STRIP // width)
    for start in range(0, height, step):
        yield slice(start, min(start + step, height))


def _deflated(rows: NDArray[np.uint8], span: slice) -> tuple[bytes, int, int]:
    """A strip's deflated rows, the Adler-32 of what was deflated, and its length."""
    strip = rows[span]
    filtered = np.empty((len(strip), 1 + strip.shape[1]), np.uint8)
    filtered[:, 0] = _UP
    filtered[0, 1:] = strip[0] - rows[span.start - 1] if span.start else strip[0]
    np.subtract(strip[1:], strip[:-1], out=filtered[1:, 1:])
    data = filtered.reshape(-1)
    deflate = isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, _NO_ZLIB)
    end = isal_zlib.Z_FINISH if span.stop == len(rows) else isal_zlib.Z_SYNC_FLUSH
    packed = deflate.compress(data) + deflate.flush(end)
    adler = isal_zlib.adler32(data)
    np.subtract(_LANES, _LANES)
    return packed, adler, data.size


def _joined(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    """Adler-32 and length of two pieces put together (RFC 1950, 8.2)."""
    (first, length), (second, more) = one, other
    low, high = first & 0xFFFF, first >> 16
    total = (low + (second & 0xFFFF) - 1) % _ADLER_BASE
    sums = (high + (second >> 16) + more * (low - 1)) % _ADLER_BASE
    return sums << 16 | total, length + more


def _chunk(kind: bytes, *parts: bytes) -> list[bytes]:
    check = reduce(lambda crc, part: zlib.crc32(part, crc), parts, zlib.crc32(kind))
    return [struct.pack(">I", sum(map(len, parts))), kind, *parts, struct.pack(">I", check)]
