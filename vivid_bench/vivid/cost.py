"""What an edit costs at full size: floating-point operations counted on meta tensors, without weights.

The full size is a CogVideoX-5B class model (Yang et al., arXiv 2408.06072) whose transformer takes the noisy latent,
the masked video's latent and the mask: 3 x 16 channels. Published are 17.1 PFLOPs for a video edit and 1.5 for a
keyframe edit (VIVID project page, arXiv 2411.15260); the first agrees with 49 frames of 480x720, 50 steps and one
evaluation a step.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import torch
from diffusers import AutoencoderKLCogVideoX, CogVideoXTransformer3DModel
from torch.utils.flop_counter import FlopCounterMode

LATENT_CHANNELS = 16
PATCH = 2
HEAD_DIM, HEADS, LAYERS = 64, 48, 42
TEXT_TOKENS, TEXT_WIDTH = 226, 4096


@dataclass(frozen=True)
class EditCost:
    """Floating-point operations of one edit.

    Attributes:
        encode: the VAE's, once, for the masked video; the mask is resized, not encoded.
        denoise: the transformer's, over all steps.
        decode: the VAE's, once.
    """

    encode: int
    denoise: int
    decode: int

    @property
    def total(self) -> int:
        """Sum of the three."""
        return self.encode + self.denoise + self.decode


@dataclass(frozen=True)
class SessionCost:
    """Floating-point operations of a session in which the user is content after `rounds` edits.

    Attributes:
        naive: every round edits the whole video.
        kive: every round edits one keyframe; the last one is propagated by one video edit.
    """

    rounds: int
    naive: int
    kive: int


def edit_cost(
    frames: int = 49, height: int = 480, width: int = 720, steps: int = 50, evaluations_per_step: int = 1
) -> EditCost:
    """Count a video edit, or with one frame a keyframe edit, of the 5B configuration; nothing is allocated.

    Args:
        frames: 4k+1.
        height, width: pixels, multiples of 16.
        evaluations_per_step: 2 with classifier-free guidance.

    Raises:
        ValueError: when a size does not fit.
    """
    if (frames - 1) % 4 or height % 16 or width % 16 or frames < 1:
        raise ValueError(f"expected 4k+1 frames and sides that are multiples of 16, found {frames}x{height}x{width}")
    encode, decode = _vae_flops(frames, height, width)
    step = _transformer_flops(1 + (frames - 1) // 4, height // 8, width // 8)
    return EditCost(encode, step * steps * evaluations_per_step, decode)


def session_cost(rounds: int) -> SessionCost:
    """Count a session of the 5B configuration at 49x480x720 and 50 steps."""
    if rounds < 1:
        raise ValueError(f"expected at least one round, found {rounds}")
    video, keyframe = edit_cost().total, edit_cost(frames=1).total
    return SessionCost(rounds, naive=rounds * video, kive=rounds * keyframe + video)


@cache
def _transformer_flops(latent_frames: int, height: int, width: int) -> int:
    with torch.device("meta"), torch.no_grad():
        transformer = CogVideoXTransformer3DModel(
            num_attention_heads=HEADS,
            attention_head_dim=HEAD_DIM,
            in_channels=3 * LATENT_CHANNELS,
            out_channels=LATENT_CHANNELS,
            num_layers=LAYERS,
            text_embed_dim=TEXT_WIDTH,
            max_text_seq_length=TEXT_TOKENS,
            use_rotary_positional_embeddings=True,
        )
        tokens = latent_frames * (height // PATCH) * (width // PATCH)
        inputs = {
            "hidden_states": torch.empty(1, latent_frames, 3 * LATENT_CHANNELS, height, width),
            "encoder_hidden_states": torch.empty(1, TEXT_TOKENS, TEXT_WIDTH),
            "timestep": torch.empty(1),
            "image_rotary_emb": (torch.empty(tokens, HEAD_DIM), torch.empty(tokens, HEAD_DIM)),
        }
        with FlopCounterMode(display=False) as counter:
            transformer(**inputs)
    return int(counter.get_total_flops())


@cache
def _vae_flops(frames: int, height: int, width: int) -> tuple[int, int]:
    with torch.device("meta"), torch.no_grad():
        vae = AutoencoderKLCogVideoX(
            down_block_types=("CogVideoXDownBlock3D",) * 4,
            up_block_types=("CogVideoXUpBlock3D",) * 4,
            block_out_channels=(128, 256, 256, 512),
            latent_channels=LATENT_CHANNELS,
            layers_per_block=3,
        )
        with FlopCounterMode(display=False) as encoding:
            vae.encode(torch.empty(1, 3, frames, height, width))
        latent = torch.empty(1, LATENT_CHANNELS, 1 + (frames - 1) // 4, height // 8, width // 8)
        with FlopCounterMode(display=False) as decoding:
            vae.decode(latent)
    return int(encoding.get_total_flops()), int(decoding.get_total_flops())
