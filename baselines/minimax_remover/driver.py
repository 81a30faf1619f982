"""MiniMax-Remover's own pipeline behind vivid-bench's contract; see README.md for what it is called with, and why."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..driving import Clip, Edit

STEPS = 12
GROWTH = 6  # pixels, as in the authors' script


def load(repo: Path, device: str) -> Edit:
    """Load the weights that lie in the checkout's `vae`, `transformer` and `scheduler`."""
    import torch
    from diffusers.models import AutoencoderKLWan
    from diffusers.schedulers import UniPCMultistepScheduler
    from pipeline_minimax_remover import Minimax_Remover_Pipeline  # type: ignore[import-not-found]
    from transformer_minimax_remover import Transformer3DModel  # type: ignore[import-not-found]

    pipeline = Minimax_Remover_Pipeline(
        vae=AutoencoderKLWan.from_pretrained(repo / "vae", torch_dtype=torch.float16),
        transformer=Transformer3DModel.from_pretrained(repo / "transformer", torch_dtype=torch.float16),
        scheduler=UniPCMultistepScheduler.from_pretrained(repo / "scheduler"),
    )
    pipeline.to(device)

    def edit(clip: Clip) -> Any:
        frames, height, width = clip.mask.shape
        return pipeline(
            images=torch.from_numpy(clip.frames).float() / 127.5 - 1,
            masks=torch.from_numpy(clip.mask).float()[..., None],
            num_frames=frames, height=height, width=width, num_inference_steps=STEPS, iterations=GROWTH,
            generator=torch.Generator(device=device).manual_seed(clip.seed),
        ).frames[0]  # fmt: skip

    return edit
