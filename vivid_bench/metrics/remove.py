"""ReMOVE: are the features of the filled hole like those of what is around it?

Source: Chandrasekar et al., "ReMOVE: A Reference-free Metric for Object Erasure", CVPR Workshops 2024, arXiv
2409.00707; this follows its code (chandrasekaraditya/ReMOVE, commit b2974265) with `--crop`. That scores an image; a
clip's value here is the mean over frames. As in that code:

- the crop is a square from the mask's top left corner on, 16 px wider on each side where all four sides have that much
  room and by the least of them elsewhere; what lies beyond the frame is cut off, and the crop is then no square;
- the mask is squeezed to the 64 x 64 patches, and so no longer covers the hole exactly where the crop is no square;
- a patch counts as filled where bicubic scaling leaves the mask at full white; all others count as around it.

Without `--crop` that code squeezes the whole frame's mask over a padded square, which is off on any frame that is not
square: it is not offered here.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from vivid_bench.errors import InputError
from vivid_bench.masks import bounding_box
from vivid_bench.metrics.patch_features import Box, batch_size, load_network, pixel_values
from vivid_bench.metrics.scores import not_applicable, scored
from vivid_bench.types import MetricInfo, Score
from vivid_bench.weights import locate

if TYPE_CHECKING:
    from torch import Tensor

    from vivid_bench.metrics.sample_clip import EditClip, SampleClip

MARGIN = 16
GRID = 64
WHITE = 255


def crop_box(mask2d: NDArray[np.bool_]) -> Box | None:
    """The crop around a frame's mask, cut where the frame ends; None for an empty mask.

    Args:
        mask2d: (H, W) bool.

    Example:
        >>> mask = np.zeros((100, 100), bool)
        >>> mask[40:50, 30:60] = True
        >>> crop_box(mask)  # 30 + 2 x 16 px wide and high, from the corner at 30, 40 on
        (14, 24, 76, 86)
    """
    box = bounding_box(mask2d)
    if box is None:
        return None
    height, width = mask2d.shape
    x0, y0, x1, y1 = box
    # ReMOVE takes the last row and column of the mask for the room's start on those sides.
    room = min(x0, y0, height - (y1 - 1), width - (x1 - 1))
    margin = min(MARGIN, room)
    left, top, side = x0 - margin, y0 - margin, max(x1 - x0, y1 - y0) + 2 * margin
    return left, top, min(left + side, width), min(top + side, height)


def filled_patches(mask2d: NDArray[np.bool_], box: Box) -> NDArray[np.bool_]:
    """Patches of a crop that lie in the mask to the last grey level, after bicubic scaling: (64, 64) bool."""
    from PIL import Image

    x0, y0, x1, y1 = box
    white = Image.fromarray(mask2d[y0:y1, x0:x1].astype(np.uint8) * WHITE)
    return np.asarray(np.asarray(white.resize((GRID, GRID), Image.Resampling.BICUBIC)) == WHITE)


def cosine_of_means(features: Tensor, filled: NDArray[np.bool_]) -> float:
    """Cosine of the mean feature of the filled patches and that of all others. Higher is better.

    Args:
        features: (channels, rows, columns).
        filled: (rows, columns) bool, some True and some False.

    Returns:
        -1 to 1.

    Example:
        >>> import torch
        >>> features = torch.tensor([[[3.0, 0.0]], [[0.0, 2.0]]])  # (1, 0) x 3 beside (0, 1) x 2
        >>> cosine_of_means(features, np.array([[True, False]]))
        0.0
    """
    import torch

    inside = torch.from_numpy(filled).to(features.device)
    means = [features[:, patches].double().mean(dim=1) for patches in (inside, ~inside)]
    return float(torch.nn.functional.cosine_similarity(means[0], means[1], dim=0))


def embed_images(images: Sequence[NDArray[np.uint8]], weights: str, device: str) -> Tensor:
    """Features of images by SAM's image encoder, as SAM prepares them: (n, channels, 64, 64) float32.

    Args:
        images: (h, w, 3) uint8 RGB each; the longer side is scaled to the encoder's size, the rest is padded.
        weights: name of a folder that transformers loads.

    Raises:
        MissingWeightsError: the weights are not on this machine.
        InputError: they are not those of a SAM of 64 x 64 patches.
    """
    import torch

    folder = locate(weights)
    network = load_network("SamVisionModel", folder, device)
    size = network.config.image_size
    values = torch.zeros(len(images), 3, size, size, device=device)
    for value, image in zip(values, images, strict=True):
        scaled = _scaled(image, size)
        value[:, : scaled.shape[0], : scaled.shape[1]] = pixel_values(scaled[None], device)[0]
    with torch.inference_mode():
        features: Tensor = network(values).last_hidden_state
    if features.shape[2:] != (GRID, GRID):
        found = " x ".join(map(str, features.shape[2:]))
        raise InputError(folder, expected=f"{GRID} x {GRID} patches", found=found, fix="use a SAM's weights")
    return features


def _scaled(image: NDArray[np.uint8], size: int) -> NDArray[np.uint8]:
    from PIL import Image

    scale = size / max(image.shape[:2])
    height, width = (int(side * scale + 0.5) for side in image.shape[:2])
    return np.array(Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR))


class Remove:
    """ReMOVE of a delete, the mean over frames, on the features of one SAM. Higher is better.

    Frames without a mask, and frames where no patch, or every patch, lies wholly inside it, have no value;
    `details["frames"]` counts those that have one.
    """

    def __init__(self, weights: str) -> None:
        self._weights = weights
        self.info = MetricInfo(
            name=f"remove@{weights}",
            version="1",
            unit="",
            range=(-1.0, 1.0),
            higher_is_better=True,
            tasks=("delete",),
            region="edit",
            needs_weights=weights,
            citation="Chandrasekar et al., ReMOVE, CVPRW 2024, arXiv 2409.00707; with --crop, mean over frames",
        )

    def __call__(self, clip: EditClip) -> Score:
        """Score an edit.

        Raises:
            MissingWeightsError: the weights are not on this machine.
            InputError: they are not a SAM's.
        """
        if reason := self._why_not(clip.sample):
            return not_applicable(self.info, clip.sample_id, reason)
        crops = list(_crops(clip.sample).items())
        device = clip.sample.device
        step = batch_size(device)
        by_frame: dict[int, float] = {}
        for start in range(0, len(crops), step):
            some = crops[start : start + step]
            images = [clip.edited[t, y0:y1, x0:x1] for t, ((x0, y0, x1, y1), _) in some]
            features = embed_images(images, self._weights, device)
            by_frame |= {t: cosine_of_means(own, filled) for (t, (_, filled)), own in zip(some, features, strict=True)}
        per_frame = [by_frame.get(t) for t in range(len(clip.edited))]
        return scored(
            self.info, clip.sample_id, fmean(by_frame.values()), per_frame=per_frame, details={"frames": len(by_frame)}
        )

    def _why_not(self, sample: SampleClip) -> str | None:
        if sample.sample.task not in self.info.tasks:
            return f"defined for delete only, the task is {sample.sample.task}"
        if not sample.mask[sample.scored].any():
            return "the mask is empty in all scored frames"
        if not _crops(sample):
            return "no scored frame has a patch that lies wholly inside the mask and one that does not"
        return None


def _crops(sample: SampleClip) -> dict[int, tuple[Box, NDArray[np.bool_]]]:
    """By frame: the crop, and which of its patches are filled; frames that have not both kinds are left out."""

    def make() -> dict[int, tuple[Box, NDArray[np.bool_]]]:
        crops = {}
        for t in np.flatnonzero(sample.scored).tolist():
            box = crop_box(sample.mask[t])
            if box is None:
                continue
            filled = filled_patches(sample.mask[t], box)
            if filled.any() and not filled.all():
                crops[t] = box, filled
        return crops

    return sample.once("remove crops", make)
