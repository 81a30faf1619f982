"""Training of a mini VIVID: one process, exact resume, an exponential moving average that becomes the checkpoint."""

from __future__ import annotations

import csv
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from diffusers.training_utils import EMAModel
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from vivid_bench.errors import InputError
from vivid_bench.vivid.build import build_pipeline
from vivid_bench.vivid.condition import encode_caption, predict_edit
from vivid_bench.vivid.data import Batch, ClipPool, draw_batch, render_pool
from vivid_bench.vivid.loading import save_half
from vivid_bench.vivid.pipeline import VividPipeline
from vivid_bench.vivid.recipe import TrainConfig
from vivid_bench.vivid.record import write_record
from vivid_bench.vivid.validation import pipeline_editor, validation_figures, validation_samples

STATE_FILE, LOG_FILE, VALIDATION_FILE = "state.pt", "log.csv", "validation.csv"
PIPELINE_FOLDER, RECORD_FILE = "pipeline", "training.json"


def edit_loss(predicted: Tensor, batch: Batch, config: TrainConfig) -> Tensor:
    """Return each clip's loss, (B,): squared error in the hole, relative to the filled hole's, plus the background's.

    Without the division `add`, whose holes differ most from their surroundings, would drown every other task.
    """
    mask, error = batch.mask, (predicted - batch.edit).square()
    baseline = _mean_under((batch.masked - batch.edit).square(), mask)
    hole = _mean_under(error, mask) / (baseline + config.difficulty_floor)
    return hole + config.background_weight * _mean_under(error, 1 - mask)


def _mean_under(values: Tensor, weight: Tensor) -> Tensor:
    """Mean of (B, C, T, H, W) values under (B, 1, T, H, W) weights, (B,)."""
    total = (values * weight).sum(dim=(1, 2, 3, 4))
    return total / (weight.sum(dim=(1, 2, 3, 4)) * values.shape[1]).clamp(min=1)


@dataclass
class Trainer:
    """The state of a run; `state_dict` and `load_state_dict` hold all that decides the next step.

    Attributes:
        step: optimiser steps done.
        seconds: time spent in them, over all resumed parts.
    """

    config: TrainConfig
    pipeline: VividPipeline
    pool: ClipPool
    step: int = 0
    seconds: float = 0.0
    modules: nn.ModuleDict = field(init=False)
    optimisers: list[torch.optim.Optimizer] = field(init=False)
    ema: EMAModel = field(init=False)

    def __post_init__(self) -> None:
        self.modules = nn.ModuleDict(
            {"transformer": self.pipeline.transformer, "text_encoder": self.pipeline.text_encoder}
        )
        self.optimisers = make_optimisers(self.modules, self.config)
        self.ema = EMAModel(self.modules.parameters(), decay=self.config.ema_decay, use_ema_warmup=True, power=0.75)

    def train_step(self) -> float:
        """Do one optimiser step and return its loss."""
        started = time.perf_counter()
        self.modules.train()
        for optimiser in self.optimisers:
            for group in optimiser.param_groups:
                group["lr"] = group["initial_lr"] * learning_rate_factor(self.step, self.config)
        loss = self.loss(draw_batch(self.pool, self.config.batch, self.config.seed, self.step))
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.modules.parameters(), self.config.gradient_clip)
        for optimiser in self.optimisers:
            optimiser.step()
            optimiser.zero_grad()
        self.ema.step(self.modules.parameters())
        self.step += 1
        self.seconds += time.perf_counter() - started
        return float(loss.detach())

    def loss(self, batch: Batch) -> Tensor:
        """Return the mean loss of a batch at random noise levels; randomness depends on the seed and the step alone."""
        generator = torch.Generator().manual_seed(self.config.seed * 1_000_003 + self.step)
        p, scheduler = self.pipeline, self.pipeline.scheduler
        edit, masked, mask = (
            p.vae.encode(x).latent_dist.mode().transpose(1, 2) for x in (batch.edit, batch.masked, batch.mask)
        )
        last = scheduler.config.num_train_timesteps - 1
        timesteps = torch.randint(0, last + 1, (len(edit),), generator=generator)
        timesteps[torch.rand(len(edit), generator=generator) < self.config.full_noise_share] = last
        noise = torch.randn(edit.shape, generator=generator)
        noisy = scheduler.add_noise(edit, noise, timesteps)
        with plain_attention(), torch.autocast("cpu", torch.bfloat16, enabled=self.config.bf16):
            length = p.transformer.config.max_text_seq_length
            text = encode_caption(p.tokenizer, p.text_encoder, batch.captions, length, edit.device)
            predicted = predict_edit(p.transformer, noisy, masked, mask, text, timesteps)
        video = p.vae.decode(predicted.float().transpose(1, 2)).sample
        return edit_loss(video, batch, self.config).mean()

    def state_dict(self) -> dict[str, Any]:
        """Return everything that the next step depends on."""
        return {
            "step": self.step,
            "seconds": self.seconds,
            "modules": self.modules.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in self.optimisers],
            "ema": self.ema.state_dict(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue where `state_dict` was taken."""
        self.step, self.seconds = state["step"], state["seconds"]
        self.modules.load_state_dict(state["modules"])
        for optimiser, saved in zip(self.optimisers, state["optimisers"], strict=True):
            optimiser.load_state_dict(saved)
        self.ema.load_state_dict(state["ema"])

    @contextmanager
    def averaged(self) -> Iterator[VividPipeline]:
        """The pipeline with the averaged weights in it, inside a `with` block."""
        parameters = list(self.modules.parameters())
        self.ema.store(parameters)
        self.ema.copy_to(parameters)
        try:
            yield self.pipeline
        finally:
            self.ema.restore(parameters)

    def validate(self) -> dict[str, float]:
        """Return the averaged weights' figures on the recipe's validation scenes."""
        pool = self.config.pool
        samples = validation_samples(self.config.validation_clips, pool.frames, pool.size)
        self.modules.eval()
        with self.averaged() as pipeline:
            pipeline.set_progress_bar_config(disable=True)
            return validation_figures(pipeline_editor(pipeline), samples)


@contextmanager
def plain_attention() -> Iterator[None]:
    """Attend by plain matrix products in the inputs' precision.

    On a CPU, and for sequences as short as these, the backward pass takes half the time of the fused kernel's.
    """
    allowed = torch.backends.cuda.fp16_bf16_reduction_math_sdp_allowed()  # type: ignore[no-untyped-call]
    torch.backends.cuda.allow_fp16_bf16_reduction_math_sdp(True)
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.cuda.allow_fp16_bf16_reduction_math_sdp(allowed)


def make_optimisers(modules: nn.Module, config: TrainConfig) -> list[torch.optim.Optimizer]:
    """Muon for the matrices inside the transformer's blocks, AdamW for all other parameters."""
    matrices: list[nn.Parameter] = []
    others: list[nn.Parameter] = []
    for name, parameter in modules.named_parameters():
        inside = "transformer_blocks" in name and (".attn1." in name or ".ff." in name)
        (matrices if inside and parameter.ndim == 2 else others).append(parameter)
    optimisers: list[torch.optim.Optimizer] = [
        torch.optim.AdamW(others, config.learning_rate, betas=(0.9, 0.98), weight_decay=config.weight_decay)
    ]
    if config.matrix_learning_rate:
        optimisers.append(
            torch.optim.Muon(
                matrices,
                config.matrix_learning_rate,
                weight_decay=config.weight_decay,
                adjust_lr_fn="match_rms_adamw",
            )
        )
    else:
        optimisers[0].add_param_group({"params": matrices})
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["initial_lr"] = group["lr"]
    return optimisers


def learning_rate_factor(step: int, config: TrainConfig) -> float:
    """Return the share of the full learning rate at a step: linear warm-up, constant, linear decay to zero."""
    rise = (step + 1) / max(1, config.warmup_steps)
    fall = (config.steps - step) / max(1, config.decay_steps)
    return max(0.0, min(1.0, rise, fall))


def start_or_resume(config: TrainConfig, pool_folder: Path, out: Path, resume: bool) -> Trainer:
    """Make a trainer, rendering whatever the pool lacks; with `resume`, continue from `out`'s state if there is one."""
    render_pool(pool_folder, config.pool)
    pool = ClipPool(pool_folder, config.pool)
    trainer = Trainer(config, build_pipeline(config.model, pool.captions, config.seed), pool)
    state = out / STATE_FILE
    if resume and state.exists():
        trainer.load_state_dict(torch.load(state, weights_only=True))
    elif state.exists():
        raise InputError(out, expected="a new folder", found="another run's state", fix="add --resume or another --out")
    return trainer


def train(trainer: Trainer, out: Path) -> Iterator[tuple[int, float]]:
    """Run to the last step, yielding (step, mean loss since the last yield).

    `out` gets `state.pt`, `log.csv`, `validation.csv` and `pipeline/`, the averaged weights; with the last step's comes
    `pipeline/training.json`, the run's record.
    """
    config = trainer.config
    out.mkdir(parents=True, exist_ok=True)
    _drop_rows_after(out / LOG_FILE, trainer.step)
    _drop_rows_after(out / VALIDATION_FILE, trainer.step)
    losses: list[float] = []
    while trainer.step < config.steps:
        losses.append(trainer.train_step())
        done = trainer.step == config.steps
        if trainer.step % config.log_every == 0 or done:
            mean = sum(losses) / len(losses)
            losses = []
            _log(out / LOG_FILE, {"step": trainer.step, "loss": mean, "seconds": trainer.seconds})
            yield trainer.step, mean
        if trainer.step % config.validate_every == 0 or done:
            _log(out / VALIDATION_FILE, {"step": trainer.step, **trainer.validate()})
        if trainer.step % config.save_every == 0 or done:
            _save_state(trainer, out / STATE_FILE)
            with trainer.averaged() as pipeline:
                save_half(pipeline, out / PIPELINE_FOLDER)
    write_record(out / PIPELINE_FOLDER / RECORD_FILE, config, out / LOG_FILE, out / VALIDATION_FILE)


def _save_state(trainer: Trainer, path: Path) -> None:
    partial = path.with_suffix(".partial")
    torch.save(trainer.state_dict(), partial)
    partial.replace(path)


def _log(path: Path, row: Mapping[str, float]) -> None:
    new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.writer(file)
        if new:
            writer.writerow(row)
        writer.writerow(value if isinstance(value, int) else f"{value:.5g}" for value in row.values())


def _drop_rows_after(path: Path, step: int) -> None:
    """Forget what a killed run logged after its last save: those steps are done again."""
    if path.exists():
        head, *rows = path.read_text().splitlines()
        kept = [row for row in rows if int(row.partition(",")[0]) <= step]
        path.write_text("\n".join((head, *kept)) + "\n")
