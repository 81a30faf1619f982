"""Camera and entity paths, as one similarity transform a frame."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Rng = np.random.Generator
Affines = NDArray[np.float64]  # (T, 2, 3), maps (x, y, 1)


class Path(NamedTuple):
    """An entity's way over the screen: centre (T, 2) as x, y, scale (T,), rotation (T,) in radians."""

    centre: NDArray[np.float64]
    scale: NDArray[np.float64]
    rotation: NDArray[np.float64]


def camera_path(rng: Rng, frames: int, height: int, width: int) -> Affines:
    """Pan, zoom, rotation and hand-held shake, from canvas to screen coordinates.

    Returns:
        (T, 2, 3); the screen's corners map back to canvas coordinates of at least 1 pixel.
    """
    unit = min(height, width)
    time = np.linspace(-0.5, 0.5, frames)
    # Longer clips go further, but not in proportion: the canvas has to hold the whole way.
    reach = unit * rng.uniform(0.05, 0.4) * (frames / 17) ** 0.5
    angle = rng.uniform(0, 2 * np.pi)
    shake = unit * rng.choice([0.002, 0.006, 0.015])
    look_at = np.stack([reach * np.cos(angle) * time, reach * np.sin(angle) * time], axis=1)
    look_at += shake * np.stack([_wobble(rng, frames), _wobble(rng, frames)], axis=1)
    scale = np.exp(rng.uniform(-0.2, 0.2) * time + 0.15 * shake / unit * _wobble(rng, frames))
    rotation = rng.normal(0, 0.08) * time + 0.3 * shake / unit * _wobble(rng, frames)

    cos, sin = scale * np.cos(rotation), scale * np.sin(rotation)
    turn = np.stack([np.stack([cos, -sin], -1), np.stack([sin, cos], -1)], axis=1)
    middle = np.array([(width - 1) / 2, (height - 1) / 2])
    corners = np.array([[0, 0], [width - 1, 0], [0, height - 1], [width - 1, height - 1]]) - middle
    seen = np.einsum("tij,cj->tci", np.linalg.inv(turn), corners) + look_at[:, None]
    look_at += 1 - seen.min(axis=(0, 1))
    shift = middle - np.einsum("tij,tj->ti", turn, look_at)
    return np.concatenate([turn, shift[..., None]], axis=2)


def canvas_size(camera: Affines, height: int, width: int) -> tuple[int, int]:
    """Height and width of the smallest canvas that fills every frame."""
    corners = np.array([[0, 0], [width - 1, 0], [0, height - 1], [width - 1, height - 1]])
    seen = np.einsum("tij,tcj->tci", np.linalg.inv(camera[:, :, :2]), corners - camera[:, None, :, 2])
    far = np.ceil(seen.max(axis=(0, 1))).astype(int) + 2
    return int(far[1]), int(far[0])


def entity_path(rng: Rng, camera: Affines, height: int, width: int) -> Path:
    """A smooth path near the screen's middle: fixed to the background, drifting, or crossing it."""
    frames = len(camera)
    unit = min(height, width)
    time = np.linspace(-0.5, 0.5, frames)
    middle = frames // 2
    start = np.array([width, height]) * rng.uniform(0.3, 0.7, 2)
    # Where the piece of background that lies at `start` in the middle frame is in every frame.
    fixed = np.linalg.inv(camera[middle, :, :2]) @ (start - camera[middle, :, 2])
    carried = np.einsum("tij,j->ti", camera[:, :, :2], fixed) + camera[:, :, 2]
    kind = rng.choice(3, p=(0.2, 0.4, 0.4))
    reach = unit * (0.0, rng.uniform(0.1, 0.3), rng.uniform(0.4, 0.9))[kind]
    angle = rng.uniform(0, 2 * np.pi)
    sway = (0.0, 0.03, 0.06)[kind] * unit * np.sin(2 * np.pi * (rng.uniform(0.5, 1.5) * time + rng.uniform()))
    own = np.stack([np.cos(angle), np.sin(angle)]) * (reach * time)[:, None]
    own += np.stack([-np.sin(angle), np.cos(angle)]) * sway[:, None]
    screen = _kept_in(carried + own, np.array([width, height], dtype=float))
    zoom = np.hypot(camera[:, 0, 0], camera[:, 1, 0])
    turn = np.arctan2(camera[:, 1, 0], camera[:, 0, 0])
    spin = rng.normal(0, 0.25) + (0.0, 0.4, 1.2)[kind] * rng.normal() * time
    growth = np.exp((0.0, 0.1, 0.25)[kind] * rng.normal() * time).clip(0.75, 1.3)
    return Path(screen, zoom / zoom[middle] * growth, turn + spin)


def placed(path: Path) -> Affines:
    """Transforms from an entity's own coordinates (centre at 0) to the screen, (T, 2, 3)."""
    cos, sin = path.scale * np.cos(path.rotation), path.scale * np.sin(path.rotation)
    turn = np.stack([np.stack([cos, -sin], -1), np.stack([sin, cos], -1)], axis=1)
    return np.concatenate([turn, path.centre[..., None]], axis=2)


def _kept_in(points: NDArray[np.float64], size: NDArray[np.float64]) -> NDArray[np.float64]:
    """Bend paths back before they leave the screen; the inner half stays as it is."""
    offset = points / size - 0.5
    beyond = np.maximum(np.abs(offset) - 0.25, 0)
    kept = np.sign(offset) * (np.minimum(np.abs(offset), 0.25) + 0.18 * np.tanh(beyond / 0.18))
    return np.asarray((kept + 0.5) * size)


def _wobble(rng: Rng, frames: int) -> NDArray[np.float64]:
    """A hand's unrest: random walk held to its place, smoothed; about unit standard deviation."""
    kicks = rng.standard_normal(frames + 4)
    position = np.zeros(frames + 4)
    for t in range(1, frames + 4):
        position[t] = 0.75 * position[t - 1] + kicks[t]
    return np.convolve(position, (0.2, 0.6, 0.2), mode="valid")[2:] / 1.4
