from __future__ import annotations

import torch

from vivid_bench.vivid.optimisers import learning_rate_factor, make_optimisers, set_learning_rates
from vivid_bench.vivid.pipeline import VividPipeline
from vivid_bench.vivid.recipe import OptimiserConfig

CONFIG = OptimiserConfig(learning_rate=1e-3, matrix_learning_rate=2e-3, warmup_steps=2, decay_steps=2)


def test_learning_rate_rises_stays_and_falls() -> None:
    # 2 of warm-up, 2 constant, 2 of decay.
    assert [learning_rate_factor(step, 6, CONFIG) for step in range(7)] == [1 / 2, 1, 1, 1, 1, 1 / 2, 0]


def test_muon_gets_the_matrices_of_the_blocks(tiny: VividPipeline) -> None:
    adamw, muon = make_optimisers(tiny.transformer, CONFIG)
    assert isinstance(muon, torch.optim.Muon)
    held = {id(p) for p in muon.param_groups[0]["params"]}
    assert id(tiny.transformer.transformer_blocks[0].attn1.to_q.weight) in held
    assert id(tiny.transformer.proj_out.weight) not in held
    counts = [sum(len(group["params"]) for group in optimiser.param_groups) for optimiser in (adamw, muon)]
    assert sum(counts) == len(list(tiny.transformer.parameters()))


def test_without_a_matrix_learning_rate_adamw_does_all(tiny: VividPipeline) -> None:
    (adamw,) = make_optimisers(tiny.transformer, CONFIG.model_copy(update={"matrix_learning_rate": 0.0}))
    assert len(adamw.param_groups[0]["params"]) == len(list(tiny.transformer.parameters()))


def test_learning_rates_are_set_as_shares_of_their_own(tiny: VividPipeline) -> None:
    optimisers = make_optimisers(tiny.transformer, CONFIG)
    set_learning_rates(optimisers, 0.5)
    assert [optimiser.param_groups[0]["lr"] for optimiser in optimisers] == [5e-4, 1e-3]
