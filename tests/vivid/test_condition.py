from __future__ import annotations

import pytest
import torch

from vivid_bench.vivid.condition import encode_caption, fill_hole, place_keyframes, predict_edit, rotary_embedding
from vivid_bench.vivid.pipeline import VividPipeline


def test_a_flat_frame_is_filled_flat() -> None:
    mask = torch.zeros(1, 1, 11, 13)
    mask[..., 3:8, 4:9] = 1
    frames = torch.full((1, 3, 11, 13), 0.3)
    assert torch.allclose(fill_hole(frames.where(mask == 0, torch.tensor(9.0)), mask), frames, atol=1e-6)


def test_the_fill_lies_between_its_surroundings() -> None:
    ramp = torch.linspace(0, 1, 16).expand(1, 1, 16, 16)
    mask = torch.zeros(1, 1, 16, 16)
    mask[..., 6:10, 6:10] = 1
    filled = fill_hole(ramp, mask)
    assert torch.equal(filled[mask == 0], ramp[mask == 0])
    assert 5 / 15 < float(filled[mask == 1].min()) < float(filled[mask == 1].max()) < 10 / 15
    # A harmonic fill of a ramp is the ramp.
    assert float((filled - ramp).abs().max()) < 0.05


def test_pixels_under_the_mask_are_never_read() -> None:
    frames, mask = torch.rand(2, 3, 9, 9), (torch.rand(2, 1, 9, 9) > 0.5).float()
    other = torch.where(mask > 0, torch.full_like(frames, torch.nan), frames)
    assert torch.equal(fill_hole(frames, mask), fill_hole(other, mask))


def test_a_frame_that_is_all_hole_becomes_zero() -> None:
    assert bool((fill_hole(torch.rand(1, 3, 6, 7), torch.ones(1, 1, 6, 7)) == 0).all())


def test_a_keyframe_replaces_its_frame_and_is_all_known() -> None:
    video, mask, key = torch.zeros(3, 3, 4, 4), torch.ones(3, 1, 4, 4), torch.rand(3, 4, 4)
    placed, holes = place_keyframes(video, mask, {1: key})
    assert torch.equal(placed[1], key)
    assert holes.flatten(1).sum(dim=1).tolist() == [16, 0, 16]
    assert float(mask.sum()) == 3 * 16  # the input is left as it was


def test_a_keyframe_outside_the_video_raises() -> None:
    with pytest.raises(ValueError, match="keyframe 3 lies outside the video's 3 frames"):
        place_keyframes(torch.zeros(3, 3, 4, 4), torch.ones(3, 1, 4, 4), {3: torch.zeros(3, 4, 4)})


def test_a_tokens_position_is_its_index_or_stretched_into_the_trained_grid() -> None:
    plain, stretched = rotary_embedding(16, 1, 2, 3), rotary_embedding(16, 1, 2, 3, trained_grid=(4, 6))
    # The last 6 of 16 channels are the column's; the first of their frequencies is 1: the angle is the position.
    columns = [torch.atan2(sin[:3, 10], cos[:3, 10]) for cos, sin in (plain, stretched)]
    assert columns[0].tolist() == pytest.approx([0, 1, 2])
    assert columns[1].tolist() == pytest.approx([0, 2, 4 - 2 * torch.pi], abs=1e-5)


def test_prediction_is_a_difference_or_the_output_itself(tiny: VividPipeline) -> None:
    noisy, masked, mask = torch.rand(1, 2, 192, 4, 4), torch.rand(1, 2, 192, 4, 4), torch.zeros(1, 2, 64, 4, 4)
    mask[..., :2] = 1
    arguments = (tiny.transformer, noisy, masked, mask, torch.rand(1, 24, 16), torch.tensor([999]))
    with torch.no_grad():
        clean, output = predict_edit(*arguments), predict_edit(*arguments, prediction_type="v_prediction")
    assert torch.allclose(clean[..., :2], (masked + output)[..., :2], atol=1e-5)
    assert torch.equal(clean[..., 2:], masked[..., 2:])  # known pixels stay


def test_padding_is_hidden_or_encoded(tiny: VividPipeline) -> None:
    arguments = (tiny.tokenizer, tiny.text_encoder, ["a red circle"], 12, "cpu")
    length = len(tiny.tokenizer("a red circle").input_ids)
    with torch.no_grad():
        hidden, whole = encode_caption(*arguments), encode_caption(*arguments, hide_padding=False)
    assert hidden.shape == whole.shape == (1, 12, 16)
    assert not hidden[:, length:].any()
    assert bool(whole[:, length:].any())
