"""Background carried into the hole along optical flow from the nearest frames that show it."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
from numpy.typing import NDArray

from vivid_bench.flow import parallel
from vivid_bench.types import HOLE_GREY, EditRequest, Frames, Mask

from ..telea.adapter import require_delete
from .membrane import Image, membrane
from .motion import background_motion
from .tracks import Points, Tracks, apply, sample

_RING_PX = 4
_RING_POINTS = 2000
_FEWEST_RING_POINTS = 8
_SMALLEST_ERROR = 1.0  # squared 8-bit steps: about what rounding and interpolation cost
_LARGEST_ERROR = 255.0**2


class FlowPropagation:
    """Pixels of the nearest frames, before and after, that show what the hole hides.

    1. DIS flow in both directions on smoothly filled frames, checked for consistency and completed inside the hole
       by a robust affine fit.
    2. Each hidden pixel is followed frame by frame, both ways, until it comes out of the hole; there the original
       frame is sampled once.
    3. The two samples and a smooth fill are weighted by 1 / (squared error). The samples' error is measured, for each
       frame and number of hops, on the ring of known pixels around the hole; the fill's is the ring's variance.
    4. What no frame shows is filled by a membrane.

    Args:
        device: accepted like every method's; the work is done on the CPU.
    """

    def __init__(self, device: str = "cpu") -> None:
        pass

    def edit(self, request: EditRequest) -> Frames:
        """Return the frames with the hole filled; raises `MethodError` for add and modify."""
        require_delete(request, "flow-propagation")
        return propagate(request.frames, request.mask)


def propagate(frames: Frames, mask: Mask, keyframes: Mapping[int, NDArray[np.uint8]] | None = None) -> Frames:
    """Fill the hole of a clip from the frames around.

    Args:
        frames: (T, H, W, 3) uint8 RGB; what lies under the mask is never looked at.
        mask: (T, H, W) bool, True = fill.
        keyframes: frame index -> (H, W, 3) uint8, frames whose hole is filled already; the others draw on them as on
            any frame that shows a pixel, but motion is not measured in them.

    Returns:
        (T, H, W, 3) uint8, equal to `frames` outside the mask, the keyframes among them.
    """
    holed = frames.copy()
    holed[mask] = HOLE_GREY
    smooth = _fill_smoothly(holed, mask)
    motion = background_motion(smooth, mask)
    carried, unseen = holed, mask.copy()
    for index, keyframe in (keyframes or {}).items():
        carried[index], unseen[index] = keyframe, False
    tracks = Tracks(carried.copy(), unseen.copy(), *motion)

    def carry(t: int) -> None:
        points = _points(tracks.mask[t])
        colours, shown = carried_colours(tracks, smooth[t], t, points)
        x, y = points[shown].astype(np.intp).T
        carried[t, y, x] = _to_uint8(colours[shown])
        unseen[t, y, x] = False

    parallel(carry, np.flatnonzero(tracks.mask.any(axis=(1, 2))).tolist())
    return _fill_smoothly(carried, unseen)


def carried_colours(
    tracks: Tracks, smooth: NDArray[np.uint8], t: int, points: Points
) -> tuple[Image, NDArray[np.bool_]]:
    """Find hidden pixels of one frame in the frames before and after it.

    Args:
        tracks: the clip and its background's motion.
        smooth: (H, W, 3) uint8, frame t with a smooth fill in the hole.
        points: (N, 2) float32, the hidden pixels' x and y.

    Returns:
        (N, 3) float32 colours, 0 to 255, and (N,) bool, which pixels any other frame shows.
    """
    ring = _ring(tracks.mask[t])
    ring_colours = sample(tracks.frames[t], ring)
    # Without a ring nothing can be measured; any frame that shows a pixel is then believed.
    smooth_error = float(ring_colours.var(axis=0).mean()) + _SMALLEST_ERROR if len(ring) else _LARGEST_ERROR
    total = np.zeros((len(points), 3), np.float32)
    weights = np.zeros((len(points), 1), np.float32)
    for step in (1, -1):
        pending, error = np.arange(len(points)), _SMALLEST_ERROR
        for there, motion in tracks.hops(t, step):
            # Errors only add up along the way: a lucky match further on does not undo them.
            error = max(error, _squared_error(tracks, there, apply(motion, ring), ring_colours))
            arrived = apply(motion, points[pending])
            shown = tracks.visible(there, arrived)
            total[pending[shown]] += sample(tracks.frames[there], arrived[shown]) / np.float32(error)
            weights[pending[shown]] += np.float32(1 / error)
            pending = pending[~shown & tracks.inside(arrived)]
            if not len(pending):
                break
    seen = weights[:, 0] > 0
    x, y = points.astype(np.intp).T
    total += smooth[y, x] / np.float32(smooth_error)
    weights += np.float32(1 / smooth_error)
    return np.asarray(total / weights, np.float32), seen


def _squared_error(tracks: Tracks, there: int, arrived: Points, colours: NDArray[np.float32]) -> float:
    """Mean squared difference between points' colours and what lies where they arrive; 0 if few are visible."""
    shown = tracks.visible(there, arrived)
    if shown.sum() < _FEWEST_RING_POINTS:
        return 0.0
    return float(np.square(sample(tracks.frames[there], arrived[shown]) - colours[shown]).mean())


def _fill_smoothly(frames: Frames, holes: Mask) -> Frames:
    filled = frames.copy()

    def fill(t: int) -> None:
        filled[t][holes[t]] = _to_uint8(membrane(frames[t].astype(np.float32), holes[t])[holes[t]])

    parallel(fill, np.flatnonzero(holes.any(axis=(1, 2))).tolist())
    return filled


def _points(region: NDArray[np.bool_]) -> Points:
    y, x = np.nonzero(region)
    return np.stack([x, y], axis=1).astype(np.float32)


def _ring(hole: NDArray[np.bool_]) -> Points:
    """Known pixels near the hole, evenly thinned out."""
    grown = cv2.dilate(hole.astype(np.uint8), np.ones((2 * _RING_PX + 1,) * 2, np.uint8)) > 0
    ring = _points(grown & ~hole)
    return ring[:: max(1, len(ring) // _RING_POINTS)]


def _to_uint8(image: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.asarray(np.clip(np.rint(image), 0, 255), np.uint8)
