from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from vivid_bench.types import Frames, Mask
from vivid_bench.vivid.pipeline import VividPipeline

Run = Callable[..., Frames]
Clip = tuple[Frames, Mask]


def close(first: Frames, second: Frames) -> bool:
    """Equal but for float noise: where tensors lie in memory decides the order of sums, hence rarely one level."""
    difference = np.abs(first.astype(int) - second)
    return int(difference.max()) <= 1 and float((difference > 0).mean()) < 0.01


def test_pixels_inside_the_hole_do_not_reach_the_output(tiny: VividPipeline, clip: Clip, run_pipeline: Run) -> None:
    video, mask = clip
    other = np.where(mask[..., None], 255 - video, video)
    assert np.array_equal(run_pipeline(tiny, video, mask), run_pipeline(tiny, other, mask))


def test_pixels_outside_the_hole_do(tiny: VividPipeline, clip: Clip, run_pipeline: Run) -> None:
    video, mask = clip
    other = np.where(mask[..., None], video, 255 - video)
    inside = run_pipeline(tiny, video, mask)[mask], run_pipeline(tiny, other, mask)[mask]
    assert not np.array_equal(*inside)


def test_the_mask_itself_reaches_the_output(tiny: VividPipeline, run_pipeline: Run) -> None:
    # On flat frames the fill is the same whatever the mask is: only the mask's channels can make the difference.
    video = np.full((5, 16, 16, 3), 90, np.uint8)
    small, large = np.zeros((2, 5, 16, 16), np.bool_)
    small[:, 4:8, 4:8] = large[:, 2:12, 2:12] = True
    assert not np.array_equal(run_pipeline(tiny, video, small), run_pipeline(tiny, video, large))


def test_a_silent_output_layer_returns_the_masked_video(clip: Clip, tiny: VividPipeline, run_pipeline: Run) -> None:
    video, mask = clip
    weight = tiny.transformer.proj_out.weight
    saved = weight.detach().clone()
    try:
        weight.data.zero_()
        edited = run_pipeline(tiny, video, mask)
    finally:
        weight.data.copy_(saved)
    assert np.array_equal(edited[~mask], video[~mask])


def test_a_keyframe_is_known_and_matters_elsewhere(tiny: VividPipeline, clip: Clip, run_pipeline: Run) -> None:
    video, mask = clip
    key = np.full((24, 32, 3), 200, np.uint8)
    _, holes = tiny._condition(video, mask, {4: key})
    assert [float(x) for x in tiny.vae.decode(holes.transpose(1, 2)).sample.sum(dim=(0, 1, 3, 4))] == [
        0 if t == 4 else 80 for t in range(9)
    ]
    with_key = run_pipeline(tiny, video, mask, keyframes={4: key})
    assert not np.array_equal(with_key[0], run_pipeline(tiny, video, mask)[0])
    other = video.copy()
    other[4] = 0  # the frame under a keyframe is not read at all
    assert np.array_equal(with_key, run_pipeline(tiny, other, mask, keyframes={4: key}))


@pytest.mark.parametrize(("frames", "height", "width"), [(1, 24, 32), (2, 9, 31), (6, 17, 8), (17, 8, 8), (50, 16, 23)])
def test_any_length_and_size(tiny: VividPipeline, run_pipeline: Run, frames: int, height: int, width: int) -> None:
    video = np.random.default_rng(1).integers(0, 256, (frames, height, width, 3), dtype=np.uint8)
    mask = np.zeros(video.shape[:3], np.bool_)
    mask[:, 2:6, 2:6] = True
    assert run_pipeline(tiny, video, mask, num_inference_steps=1).shape == video.shape


def test_seed_decides_everything(tiny: VividPipeline, clip: Clip, run_pipeline: Run) -> None:
    first, second, other = (run_pipeline(tiny, *clip, seed=seed) for seed in (3, 3, 4))
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)


def test_caption_and_guidance_reach_the_output(tiny: VividPipeline, clip: Clip, run_pipeline: Run) -> None:
    # Enough guidance to move 8-bit values even in a model this small.
    red, blue = (run_pipeline(tiny, *clip, prompt=p, guidance_scale=200.0) for p in ("a red circle", "a blue square"))
    assert not np.array_equal(red, blue)
    with_negative = run_pipeline(tiny, *clip, guidance_scale=200.0, negative_prompt="a red circle")
    assert close(with_negative, run_pipeline(tiny, *clip, guidance_scale=1.0))


def test_hard_composite_keeps_the_source_outside_the_mask(tiny: VividPipeline, clip: Clip, run_pipeline: Run) -> None:
    video, mask = clip
    raw, hard = (run_pipeline(tiny, video, mask, composite=mode) for mode in ("none", "hard"))
    assert np.array_equal(hard[~mask], video[~mask])
    assert np.array_equal(hard[mask], raw[mask])
    # A mini's own output keeps every known pixel too.
    assert np.array_equal(raw[~mask], video[~mask])
    assert not np.array_equal(raw[mask], video[mask])


def test_output_types_agree(tiny: VividPipeline, clip: Clip) -> None:
    arrays, tensors, images = (
        tiny(*clip, "x", num_inference_steps=1, generator=torch.Generator().manual_seed(0), output_type=kind).frames
        for kind in ("np", "pt", "pil")
    )
    assert tensors.shape == (9, 3, 24, 32)
    assert np.array_equal(tensors.permute(0, 2, 3, 1).numpy(), arrays)
    assert np.array_equal(np.asarray(images[2]), np.rint(arrays[2] * 255))


def test_save_and_load_round_trip(tiny: VividPipeline, clip: Clip, run_pipeline: Run, tmp_path: Path) -> None:
    tiny.save_pretrained(tmp_path / "saved")
    loaded = VividPipeline.from_pretrained(tmp_path / "saved")
    loaded.set_progress_bar_config(disable=True)
    assert close(run_pipeline(loaded, *clip), run_pipeline(tiny, *clip))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"video": np.zeros((9, 24, 32, 3), np.float32)}, r"video: expected \(T, H, W, 3\) uint8"),
        ({"mask": np.zeros((9, 24, 31), np.bool_)}, r"mask: expected \(9, 24, 32\) bool, found \(9, 24, 31\) bool"),
        ({"mask": np.zeros((9, 24, 32), np.uint8)}, "mask: expected .* found .* uint8"),
        ({"keyframes": {9: np.zeros((24, 32, 3), np.uint8)}}, "keyframe 9: expected an index below 9"),
        ({"keyframes": {0: np.zeros((24, 33, 3), np.uint8)}}, "keyframe 0: expected"),
        ({"composite": "soft"}, "composite: expected one of none, hard, feather, found 'soft'"),
        ({"output_type": "mp4"}, "output_type: expected one of np, pt, pil, found 'mp4'"),
    ],
)
def test_unusable_input_raises(tiny: VividPipeline, clip: Clip, change: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tiny(**{"video": clip[0], "mask": clip[1], "prompt": "x", **change})
