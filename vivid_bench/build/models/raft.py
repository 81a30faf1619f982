"""Motion by RAFT, through torchvision.

RAFT: Teed, Deng, "RAFT: Recurrent All-Pairs Field Transforms for Optical Flow", ECCV 2020 (arXiv 2003.12039).
"""

from __future__ import annotations

from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from vivid_bench.build.models.loading import weights_file
from vivid_bench.errors import InputError
from vivid_bench.types import Frames

if TYPE_CHECKING:
    import torch

MULTIPLE, MIN_SIDE = 8, 128
"""Of the frames that torchvision's RAFT takes, pixels (`models/optical_flow/raft.py`, `min_size`)."""

PIXELS_AT_ONCE = 2**20
"""Of one batch: the correlation of all pairs of points takes 0.2 GB for a pair of 854x480 frames, and grows with the
square of the pixels."""


class RaftMotion:
    """A `MotionEstimator` that runs RAFT, in float32: its correlations lose sub-pixel motion in half precision.

    Args:
        weights: torchvision's file of weights of `raft_large` or of `raft_small`; which one it is shows in the file.
        device: `cpu` or `cuda`.

    Raises:
        InputError: the file is missing (the message says where it is to be had) or holds something else.
    """

    def __init__(self, weights: str | Path, device: str) -> None:
        self._network = _network(weights_file(weights)).eval().to(device)
        self._device = device

    def __call__(self, frames: Frames, *, backward: bool = False) -> NDArray[np.float32]:
        """Estimate the flow between consecutive frames, 12 refinements a pair (torchvision's default).

        Args:
            frames: (T, H, W, 3) uint8 RGB, any size from 1x1.
            backward: from each frame to the one before it instead of to the one after.

        Returns:
            (T-1, H, W, 2) float32, pixels, x then y; item t belongs to frame t (backward: to frame t+1).
        """
        import torch

        height, width = frames.shape[1:3]
        first, second = (frames[1:], frames[:-1]) if backward else (frames[:-1], frames[1:])
        flows = np.empty((len(first), height, width, 2), np.float32)
        pairs = max(1, PIXELS_AT_ONCE // (height * width))
        for start in range(0, len(first), pairs):
            batch = slice(start, start + pairs)
            images = [_padded(images[batch], self._device) for images in (first, second)]
            with torch.inference_mode():
                estimated = self._network(*images)[-1]
            top, left = _margins(height)[0], _margins(width)[0]
            inside = estimated[..., top : top + height, left : left + width]
            flows[batch] = inside.permute(0, 2, 3, 1).cpu().numpy()
        return flows


def _network(path: Path) -> Any:
    import torch
    from torchvision.models import optical_flow

    expected = "weights of torchvision's raft_large or raft_small"
    fix = "name another file, e.g. torchvision's own"
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, EOFError, RuntimeError, ValueError, UnpicklingError) as error:
        found = "a file that cannot be read as weights alone"
        raise InputError(path, expected=expected, found=found, fix=fix) from error
    if not isinstance(state, dict):
        raise InputError(path, expected=expected, found=f"a {type(state).__name__}", fix=fix)
    # Only the large one learns how to upsample its flow.
    kind = "raft_large" if any(key.startswith("mask_predictor.") for key in state) else "raft_small"
    network = getattr(optical_flow, kind)(weights=None, progress=False)
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise InputError(path, expected=expected, found=f"other parameters than {kind}'s", fix=fix) from error
    return network


def _padded(images: Frames, device: str) -> torch.Tensor:
    """(N, H, W, 3) uint8 -> (N, 3, H', W') float32 in [-1, 1], its edges repeated to a size that RAFT takes."""
    import torch

    tensor = torch.from_numpy(np.ascontiguousarray(images)).to(device).permute(0, 3, 1, 2).float() / 127.5 - 1
    (above, below), (left, right) = (_margins(side) for side in images.shape[1:3])
    return torch.nn.functional.pad(tensor, (left, right, above, below), mode="replicate")


def _margins(side: int) -> tuple[int, int]:
    """Pixels to add before and after a side of a frame."""
    missing = max(MIN_SIDE, -(-side // MULTIPLE) * MULTIPLE) - side
    return missing // 2, missing - missing // 2
