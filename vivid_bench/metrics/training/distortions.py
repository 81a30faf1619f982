"""Distortions of known strength, and how often a metric puts two strengths in the right order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from vivid_bench.types import Frames, Mask

Distance = Callable[[Frames, Frames, Mask], NDArray[np.float64]]
"""(N, H, W, 3) edited and target frames and (N, H, W) regions -> (N,) distances."""

STRENGTHS: dict[str, tuple[float, ...]] = {
    "blur": (0.6, 1.0, 1.7, 3.0),
    "noise": (5.0, 10.0, 20.0, 40.0),
    "blocking": (70.0, 35.0, 17.0, 8.0),
    "shift": (1.0, 2.0, 4.0, 8.0),
    "colour": (0.06, 0.12, 0.24, 0.48),
}
"""Kind -> strengths from weak to strong. Neighbours are about a factor of two apart, which a viewer sees side by side;
one level of different kinds looks roughly equally strong. Blur: sigma in px. Noise: standard deviation in 8-bit steps.
Blocking: JPEG quality. Shift: px along x, y or both. Colour: share of a tint mixed in."""

LEVELS = 4

_DIRECTIONS = [(x, y) for x in (-1, 0, 1) for y in (-1, 0, 1) if (x, y) != (0, 0)]


def distort(frame: NDArray[np.uint8], kind: str, level: int, seed: int) -> NDArray[np.uint8]:
    """Distort a frame.

    Args:
        frame: (H, W, 3) uint8 RGB.
        kind: a key of `STRENGTHS`.
        level: 0 (weak) to 3 (strong).
        seed: chooses noise, direction and tint; two levels of one seed differ in strength alone.

    Returns:
        (H, W, 3) uint8.
    """
    strength = STRENGTHS[kind][level]
    rng = np.random.default_rng(seed)
    if kind == "blur":
        return np.asarray(cv2.GaussianBlur(frame, (0, 0), strength))
    if kind == "noise":
        return _to_8_bits(frame + strength * rng.standard_normal(frame.shape))
    if kind == "blocking":
        _, packed = cv2.imencode(".jpg", frame[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(strength)])
        return np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)[..., ::-1]
    if kind == "shift":
        # One of eight directions, by whole pixels: interpolation would blur as well.
        x, y = strength * np.array(_DIRECTIONS[rng.integers(len(_DIRECTIONS))])
        affine = np.array([[1, 0, x], [0, 1, y]], np.float64)
        return np.asarray(cv2.warpAffine(frame, affine, frame.shape[1::-1], borderMode=cv2.BORDER_REFLECT_101))
    tint = 255 * rng.integers(0, 2, 3)
    return _to_8_bits((1 - strength) * frame + strength * tint)


def _to_8_bits(values: NDArray[np.float64]) -> NDArray[np.uint8]:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def ordering_rates(distance: Distance, frames: Frames, regions: Mask, kinds: Sequence[str]) -> dict[str, float]:
    """Count how often the stronger of two neighbouring strengths gets the larger distance; a tie counts as wrong.

    Args:
        distance: the metric.
        frames: (N, H, W, 3) uint8.
        regions: (N, H, W) bool.
        kinds: keys of `STRENGTHS`.

    Returns:
        Share of pairs in the right order, 0 to 1, by kind.
    """
    rates = {}
    for kind in kinds:
        by_level = [
            distance(np.stack([distort(f, kind, level, seed) for seed, f in enumerate(frames)]), frames, regions)
            for level in range(LEVELS)
        ]
        rates[kind] = float(np.mean([strong > weak for weak, strong in pairwise(by_level)]))
    return rates


def l1_distance(edited: Frames, target: Frames, regions: Mask) -> NDArray[np.float64]:
    """Mean absolute error of each frame's region, 0 to 255: what a metric has to be compared with."""
    difference = np.abs(edited.astype(np.float64) - target).mean(axis=3)
    return np.asarray((difference * regions).sum(axis=(1, 2)) / regions.sum(axis=(1, 2)))
