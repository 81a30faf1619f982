"""Between pixels and latents, for both codecs: the mini's lossless rearrangement and CogVideoX's video VAE.

The two differ in how a mask becomes a latent, and only here. The lossless codec rearranges a mask as it rearranges
frames. A VAE was made for pictures, not for masks: beside its latents the mask is shrunk to their size. A cell holds
the share of its pixels that is hole, so that 0 still means "all known" and the outline keeps a part of its place; the
frames that share a latent stay apart, a channel each, so that the one that is a keyframe is seen as known.
"""

from __future__ import annotations

from typing import TypeAlias

import torch.nn.functional as F
from diffusers import AutoencoderKLCogVideoX
from torch import Tensor

from vivid_bench.vivid.codec import SpaceToDepthCodec, space_to_depth

Codec: TypeAlias = SpaceToDepthCodec | AutoencoderKLCogVideoX


def is_lossless(vae: Codec) -> bool:
    """Whether the codec is the mini's; its model was trained from nothing, without a CogVideoX checkpoint."""
    return isinstance(vae, SpaceToDepthCodec)


def temporal_ratio(vae: Codec) -> int:
    """Frames in a latent, the first excepted."""
    return int(vae.temporal_compression_ratio if is_lossless(vae) else vae.config.temporal_compression_ratio)


def spatial_ratio(vae: Codec) -> int:
    """Pixels in a latent's side."""
    return int(vae.spatial_compression_ratio if is_lossless(vae) else 2 ** (len(vae.config.block_out_channels) - 1))


def condition_channels(latent_channels: int, temporal_compression: int) -> int:
    """Input channels of a full-size transformer beside the noisy latent's: the masked video's latent and the mask."""
    return latent_channels + temporal_compression


def frame_step(vae: Codec) -> int:
    """Frames after the first come in multiples of this.

    CogVideoX's VAE decodes two latents at a time, the first of an odd number alone with its frame. Of an even number
    it makes too many frames, so that latents are kept odd.
    """
    return temporal_ratio(vae) * (1 if is_lossless(vae) else 2)


def encode_video(vae: Codec, video: Tensor) -> Tensor:
    """Encode frames, (B, 3, T, H, W) in [-1, 1], to (B, T', C, H', W'), the transformer's order, scaled for it.

    T - 1 must be a multiple of `frame_step`, H and W of `spatial_ratio`.
    """
    latents = vae.encode(video if is_lossless(vae) else video.to(vae.dtype)).latent_dist.mode()
    scaled: Tensor = latents.transpose(1, 2) * vae.config.scaling_factor
    return scaled


def encode_mask(vae: Codec, mask: Tensor) -> Tensor:
    """Turn a mask, (B, 1, T, H, W) with 1 = edit, into (B, T', M, H', W'); sizes as of `encode_video`."""
    if is_lossless(vae):
        encoded: Tensor = vae.encode(mask).latent_dist.mode()
    else:
        side = spatial_ratio(vae)
        encoded = space_to_depth(F.avg_pool3d(mask, (1, side, side)), 1, temporal_ratio(vae))
    return encoded.transpose(1, 2)


def decode_video(vae: Codec, latents: Tensor) -> Tensor:
    """Decode (B, T', C, H', W') to frames, (B, 3, T, H, W) in about [-1, 1]."""
    latents = latents.transpose(1, 2) / vae.config.scaling_factor
    frames: Tensor = vae.decode(latents if is_lossless(vae) else latents.to(vae.dtype)).sample
    return frames
