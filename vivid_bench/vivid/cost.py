"""What an edit costs: floating-point operations counted on meta tensors, without weights.

The full size is a CogVideoX-5B class model (Yang et al., arXiv 2408.06072) whose transformer takes the noisy latent,
the masked video's latent and the mask. Published are 17.1 PFLOPs for a video edit and 1.5 for a keyframe edit (VIVID
project page, arXiv 2411.15260); the first agrees with 49 frames of 480x720, 50 steps and one evaluation a step.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache

import torch
from diffusers import AutoencoderKLCogVideoX, CogVideoXTransformer3DModel
from torch.utils.flop_counter import FlopCounterMode

from vivid_bench.vivid.full_size import Config, read_full_size
from vivid_bench.vivid.pipeline import VividPipeline


@dataclass(frozen=True)
class EditCost:
    """Floating-point operations of one edit. The caption's encoding, 0.002 PFLOPs at full size, is left out.

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
    frames: int = 49,
    height: int = 480,
    width: int = 720,
    steps: int = 50,
    evaluations_per_step: int = 1,
    model: str = "cogvideox-5b",
) -> EditCost:
    """Count a video edit, or with one frame a keyframe edit, at full size; nothing is allocated.

    Args:
        frames, height, width: of the video; padded as the pipeline pads.
        evaluations_per_step: 2 with classifier-free guidance.
        model: one of `full_size.FULL_SIZES`.

    Raises:
        UnknownNameError: when there is no such model.
        ValueError: when a count is below 1.
    """
    size = read_full_size(model)
    return _edit_cost(size.transformer, size.vae, (frames, height, width), steps * evaluations_per_step)


def pipeline_edit_cost(
    pipeline: VividPipeline, frames: int, height: int, width: int, steps: int, evaluations_per_step: int = 1
) -> EditCost:
    """Count an edit by the pipeline at hand, full-size or mini; a mini's codec computes nothing."""
    evaluations = steps * evaluations_per_step
    return _edit_cost(pipeline.transformer.config, pipeline.vae.config, (frames, height, width), evaluations)


def session_cost(rounds: int, model: str = "cogvideox-5b") -> SessionCost:
    """Count a session at 49x480x720, 50 steps and one evaluation a step."""
    if rounds < 1:
        raise ValueError(f"expected at least one round, found {rounds}")
    video, keyframe = edit_cost(model=model).total, edit_cost(frames=1, model=model).total
    return SessionCost(rounds, naive=rounds * video, kive=rounds * keyframe + video)


def _edit_cost(transformer: Config, vae: Config, video: tuple[int, int, int], evaluations: int) -> EditCost:
    if min(*video, evaluations) < 1:
        raise ValueError(f"expected at least one frame, pixel and evaluation, found {video} and {evaluations}")
    frames, height, width = video
    if "spatial_compression" in vae:
        ratio, side = vae["temporal_compression"], vae["spatial_compression"]
        frame_step = ratio
    else:
        ratio, side = vae["temporal_compression_ratio"], 2 ** (len(vae["block_out_channels"]) - 1)
        frame_step = 2 * ratio
    latents = (
        1 + -(-(frames - 1) // frame_step) * frame_step // ratio,
        *(transformer["patch_size"] * -(-pixels // (side * transformer["patch_size"])) for pixels in (height, width)),
    )
    encode, decode = (0, 0) if "spatial_compression" in vae else _vae_flops(_key(vae), latents)
    # All blocks are alike: two models tell what each block adds, forty-two blocks need not be walked through.
    one, two = (_transformer_flops(_key({**transformer, "num_layers": layers}), latents) for layers in (1, 2))
    step = one + (transformer["num_layers"] - 1) * (two - one)
    return EditCost(encode, step * evaluations, decode)


def _key(config: Config) -> str:
    """Return a hashable form of a component's arguments."""
    return json.dumps({name: value for name, value in config.items() if not name.startswith("_")}, sort_keys=True)


@cache
def _transformer_flops(key: str, latents: tuple[int, int, int]) -> int:
    config = json.loads(key)
    count, height, width = latents
    with torch.device("meta"), torch.no_grad():
        transformer = CogVideoXTransformer3DModel(**config)
        tokens = count * (height // config["patch_size"]) * (width // config["patch_size"])
        rotary = torch.empty(tokens, config["attention_head_dim"])
        inputs = {
            "hidden_states": torch.empty(1, count, config["in_channels"], height, width),
            "encoder_hidden_states": torch.empty(1, config["max_text_seq_length"], config["text_embed_dim"]),
            "timestep": torch.empty(1),
            "image_rotary_emb": (rotary, rotary) if config["use_rotary_positional_embeddings"] else None,
        }
        with FlopCounterMode(display=False) as counter:
            transformer(**inputs)
    return int(counter.get_total_flops())


@cache
def _vae_flops(key: str, latents: tuple[int, int, int]) -> tuple[int, int]:
    config = json.loads(key)
    count, height, width = latents
    side = 2 ** (len(config["block_out_channels"]) - 1)
    frames = 1 + (count - 1) * config["temporal_compression_ratio"]
    with torch.device("meta"), torch.no_grad():
        vae = AutoencoderKLCogVideoX(**config)
        with FlopCounterMode(display=False) as encoding:
            vae.encode(torch.empty(1, 3, frames, height * side, width * side))
        with FlopCounterMode(display=False) as decoding:
            vae.decode(torch.empty(1, config["latent_channels"], *latents))
    return int(encoding.get_total_flops()), int(decoding.get_total_flops())
