"""Pixel measures that several suites share: no cap, no region of their own, black where a mask hides."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from vivid_bench.metrics.ssim import ssim_map

Frame = NDArray[np.uint8]


def kept(frames: NDArray[np.uint8], region: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return frames, (…, H, W, 3) uint8, with all outside a region, (…, H, W) bool, black."""
    return frames * region[..., None]


def mse(first: Frame, second: Frame) -> float:
    """Mean squared error of all values of two frames, in [0, 1]; (H, W, 3) uint8 each."""
    return cv2.norm(first, second, cv2.NORM_L2SQR) / (first.size * 255**2)


def mae(first: Frame, second: Frame) -> float:
    """Mean absolute error of all values of two frames, in [0, 1]; (H, W, 3) uint8 each."""
    return cv2.norm(first, second, cv2.NORM_L1) / (first.size * 255)


def psnr(first: Frame, second: Frame) -> float:
    """PSNR of two frames in dB, infinite where they are equal; (H, W, 3) uint8 each.

    Example:
        >>> black = np.zeros((2, 2, 3), np.uint8)
        >>> psnr(black, black)
        inf
    """
    error = mse(first, second)
    return -10 * math.log10(error) if error else math.inf


def ssim(first: Frame, second: Frame) -> float:
    """Mean SSIM of two frames as torchmetrics' (Gaussian 11x11, sigma 1.5); (H, W, 3) uint8 each."""
    return float(ssim_map(first, second).mean(dtype=np.float64))
