"""CLIP and LPIPS as other suites feed them: their own resizing, their own treatment of long prompts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from vivid_bench.errors import VividBenchError
from vivid_bench.metrics.clip_model import BATCH, ClipModel
from vivid_bench.metrics.lpips import load_network

Frame = NDArray[np.uint8]

ANY_LENGTH = 4096
"""More tokens than any prompt has."""


def centre_squares(frames: Iterable[Frame], side: int) -> list[Frame]:
    """Resize the shorter side and cut out the middle as transformers' CLIP processor does, with Pillow's bicubic.

    Args:
        frames: (H, W, 3) uint8 each.
        side: the network's, in pixels.

    Returns:
        (side, side, 3) uint8 each.
    """
    return [_centre_square(frame, side) for frame in frames]


def _centre_square(frame: Frame, side: int) -> Frame:
    height, width = frame.shape[:2]
    shorter = min(height, width)
    height, width = side * height // shorter, side * width // shorter
    resized = np.asarray(Image.fromarray(frame).resize((width, height), Image.Resampling.BICUBIC))
    top, left = (height - side) // 2, (width - side) // 2
    return resized[top : top + side, left : left + side]


@torch.inference_mode()
def features_of(model: ClipModel, images: Sequence[Tensor]) -> Tensor:
    """Return the features, (N, D) float32 of length 1, of images that are ready for the network, (3, S, S) each."""
    weight = next(model.network.parameters())
    batches = [torch.stack(list(images[i : i + BATCH])).to(weight) for i in range(0, len(images), BATCH)]
    return F.normalize(torch.cat([model.network.encode_image(batch).float().cpu() for batch in batches]), dim=-1)


@torch.inference_mode()
def clip_scores(model: ClipModel, frames: Iterable[Frame], prompt: str) -> list[float]:
    """torchmetrics' CLIPScore of each frame: 100 cos(image, text), at least 0.

    Tokens beyond the context length are cut off, the end token among them. Features are read where the end token is,
    by its being the highest number; without it that is the start token, which has seen no word of the prompt.

    Args:
        frames: (H, W, 3) uint8 each.

    Returns:
        0 to 100 each.
    """
    tokens = model.tokenizer([prompt], context_length=ANY_LENGTH)[:, : model.network.context_length]
    text = model.network.encode_text(tokens.to(next(model.network.parameters()).device)).float().cpu()
    images = torch.from_numpy(model.image_features(centre_squares(frames, model.side)))
    return (100 * (images @ F.normalize(text, dim=-1)[0])).clamp(min=0).tolist()


def untruncated_text(model: ClipModel, prompt: str) -> NDArray[np.float32]:
    """Return a prompt's features, (D,) float32 of length 1; raises `VividBenchError` for one that is too long."""
    if model.is_truncated(prompt):
        limit = model.network.context_length
        raise VividBenchError(f"the prompt has over {limit} tokens: that code does not truncate, and crashes")
    return model.text_features(prompt)


@torch.inference_mode()
def lpips_values(weights: str, device: str, first: Iterable[Frame], second: Iterable[Frame]) -> list[float]:
    """LPIPS of each pair of whole frames, the mean over the map of each level.

    Args:
        weights: of `vivid_bench.metrics.lpips.load_network`.
        first, second: (H, W, 3) uint8 each.

    Returns:
        0 (equal) and up.
    """
    network = load_network(weights, device)

    def prepared(frame: Frame) -> Tensor:
        return torch.from_numpy(frame).to(device).permute(2, 0, 1)[None].float() / 255 * 2 - 1

    return [float(network(prepared(x), prepared(y))) for x, y in zip(first, second, strict=True)]
