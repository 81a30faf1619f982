"""VIVID as a diffusers pipeline: masked video, mask, caption and keyframes in, edited video out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import CogVideoXDDIMScheduler, CogVideoXTransformer3DModel, DiffusionPipeline
from diffusers.utils import BaseOutput
from diffusers.utils.torch_utils import randn_tensor
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from transformers import PreTrainedTokenizerFast, T5EncoderModel

from vivid_bench.compositing import composite as paste_source
from vivid_bench.types import COMPOSITES, Composite, Frames
from vivid_bench.vivid.codec import SpaceToDepthCodec
from vivid_bench.vivid.condition import encode_caption, fill_hole, place_keyframes, predict_edit

OutputType = Literal["np", "pt", "pil"]
OUTPUT_TYPES: tuple[OutputType, ...] = ("np", "pt", "pil")


@dataclass
class VividPipelineOutput(BaseOutput):  # type: ignore[misc]
    """The edited video.

    Attributes:
        frames: `np`: (T, H, W, 3) float32 in [0, 1]; `pt`: (T, 3, H, W) float32 in [0, 1]; `pil`: a list of T images.
            Values are multiples of 1/255.
    """

    frames: NDArray[np.float32] | Tensor | list[Image.Image]


class VividPipeline(DiffusionPipeline):  # type: ignore[misc]
    """Adds, modifies or deletes an entity inside a video's mask sequence (arXiv 2411.15260).

    Noisy latent, masked-video latent and mask are concatenated on the transformer's input channels. Our decisions,
    since the paper's wiring is not known: the hole of the masked video is filled smoothly (`condition.fill_hole`); the
    transformer predicts the clean edit as its difference to the masked video's latent, so that a silent output layer
    returns the masked video and the background need not be painted anew.

    Args:
        tokenizer, text_encoder: of the caption.
        vae: encodes frames, and the mask in the same way.
        transformer: input channels = 2 x latent channels + mask channels.
        scheduler: with prediction type `sample`.
    """

    model_cpu_offload_seq = "text_encoder->transformer->vae"

    tokenizer: PreTrainedTokenizerFast
    text_encoder: T5EncoderModel
    vae: SpaceToDepthCodec
    transformer: CogVideoXTransformer3DModel
    scheduler: CogVideoXDDIMScheduler

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerFast,
        text_encoder: T5EncoderModel,
        vae: SpaceToDepthCodec,
        transformer: CogVideoXTransformer3DModel,
        scheduler: CogVideoXDDIMScheduler,
    ) -> None:
        super().__init__()
        self.register_modules(
            tokenizer=tokenizer, text_encoder=text_encoder, vae=vae, transformer=transformer, scheduler=scheduler
        )

    @torch.no_grad()
    def __call__(
        self,
        video: Frames,
        mask: NDArray[np.bool_],
        prompt: str,
        negative_prompt: str | None = None,
        keyframes: Mapping[int, NDArray[np.uint8]] | None = None,
        num_inference_steps: int = 4,
        guidance_scale: float = 1.0,
        generator: torch.Generator | None = None,
        composite: Composite = "none",
        output_type: OutputType = "np",
    ) -> VividPipelineOutput:
        """Edit a video, or an image given as a video of one frame.

        Args:
            video: (T, H, W, 3) uint8 RGB, any T and size; pixels under the mask are never read.
            mask: (T, H, W) bool, True = edit.
            prompt: the local caption; for a delete, `DELETE_PROMPT`.
            negative_prompt: what guidance leads away from; without effect at `guidance_scale` 1.
            keyframes: frame index -> accepted (H, W, 3) uint8 frame; it replaces that frame of the masked video, whose
                mask becomes all known.
            guidance_scale: 1 = no classifier-free guidance, one evaluation a step; above it, two.
            generator: decides all randomness.
            composite: whether the source is pasted back outside the mask.

        Raises:
            ValueError: when shapes, types or names do not fit.
        """
        _check_inputs(video, mask, keyframes or {}, composite, output_type)
        masked, holes = self._condition(video, mask, keyframes or {})
        text = self._encode_prompts(prompt, negative_prompt, guidance_scale)
        latents = self._denoise(masked, holes, text, num_inference_steps, guidance_scale, generator)
        frames = self._decode(latents, video.shape)
        frames = paste_source(video, frames, mask, composite)
        self.maybe_free_model_hooks()
        return VividPipelineOutput(frames=_convert(frames, output_type))

    def _condition(
        self, video: Frames, mask: NDArray[np.bool_], keyframes: Mapping[int, NDArray[np.uint8]]
    ) -> tuple[Tensor, Tensor]:
        """Return the latents (1, T', C, H', W') of the masked video and of the mask."""
        frames, hole = _to_tensor(video), torch.from_numpy(mask)[:, None].float()
        frames, hole = place_keyframes(frames, hole, {i: _to_tensor(k[None])[0] for i, k in keyframes.items()})
        device, dtype = self._execution_device, self.transformer.dtype
        filled = fill_hole(frames.to(device), hole.to(device))
        masked, holes = (self._pad(x.to(device=device, dtype=dtype)) for x in (filled, hole))
        return self._encode(masked) * self.vae.config.scaling_factor, self._encode(holes)

    def _pad(self, frames: Tensor) -> Tensor:
        """Repeat the last frame, row and column of (T, C, H, W) until whole latents and patches are full."""
        ratio, patch = self.vae.temporal_compression_ratio, self.transformer.config.patch_size
        side = self.vae.spatial_compression_ratio * patch
        count, _, height, width = frames.shape
        frames = F.pad(frames, (0, -width % side, 0, -height % side), mode="replicate")
        return torch.cat([frames, frames[-1:].expand((1 - count) % ratio, -1, -1, -1)])

    def _encode(self, frames: Tensor) -> Tensor:
        """Encode (T, C, H, W) to (1, T', C', H', W'), the transformer's order of dimensions."""
        return self.vae.encode(frames.transpose(0, 1)[None]).latent_dist.mode().transpose(1, 2)

    def _encode_prompts(self, prompt: str, negative_prompt: str | None, guidance_scale: float) -> Tensor:
        prompts = [prompt] if guidance_scale == 1 else [negative_prompt or "", prompt]
        length = self.transformer.config.max_text_seq_length
        return encode_caption(self.tokenizer, self.text_encoder, prompts, length, self._execution_device)

    def _denoise(
        self,
        masked: Tensor,
        holes: Tensor,
        text: Tensor,
        steps: int,
        guidance_scale: float,
        generator: torch.Generator | None,
    ) -> Tensor:
        device = self._execution_device
        self.scheduler.set_timesteps(steps, device=device)
        latents: Tensor = randn_tensor(masked.shape, generator=generator, device=device, dtype=masked.dtype)
        latents = latents * self.scheduler.init_noise_sigma
        batch = len(text)
        for timestep in self.progress_bar(self.scheduler.timesteps):
            clean = predict_edit(
                self.transformer,
                self.scheduler.scale_model_input(latents, timestep).expand(batch, -1, -1, -1, -1),
                masked.expand(batch, -1, -1, -1, -1),
                holes.expand(batch, -1, -1, -1, -1),
                text,
                timestep.expand(batch),
            )
            if batch == 2:
                unconditional, conditional = clean.chunk(2)
                clean = unconditional + guidance_scale * (conditional - unconditional)
            latents = self.scheduler.step(clean, timestep, latents, return_dict=False)[0].to(masked.dtype)
        return latents

    def _decode(self, latents: Tensor, shape: Sequence[int]) -> Frames:
        """Decode (1, T', C, H', W') to uint8 frames, the padding cut off."""
        count, height, width, _ = shape
        latents = latents.transpose(1, 2) / self.vae.config.scaling_factor
        frames = self.vae.decode(latents).sample[0, :, :count, :height, :width]
        frames = ((frames.float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
        decoded: Frames = frames.permute(1, 2, 3, 0).cpu().numpy()
        return decoded


def to_uint8(frames: Any) -> Frames:
    """Turn the frames of an `np` output into (T, H, W, 3) uint8; nothing is lost."""
    rounded: Frames = np.rint(np.asarray(frames) * 255).astype(np.uint8)
    return rounded


def _to_tensor(video: Frames) -> Tensor:
    """Turn (T, H, W, 3) uint8 into (T, 3, H, W) float32 in [-1, 1]."""
    return torch.from_numpy(np.ascontiguousarray(video)).permute(0, 3, 1, 2).float() / 127.5 - 1


def _convert(frames: Frames, output_type: OutputType) -> NDArray[np.float32] | Tensor | list[Image.Image]:
    if output_type == "pil":
        return [Image.fromarray(frame) for frame in frames]
    array: NDArray[np.float32] = frames.astype(np.float32) / np.float32(255)
    return torch.from_numpy(array).permute(0, 3, 1, 2) if output_type == "pt" else array


def _check_inputs(video: Any, mask: Any, keyframes: Mapping[int, Any], composite: str, output_type: str) -> None:
    if not isinstance(video, np.ndarray) or video.dtype != np.uint8 or video.ndim != 4 or video.shape[-1] != 3:
        raise ValueError(f"video: expected (T, H, W, 3) uint8, found {_describe(video)}")
    if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_ or mask.shape != video.shape[:3]:
        raise ValueError(f"mask: expected {video.shape[:3]} bool, found {_describe(mask)}")
    for index, frame in keyframes.items():
        if not 0 <= index < len(video):
            raise ValueError(f"keyframe {index}: expected an index below {len(video)}")
        if not isinstance(frame, np.ndarray) or frame.dtype != np.uint8 or frame.shape != video.shape[1:]:
            raise ValueError(f"keyframe {index}: expected {video.shape[1:]} uint8, found {_describe(frame)}")
    if composite not in COMPOSITES:
        raise ValueError(f"composite: expected one of {', '.join(COMPOSITES)}, found {composite!r}")
    if output_type not in OUTPUT_TYPES:
        raise ValueError(f"output_type: expected one of {', '.join(OUTPUT_TYPES)}, found {output_type!r}")


def _describe(array: Any) -> str:
    return f"{array.shape} {array.dtype}" if isinstance(array, np.ndarray) else type(array).__name__
