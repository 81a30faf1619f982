"""Texture families, as layouts to be painted: cells, joints between them and relief.

The families of the folds are disjoint.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Labels = NDArray[np.int32]
Rng = np.random.Generator


class Layout(NamedTuple):
    """A texture before it is painted: label of each pixel's cell, joint weight (0 to 1), relief height."""

    labels: Labels
    joints: Floats
    relief: Floats


def spectral_noise(rng: Rng, height: int, width: int, exponent: float) -> Floats:
    """Noise with amplitude spectrum 1/f^exponent, (height, width) float32, mean 0, standard deviation 1."""
    # Sizes that the FFT factorises badly cost several times as much: render a little more and cut.
    h, w = cv2.getOptimalDFTSize(height), cv2.getOptimalDFTSize(width)
    half = w // 2 + 1
    frequency = np.hypot(np.fft.fftfreq(h)[:, None] * h, np.fft.rfftfreq(w)[None] * h)
    frequency[0, 0] = np.inf
    amplitude = (frequency**-exponent).astype(np.float32)
    white = rng.standard_normal((2, h, half), dtype=np.float32)
    noise = np.fft.irfft2((white[0] + 1j * white[1]) * amplitude, s=(h, w))[:height, :width]
    noise -= noise.mean()
    return np.asarray(noise / noise.std(), dtype=np.float32)


def grid(height: int, width: int, angle: float = 0.0) -> tuple[Floats, Floats]:
    """Return y and x of every pixel, turned by an angle in radians; broadcast to (height, width)."""
    ys, xs = np.indices((height, width), dtype=np.float32, sparse=True)
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    return ys * cos + xs * sin, xs * cos - ys * sin


def _lattice(
    rng: Rng, height: int, width: int, cell: tuple[float, float], offset: float | None, joint: float
) -> Layout:
    """Rows of boxes; each row is shifted by `offset` cells against the last (None: at random)."""
    cell_h, cell_w = cell
    ys, xs = grid(height, width, rng.normal(0, 0.08))
    row = ys / cell_h
    row_index = np.floor(row).astype(np.int32) - int(np.floor(row.min()))
    rows = int(row_index.max()) + 1
    shifts = rng.uniform(0, 1, rows) if offset is None else offset * np.arange(rows)
    column = xs / cell_w + shifts.astype(np.float32)[row_index]
    column -= np.floor(column.min())
    column_index = np.floor(column).astype(np.int32)
    labels = row_index * (int(column_index.max()) + 1) + column_index
    to_row = np.abs(row - np.round(row)) * cell_h
    to_column = np.abs(column - np.round(column)) * cell_w
    distance = np.minimum(to_row, to_column).astype(np.float32)
    return Layout(labels, np.clip(joint - distance + 0.5, 0, 1), np.minimum(distance, 2 * joint + 1))


def _cells(height: int, width: int, points: NDArray[np.float64], joint: float) -> Layout:
    """Voronoi cells around points (y, x)."""
    seeds = np.ones((height, width), np.uint8)
    at = np.clip(np.round(points), 0, [height - 1, width - 1]).astype(np.intp)
    seeds[at[:, 0], at[:, 1]] = 0
    _, labels = cv2.distanceTransformWithLabels(seeds, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    edges = cv2.morphologyEx(labels.astype(np.float32), cv2.MORPH_GRADIENT, np.ones((2, 2), np.uint8)) > 0
    inside = np.logical_not(edges).view(np.uint8)
    distance = cv2.distanceTransform(inside, cv2.DIST_L2, 3)
    return Layout(labels, np.clip(joint - distance + 0.5, 0, 1), np.minimum(distance, 2 * joint + 1.5))


def _polygons(rng: Rng, height: int, width: int, unit: float, sides: int | None) -> Layout:
    """Dead leaves: things of all sizes over one another (sides None: ellipses)."""
    labels = np.zeros((height, width), np.int32)
    count = int(140 * height * width / (2 * unit) ** 2) + 20
    radii = np.sort(unit * 0.03 / rng.uniform(0.08, 1.0, count))[::-1]
    centres = rng.uniform(0, 1, (count, 2)) * (width, height)
    angles = rng.uniform(0, 360, count)
    aspects = rng.uniform(0.35, 1, count)
    for i in range(count):
        centre = (round(centres[i, 0]), round(centres[i, 1]))
        axes = (max(1, round(radii[i])), max(1, round(radii[i] * aspects[i])))
        if sides is None:
            cv2.ellipse(labels, centre, axes, float(angles[i]), 0, 360, i + 1, cv2.FILLED)
        else:
            corners = cv2.ellipse2Poly(centre, axes, int(angles[i]), 0, 360, 360 // sides)
            cv2.fillConvexPoly(labels, corners, i + 1)
    return Layout(labels, np.zeros((height, width), np.float32), np.zeros((height, width), np.float32))


def _bricks(rng: Rng, height: int, width: int, unit: float) -> Layout:
    h = unit * rng.uniform(0.06, 0.13)
    return _lattice(rng, height, width, (h, h * rng.uniform(2, 2.8)), 0.5, unit * rng.uniform(0.005, 0.012))


def _planks(rng: Rng, height: int, width: int, unit: float) -> Layout:
    h = unit * rng.uniform(0.08, 0.18)
    layout = _lattice(rng, height, width, (h, h * rng.uniform(5, 9)), None, unit * 0.004)
    rings = spectral_noise(rng, height, max(4, width // 8), 1.0)
    rings = cv2.resize(rings, (width, height), interpolation=cv2.INTER_CUBIC)
    return layout._replace(relief=layout.relief + rings * np.float32(rng.uniform(0.3, 0.8)))


def _stones(rng: Rng, height: int, width: int, unit: float) -> Layout:
    count = int(height * width / (unit * rng.uniform(0.09, 0.2)) ** 2)
    points = rng.uniform(0, 1, (count, 2)) * (height, width)
    return _cells(height, width, points, unit * rng.uniform(0.004, 0.014))


def _leaves(rng: Rng, height: int, width: int, unit: float) -> Layout:
    return _polygons(rng, height, width, unit, None)


def _ridges(rng: Rng, height: int, width: int, unit: float) -> Layout:
    """Hills behind hills under a sky."""
    labels = np.zeros((height, width), np.int32)
    ys, _ = grid(height, width)
    relief = np.zeros((height, width), np.float32)
    for i in range(rng.integers(3, 7)):
        skyline = spectral_noise(rng, 1, width, rng.uniform(1.0, 1.5))[0] * unit * 0.05
        below = ys > skyline + height * (0.2 + 0.14 * i)
        labels[below] = i + 1
    fine = spectral_noise(rng, height, width, 0.8)
    return Layout(labels, np.zeros_like(relief), np.where(labels > 0, fine * np.float32(0.5), 0))


def _patches(rng: Rng, height: int, width: int, unit: float) -> Layout:
    """Level sets of noise: lichen, camouflage, water marks."""
    noise = spectral_noise(rng, height, width, rng.uniform(1.4, 1.9))
    levels = np.sort(rng.uniform(-1.2, 1.2, rng.integers(2, 6))).astype(np.float32)
    labels = np.searchsorted(levels, noise).astype(np.int32)
    return Layout(labels, np.zeros((height, width), np.float32), noise * np.float32(1.5))


def _slabs(rng: Rng, height: int, width: int, unit: float) -> Layout:
    h = unit * rng.uniform(0.15, 0.28)
    return _lattice(rng, height, width, (h, h * rng.uniform(1.2, 1.7)), 1 / 3, unit * rng.uniform(0.006, 0.012))


def _shards(rng: Rng, height: int, width: int, unit: float) -> Layout:
    return _polygons(rng, height, width, unit, 3)


def _strata(rng: Rng, height: int, width: int, unit: float) -> Layout:
    """Bent layers of rock."""
    ys, _ = grid(height, width, rng.uniform(-0.5, 0.5))
    bent = ys + spectral_noise(rng, height, width, 1.8) * np.float32(unit * 0.08)
    edges = np.cumsum(unit * rng.uniform(0.03, 0.15, 60)) + float(bent.min())
    labels = np.searchsorted(edges, bent).astype(np.int32)
    return Layout(labels, np.zeros((height, width), np.float32), np.sin(bent) * np.float32(0.2))


def _tiles(rng: Rng, height: int, width: int, unit: float) -> Layout:
    side = unit * rng.uniform(0.1, 0.22)
    return _lattice(rng, height, width, (side, side), 0.0, unit * rng.uniform(0.006, 0.012))


def _honeycomb(rng: Rng, height: int, width: int, unit: float) -> Layout:
    side = unit * rng.uniform(0.11, 0.2)
    rows, columns = np.mgrid[0 : height / side * 1.2 + 1, 0 : width / side + 1]
    points = np.stack([rows * side * 0.866, (columns + 0.5 * (rows % 2)) * side], axis=-1).reshape(-1, 2)
    keep = (points[:, 0] < height) & (points[:, 1] < width)
    return _cells(height, width, points[keep], unit * rng.uniform(0.005, 0.012))


def _facade(rng: Rng, height: int, width: int, unit: float) -> Layout:
    """A wall with rows of windows."""
    h = unit * rng.uniform(0.16, 0.28)
    w = h * rng.uniform(0.7, 1.1)
    wall = _lattice(rng, height, width, (h, w), 0.0, min(h, w) * rng.uniform(0.2, 0.3))
    frames = ((wall.joints > 0) & (wall.joints < 1)).astype(np.float32)
    return Layout(np.where(wall.joints < 0.5, wall.labels + 1, 0), frames, wall.joints)


def _plaid(rng: Rng, height: int, width: int, unit: float) -> Layout:
    """Woven bands in two directions, with folds of the cloth."""
    ys, xs = grid(height, width, rng.uniform(-0.6, 0.6))
    folds = spectral_noise(rng, height, width, 1.9) * np.float32(unit * 0.03)
    period = unit * rng.uniform(0.14, 0.3)
    edges = np.sort(rng.uniform(0, period, 4))
    across = np.searchsorted(edges, (ys + folds) % period)
    along = np.searchsorted(edges, (xs + folds) % period)
    return Layout((across * 5 + along).astype(np.int32), np.zeros((height, width), np.float32), folds)


def _dunes(rng: Rng, height: int, width: int, unit: float) -> Layout:
    """Rippled sand."""
    ys, _ = grid(height, width, rng.uniform(-0.8, 0.8))
    bent = ys + spectral_noise(rng, height, width, 1.7) * np.float32(unit * 0.06)
    wave = np.sin(bent * np.float32(2 * np.pi / (unit * rng.uniform(0.05, 0.12))))
    labels = (spectral_noise(rng, height, width, 1.6) > 0.3).astype(np.int32)
    return Layout(labels, np.zeros((height, width), np.float32), wave * np.float32(rng.uniform(0.4, 1.0)))


FAMILIES: dict[str, tuple[Callable[[Rng, int, int, float], Layout], ...]] = {
    "train": (_bricks, _planks, _stones, _leaves, _ridges, _patches),
    "validation": (_slabs, _shards, _strata),
    "test": (_tiles, _honeycomb, _facade, _plaid, _dunes),
}
"""Texture families by fold."""
