"""A small clip, the same on every machine, and the networks that its golden values were made with."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from torch import nn

    from vivid_bench.compat.preset import Preset
    from vivid_bench.metrics.sample_clip import EditClip

PROMPT = "blue"

SUITE_TOLERANCE = 1e-4
"""Relative; suites compute in float32, and their own dependencies move the last digits."""

TINY_CLIP = {
    "embed_dim": 16,
    "quick_gelu": True,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 24, "head_width": 8, "patch_size": 8},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 16, "heads": 2, "layers": 1},
}
PREPROCESSING = {
    "mean": [0.48145466, 0.4578275, 0.40821073],
    "std": [0.26862954, 0.26130258, 0.27577711],
    "interpolation": "bicubic",
    "resize_mode": "shortest",
}


@dataclass(frozen=True)
class GoldenClip:
    """(T, H, W, 3) uint8 source and edited, (T, H, W) bool mask."""

    source: NDArray[np.uint8]
    edited: NDArray[np.uint8]
    mask: NDArray[np.bool_]


def golden_clip() -> GoldenClip:
    """Four frames of 72x48: dark and bright blocks, noise, a moving mask that is empty in the third frame."""
    rng = np.random.default_rng(2411)
    frames, height, width = 4, 48, 72
    blocks = rng.integers(0, 256, (frames, height // 8, width // 8, 3))
    source = np.kron(blocks, np.ones((1, 8, 8, 1), int)) + rng.integers(-9, 10, (frames, height, width, 3))
    edited = source + rng.integers(-12, 13, source.shape)
    mask = np.zeros((frames, height, width), bool)
    for t in (0, 1, 3):
        mask[t, 10 + 3 * t : 30 + 3 * t, 20 : 44 + 4 * t] = True
    edited[mask] = 255 - edited[mask]
    source, edited = (np.clip(values, 0, 255).astype(np.uint8) for values in (source, edited))
    return GoldenClip(source, edited, mask)


def fill(network: nn.Module, seed: int) -> None:
    """Give a network random weights that no library's version changes."""
    import torch

    rng = np.random.default_rng(seed)
    with torch.no_grad():
        for name, parameter in sorted(network.named_parameters()):
            if name == "logit_scale":
                continue
            values = rng.standard_normal(tuple(parameter.shape)) * (0.3 if parameter.ndim > 1 else 0.1)
            is_scale = parameter.ndim == 1 and name.endswith("weight")
            parameter.copy_(torch.from_numpy(values + is_scale))


def save_tiny_clip(folder: Path, seed: int = 1) -> None:
    """Write a CLIP with random weights as open_clip's `push_to_hub` does."""
    from open_clip import CLIP
    from safetensors.torch import save_file

    network = CLIP(**TINY_CLIP)
    fill(network, seed)
    folder.mkdir(parents=True)
    save_file(network.state_dict(), folder / "open_clip_model.safetensors")
    (folder / "open_clip_config.json").write_text(json.dumps({"model_cfg": TINY_CLIP, "preprocess_cfg": PREPROCESSING}))


def save_tiny_dino(folder: Path, seed: int = 2) -> None:
    """Write a DINO vision transformer with random weights as transformers does."""
    from transformers import ViTConfig, ViTModel

    config = ViTConfig(
        hidden_size=24, num_hidden_layers=2, num_attention_heads=2, intermediate_size=96, image_size=224, patch_size=16,
        layer_norm_eps=1e-6,
    )  # fmt: skip
    network = ViTModel(config, add_pooling_layer=False)
    fill(network, seed)
    network.save_pretrained(folder)


def save_squeeze(path: Path, seed: int = 3) -> None:
    """Write a SqueezeNet backbone with random weights as torchvision names them."""
    import torch
    from torchvision.models import squeezenet1_1

    network = squeezenet1_1(weights=None)
    fill(network, seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(network.state_dict(), path)


def figures(preset: Preset, edit: EditClip) -> dict[str, float]:
    """What a preset makes of an edit: measure -> mean of its values."""
    return {m.name: sum(values) / len(values) for m in preset.measures if (values := m.values(edit))}
