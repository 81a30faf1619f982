from __future__ import annotations

import pytest
import torch

from vivid_bench.vivid.codec import SpaceToDepthCodec


@pytest.mark.parametrize("frames", [1, 5, 17])
@pytest.mark.parametrize("channels", [1, 3])
def test_round_trip_returns_every_bit(frames: int, channels: int) -> None:
    video = torch.rand(2, channels, frames, 8, 12)
    codec = SpaceToDepthCodec(4, 4)
    assert torch.equal(codec.decode(codec.encode(video).latent_dist.mode()).sample, video)


def test_first_frame_has_a_latent_of_its_own() -> None:
    video = torch.zeros(1, 1, 5, 4, 4)
    video[:, :, 0] = 1
    latents = SpaceToDepthCodec(4, 4).encode(video).latent_dist.sample()
    assert latents.shape == (1, 1 * 4 * 4 * 4, 2, 1, 1)
    assert bool((latents[:, :, 0] == 1).all())
    assert bool((latents[:, :, 1] == 0).all())


def test_a_latent_holds_the_pixels_of_its_block() -> None:
    video = torch.arange(16.0).reshape(1, 1, 1, 4, 4)
    latents = SpaceToDepthCodec(2, 1).encode(video).latent_dist.mode()
    # The top left block of rows 0-1 and columns 0-1 holds 0, 1, 4 and 5.
    assert latents[0, :, 0, 0, 0].tolist() == [0, 1, 4, 5]


@pytest.mark.parametrize("shape", [(1, 3, 4, 8, 8), (1, 3, 5, 6, 8), (1, 3, 5, 8, 7)])
def test_sizes_that_do_not_fit_raise(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"expected 4k\+1 frames and sides that are multiples of 4"):
        SpaceToDepthCodec(4, 4).encode(torch.zeros(shape))


def test_decoding_takes_the_last_copy_of_the_first_frame() -> None:
    latents = torch.arange(4.0).reshape(1, 4, 1, 1, 1)
    assert SpaceToDepthCodec(1, 4).decode(latents).sample.flatten().tolist() == [3]
