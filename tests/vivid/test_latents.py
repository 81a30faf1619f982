from __future__ import annotations

import pytest
import torch

from vivid_bench.vivid.codec import SpaceToDepthCodec
from vivid_bench.vivid.latents import (
    decode_video,
    encode_mask,
    encode_video,
    frame_step,
    is_lossless,
    spatial_ratio,
    temporal_ratio,
)
from vivid_bench.vivid.pipeline import VividPipeline

MINI = SpaceToDepthCodec(4, 4)


def test_ratios(full: VividPipeline) -> None:
    assert (is_lossless(MINI), temporal_ratio(MINI), spatial_ratio(MINI), frame_step(MINI)) == (True, 4, 4, 4)
    vae = full.vae
    assert (is_lossless(vae), temporal_ratio(vae), spatial_ratio(vae), frame_step(vae)) == (False, 4, 8, 8)


def test_the_mini_rearranges_a_mask_as_it_rearranges_frames() -> None:
    mask = (torch.rand(2, 1, 5, 8, 12) > 0.5).float()
    latent = encode_mask(MINI, mask)
    assert latent.shape == (2, 2, 64, 2, 3)
    assert torch.equal(decode_video(MINI, latent), mask)


def test_beside_a_vae_a_mask_is_shrunk_and_its_frames_stay_apart(full: VividPipeline) -> None:
    mask = torch.zeros(1, 1, 9, 16, 24)
    mask[0, 0, 0, :8, :4] = 1  # half of the first cell of the first frame
    mask[0, 0, 1:5, 8:, 16:] = 1  # the last cell of frames 1 to 4,
    mask[0, 0, 3] = 0  # of which frame 3 is a keyframe
    latent = encode_mask(full.vae, mask)
    assert latent.shape == (1, 3, 4, 2, 3)
    assert latent[0, 0, :, 0, 0].tolist() == [0.5] * 4  # the first frame alone fills its latent
    assert latent[0, 1, :, 1, 2].tolist() == [1, 1, 0, 1]
    assert float(latent.sum()) == 4 * 0.5 + 3


def test_a_mask_of_which_one_pixel_is_hole_is_not_all_known(full: VividPipeline) -> None:
    mask = torch.zeros(1, 1, 1, 16, 16)
    mask[..., 9, 9] = 1
    assert encode_mask(full.vae, mask)[0, 0, 0].tolist() == [[0, 0], [0, 1 / 64]]


def test_video_latents_are_scaled(full: VividPipeline) -> None:
    video = torch.rand(1, 3, 9, 16, 16) * 2 - 1
    plain = full.vae.encode(video).latent_dist.mode()
    latent = encode_video(full.vae, video)
    assert latent.shape == (1, 3, 4, 2, 2)
    assert torch.equal(latent.transpose(1, 2), plain * full.vae.config.scaling_factor)
    assert torch.allclose(decode_video(full.vae, latent), full.vae.decode(plain).sample, atol=1e-5)


@pytest.mark.parametrize(("frames", "decoded"), [(1, 1), (5, 8), (9, 9), (13, 16), (17, 17)])
def test_why_latents_are_kept_odd(full: VividPipeline, frames: int, decoded: int) -> None:
    # Of an even number of latents the VAE makes four frames a latent, the first included.
    latent = encode_video(full.vae, torch.zeros(1, 3, frames, 8, 8))
    assert latent.shape[1] == 1 + (frames - 1) // 4
    assert decode_video(full.vae, latent).shape[2] == decoded
    assert (decoded == frames) == ((frames - 1) % frame_step(full.vae) == 0)
