"""Patch features of crops: loading a vision transformer, and features that several statistics share."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from vivid_bench.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

NetworkKind = Literal["Dinov2Model", "SamVisionModel"]
MODEL_TYPES = {"Dinov2Model": ("dinov2",), "SamVisionModel": ("sam", "sam_vision_model")}
"""What the folder's config.json may call itself: transformers loads others too, as far as names of parameters agree."""
Box = tuple[int, int, int, int]
"""x0, y0, x1, y1 in pixels, half-open."""
Crop = tuple[int, Box]
"""A frame's index and a box in that frame."""
Embed = Callable[[Sequence[NDArray[np.uint8]]], "Tensor"]
"""Images, (h, w, 3) uint8 RGB each, to their features: one item along the first axis for each."""

IMAGE_MEAN = (0.485, 0.456, 0.406)
IMAGE_STD = (0.229, 0.224, 0.225)


@functools.cache
def load_network(kind: NetworkKind, folder: Path, device: str) -> Any:
    """Load a network of transformers from a local folder, in float32 and eval mode; kept for the next call.

    Raises:
        InputError: the folder does not hold weights for all of the network's parameters.
    """
    import transformers
    from safetensors import SafetensorError

    def refused(found: str) -> InputError:
        fix = "fetch the weights again, or name others"
        return InputError(folder, expected=f"weights of a {kind} of transformers", found=found, fix=fix)

    try:
        with quiet():
            model_type = transformers.AutoConfig.from_pretrained(folder, local_files_only=True).model_type
            if model_type not in MODEL_TYPES[kind]:
                raise refused(f"those of model type {model_type}")
            network, loading = getattr(transformers, kind).from_pretrained(
                folder, local_files_only=True, output_loading_info=True, ignore_mismatched_sizes=True
            )
    except (OSError, ValueError, SafetensorError) as error:
        raise refused(str(error).strip().splitlines()[0]) from error
    # transformers only warns of these, and fills them with random numbers.
    if unset := sorted({*loading["missing_keys"], *(key[0] for key in loading["mismatched_keys"])}):
        raise refused(f"none, or of another shape, for {len(unset)} of its parameters, e.g. {unset[0]}")
    return network.float().eval().to(device)


@contextmanager
def quiet() -> Iterator[None]:
    """No progress bars, warnings or tables of parameters that a part of a larger checkpoint leaves unused."""
    from transformers.utils import logging

    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


def pixel_values(images: NDArray[np.uint8], device: str) -> Tensor:
    """Normalise images, (n, h, w, 3) uint8 RGB, with ImageNet's mean and deviation: (n, 3, h, w) float32."""
    import torch

    values = torch.from_numpy(images).to(device).permute(0, 3, 1, 2).float() / 255
    mean, std = (torch.tensor(constant, device=device).view(1, 3, 1, 1) for constant in (IMAGE_MEAN, IMAGE_STD))
    return (values - mean) / std


def batch_size(device: str) -> int:
    """Images to embed at once.

    One on a CPU: a thousand patches fill it, and the features of a crop then depend on no other crop, to the last bit.
    """
    return 1 if device == "cpu" else 16


class CropFeatures:
    """Features of an edit's crops, each computed once and kept only while a use of it lies ahead.

    Args:
        frames: (T, H, W, 3) uint8 RGB.
        embed: the network.
        batch: images to embed at once.
        uses: all crops that will be asked for, as often as they will be.
    """

    def __init__(self, frames: NDArray[np.uint8], embed: Embed, batch: int, uses: Iterable[Crop]) -> None:
        self._frames = frames
        self._embed = embed
        self._batch = batch
        self._uses = Counter(uses)
        self._kept: dict[Crop, Tensor] = {}

    def of(self, jobs: Sequence[tuple[Crop, ...]]) -> Iterator[tuple[Tensor, ...]]:
        """Yield the features of each job's crops, in order; a few jobs are embedded at once."""
        for start in range(0, len(jobs), self._batch):
            chunk = jobs[start : start + self._batch]
            self._embed_missing(crop for job in chunk for crop in job)
            for job in chunk:
                yield tuple(self._kept[crop] for crop in job)
                self._uses.subtract(job)
            self._kept = {crop: features for crop, features in self._kept.items() if self._uses[crop] > 0}

    def _embed_missing(self, wanted: Iterable[Crop]) -> None:
        missing = list(dict.fromkeys(crop for crop in wanted if crop not in self._kept))
        for start in range(0, len(missing), self._batch):
            crops = missing[start : start + self._batch]
            images = [self._frames[frame, y0:y1, x0:x1] for frame, (x0, y0, x1, y1) in crops]
            self._kept.update(zip(crops, self._embed(images), strict=True))
