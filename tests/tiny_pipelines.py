"""The pipelines that the adapters drive, of the very classes, with tiny random weights: some 500 kB and no network."""

from __future__ import annotations

import string
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    AutoencoderKLMagvit,
    AutoencoderKLWan,
    DDIMScheduler,
    EasyAnimateInpaintPipeline,
    EasyAnimateTransformer3DModel,
    FlowMatchEulerDiscreteScheduler,
    FluxFillPipeline,
    FluxTransformer2DModel,
    StableDiffusionInpaintPipeline,
    UNet2DConditionModel,
    UniPCMultistepScheduler,
    WanVACEPipeline,
    WanVACETransformer3DModel,
)
from tokenizers.pre_tokenizers import ByteLevel
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTokenizer,
    Qwen2Tokenizer,
    Qwen2VLConfig,
    Qwen2VLForConditionalGeneration,
    T5Config,
    T5EncoderModel,
    T5TokenizerFast,
    UMT5Config,
    UMT5EncoderModel,
)

_CHAT = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{% if m['content'] is string %}{{ m['content'] }}"
    "{% else %}{% for c in m['content'] %}{% if 'text' in c %}{{ c['text'] }}{% endif %}{% endfor %}{% endif %}"
    "<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def wan_vace() -> Any:
    torch.manual_seed(0)
    return WanVACEPipeline(
        tokenizer=_t5_tokenizer(),
        text_encoder=UMT5EncoderModel(UMT5Config(**_T5)),
        vae=AutoencoderKLWan(
            base_dim=3, z_dim=16, dim_mult=[1, 1, 1, 1], num_res_blocks=1, temperal_downsample=[False, True, True]
        ),
        scheduler=UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0),
        transformer=WanVACETransformer3DModel(
            patch_size=(1, 2, 2), num_attention_heads=2, attention_head_dim=12, in_channels=16, out_channels=16,
            text_dim=32, freq_dim=32, ffn_dim=32, num_layers=2, cross_attn_norm=True,
            qk_norm="rms_norm_across_heads", rope_max_seq_len=32, vace_layers=[0, 1], vace_in_channels=96,
        ),
    )  # fmt: skip


def sd_inpaint() -> Any:
    torch.manual_seed(0)
    return StableDiffusionInpaintPipeline(
        vae=AutoencoderKL(**_IMAGE_VAE, sample_size=64),
        text_encoder=CLIPTextModel(CLIPTextConfig(**_CLIP)),
        tokenizer=_clip_tokenizer(),
        unet=UNet2DConditionModel(
            block_out_channels=(8, 16), layers_per_block=1, sample_size=8, in_channels=9, out_channels=4,
            norm_num_groups=4, attention_head_dim=4, cross_attention_dim=32,
            down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
            up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        ),
        scheduler=DDIMScheduler(
            beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False,
            set_alpha_to_one=False, steps_offset=1,
        ),
        safety_checker=None, feature_extractor=None, requires_safety_checker=False,
    )  # fmt: skip


def flux_fill() -> Any:
    torch.manual_seed(0)
    return FluxFillPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(
            use_dynamic_shifting=True, base_image_seq_len=256, max_image_seq_len=4096, base_shift=0.5, max_shift=1.15,
            shift=3.0,
        ),
        vae=AutoencoderKL(
            **_IMAGE_VAE, sample_size=32, use_quant_conv=False, use_post_quant_conv=False, shift_factor=0.1159,
            scaling_factor=0.3611,
        ),
        text_encoder=CLIPTextModel(CLIPTextConfig(**_CLIP)),
        tokenizer=_clip_tokenizer(),
        text_encoder_2=T5EncoderModel(T5Config(**_T5)),
        tokenizer_2=_t5_tokenizer(),
        # 4 latent channels packed 2x2, the same of the masked image, and 8x8 mask pixels packed 2x2.
        transformer=FluxTransformer2DModel(
            patch_size=1, in_channels=16 + 16 + 256, out_channels=16, num_layers=1, num_single_layers=1,
            attention_head_dim=16, num_attention_heads=2, joint_attention_dim=32, pooled_projection_dim=32,
            axes_dims_rope=[4, 4, 8], guidance_embeds=True,
        ),
    )  # fmt: skip


def easy_animate() -> Any:
    torch.manual_seed(0)
    temporal = ["SpatialTemporalDownBlock3D"] * 3, ["SpatialTemporalUpBlock3D"] * 3
    return EasyAnimateInpaintPipeline(
        vae=AutoencoderKLMagvit(
            in_channels=3, out_channels=3, block_out_channels=(8, 8, 8, 8), latent_channels=4, layers_per_block=1,
            norm_num_groups=2, spatial_group_norm=False,
            down_block_types=("SpatialDownBlock3D", *temporal[0]), up_block_types=("SpatialUpBlock3D", *temporal[1]),
        ),
        text_encoder=_qwen2_vl(),
        tokenizer=Qwen2Tokenizer(
            vocab=_numbered([*_bytes(), "<|endoftext|>", "<|im_start|>", "<|im_end|>"]), merges=[],
            model_max_length=512, additional_special_tokens=["<|im_start|>", "<|im_end|>"], chat_template=_CHAT,
        ),
        transformer=EasyAnimateTransformer3DModel(
            num_attention_heads=2, attention_head_dim=16, in_channels=4 + 1 + 4, out_channels=4, time_embed_dim=2,
            text_embed_dim=16, num_layers=1, mmdit_layers=1, sample_width=16, sample_height=16, patch_size=2,
            resize_inpaint_mask_directly=True, add_noise_in_inpaint_model=True,
        ),
        scheduler=FlowMatchEulerDiscreteScheduler(),
    )  # fmt: skip


def saved(build: Callable[[], Any], folder: Path, **options: Any) -> Path:
    """Save a pipeline's folder as the hub holds it."""
    build().save_pretrained(folder, safe_serialization=True, **options)
    return folder


_T5 = {
    "vocab_size": 98, "d_model": 32, "d_kv": 8, "d_ff": 37, "num_layers": 2, "num_heads": 4, "pad_token_id": 0,
    "eos_token_id": 1,
}  # fmt: skip
_CLIP = {
    "vocab_size": 514, "bos_token_id": 512, "eos_token_id": 513, "pad_token_id": 513, "hidden_size": 32,
    "intermediate_size": 37, "num_attention_heads": 4, "num_hidden_layers": 2, "max_position_embeddings": 77,
    "projection_dim": 32,
}  # fmt: skip
_IMAGE_VAE: dict[str, Any] = {
    "block_out_channels": [8, 8, 8, 8], "in_channels": 3, "out_channels": 3, "layers_per_block": 1,
    "norm_num_groups": 4, "latent_channels": 4, "down_block_types": ["DownEncoderBlock2D"] * 4,
    "up_block_types": ["UpDecoderBlock2D"] * 4,
}  # fmt: skip


def _bytes() -> list[str]:
    return sorted(ByteLevel.alphabet())


def _numbered(tokens: list[str]) -> dict[str, int]:
    return {token: index for index, token in enumerate(tokens)}


def _clip_tokenizer() -> Any:
    tokens = [*_bytes(), *(f"{c}</w>" for c in _bytes()), "<|startoftext|>", "<|endoftext|>"]
    return CLIPTokenizer(vocab=_numbered(tokens), merges=[], model_max_length=77)


def _t5_tokenizer() -> Any:
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0)]
    pieces += [(c, -4.0) for c in string.ascii_letters + string.digits + string.punctuation]
    return T5TokenizerFast(vocab=pieces, extra_ids=0, model_max_length=512)


def _qwen2_vl() -> Any:
    text = {
        "vocab_size": 264, "hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2,
        "num_attention_heads": 2, "num_key_value_heads": 2, "max_position_embeddings": 512, "bos_token_id": 256,
        "eos_token_id": 258, "pad_token_id": 256,
        "rope_parameters": {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [2, 1, 1]},
    }  # fmt: skip
    vision = {"depth": 1, "embed_dim": 16, "hidden_size": 16, "num_heads": 2, "mlp_ratio": 2, "patch_size": 14}
    ids = ("vision_start", "vision_end", "vision", "image", "video")
    tokens = {f"{name}_token_id": 259 + i for i, name in enumerate(ids)}
    return Qwen2VLForConditionalGeneration(Qwen2VLConfig(text_config=text, vision_config=vision, **tokens))
