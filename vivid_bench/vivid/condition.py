"""What the model is told about a video: the masked video with its hole filled, and the mask.

The paper says that the hole is filled, not with what. Our decision: every frame's hole is filled on its own from the
visible pixels around it, smoothly (a coarse-to-fine solution of Laplace's equation). No pixel under the mask is read,
and no motion is estimated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from diffusers import CogVideoXTransformer3DModel
from diffusers.models.embeddings import get_3d_rotary_pos_embed
from diffusers.pipelines.cogvideo.pipeline_cogvideox import get_resize_crop_region_for_grid
from torch import Tensor
from transformers import PreTrainedTokenizerBase, T5EncoderModel

RELAXATIONS = 6


def fill_hole(frames: Tensor, mask: Tensor) -> Tensor:
    """Fill each frame's hole smoothly from its visible pixels.

    Args:
        frames: (N, C, H, W) float.
        mask: (N, 1, H, W) float, 1 = hole. A frame that is all hole becomes zero.

    Returns:
        (N, C, H, W); visible pixels are returned unchanged.
    """
    known = 1 - mask
    return _fill(torch.where(mask > 0, torch.zeros_like(frames), frames), known)


def _fill(frames: Tensor, known: Tensor) -> Tensor:
    height, width = frames.shape[-2:]
    if max(height, width) == 1 or bool((known == 1).all()):
        return frames
    pad = (0, width % 2, 0, height % 2)
    weight = F.avg_pool2d(F.pad(known, pad), 2)
    coarse = F.avg_pool2d(F.pad(frames * known, pad), 2) / weight.clamp(min=1e-6)
    coarse = _fill(coarse, (weight > 0).to(frames.dtype))
    filled = F.interpolate(coarse, scale_factor=2, mode="bilinear", align_corners=False)[..., :height, :width]
    filled = torch.where(known > 0, frames, filled)
    for _ in range(RELAXATIONS):
        padded = F.pad(filled, (1, 1, 1, 1), mode="replicate")
        mean = (padded[..., :-2, 1:-1] + padded[..., 2:, 1:-1] + padded[..., 1:-1, :-2] + padded[..., 1:-1, 2:]) / 4
        filled = torch.where(known > 0, frames, mean)
    return filled


def place_keyframes(video: Tensor, mask: Tensor, keyframes: Mapping[int, Tensor]) -> tuple[Tensor, Tensor]:
    """Put accepted keyframes into the video; their masks become all known.

    Args:
        video: (T, C, H, W) float.
        mask: (T, 1, H, W) float, 1 = edit.
        keyframes: frame index -> (C, H, W).

    Returns:
        The video and the mask, copied where anything changes.

    Raises:
        ValueError: when an index lies outside the video.
    """
    if not keyframes:
        return video, mask
    video, mask = video.clone(), mask.clone()
    for index, frame in keyframes.items():
        if not 0 <= index < len(video):
            raise ValueError(f"keyframe {index} lies outside the video's {len(video)} frames")
        video[index] = frame
        mask[index] = 0
    return video, mask


def rotary_embedding(
    head_dim: int,
    frames: int,
    height: int,
    width: int,
    trained_grid: tuple[int, int] | None = None,
    device: torch.device | None = None,
) -> tuple[Tensor, Tensor]:
    """Return the (cos, sin) of 3D rotary positions for a grid of `frames` x `height` x `width` tokens.

    Args:
        trained_grid: rows and columns of tokens that CogVideoX was trained with; another grid is stretched into the
            middle of it. None = a token's position is its index.
    """
    corners = ((0, 0), (height, width))
    if trained_grid is not None:
        rows, columns = trained_grid
        corners = get_resize_crop_region_for_grid((height, width), columns, rows)
    cos, sin = get_3d_rotary_pos_embed(
        head_dim, crops_coords=corners, grid_size=(height, width), temporal_size=frames, device=device
    )
    return cos, sin


def predict_edit(
    transformer: CogVideoXTransformer3DModel,
    noisy: Tensor,
    masked: Tensor,
    mask: Tensor,
    text: Tensor,
    timestep: Tensor,
    *,
    prediction_type: str = "sample",
    stretch_positions: bool = False,
) -> Tensor:
    """Predict what a scheduler of `prediction_type` steps with, (B, T', C, H', W').

    Args:
        transformer: a `CogVideoXTransformer3DModel`.
        noisy, masked: (B, T', C, H', W') latents of the noisy edit and of the masked video.
        mask: (B, T', M, H', W') latent of the mask.
        text: (B, L, D) caption embedding.
        timestep: (B,).
        prediction_type: with `sample`, the clean edit, the transformer's output being its difference to `masked` inside
            the mask; else
            (`v_prediction`, `epsilon`) the output as it is.
        stretch_positions: see `rotary_embedding`; the trained grid is that of the transformer's sample size.
    """
    config = transformer.config
    _, count, _, height, width = noisy.shape
    rotary = None
    if config.use_rotary_positional_embeddings:
        patch = config.patch_size
        trained = (config.sample_height // patch, config.sample_width // patch) if stretch_positions else None
        rotary = rotary_embedding(
            config.attention_head_dim, count, height // patch, width // patch, trained, noisy.device
        )
    output: Tensor = transformer(
        hidden_states=torch.cat([noisy, masked, mask], dim=2),
        encoder_hidden_states=text.to(noisy.dtype),
        timestep=timestep,
        image_rotary_emb=rotary,
        return_dict=False,
    )[0]
    if prediction_type != "sample":
        return output
    # A lossless codec keeps every pixel of the mask, in the order of one colour's pixels: outside it, and in keyframes,
    # the masked video is the answer.
    return masked + output * mask.repeat(1, 1, output.shape[2] // mask.shape[2], 1, 1)


def encode_caption(
    tokenizer: PreTrainedTokenizerBase,
    text_encoder: T5EncoderModel,
    captions: Sequence[str],
    length: int,
    device: torch.device | str,
    *,
    hide_padding: bool = True,
) -> Tensor:
    """Return the embeddings (B, length, D) of captions.

    Args:
        length: tokens; longer captions are cut.
        hide_padding: positions after a caption's end are not attended to and become zero. CogVideoX encodes them like
            any other token.
    """
    tokens = tokenizer(list(captions), padding="max_length", truncation=True, max_length=length, return_tensors="pt")
    attention = tokens.attention_mask.to(device) if hide_padding else None
    encoded = text_encoder(input_ids=tokens.input_ids.to(device), attention_mask=attention)
    hidden: Tensor = encoded.last_hidden_state
    return hidden if attention is None else hidden * attention[..., None]
