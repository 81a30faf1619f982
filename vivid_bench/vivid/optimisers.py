"""Optimisers of a training run and their learning rate."""

from __future__ import annotations

import torch
from torch import nn

from vivid_bench.vivid.recipe import OptimiserConfig


def make_optimisers(modules: nn.Module, config: OptimiserConfig) -> list[torch.optim.Optimizer]:
    """Return AdamW, and where it has a learning rate Muon, for the matrices inside the transformer's blocks."""
    matrices: list[nn.Parameter] = []
    others: list[nn.Parameter] = []
    for name, parameter in modules.named_parameters():
        if parameter.requires_grad:
            inside = "transformer_blocks" in name and (".attn1." in name or ".ff." in name)
            (matrices if inside and parameter.ndim == 2 else others).append(parameter)
    if not config.matrix_learning_rate:
        others, matrices = [*others, *matrices], []
    optimisers: list[torch.optim.Optimizer] = [
        torch.optim.AdamW(others, config.learning_rate, betas=(0.9, 0.98), weight_decay=config.weight_decay)
    ]
    if matrices:
        optimisers.append(
            torch.optim.Muon(
                matrices,
                config.matrix_learning_rate,
                weight_decay=config.weight_decay,
                adjust_lr_fn="match_rms_adamw",
            )
        )
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["initial_lr"] = group["lr"]
    return optimisers


def set_learning_rates(optimisers: list[torch.optim.Optimizer], factor: float) -> None:
    """Set every group's learning rate to a share of its initial one."""
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["lr"] = group["initial_lr"] * factor


def learning_rate_factor(step: int, steps: int, config: OptimiserConfig) -> float:
    """Return the share of the full learning rate at a step: linear warm-up, constant, linear decay to zero."""
    rise = (step + 1) / max(1, config.warmup_steps)
    fall = (steps - step) / max(1, config.decay_steps)
    return max(0.0, min(1.0, rise, fall))
