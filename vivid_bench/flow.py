"""Dense optical flow (OpenCV's DIS), its consistency check and warping; shared by metrics and baselines.

DIS: Kroeger, Timofte, Dai, Van Gool, "Fast Optical Flow using Dense Inverse Search", ECCV 2016 (arXiv 1603.03590).
All results are the same to the bit whatever the number of threads.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Literal, TypeVar, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

Flow = NDArray[np.float32]  # (H, W, 2): x and y displacement in pixels
Preset = Literal["ultrafast", "fast", "medium"]
PRESETS: tuple[Preset, ...] = get_args(Preset)

CONSISTENCY_RELATIVE = 0.01
CONSISTENCY_ABSOLUTE = 0.5
"""The two constants of the forward-backward check (Sundaram, Brox, Keutzer, ECCV 2010, equation 5)."""

MIN_SIDE = 32
"""Smaller frames are padded to this: DIS raises under 12 px, and OpenCV 5.0 reads outside its buffers (a crash) when a
side under 32 px meets one over 90: its third pyramid level is then smaller than its patch of 8 px."""

MAX_WORKERS = 8

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

_opencv_lock = threading.Lock()
_opencv_users = 0
_opencv_threads = 0


def flow(first: NDArray[np.uint8], second: NDArray[np.uint8], preset: Preset = "medium") -> Flow:
    """Estimate where each pixel of one frame is in another.

    Measured on real 720x480 clips, per pair on one core: ultrafast 6 ms (85 % of the pixels pass `consistency`), fast
    9 ms (93 %), medium 40 to 50 ms (94 %, and about half the warp error of the other two).

    Args:
        first, second: (H, W, 3) RGB or (H, W) grey, uint8, of one size; any size from 1x1.
        preset: one of PRESETS, faster to better.

    Returns:
        (H, W, 2) float32, pixels: `first[y, x]` is found at `second[y + f[1], x + f[0]]`; 0 for equal frames.
    """
    with _one_opencv_thread():
        return _flow(_grey(first), _grey(second), preset)


def clip_flow(frames: NDArray[np.uint8], preset: Preset = "medium", *, backward: bool = False) -> NDArray[np.float32]:
    """Estimate the flow between consecutive frames, pairs in parallel.

    Args:
        frames: (T, H, W, 3) uint8 RGB.
        preset: as in `flow`.
        backward: from each frame to the one before it instead of to the one after.

    Returns:
        (T-1, H, W, 2) float32; item t belongs to frame t (backward: to frame t+1).
    """
    grey = parallel(_grey, frames)
    pairs = [(grey[t + 1], grey[t]) if backward else (grey[t], grey[t + 1]) for t in range(len(grey) - 1)]
    flows = np.empty((len(pairs), *frames.shape[1:3], 2), np.float32)

    def estimate(t: int) -> None:
        flows[t] = _flow(*pairs[t], preset)

    parallel(estimate, range(len(pairs)))
    return flows


def consistency(forward: Flow, backward: Flow) -> NDArray[np.bool_]:
    """Forward-backward check: True where following the flow there and back ends near the start.

    With b the backward flow at p + f(p): |f + b|^2 < 0.01 (|f|^2 + |b|^2) + 0.5, and p + f(p) inside the frame.
    Source: Sundaram, Brox, Keutzer, "Dense Point Trajectories by GPU-Accelerated Large Displacement Optical Flow",
    ECCV 2010, equation 5.

    Args:
        forward: (H, W, 2) float32, first frame to second.
        backward: (H, W, 2) float32, second frame to first.

    Returns:
        (H, W) bool, on the first frame's pixels.

    Example:
        >>> import numpy as np
        >>> there = np.full((4, 4, 2), (1, 0), np.float32)
        >>> consistency(there, -there).sum(axis=0).tolist()  # the last column leaves the frame
        [4, 4, 4, 0]
    """
    height, width = forward.shape[:2]
    returned = warp(backward, forward)
    gap = np.square(forward + returned).sum(axis=2)
    length = np.square(forward).sum(axis=2) + np.square(returned).sum(axis=2)
    x = np.arange(width, dtype=np.float32) + forward[..., 0]
    y = np.arange(height, dtype=np.float32)[:, None] + forward[..., 1]
    inside = (x >= 0) & (x <= width - 1) & (y >= 0) & (y <= height - 1)
    near = gap < CONSISTENCY_RELATIVE * length + CONSISTENCY_ABSOLUTE
    return np.asarray(inside & near, dtype=np.bool_)


def warp(image: NDArray[Any], flow: Flow, origin: tuple[int, int] = (0, 0)) -> NDArray[Any]:
    """Fetch the pixels that a flow points to: result(p) = image(p + flow(p)), bilinear, 0 outside the frame.

    Args:
        image: (H, W) or (H, W, C), uint8 (the result is rounded) or float32.
        flow: (h, w, 2) float32, pixels; of the whole frame, or of a box in it.
        origin: x and y of that box's upper left corner.

    Returns:
        (h, w) or (h, w, C), of the image's dtype.

    Example:
        >>> import numpy as np
        >>> row = np.array([[10, 20, 30]], np.float32)
        >>> warp(row, np.full((1, 3, 2), (0.5, 0), np.float32)).tolist()
        [[15.0, 25.0, 15.0]]
    """
    height, width = flow.shape[:2]
    x = flow[..., 0] + np.arange(origin[0], origin[0] + width, dtype=np.float32)
    y = flow[..., 1] + np.arange(origin[1], origin[1] + height, dtype=np.float32)[:, None]
    return np.asarray(cv2.remap(image, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0))


def parallel(function: Callable[[_Item], _Result], items: Iterable[_Item]) -> list[_Result]:
    """Apply a function to items in threads; results keep the items' order, so they do not depend on the threads.

    OpenCV and NumPy release the interpreter's lock while they compute. Within, OpenCV itself uses one thread.
    """
    items = list(items)
    workers = min(worker_count(), len(items))
    with _one_opencv_thread():
        if workers <= 1:
            return [function(item) for item in items]
        with ThreadPoolExecutor(workers) as pool:
            return list(pool.map(function, items))


def worker_count() -> int:
    """Threads that `parallel` uses: the cores this process may run on, at most MAX_WORKERS."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, MAX_WORKERS)


def _flow(first: NDArray[np.uint8], second: NDArray[np.uint8], preset: Preset) -> Flow:
    if np.array_equal(first, second):
        return np.zeros((*first.shape, 2), np.float32)
    height, width = first.shape
    below, right = max(0, MIN_SIDE - height), max(0, MIN_SIDE - width)
    if below or right:
        first, second = (np.pad(grey, ((0, below), (0, right)), mode="edge") for grey in (first, second))
    # A new estimator each time (it costs next to nothing): one that has seen a small frame keeps the coarser settings
    # that it chose for it, so its flow would depend on what it was used for before.
    estimator = cv2.DISOpticalFlow.create(getattr(cv2, f"DISOpticalFlow_PRESET_{preset.upper()}"))
    estimated = estimator.calc(first, second, None)
    return np.ascontiguousarray(estimated[:height, :width], dtype=np.float32)


def _grey(frame: NDArray[np.uint8]) -> NDArray[np.uint8]:
    grey = frame if frame.ndim == 2 else cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
    return np.ascontiguousarray(grey)


@contextmanager
def _one_opencv_thread() -> Iterator[None]:
    """Hold OpenCV at one thread, and put the caller's setting back after the last user.

    Frames are handled in parallel instead: `medium` gains nothing from OpenCV's own threads, and no result can depend
    on their number then (DIS alone measured equal for 1, 2 and 8 in OpenCV 4.10 and 5.0). The setting is global, hence
    the count of users.
    """
    global _opencv_users, _opencv_threads
    with _opencv_lock:
        if _opencv_users == 0:
            _opencv_threads = cv2.getNumThreads()
            cv2.setNumThreads(1)
        _opencv_users += 1
    try:
        yield
    finally:
        with _opencv_lock:
            _opencv_users -= 1
            if _opencv_users == 0:
                cv2.setNumThreads(_opencv_threads)
