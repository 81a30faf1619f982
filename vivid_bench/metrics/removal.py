"""Removal success: whether what fills a hole looks like what surrounds it, and no longer like what was there."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from vivid_bench.masks import bounding_box
from vivid_bench.metrics.crops import Box, Image, cut_square
from vivid_bench.metrics.scores import not_applicable, scored
from vivid_bench.types import MetricInfo, Score

if TYPE_CHECKING:
    from vivid_bench.metrics.sample_clip import EditClip

COLOUR_LEVELS = 5
"""Levels of each colour channel; a pixel counts for the two nearest to it, by nearness."""
DETAIL_EDGES = (3.0, 8.0, 20.0)
"""Gradient magnitudes, in steps of 255 a pixel, that part four levels of detail."""

Vector = NDArray[np.float64]


def removal_success(hole: Vector, ring: Vector, before: Vector) -> float:
    """Say how much more a filled hole looks like its surroundings than like what was in it. Higher is better.

    S = cos(hole, ring) - cos(hole, before), of features of length 1.

    Args:
        hole: (D,) features of the hole in the edit.
        ring: (D,) of what surrounds it in the edit.
        before: (D,) of the hole in the source.

    Returns:
        -2 to 2; of a no-op at most 0.

    Example:
        >>> import numpy as np
        >>> wall, cat = np.array([1.0, 0.0]), np.array([0.0, 1.0])
        >>> removal_success(wall, wall, cat), removal_success(cat, wall, cat)
        (1.0, -1.0)
    """
    return float(hole @ ring - hole @ before)


def removal_side(hole: Vector, ring: Vector, before: Vector) -> float | None:
    """Say on whose side a filled hole is: of its surroundings or of what was in it. Higher is better.

    S = cos(hole - m, ring - before) with m = (ring + before) / 2, so that what the two have in common, as where a mask
    holds much background, does not count.

    Args:
        hole, ring, before: (D,), as for `removal_success`.

    Returns:
        -1 (of a no-op) to 1; None where surroundings and what was there are the same.

    Example:
        >>> import numpy as np
        >>> wall, cat = np.array([1.0, 0.0]), np.array([0.0, 1.0])
        >>> round(removal_side(wall, wall, cat), 6), round(removal_side(cat, wall, cat), 6)
        (1.0, -1.0)
    """
    towards, offset = ring - before, hole - (ring + before) / 2
    length = float(np.linalg.norm(towards) * np.linalg.norm(offset))
    if not towards.any():
        return None
    return float(offset @ towards) / length if length else 0.0


def ring_around(pixels: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the pixels that surround a frame's mask, as far as a quarter of the root of its area, at least 4 px.

    Args:
        pixels: (H, W) bool.

    Returns:
        (H, W) bool, none of them masked.
    """
    reach = max(4, round(float(np.sqrt(pixels.sum())) / 4))
    window = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    grown = cv2.dilate(pixels.astype(np.uint8), window, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return np.asarray(grown.astype(np.bool_) & ~pixels)


def histogram(image: Image, region: NDArray[np.bool_]) -> Vector:
    """Describe a region by its colours and how much detail it has, without weights.

    Args:
        image: (H, W, 3) uint8.
        region: (H, W) bool, not empty.

    Returns:
        square roots of the shares of 4 levels of detail x 5x5x5 colours, (500,) of length 1.
    """
    levels = image[region].astype(np.float64) * ((COLOUR_LEVELS - 1) / 255)
    lower = np.minimum(levels.astype(np.int64), COLOUR_LEVELS - 2)
    nearness = np.stack([1 - (levels - lower), levels - lower])
    detail = np.digitize(gradient(image)[region], DETAIL_EDGES)
    size = (len(DETAIL_EDGES) + 1) * COLOUR_LEVELS**3
    shares = np.zeros(size)
    for upper in product((0, 1), repeat=3):
        bins, weight = detail, np.ones(len(detail))
        for channel, up in enumerate(upper):
            bins = bins * COLOUR_LEVELS + lower[:, channel] + up
            weight = weight * nearness[up, :, channel]
        shares += np.bincount(bins, weight, size)
    return np.asarray(np.sqrt(shares / len(detail)))


def gradient(image: Image) -> NDArray[np.float32]:
    """Return the length of the brightness gradient, (H, W) float32, in steps of 255 a pixel (Sobel 3x3)."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
    across, down = (cv2.Sobel(grey, cv2.CV_32F, *axis, scale=1 / 8) for axis in ((1, 0), (0, 1)))
    return np.asarray(np.hypot(across, down))


def neighbours(pixels: NDArray[np.bool_], box: Box) -> list[Box]:
    """Return the squares beside a frame's mask that hold none of it: left, right, above, below.

    They are as large as the mask's box, or, where none of that size fits into the frame, half, a quarter, ... of it.

    Args:
        pixels: (H, W) bool.
        box: its bounding box.

    Returns:
        1 to 4 squares; none where even squares of 8 px do not fit, or the box is smaller.
    """
    x0, y0, x1, y1 = box
    height, width = pixels.shape
    side = max(x1 - x0, y1 - y0)
    while side >= 8:
        left, top = (x0 + x1 - side) // 2, (y0 + y1 - side) // 2
        corners = ((x0 - side, top), (x1, top), (left, y0 - side), (left, y1))
        squares = [(x, y, x + side, y + side) for x, y in corners]
        inside = [s for s in squares if s[0] >= 0 and s[1] >= 0 and s[2] <= width and s[3] <= height]
        if free := [s for s in inside if not pixels[s[1] : s[3], s[0] : s[2]].any()]:
            return free
        side //= 2
    return []


class RemovalHistogram:
    """Removal success by histograms of colour and detail, without weights: mean over frames of `removal_side`.

    For delete where the hole is visible; elsewhere there is nothing to remove. A no-op gets -1. Frames whose mask is
    empty, or fills the frame, are left out and counted in `details`. Higher is better; it favours smooth fills.
    """

    def __init__(self) -> None:
        self.info = _info("removal_success_histogram", None, 1.0)

    def __call__(self, clip: EditClip) -> Score:
        """Score an edit."""
        if reason := _why_not(clip):
            return not_applicable(self.info, clip.sample_id, reason)
        sample = clip.sample
        rings = sample.once("rings", lambda: [ring_around(pixels) for pixels in sample.mask])
        before = sample.once(
            "hole histograms",
            lambda: [
                histogram(frame, hole) if hole.any() else None
                for frame, hole in zip(sample.source, sample.mask, strict=True)
            ],
        )

        def value(t: int) -> float | None:
            old = before[t]
            if old is None or not (sample.scored[t] and rings[t].any()):
                return None
            hole, ring = (histogram(clip.edited[t], region) for region in (sample.mask[t], rings[t]))
            return removal_side(hole, ring, old)

        return _mean(self.info, clip, [value(t) for t in range(len(clip.edited))])


class RemovalClip:
    """Removal success by CLIP features of the square around the mask, and of the squares beside it.

    For delete where the hole is visible. A no-op gets at most 0. The surroundings' features are the normalised mean of
    up to four squares' (see `neighbours`); frames without such a square, or with an empty mask, are left out and
    counted in `details`. Higher is better.

    Args:
        weights: see `vivid_bench.metrics.clip_model.load_clip`.
    """

    def __init__(self, weights: str) -> None:
        self.info = _info(f"removal_success@{weights}", weights, 2.0)

    def __call__(self, clip: EditClip) -> Score:
        """Score an edit; raises what `load_clip` raises."""
        if reason := _why_not(clip):
            return not_applicable(self.info, clip.sample_id, reason)
        from vivid_bench.metrics.clip_model import load_clip

        sample, weights = clip.sample, self.info.needs_weights
        assert weights is not None
        model = load_clip(weights, sample.device)
        boxes = [bounding_box(sample.region("edit", t)) for t in range(len(clip.edited))]
        squares = [neighbours(sample.mask[t], box) if box else [] for t, box in enumerate(boxes)]
        kept = [(t, box) for t, box in enumerate(boxes) if box and squares[t]]
        if not kept:
            return not_applicable(
                self.info,
                clip.sample_id,
                "the hole is smaller than 8 px, or leaves no room for a square of 8 px beside it",
            )
        before = sample.once(
            ("hole features", weights), lambda: model.image_features([_hole(sample.source[t], box) for t, box in kept])
        )
        holes = model.image_features([_hole(clip.edited[t], box) for t, box in kept])
        beside = model.image_features([clip.edited[t, y0:y1, x0:x1] for t, _ in kept for x0, y0, x1, y1 in squares[t]])
        values: list[float | None] = [None] * len(clip.edited)
        ends = np.cumsum([len(squares[t]) for t, _ in kept])
        for (t, _), hole, old, ring in zip(kept, holes, before, np.split(beside, ends[:-1]), strict=True):
            surroundings = ring.astype(np.float64).sum(axis=0)
            surroundings /= np.linalg.norm(surroundings)
            values[t] = removal_success(hole.astype(np.float64), surroundings, old.astype(np.float64))
        return _mean(self.info, clip, values)


def _hole(frame: Image, box: Box) -> Image:
    return cut_square(frame, box, max(box[2] - box[0], box[3] - box[1]))


def _info(name: str, weights: str | None, limit: float) -> MetricInfo:
    return MetricInfo(
        name=name,
        version="1",
        unit="",
        range=(-limit, limit),
        higher_is_better=True,
        tasks=("delete",),
        region="edit",
        needs_weights=weights,
        shown_times=100.0,
        citation="own definition, see BENCHMARK.md",
    )


def _why_not(clip: EditClip) -> str | None:
    sample = clip.sample.sample
    if sample.task != "delete":
        return f"defined for delete only, the task is {sample.task}"
    if sample.hole == "hidden":
        return "the source is its own ground truth: its hole shows nothing to remove"
    if not any(clip.sample.region("edit", t).any() for t in range(len(clip.edited))):
        return "the mask is empty in all scored frames"
    return None


def _mean(info: MetricInfo, clip: EditClip, values: list[float | None]) -> Score:
    found = [value for value in values if value is not None]
    if not found:
        return not_applicable(
            info, clip.sample_id, "no scored frame has something around the hole that differs from what was in it"
        )
    left_out = float(clip.sample.scored.sum() - len(found))
    return scored(info, clip.sample_id, float(np.mean(found)), per_frame=values, details={"left_out_frames": left_out})
