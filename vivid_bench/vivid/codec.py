"""The mini configuration's codec: a lossless rearrangement of pixels with the interface of a video VAE."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from torch import Tensor


@dataclass(frozen=True)
class LatentDistribution:
    """A distribution with all its mass on one point, as `AutoencoderKLOutput.latent_dist` is used.

    Attributes:
        latents: (B, C', T', H', W').
    """

    latents: Tensor

    def mode(self) -> Tensor:
        """Return the latents."""
        return self.latents

    def sample(self, generator: torch.Generator | None = None) -> Tensor:
        """Return the latents: there is nothing random in them."""
        return self.latents


@dataclass(frozen=True)
class EncodedVideo:
    """What `encode` returns, as diffusers' `AutoencoderKLOutput`."""

    latent_dist: LatentDistribution


@dataclass(frozen=True)
class DecodedVideo:
    """What `decode` returns, as diffusers' `DecoderOutput`.

    Attributes:
        sample: (B, C, T, H, W).
    """

    sample: Tensor


class SpaceToDepthCodec(ModelMixin, ConfigMixin):  # type: ignore[misc]
    """Moves blocks of pixels to channels and back; nothing is lost and nothing is learned.

    As in CogVideoX's VAE the first frame has a latent of its own and every further latent holds `temporal_compression`
    frames: 4k+1 frames -> k+1 latents. The first frame is repeated to fill its latent. Any number of channels goes in,
    so a mask is encoded like a video and keeps every pixel.

    Args:
        spatial_compression: side of a block in pixels.
        temporal_compression: frames in a latent.
        scaling_factor: latents are multiplied by this by the pipeline (the codec itself does not apply it).
    """

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(
        self, spatial_compression: int = 4, temporal_compression: int = 4, scaling_factor: float = 1.0
    ) -> None:
        super().__init__()
        # A model without tensors has neither a dtype nor a device, and its weights file cannot be written.
        self.register_buffer("unit", torch.ones(1))

    @property
    def spatial_compression_ratio(self) -> int:
        """Pixels in a latent's side."""
        return int(self.config.spatial_compression)

    @property
    def temporal_compression_ratio(self) -> int:
        """Frames in a latent, the first excepted."""
        return int(self.config.temporal_compression)

    def encode(self, video: Tensor) -> EncodedVideo:
        """Encode (B, C, T, H, W), T = 4k+1 and H, W multiples of the ratio, to (B, C', k+1, H', W').

        Raises:
            ValueError: when T, H or W does not fit the ratios.
        """
        s, r = self.spatial_compression_ratio, self.temporal_compression_ratio
        frames, height, width = video.shape[2:]
        if (frames - 1) % r or height % s or width % s:
            raise ValueError(
                f"expected {r}k+1 frames and sides that are multiples of {s}, found {frames}x{height}x{width}"
            )
        return EncodedVideo(LatentDistribution(space_to_depth(video, s, r)))

    def decode(self, latents: Tensor) -> DecodedVideo:
        """Decode (B, C', k+1, H', W') to (B, C, 4k+1, H, W); of the first frame's copies the last is taken."""
        s, r = self.spatial_compression_ratio, self.temporal_compression_ratio
        batch, _, count, height, width = latents.shape
        blocks = latents.reshape(batch, -1, r, s, s, count, height, width)
        video = blocks.permute(0, 1, 5, 2, 6, 3, 7, 4).reshape(batch, -1, count * r, height * s, width * s)
        return DecodedVideo(video[:, :, r - 1 :])


def space_to_depth(video: Tensor, side: int, frames: int) -> Tensor:
    """Move blocks of `frames` x `side` x `side` pixels into channels, the first frame repeated to fill a block.

    Args:
        video: (B, C, T, H, W), T = `frames` k + 1.

    Returns:
        (B, C x frames x side x side, k + 1, H / side, W / side).
    """
    batch, channels, _, height, width = video.shape
    video = torch.cat([video[:, :, :1].expand(-1, -1, frames - 1, -1, -1), video], dim=2)
    blocks = video.reshape(batch, channels, -1, frames, height // side, side, width // side, side)
    return blocks.permute(0, 1, 3, 5, 7, 2, 4, 6).flatten(1, 4)
