"""Background canvases: textures painted and lit to have the spectra, edges and light of photographs, and photographs.

The folds' spectral exponents and photographs are disjoint, as their texture families are.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from vivid_bench.scenes.textures import FAMILIES, Floats, Rng, grid, spectral_noise

SPECTRAL_EXPONENTS = {"train": (1.0, 1.25), "validation": (1.25, 1.3), "test": (1.3, 1.5)}
"""Range of a in the amplitude spectrum 1/f^a; photographs have about 1 to 1.5."""

PHOTOGRAPHS: dict[str, tuple[str, ...]] = {
    "validation": ("camera", "chelsea", "grass"),
    "test": ("astronaut", "brick", "coffee", "rocket"),
}
"""Public-domain and CC0 photographs in the scikit-image wheel (names in skimage.data), by fold."""


def render_background(rng: Rng, fold: str, height: int, width: int, unit: float) -> NDArray[np.uint8]:
    """Paint a canvas in a fold's textures.

    Args:
        rng: the scene's background stream.
        fold: one of FOLDS.
        height, width: the canvas in pixels.
        unit: the frame's shorter side in pixels; features scale with it.

    Returns:
        (height, width, 3) uint8 RGB.
    """
    canvas = _texture(rng, fold, height, width, unit)
    if rng.random() < 0.35:  # a wall and a floor, or land and sky
        second = _texture(rng, fold, height, width, unit)
        ys, xs = grid(height, width)
        line = rng.uniform(0.35, 0.65) * height + rng.uniform(-0.15, 0.15) * (xs - width / 2)
        below = np.clip(ys - line, 0, 1)[..., None]
        canvas = canvas * (1 - below) + second * below * np.float32(rng.uniform(0.6, 1.0))
    _paint_props(rng, canvas, unit)
    canvas *= _light(rng, height, width)
    canvas = cv2.GaussianBlur(canvas, (0, 0), 1.1)  # band-limited, so that sub-pixel motion does not alias
    return np.asarray(np.clip(canvas * 255 + 0.5, 0, 255), dtype=np.uint8)


def crop_photograph(rng: Rng, name: str, height: int, width: int) -> NDArray[np.uint8]:
    """Cut a canvas out of a scikit-image photograph; grey ones get a tint.

    Args:
        rng: the scene's background stream.
        name: a name in PHOTOGRAPHS.
        height, width: the canvas in pixels.

    Returns:
        (height, width, 3) uint8 RGB.
    """
    import skimage.data

    photo = getattr(skimage.data, name)()
    if photo.ndim == 2:
        tint = 1 + rng.uniform(-0.12, 0.12, 3)
        photo = np.clip(photo[..., None] * tint, 0, 255).astype(np.uint8)
    scale = max(height / photo.shape[0], width / photo.shape[1], rng.uniform(0.4, 0.8))
    size = (max(width, round(photo.shape[1] * scale)), max(height, round(photo.shape[0] * scale)))
    photo = cv2.resize(photo, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    crops = []
    for _ in range(4):
        y = int(rng.integers(0, photo.shape[0] - height + 1))
        x = int(rng.integers(0, photo.shape[1] - width + 1))
        crops.append(photo[y : y + height, x : x + width])
    crop = max(crops, key=lambda c: float(cv2.Laplacian(c, cv2.CV_32F).std()))  # not the empty sky
    return np.asarray(cv2.GaussianBlur(crop, (0, 0), 0.7), dtype=np.uint8)


def _texture(rng: Rng, fold: str, height: int, width: int, unit: float) -> Floats:
    families = FAMILIES[fold]
    layout = families[rng.integers(len(families))](rng, height, width, unit)
    exponent = rng.uniform(*SPECTRAL_EXPONENTS[fold])
    grain = spectral_noise(rng, height, width, exponent)
    count = int(layout.labels.max()) + 1
    # Cells do not repeat their neighbour's piece of noise: each takes it from elsewhere.
    shift = rng.integers(0, [[height], [width]], (2, count))
    ys, xs = np.indices((height, width), dtype=np.int32, sparse=True)
    cell_grain = grain[
        (ys + shift[0].astype(np.int32)[layout.labels]) % height,
        (xs + shift[1].astype(np.int32)[layout.labels]) % width,
    ]
    colours = _cell_colours(rng, count)
    albedo = colours[layout.labels]
    tint = rng.uniform(0.02, 0.06) * rng.normal(1, 0.2, 3).astype(np.float32)
    albedo += cell_grain[..., None] * tint.astype(np.float32)
    joint_colour = colours.mean(axis=0) * np.float32(rng.choice([0.6, 1.25]))
    joints = layout.joints[..., None]
    albedo = albedo * (1 - joints) + joint_colour * joints
    height_map = layout.relief + grain * np.float32(rng.uniform(0.0, 0.15))
    return np.asarray(np.clip(albedo * _shading(rng, height_map), 0.02, 1.0), dtype=np.float32)


def _cell_colours(rng: Rng, count: int) -> Floats:
    """Two or three muted base colours, varied a little from cell to cell; (count, 3) in 0 to 1."""
    bases = np.clip(rng.uniform(0.28, 0.72, (3, 1)) + rng.normal(0, 0.055, (3, 3)), 0.1, 0.9)
    mixed = bases[rng.integers(0, rng.integers(1, 4), count)]
    spread = rng.uniform(0.015, 0.07)
    return np.asarray(
        np.clip(mixed + rng.normal(0, spread, (count, 1)) + rng.normal(0, 0.012, (count, 3)), 0.05, 0.95),
        dtype=np.float32,
    )


def _shading(rng: Rng, height_map: Floats) -> Floats:
    """Lambert shading of a shallow relief, (h, w, 1) around 1."""
    angle = rng.uniform(0, 2 * np.pi)
    slope = np.float32(np.cos(angle)) * cv2.Sobel(height_map, cv2.CV_32F, 1, 0, scale=0.125)
    slope += np.float32(np.sin(angle)) * cv2.Sobel(height_map, cv2.CV_32F, 0, 1, scale=0.125)
    return np.asarray(np.clip(1 + np.float32(0.35) * slope, 0.65, 1.35), dtype=np.float32)[..., None]


def _light(rng: Rng, height: int, width: int) -> Floats:
    """A large-scale light gradient with broad soft shadows, (h, w, 1)."""
    ys, xs = grid(height, width)
    angle = rng.uniform(0, 2 * np.pi)
    ramp = (np.cos(angle) * (xs / width - 0.5) + np.sin(angle) * (ys / height - 0.5)) * rng.uniform(0.1, 0.6)
    coarse = cv2.resize(rng.uniform(-1, 1, (4, 4)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(1 + ramp + rng.uniform(0.03, 0.12) * coarse, 0.5, 1.5), dtype=np.float32)[..., None]


def _paint_props(rng: Rng, canvas: Floats, unit: float) -> None:
    """Still things on the background: boards, beams and blobs, with a shadow, painted in place."""
    height, width = canvas.shape[:2]
    for _ in range(rng.integers(0, 5)):
        centre = rng.uniform(0, 1, 2) * (width, height)
        size = unit * rng.uniform(0.06, 0.3, 2)
        box = cv2.boxPoints((tuple(centre), tuple(size), float(rng.normal(0, 12))))
        layer = np.zeros((height, width), np.float32)
        cv2.fillConvexPoly(layer, np.round(box * 16).astype(np.int32), 1.0, cv2.LINE_AA, 4)
        shadow = np.roll(cv2.GaussianBlur(layer, (0, 0), unit * 0.015), (2, 2), (0, 1))
        canvas *= 1 - np.float32(0.45) * shadow[..., None]
        colour = np.clip(rng.uniform(0.2, 0.8) + rng.normal(0, 0.07, 3), 0.05, 0.95).astype(np.float32)
        canvas += layer[..., None] * (0.85 * colour - 0.85 * canvas)
