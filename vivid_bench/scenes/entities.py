"""Entities: coloured, patterned shapes with anti-aliased edges, slight shading and a soft shadow."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from vivid_bench.scenes.folds import COLOURS, Entity
from vivid_bench.scenes.motion import Affines, Path, placed
from vivid_bench.types import Frames, Mask

Floats = NDArray[np.float32]

RADII = {"small": 0.1, "medium": 0.145, "large": 0.2}
"""Radius of an entity by size word, as a share of the frame's shorter side."""

_OVERSAMPLE = 3
_SPRITE_PER_PX = 1.3  # sprites are a little finer than the screen, so that warping them does not blur


class Rendered(NamedTuple):
    """An entity in every frame: colour times opacity (T, H, W, 3), opacity and shadow (T, H, W), 0 to 1."""

    colour: Floats
    opacity: Floats
    shadow: Floats


def render_entity(rng: np.random.Generator, entity: Entity, path: Path, height: int, width: int) -> Rendered:
    """Draw an entity and its shadow along a path."""
    radius = RADII[entity.size] * min(height, width)
    texels = radius * _SPRITE_PER_PX
    sprite = _sprite(rng, entity, texels)
    soft = cv2.GaussianBlur(sprite[..., 3], (0, 0), texels * rng.uniform(0.1, 0.2))
    soft = np.maximum(soft - np.float32(0.03), 0) * np.float32(rng.uniform(0.4, 0.65))
    sprite_to_screen = _from_sprite(placed(path), sprite.shape[0])
    light = rng.uniform(0, 2 * np.pi)
    offset = radius * rng.uniform(0.15, 0.45) * np.array([np.cos(light), abs(np.sin(light))])
    shadow_to_screen = sprite_to_screen.copy()
    shadow_to_screen[:, :, 2] += offset * path.scale[:, None]
    layers = _warped(sprite, sprite_to_screen, height, width)
    return Rendered(layers[..., :3], layers[..., 3], _warped(soft, shadow_to_screen, height, width))


def composite(background: Frames, layers: list[Rendered]) -> Frames:
    """Paint entities over a background, the last one on top; where none is, the bytes stay as they are.

    Args:
        background: (T, H, W, 3) uint8 RGB.
        layers: in painting order.

    Returns:
        (T, H, W, 3) uint8 RGB.
    """
    if not layers:
        return background
    picture = background.astype(np.float32)
    for layer in layers:
        picture *= ((1 - layer.shadow) * (1 - layer.opacity))[..., None]
        picture += layer.colour
    picture += np.float32(0.5)
    return picture.astype(np.uint8)


def footprint(layer: Rendered) -> Mask:
    """Pixels that an entity or its shadow touches, (T, H, W) bool."""
    return np.asarray((layer.opacity > 0) | (layer.shadow > 0))


def _sprite(rng: np.random.Generator, entity: Entity, texels: float) -> Floats:
    """Premultiplied RGB (0 to 255) and opacity, (S, S, 4), centre in the middle, with room for the shadow."""
    size = 2 * int(np.ceil(texels * 1.7)) + 1
    fine = size * _OVERSAMPLE
    axis = (((np.arange(fine) + 0.5) / fine - 0.5) * size / texels).astype(np.float32)
    x, y = axis[None], axis[:, None]
    opacity = np.zeros((fine, fine), np.uint8)
    outline = (_outline(entity.shape) * texels / size + 0.5) * fine - 0.5
    cv2.fillPoly(opacity, [np.round(outline * 16).astype(np.int32)], 255, cv2.LINE_8, 4)
    base, second = _tones(entity.colour)
    marks = _marks(rng, entity.pattern, x, y)[..., None]
    colour = base * (1 - marks) + second * marks
    colour = colour * (1.04 - 0.1 * (x * np.float32(0.5) + y) - 0.06 * (x * x + y * y))[..., None]
    alpha = opacity.astype(np.float32)[..., None] / 255
    sprite = np.concatenate([np.clip(colour, 0, 255) * alpha, alpha], axis=2)
    return np.asarray(cv2.resize(sprite, (size, size), interpolation=cv2.INTER_AREA), dtype=np.float32)


def _tones(colour: str) -> tuple[Floats, Floats]:
    """The named colour and a pattern's second tone, which stays near it so that the name rules the mean."""
    base = np.array(COLOURS[colour], np.float32)
    if colour == "white":
        return base, base * np.float32(0.72)
    return base, base + np.float32(0.35 if colour == "black" else 0.42) * (255 - base)


def _marks(rng: np.random.Generator, pattern: str, x: Floats, y: Floats) -> Floats:
    """Where a pattern's second tone is, 0 or 1; entity coordinates, radius 1."""
    phase = np.float32(rng.uniform(0, 2 * np.pi))
    u, v = np.float32(0.866) * x + np.float32(0.5) * y, np.float32(0.866) * y - np.float32(0.5) * x
    if pattern == "striped":
        marks = np.sin(np.float32(7) * u + phase) > 0.35
    elif pattern == "spotted":
        marks = np.cos(np.float32(7) * u + phase) + np.cos(np.float32(7) * v + phase) > 0.9
    elif pattern == "checkered":
        marks = np.sin(np.float32(5.5) * u + phase) * np.sin(np.float32(5.5) * v + phase) > 0.15
    else:
        marks = np.zeros(np.broadcast_shapes(x.shape, y.shape), np.bool_)
    return np.asarray(marks, dtype=np.float32)


def _outline(shape: str) -> NDArray[np.float64]:
    """Corners of a shape of radius about 1, (N, 2) as x, y with y downwards."""
    if shape == "heart":
        t = np.linspace(0, 2 * np.pi, 60, endpoint=False)
        x = 16 * np.sin(t) ** 3
        y = 13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t)
        return np.stack([x, -y - 2], axis=1) / 15.5
    if shape == "cross":
        a, b = 0.33, 0.95
        ring = [
            (-a, -b),
            (a, -b),
            (a, -a),
            (b, -a),
            (b, a),
            (a, a),
            (a, b),
            (-a, b),
            (-a, a),
            (-b, a),
            (-b, -a),
            (-a, -a),
        ]
        return np.array(ring)
    if shape == "diamond":
        return np.array([(0, -1.1), (0.7, 0), (0, 1.1), (-0.7, 0)])
    if shape == "star":
        angles = np.arange(10) * np.pi / 5 - np.pi / 2
        radii = np.where(np.arange(10) % 2 == 0, 1.1, 0.5)
        return np.stack([np.cos(angles), np.sin(angles)], axis=1) * radii[:, None]
    corners, first = {"circle": (48, 0.0), "square": (4, 45.0), "triangle": (3, -90.0), "hexagon": (6, 0.0)}[shape]
    angles = np.arange(corners) * 2 * np.pi / corners + np.radians(first)
    return np.stack([np.cos(angles), np.sin(angles)], axis=1)


def _from_sprite(to_screen: Affines, size: int) -> Affines:
    """Chain sprite texels -> entity coordinates in pixels -> screen."""
    sprite_to_screen = to_screen.copy()
    sprite_to_screen[:, :, :2] /= _SPRITE_PER_PX
    sprite_to_screen[:, :, 2] -= sprite_to_screen[:, :, :2].sum(axis=2) * (size - 1) / 2
    return sprite_to_screen


def _warped(image: Floats, transforms: Affines, height: int, width: int) -> Floats:
    return np.stack([cv2.warpAffine(image, m, (width, height), flags=cv2.INTER_LINEAR) for m in transforms])
