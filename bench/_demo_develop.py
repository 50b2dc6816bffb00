"""From path-traced light to something that looks as if a camera had taken it: merge, denoise, expose, tone, grain."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

__all__ = ["denoise", "develop", "merge"]

Light = NDArray[np.float32]


def merge(passes: Light) -> tuple[Light, Light]:
    """Independent passes (n, H, W, 3), n > 1 -> their mean (H, W, 3) and the variance of its luminance (H, W).

    A firefly is one sample far above its surroundings. It is clamped in its own pass, before it gets into the mean:
    there it is still told from what is bright in every pass.
    """
    usual = _median(np.median(passes, axis=0).astype(np.float32), 5)
    calm = np.minimum(passes, 4.0 * usual + 0.05)
    variance = calm.mean(axis=3).var(axis=0, ddof=1) / len(passes)
    return calm.mean(axis=0), variance


def denoise(light: Light, variance: Light, albedo: Light, normal: Light, depth: Light, levels: int = 5) -> Light:
    """Edge-avoiding a-trous wavelet filter on light without albedo; all (H, W, 3) but variance and depth (H, W).

    Several pictures of one view may come side by side, light and albedo (H, W, 3 n): the first says what is an edge,
    and all get the same weights.

    Dammertz et al. 2010, with the variance-guided luminance weight of Schied et al. 2017 (SVGF), in space only.
    `variance` is that of the light's mean over the channels.
    """
    base = albedo + 0.03
    normal = normal / (np.linalg.norm(normal, axis=2, keepdims=True) + 1e-6)
    lonely = np.zeros(depth.shape, bool)
    signal = (np.clip(light, 0, 30) / base).astype(np.float32)
    variance = (variance / base[..., :3].mean(axis=2) ** 2).astype(np.float32)
    chance = 2.0 * np.sqrt(variance)[..., None]  # what stands out by no more than this is no highlight
    signal = np.minimum(signal, np.maximum(1.2 * _median(signal, 5) + 0.02, signal - chance))
    variance = cv2.blur(variance, (7, 7))
    slope = np.abs(np.gradient(depth, axis=0)) + np.abs(np.gradient(depth, axis=1))
    for level in range(levels):
        step = 2**level
        luma = signal[..., :3].mean(axis=2)
        tolerance = 3.0 * np.sqrt(cv2.GaussianBlur(variance, (3, 3), 0)) + 1e-3
        total, weight_sum, spread = signal * 0.25, np.full(luma.shape, 0.25, np.float32), variance * 0.0625
        for dy in (-1, 0, 1):
            for dx in (-1, 0, 1):
                if dx == dy == 0:
                    continue
                kernel = (0.5 if dy == 0 else 0.25) * (0.5 if dx == 0 else 0.25)
                y, x = dy * step, dx * step
                near_normal = np.clip((normal * _shift(normal, y, x)).sum(axis=2), 0, 1) ** 32
                gap = np.abs(depth - _shift(depth, y, x)) / (slope * step + 0.01 * depth + 1e-3)
                change = np.abs(luma - _shift(luma, y, x)) / tolerance
                weight = (kernel * near_normal * np.exp(-gap - change)).astype(np.float32)
                total += weight[..., None] * _shift(signal, y, x)
                spread += weight**2 * _shift(variance, y, x)
                weight_sum += weight
        if level == 0:
            lonely = weight_sum < 0.45
        signal, variance = total / weight_sum[..., None], spread / weight_sum**2
    # a pixel on an edge that found no like neighbours is still noisy: its neighbourhood's median speaks for it
    signal = np.where(lonely[..., None], _median(signal, 3), signal)
    return (signal * base).astype(np.float32)


def develop(light: Light, exposure: float, balance: tuple[float, float, float], seed: int) -> NDArray[np.uint8]:
    """Scene light (H, W, 3) -> sRGB: lens bloom, exposure, film curve, vignette, light sensor noise."""
    height, width = light.shape[:2]
    light = np.clip(light, 0, 12).astype(np.float32)
    light = 0.95 * light + 0.03 * cv2.GaussianBlur(light, (0, 0), 12) + 0.02 * cv2.GaussianBlur(light, (0, 0), 60)
    light *= exposure * np.asarray(balance, np.float32)
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    light *= (1 - 0.05 * (x**2 + y**2))[..., None].astype(np.float32)
    a = 0.62 * light  # Narkowicz 2015, "ACES filmic tone mapping curve", at a softer gain
    toned = np.clip(a * (2.51 * a + 0.03) / (a * (2.43 * a + 0.59) + 0.14), 0, 1)
    level = np.where(toned <= 0.0031308, toned * 12.92, 1.055 * toned ** (1 / 2.4) - 0.055).astype(np.float32) * 255
    grain = np.random.default_rng(seed).normal(0, 1, level.shape).astype(np.float32)
    grain = cv2.GaussianBlur(grain, (0, 0), 0.7) * 2.2
    noisy = level + grain * (0.6 + 1.1 * np.sqrt(level / 255) * (1 - level / 320))
    return np.clip(noisy + 0.5, 0, 255).astype(np.uint8)


def _median(image: Light, size: int) -> Light:
    """The median of each channel over size x size pixels."""
    channels = [np.ascontiguousarray(image[..., c], np.float32) for c in range(image.shape[2])]
    return np.stack([cv2.medianBlur(channel, size) for channel in channels], axis=2)


def _shift(image: Light, y: int, x: int) -> Light:
    """The image moved by (y, x), borders repeated."""
    height, width = image.shape[:2]
    rows = np.clip(np.arange(height) + y, 0, height - 1)
    cols = np.clip(np.arange(width) + x, 0, width - 1)
    return image[rows][:, cols]
