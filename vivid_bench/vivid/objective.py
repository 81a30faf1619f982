"""What training minimises: the weights that learn, and their loss on a batch."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from vivid_bench.vivid.data import Batch
from vivid_bench.vivid.latents import decode_video, encode_mask, encode_video, is_lossless
from vivid_bench.vivid.pipeline import VividPipeline
from vivid_bench.vivid.recipe import LossConfig

KEYFRAME_FADE = 0.95
"""What is left, a frame further, of a made keyframe's difference from the reference."""


class EditObjective(nn.Module):
    """The trained parts of a pipeline; calling it gives a batch's loss.

    A mini learns its transformer and its text encoder; a full-size VIVID its transformer alone, the rest being its
    base's and frozen.
    """

    def __init__(self, pipeline: VividPipeline, config: LossConfig) -> None:
        super().__init__()
        self.transformer = pipeline.transformer
        if is_lossless(pipeline.vae):
            self.text_encoder = pipeline.text_encoder
        else:
            pipeline.text_encoder.requires_grad_(False)
            pipeline.vae.requires_grad_(False)
        self._pipeline = pipeline
        self._config = config

    def forward(self, batch: Batch, seed: int) -> Tensor:
        """Return the mean loss of a batch at random noise levels; `seed` decides them and the noise."""
        vae, scheduler = self._pipeline.vae, self._pipeline.scheduler
        generator = torch.Generator().manual_seed(seed)
        if batch.own.any():
            with self._attention(batch.edit.device):
                batch = self._with_own_keyframes(batch, generator)
        with torch.no_grad():
            edit, masked = encode_video(vae, batch.edit).float(), encode_video(vae, batch.masked).float()
            mask = encode_mask(vae, batch.mask)
        noise = torch.randn(edit.shape, generator=generator).to(edit.device)
        timesteps = self._draw_timesteps(len(edit), generator).to(edit.device)
        with self._attention(edit.device):
            text = self._pipeline.encode_captions(batch.captions)
            start = edit
            if self._config.own_trajectory:
                start = self._own_estimates(edit, noise, masked, mask, text, timesteps)
            output = self._predict(scheduler.add_noise(start, noise, timesteps), masked, mask, text, timesteps)
        if scheduler.config.prediction_type != "sample":
            velocity: Tensor = scheduler.get_velocity(edit, noise, timesteps)
            return (output.float() - velocity).square().mean()
        return edit_loss(decode_video(vae, output.float()), batch, self._config).mean()

    def _attention(self, device: torch.device) -> AbstractContextManager[None]:
        # With checkpoints the backward pass attends again, when this block is left.
        checkpoints = getattr(self.transformer, "gradient_checkpointing", False)
        return plain_attention() if device.type == "cpu" and not checkpoints else nullcontext()

    @property
    def _last(self) -> int:
        return int(self._pipeline.scheduler.config.num_train_timesteps) - 1

    def _draw_timesteps(self, count: int, generator: torch.Generator) -> Tensor:
        timesteps = torch.randint(0, self._last + 1, (count,), generator=generator)
        timesteps[torch.rand(count, generator=generator) < self._config.full_noise_share] = self._last
        return timesteps

    @torch.no_grad()
    def _own_estimates(
        self, edit: Tensor, noise: Tensor, masked: Tensor, mask: Tensor, text: Tensor, timesteps: Tensor
    ) -> Tensor:
        """Return the edits, those at earlier timesteps replaced by what the model makes of pure noise in one step."""
        later = timesteps < self._last
        if not later.any():
            return edit
        last = torch.full_like(timesteps[later], self._last)
        estimates = edit.clone()
        estimates[later] = self._predict(noise[later], masked[later], mask[later], text[later], last).float()
        return estimates

    @torch.no_grad()
    def _with_own_keyframes(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Return the batch with its `own` keyframes made by the model, each as an image."""
        clips, times = batch.own.nonzero(as_tuple=True)
        vae = self._pipeline.vae
        masked = encode_video(vae, batch.filled[clips, :, times, None]).float()
        mask = encode_mask(vae, batch.hole[clips, :, times, None])
        text = self._pipeline.encode_captions([batch.captions[clip] for clip in clips.tolist()])
        noise = torch.randn(masked.shape, generator=generator).to(masked.device)
        last = torch.full((len(clips),), self._last, device=masked.device)
        made = decode_video(vae, self._predict(noise, masked, mask, text, last).float())[:, :, 0]
        return replace(batch, edit=answer_from(batch, clips, times, made.clamp(-1, 1)))

    def _predict(self, noisy: Tensor, masked: Tensor, mask: Tensor, text: Tensor, timesteps: Tensor) -> Tensor:
        # This module's transformer: FSDP may have put a wrapper there.
        return self._pipeline.predict(noisy, masked, mask, text, timesteps, self.transformer)


def answer_from(batch: Batch, clips: Tensor, times: Tensor, made: Tensor) -> Tensor:
    """Return the answers that go on from keyframes the model made, (B, 3, T, H, W).

    What a keyframe shows beyond the reference is carried along to the frames next to it, less the farther they are.

    Args:
        clips, times: (N,) int64, which frames were made.
        made: (N, 3, H, W) in [-1, 1].
    """
    error = torch.zeros_like(batch.edit)
    error[clips, :, times] = made - batch.edit[clips, :, times]
    frames = torch.arange(batch.edit.shape[2], device=batch.edit.device)
    distances = (frames[:, None] - frames).abs().expand(len(batch.edit), -1, -1)
    away, nearest = distances.masked_fill(~batch.keyframes[:, None], len(frames)).min(dim=2)
    index = nearest[:, None, :, None, None].expand_as(error)
    fade = (KEYFRAME_FADE**away)[:, None, :, None, None]
    return (batch.edit + fade * error.gather(2, index)).clamp(-1, 1)


def edit_loss(predicted: Tensor, batch: Batch, config: LossConfig) -> Tensor:
    """Return each clip's loss, (B,): squared error in the hole, relative to the filled hole's.

    Without the division `add`, whose holes differ most from their surroundings, would drown every other task.
    """
    mask, error = batch.mask, (predicted - batch.edit).square()
    baseline = _mean_under((batch.masked - batch.edit).square(), mask)
    return _mean_under(error, mask) / (baseline + config.difficulty_floor)


def _mean_under(values: Tensor, weight: Tensor) -> Tensor:
    """Mean of (B, C, T, H, W) values under (B, 1, T, H, W) weights, (B,)."""
    total = (values * weight).sum(dim=(1, 2, 3, 4))
    return total / (weight.sum(dim=(1, 2, 3, 4)) * values.shape[1]).clamp(min=1)


@contextmanager
def plain_attention() -> Iterator[None]:
    """Attend by plain matrix products in the inputs' precision.

    On a CPU, and for sequences as short as a mini's, the backward pass takes half the time of the fused kernel's.
    """
    allowed = torch.backends.cuda.fp16_bf16_reduction_math_sdp_allowed()  # type: ignore[no-untyped-call]
    torch.backends.cuda.allow_fp16_bf16_reduction_math_sdp(True)
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.cuda.allow_fp16_bf16_reduction_math_sdp(allowed)
