from __future__ import annotations

import pytest
import torch

from vivid_bench.vivid.data import Batch
from vivid_bench.vivid.objective import EditObjective, edit_loss
from vivid_bench.vivid.pipeline import VividPipeline
from vivid_bench.vivid.recipe import LossConfig

EXACT = LossConfig(difficulty_floor=0.0)


def batch(count: int = 2) -> Batch:
    generator = torch.Generator().manual_seed(0)
    edit = torch.rand(count, 3, 5, 16, 16, generator=generator) * 2 - 1
    mask = torch.zeros(count, 1, 5, 16, 16)
    mask[..., 4:12, 4:12] = 1
    return Batch(edit, edit * (1 - mask), mask, ["a red circle"] * count)


def test_loss_of_the_filled_hole_is_one_and_of_the_truth_zero() -> None:
    edit, masked = torch.zeros(1, 3, 1, 2, 2), torch.zeros(1, 3, 1, 2, 2)
    mask = torch.tensor([[1.0, 0.0], [0.0, 0.0]]).reshape(1, 1, 1, 2, 2)
    masked[..., 0, 0] = 0.5
    seen = Batch(edit, masked, mask, [""])
    assert edit_loss(masked, seen, EXACT).tolist() == [1]
    assert edit_loss(edit, seen, EXACT).tolist() == [0]


def test_difficulty_is_taken_out() -> None:
    mask = torch.ones(2, 1, 1, 2, 2)
    masked = torch.stack([torch.full((3, 1, 2, 2), 0.1), torch.full((3, 1, 2, 2), 0.8)])
    losses = edit_loss(masked / 2, Batch(torch.zeros_like(masked), masked, mask, ["", ""]), EXACT)
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
    two = Batch(one.edit + one.mask, one.masked, one.mask, one.captions)
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
    loss = objective(Batch(edit, edit * (1 - mask), mask, ["a red circle"]), 0)
    loss.backward()
    assert 0 < float(loss.detach()) < 100
    # The channels of the condition start at zero and are opened by training.
    gradient = full.transformer.patch_embed.proj.weight.grad
    assert bool(gradient[:, full.transformer.config.out_channels :].any())
    assert all(p.grad is None for model in (full.vae, full.text_encoder) for p in model.parameters())
