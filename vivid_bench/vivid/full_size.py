"""The full-size configurations, `cogvideox-2b` and `cogvideox-5b`: their sizes, and pipelines with random weights.

The sizes are those of the CogVideoX text-to-video checkpoints (Yang et al., arXiv 2408.06072; values as in diffusers'
conversion script), with the input channels that `convert` adds. Real weights come from `vivid-bench init`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import diffusers
import torch
from diffusers import AutoencoderKLCogVideoX, CogVideoXTransformer3DModel
from transformers import PreTrainedTokenizerBase, T5Config, T5EncoderModel

from vivid_bench.errors import UnknownNameError
from vivid_bench.vivid.pipeline import VividPipeline

CONFIGS = Path(__file__).parent / "configs"
FULL_SIZES = ("cogvideox-2b", "cogvideox-5b")
Config = Mapping[str, Any]


@dataclass(frozen=True)
class FullSize:
    """Arguments of the components of a full-size VIVID, as diffusers and transformers name them.

    Attributes:
        scheduler: with its class under `_class_name`.
    """

    transformer: Config
    vae: Config
    scheduler: Config
    text_encoder: Config


def read_full_size(name: str) -> FullSize:
    """Read a configuration by its name, one of `FULL_SIZES`; raises `UnknownNameError`."""
    if name not in FULL_SIZES:
        raise UnknownNameError("full-size configuration", name, FULL_SIZES)
    return FullSize(**json.loads((CONFIGS / f"{name}.json").read_text()))


def pipeline_settings(transformer: Config, spatial_compression: int) -> dict[str, Any]:
    """Return the saved settings of a full-size `VividPipeline`: its base's clip, in one piece, CogVideoX's defaults."""
    return {
        "window_frames": transformer["sample_frames"],
        "working_size": [transformer[f"sample_{side}"] * spatial_compression for side in ("height", "width")],
        "follow_hole": False,
        "default_steps": 50,
        "default_guidance_scale": 6.0,
    }


def random_pipeline(
    size: FullSize,
    tokenizer: PreTrainedTokenizerBase,
    device: str | torch.device = "cpu",
    dtype: torch.dtype = torch.float32,
) -> VividPipeline:
    """Make a pipeline of a configuration with random weights, on a device from the start; `meta` allocates nothing."""
    with torch.device(device), _default_dtype(dtype), torch.no_grad():
        return VividPipeline(
            tokenizer=tokenizer,
            text_encoder=T5EncoderModel(T5Config(**size.text_encoder)).eval(),
            vae=AutoencoderKLCogVideoX(**size.vae).eval(),
            transformer=CogVideoXTransformer3DModel(**size.transformer).eval(),
            scheduler=getattr(diffusers, size.scheduler["_class_name"]).from_config(size.scheduler),
            **pipeline_settings(size.transformer, 2 ** (len(size.vae["block_out_channels"]) - 1)),
        )


@contextmanager
def _default_dtype(dtype: torch.dtype) -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)
