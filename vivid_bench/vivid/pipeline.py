"""VIVID as a diffusers pipeline: masked video, mask, caption and keyframes in, edited video out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import torch
import torch.nn.functional as F
from diffusers import CogVideoXDDIMScheduler, CogVideoXDPMScheduler, CogVideoXTransformer3DModel, DiffusionPipeline
from diffusers.utils import BaseOutput
from diffusers.utils.torch_utils import randn_tensor
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from transformers import PreTrainedTokenizerBase, T5EncoderModel

from vivid_bench.compositing import composite as paste_source
from vivid_bench.types import COMPOSITES, Composite, Frames
from vivid_bench.vivid.condition import encode_caption, fill_hole, place_keyframes, predict_edit
from vivid_bench.vivid.latents import (
    Codec,
    decode_video,
    encode_mask,
    encode_video,
    frame_step,
    is_lossless,
    spatial_ratio,
)

OutputType = Literal["np", "pt", "pil"]
OUTPUT_TYPES: tuple[OutputType, ...] = ("np", "pt", "pil")
_History: TypeAlias = tuple[Tensor | None, Tensor | None]


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
    since the paper's wiring is not known:

    - The hole of the masked video is filled smoothly (`condition.fill_hole`).
    - How a mask becomes a latent depends on the codec (`latents`).
    - Of a mini, with a scheduler of prediction type `sample`, the transformer predicts the clean edit as its difference
      to the masked video's latent, so that a silent output layer returns the masked video and the background need not
      be painted anew. A full-size VIVID, made from a CogVideoX text-to-video checkpoint (`convert`), keeps all that its
      base has: what is predicted, how captions are encoded and where tokens lie.

    Args:
        tokenizer, text_encoder: of the caption.
        vae: `SpaceToDepthCodec` of a mini, `AutoencoderKLCogVideoX` at full size.
        transformer: input channels = 2 x latent channels + mask channels.
        scheduler: DDIM or DPM.
        window_frames: frames that the model edits at once, at most.
        working_size: height and width in pixels of what it edits at once, at most.
        follow_hole: whether it edits a window that follows the hole rather than whole frames (`window`).
        default_steps, default_guidance_scale: for calls that do not say.
    """

    model_cpu_offload_seq = "text_encoder->transformer->vae"

    tokenizer: PreTrainedTokenizerBase
    text_encoder: T5EncoderModel
    vae: Codec
    transformer: CogVideoXTransformer3DModel
    scheduler: CogVideoXDDIMScheduler | CogVideoXDPMScheduler

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerBase,
        text_encoder: T5EncoderModel,
        vae: Codec,
        transformer: CogVideoXTransformer3DModel,
        scheduler: CogVideoXDDIMScheduler | CogVideoXDPMScheduler,
        window_frames: int = 17,
        working_size: tuple[int, int] | list[int] = (96, 96),
        follow_hole: bool = True,
        default_steps: int = 1,
        default_guidance_scale: float = 1.0,
    ) -> None:
        super().__init__()
        self.register_modules(
            tokenizer=tokenizer, text_encoder=text_encoder, vae=vae, transformer=transformer, scheduler=scheduler
        )
        self.register_to_config(
            window_frames=window_frames,
            working_size=tuple(working_size),
            follow_hole=follow_hole,
            default_steps=default_steps,
            default_guidance_scale=default_guidance_scale,
        )

    @torch.no_grad()
    def __call__(
        self,
        video: Frames,
        mask: NDArray[np.bool_],
        prompt: str,
        negative_prompt: str | None = None,
        keyframes: Mapping[int, NDArray[np.uint8]] | None = None,
        num_inference_steps: int | None = None,
        guidance_scale: float | None = None,
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
            num_inference_steps: None = the model's default.
            guidance_scale: 1 = no classifier-free guidance, one evaluation a step; above it, two. None = the model's
                default.
            generator: on the CPU or the pipeline's device; decides all randomness.
            composite: whether the source is pasted back outside the mask.

        Raises:
            ValueError: when shapes, types or names do not fit.
        """
        _check_inputs(video, mask, keyframes or {}, composite, output_type)
        steps = self.config.default_steps if num_inference_steps is None else num_inference_steps
        guidance = self.config.default_guidance_scale if guidance_scale is None else guidance_scale
        masked, holes = self._condition(video, mask, keyframes or {})
        text = self.encode_captions([prompt] if guidance == 1 else [negative_prompt or "", prompt])
        latents = self._denoise(masked, holes, text, steps, guidance, generator)
        frames = self._decode(latents, video.shape)
        frames = paste_source(video, frames, mask, composite)
        self.maybe_free_model_hooks()
        return VividPipelineOutput(frames=_convert(frames, output_type))

    @property
    def settings(self) -> dict[str, Any]:
        """The values that are saved beside the components, as the constructor takes them."""
        names = ("window_frames", "working_size", "follow_hole", "default_steps", "default_guidance_scale")
        return {name: self.config[name] for name in names}

    def encode_captions(self, captions: Sequence[str]) -> Tensor:
        """Return the captions' embeddings, (B, L, D)."""
        length = self.transformer.config.max_text_seq_length
        hide_padding = is_lossless(self.vae)
        return encode_caption(
            self.tokenizer,
            self.text_encoder,
            captions,
            length,
            self._execution_device,
            hide_padding=hide_padding,
        )

    def predict(
        self,
        noisy: Tensor,
        masked: Tensor,
        mask: Tensor,
        text: Tensor,
        timestep: Tensor,
        transformer: CogVideoXTransformer3DModel | None = None,
    ) -> Tensor:
        """Predict what the scheduler steps with; arguments as of `condition.predict_edit`.

        Args:
            transformer: in place of the pipeline's own, as where training has wrapped it.
        """
        return predict_edit(
            self.transformer if transformer is None else transformer,
            noisy,
            masked,
            mask,
            text,
            timestep,
            prediction_type=self.scheduler.config.prediction_type,
            stretch_positions=not is_lossless(self.vae),
        )

    def _condition(
        self, video: Frames, mask: NDArray[np.bool_], keyframes: Mapping[int, NDArray[np.uint8]]
    ) -> tuple[Tensor, Tensor]:
        """Return the latents (1, T', C, H', W') of the masked video and of the mask."""
        frames, hole = _to_tensor(video), torch.from_numpy(mask)[:, None].float()
        frames, hole = place_keyframes(frames, hole, {i: _to_tensor(k[None])[0] for i, k in keyframes.items()})
        frames, hole = frames.to(self._execution_device), hole.to(self._execution_device)
        # Filled in float32: a solution of Laplace's equation in half precision shows steps.
        filled, hole = (self._pad(x).transpose(0, 1)[None] for x in (fill_hole(frames, hole), hole))
        dtype = self.transformer.dtype
        return encode_video(self.vae, filled).to(dtype), encode_mask(self.vae, hole).to(dtype)

    def _pad(self, frames: Tensor) -> Tensor:
        """Repeat the last frame, row and column of (T, C, H, W) until whole latents and patches are full."""
        side = spatial_ratio(self.vae) * self.transformer.config.patch_size
        count, _, height, width = frames.shape
        frames = F.pad(frames, (0, -width % side, 0, -height % side), mode="replicate")
        return torch.cat([frames, frames[-1:].expand((1 - count) % frame_step(self.vae), -1, -1, -1)])

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
        history: _History = (None, None)
        for timestep in self.progress_bar(self.scheduler.timesteps):
            output = self.predict(
                self.scheduler.scale_model_input(latents, timestep).expand(batch, -1, -1, -1, -1),
                masked.expand(batch, -1, -1, -1, -1),
                holes.expand(batch, -1, -1, -1, -1),
                text,
                timestep.expand(batch),
            ).float()
            if batch == 2:
                unconditional, conditional = output.chunk(2)
                output = unconditional + guidance_scale * (conditional - unconditional)
            latents, history = self._step(output, timestep, latents, history, generator)
        return latents

    def _step(
        self,
        output: Tensor,
        timestep: Tensor,
        latents: Tensor,
        history: _History,
        generator: torch.Generator | None,
    ) -> tuple[Tensor, _History]:
        """Do a scheduler's step; DPM wants the clean latents and the timestep of the step before."""
        if isinstance(self.scheduler, CogVideoXDPMScheduler):
            clean, earlier = history
            stepped, clean = self.scheduler.step(
                output, clean, timestep, earlier, latents, generator=generator, return_dict=False
            )
            history = clean, timestep
        else:
            stepped = self.scheduler.step(output, timestep, latents, return_dict=False)[0]
        return stepped.to(latents.dtype), history

    def _decode(self, latents: Tensor, shape: Sequence[int]) -> Frames:
        """Decode (1, T', C, H', W') to uint8 frames, the padding cut off."""
        count, height, width, _ = shape
        frames = decode_video(self.vae, latents)[0, :, :count, :height, :width]
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
