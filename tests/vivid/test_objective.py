from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from vivid_bench.vivid.data import Batch
from vivid_bench.vivid.objective import KEYFRAME_FADE, EditObjective, answer_from, edit_loss
from vivid_bench.vivid.pipeline import VividPipeline
from vivid_bench.vivid.recipe import LossConfig

EXACT = LossConfig(difficulty_floor=0.0)


def without_keyframes(edit: torch.Tensor, filled: torch.Tensor, hole: torch.Tensor, caption: str) -> Batch:
    none = torch.zeros(len(edit), edit.shape[2], dtype=torch.bool)
    return Batch(edit, filled, hole, none, none, [caption] * len(edit))


def batch(count: int = 2) -> Batch:
    generator = torch.Generator().manual_seed(0)
    edit = torch.rand(count, 3, 5, 16, 16, generator=generator) * 2 - 1
    mask = torch.zeros(count, 1, 5, 16, 16)
    mask[..., 4:12, 4:12] = 1
    return without_keyframes(edit, edit * (1 - mask), mask, "a red circle")


def test_loss_of_the_filled_hole_is_one_and_of_the_truth_zero() -> None:
    edit, masked = torch.zeros(1, 3, 1, 2, 2), torch.zeros(1, 3, 1, 2, 2)
    mask = torch.tensor([[1.0, 0.0], [0.0, 0.0]]).reshape(1, 1, 1, 2, 2)
    masked[..., 0, 0] = 0.5
    seen = without_keyframes(edit, masked, mask, "")
    assert edit_loss(masked, seen, EXACT).tolist() == [1]
    assert edit_loss(edit, seen, EXACT).tolist() == [0]


def test_difficulty_is_taken_out() -> None:
    mask = torch.ones(2, 1, 1, 2, 2)
    masked = torch.stack([torch.full((3, 1, 2, 2), 0.1), torch.full((3, 1, 2, 2), 0.8)])
    losses = edit_loss(masked / 2, without_keyframes(torch.zeros_like(masked), masked, mask, ""), EXACT)
    assert losses.tolist() == pytest.approx([1 / 4, 1 / 4])


def test_the_seed_decides_noise_and_timesteps(tiny: VividPipeline) -> None:
    objective = EditObjective(tiny, LossConfig())
    first, again, other = (float(objective(batch(), seed).detach()) for seed in (0, 0, 1))
    assert first == again != other


def test_on_its_own_trajectory_the_reference_is_not_seen(tiny: VividPipeline) -> None:
    """With the answer's pixels under the mask changed, what the transformer is given must stay the same."""
    seen: list[torch.Tensor] = []
    hook = tiny.transformer.register_forward_pre_hook(
        lambda module, args, kwargs: seen.append(kwargs["hidden_states"].clone()), with_kwargs=True
    )
    objective = EditObjective(tiny, LossConfig(own_trajectory=True))
    one = batch()
    two = replace(one, edit=one.edit + one.mask)
    try:
        objective(one, 0)
        count = len(seen)
        objective(two, 0)
    finally:
        hook.remove()
    assert count == 2  # the estimate from pure noise, then the step that is learned
    assert all(torch.equal(a, b) for a, b in zip(seen[:2], seen[2:], strict=True))


def test_at_full_noise_no_estimate_is_needed(tiny: VividPipeline) -> None:
    calls: list[int] = []
    hook = tiny.transformer.register_forward_hook(lambda *_: calls.append(1))
    try:
        EditObjective(tiny, LossConfig(own_trajectory=True, full_noise_share=1.0))(batch(), 0)
    finally:
        hook.remove()
    assert len(calls) == 1


def with_keyframes(batch: Batch, *frames: int) -> Batch:
    keyframes = batch.keyframes.clone()
    keyframes[:, frames] = True
    return replace(batch, keyframes=keyframes)


def test_a_keyframe_shows_the_reference_and_is_not_to_be_made() -> None:
    plain = batch()
    given = with_keyframes(plain, 0)
    assert torch.equal(given.masked[:, :, 0], plain.edit[:, :, 0])
    assert torch.equal(given.masked[:, :, 1:], plain.filled[:, :, 1:])
    assert not given.mask[:, :, 0].any()
    assert torch.equal(given.mask[:, :, 1:], plain.hole[:, :, 1:])


def test_what_a_made_keyframe_shows_is_carried_along_and_fades() -> None:
    """Five frames of reference 0; the model made 0.5 at frame 1; frame 4 is a keyframe of the reference."""
    zero = torch.zeros(1, 3, 5, 1, 1)
    seen = with_keyframes(without_keyframes(zero, zero, zero[:, :1] + 1, ""), 1, 4)
    answer = answer_from(seen, torch.tensor([0]), torch.tensor([1]), torch.full((1, 3, 1, 1), 0.5))
    # Frame 3 is nearer to frame 4, which shows the reference.
    expected = [0.5 * KEYFRAME_FADE, 0.5, 0.5 * KEYFRAME_FADE, 0.0, 0.0]
    assert answer[0, 0, :, 0, 0].tolist() == pytest.approx(expected)


def test_own_keyframes_are_the_models_edits_of_single_frames(tiny: VividPipeline) -> None:
    """The transformer is first shown the two keyframes as images, then the clips with what it made of them."""
    seen: list[torch.Tensor] = []
    hook = tiny.transformer.register_forward_pre_hook(
        lambda module, args, kwargs: seen.append(kwargs["hidden_states"].clone()), with_kwargs=True
    )
    given = with_keyframes(batch(), 2)
    own = replace(given, own=given.keyframes)
    objective = EditObjective(tiny, LossConfig(full_noise_share=1.0))
    try:
        objective(own, 0)
        objective(replace(own, edit=own.edit - own.hole), 0)
    finally:
        hook.remove()
    assert [len(x) for x in seen] == [2, 2, 2, 2]
    assert seen[0].shape[1] == 1 < seen[1].shape[1]
    # The reference under the hole is not seen, at keyframes either.
    assert torch.equal(seen[0], seen[2])
    assert torch.allclose(seen[1], seen[3], atol=1e-5)


def test_a_mini_learns_its_transformer_and_text_encoder(tiny: VividPipeline) -> None:
    objective = EditObjective(tiny, LossConfig())
    objective(batch(), 0).backward()
    assert tiny.transformer.proj_out.weight.grad is not None
    assert any(p.grad is not None for p in tiny.text_encoder.parameters())
    objective.zero_grad()


def test_a_full_size_model_learns_the_velocity_by_its_transformer_alone(full: VividPipeline) -> None:
    objective = EditObjective(full, LossConfig())
    edit = torch.rand(1, 3, 9, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    mask = torch.zeros(1, 1, 9, 32, 32)
    mask[..., 8:24, 8:24] = 1
    loss = objective(without_keyframes(edit, edit * (1 - mask), mask, "a red circle"), 0)
    loss.backward()
    assert 0 < float(loss.detach()) < 100
    # The channels of the condition start at zero and are opened by training.
    gradient = full.transformer.patch_embed.proj.weight.grad
    assert bool(gradient[:, full.transformer.config.out_channels :].any())
    assert all(p.grad is None for model in (full.vae, full.text_encoder) for p in model.parameters())
