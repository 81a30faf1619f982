"""The builder's models, of the very classes, with tiny random weights, saved as the hub holds them; no network."""

from __future__ import annotations

import string
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from tokenizers.decoders import Fuse
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Split
from transformers import (
    BertConfig,
    BertTokenizer,
    CLIPImageProcessor,
    CLIPVisionConfig,
    GroundingDinoConfig,
    GroundingDinoForObjectDetection,
    GroundingDinoImageProcessor,
    GroundingDinoProcessor,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedTokenizerFast,
    Qwen2VLConfig,
    Qwen2VLForConditionalGeneration,
    Qwen2VLImageProcessor,
    Qwen2VLProcessor,
    Qwen2VLVideoProcessor,
    Sam2ImageProcessor,
    Sam2VideoConfig,
    Sam2VideoModel,
    Sam2VideoProcessor,
    Sam2VideoVideoProcessor,
    SamConfig,
    SamImageProcessor,
    SamModel,
    SamProcessor,
    SwinConfig,
)

WORDS = ("person", "dog", "red", "car", "tree")
CHAT = (
    "{% for message in messages %}{{ message['role'] }}: {% for part in message['content'] %}"
    "{% if part['type'] == 'image' %}<image>{% else %}{{ part['text'] }}{% endif %}{% endfor %} {% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)


def grounding_dino(folder: Path, seed: int = 0) -> Path:
    """Five words, at most 24 tokens, 20 boxes."""
    # The network looks for BERT's numbers of [CLS], [SEP], "." and "?" (transformers, SPECIAL_TOKENS).
    vocabulary = [f"[unused{i}]" for i in range(1030)]
    marks = {0: "[PAD]", 100: "[UNK]", 101: "[CLS]", 102: "[SEP]", 103: "[MASK]", 1012: ".", 1029: "?"}
    for index, token in {**marks, **{200 + i: word for i, word in enumerate(WORDS)}}.items():
        vocabulary[index] = token
    text = BertConfig(
        vocab_size=1030, hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        max_position_embeddings=32,
    )  # fmt: skip
    backbone = SwinConfig(
        image_size=64, embed_dim=8, depths=[1, 1, 1, 1], num_heads=[1, 1, 2, 2], window_size=2, out_indices=[2, 3, 4]
    )
    config = GroundingDinoConfig(
        backbone_config=backbone, text_config=text, d_model=32, encoder_layers=1, decoder_layers=2,
        encoder_attention_heads=2, decoder_attention_heads=2, encoder_ffn_dim=16, decoder_ffn_dim=16, num_queries=20,
        max_text_len=24,
    )  # fmt: skip
    GroundingDinoProcessor(
        GroundingDinoImageProcessor(size={"shortest_edge": 64, "longest_edge": 96}),
        BertTokenizer(vocab={token: index for index, token in enumerate(vocabulary)}),
    ).save_pretrained(folder)
    return _saved(GroundingDinoForObjectDetection, config, folder, seed)


def sam(folder: Path, seed: int = 0) -> Path:
    """Works at 64 pixels, answers at 32."""
    config = SamConfig(
        vision_config={
            "hidden_size": 16, "output_channels": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
            "image_size": 64, "patch_size": 8, "window_size": 4, "global_attn_indexes": [0], "num_pos_feats": 8,
            "mlp_dim": 16,
        },
        prompt_encoder_config={"hidden_size": 16, "image_size": 64, "patch_size": 8, "mask_input_channels": 4},
        mask_decoder_config={
            "hidden_size": 16, "mlp_dim": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "iou_head_depth": 2,
            "iou_head_hidden_dim": 16,
        },
    )  # fmt: skip
    images = SamImageProcessor(size={"longest_edge": 64}, pad_size={"height": 64, "width": 64})
    SamProcessor(images).save_pretrained(folder)
    return _saved(SamModel, config, folder, seed, noise=0.3)


def sam2_video(folder: Path, seed: int = 0) -> Path:
    """Works at 128 pixels. Memories have 64 channels in transformers, and frames must have more."""
    backbone = {
        "model_type": "sam2_hiera_det_model", "hidden_size": 8, "num_attention_heads": 1, "image_size": [128, 128],
        "blocks_per_stage": [1, 1, 2, 1], "embed_dim_per_stage": [8, 16, 32, 64],
        "num_attention_heads_per_stage": [1, 1, 2, 2], "window_size_per_stage": [4, 4, 4, 4],
        "global_attention_blocks": [3],
    }  # fmt: skip
    config = Sam2VideoConfig(
        vision_config={
            "backbone_config": backbone, "backbone_channel_list": [64, 32, 16, 8],
            "backbone_feature_sizes": [[32, 32], [16, 16], [8, 8]], "fpn_hidden_size": 128,
        },
        prompt_encoder_config={"hidden_size": 128, "image_size": 128, "mask_input_channels": 4},
        mask_decoder_config={
            "hidden_size": 128, "mlp_dim": 16, "num_hidden_layers": 1, "num_attention_heads": 2,
            "iou_head_depth": 2, "iou_head_hidden_dim": 16,
        },
        image_size=128, memory_attention_hidden_size=128, memory_attention_num_layers=1,
        memory_attention_feed_forward_hidden_size=16, memory_attention_rope_feat_sizes=[8, 8],
        memory_encoder_hidden_size=128, memory_encoder_output_channels=64, mask_downsampler_embed_dim=128,
        memory_fuser_embed_dim=128, memory_fuser_intermediate_dim=16,
    )  # fmt: skip
    size = {"height": 128, "width": 128}
    Sam2VideoProcessor(Sam2ImageProcessor(size=size), Sam2VideoVideoProcessor(size=size)).save_pretrained(folder)
    return _saved(Sam2VideoModel, config, folder, seed)


def llava(folder: Path, seed: int = 0, chat_template: str | None = CHAT) -> Path:
    """Sees 32x32 pixels in patches of 8."""
    vision = CLIPVisionConfig(
        hidden_size=16, intermediate_size=16, num_hidden_layers=2, num_attention_heads=2, image_size=32, patch_size=8,
        projection_dim=16,
    )  # fmt: skip
    tokenizer = _letters("<image>")
    config = LlavaConfig(
        vision_config=vision, text_config=LlamaConfig(**_text(tokenizer)), image_token_index=len(_MARKS),
        image_seq_length=16,
    )  # fmt: skip
    LlavaProcessor(
        CLIPImageProcessor(size={"shortest_edge": 32}, crop_size={"height": 32, "width": 32}), tokenizer, patch_size=8,
        vision_feature_select_strategy="default", chat_template=chat_template, num_additional_image_tokens=1,
    ).save_pretrained(folder)  # fmt: skip
    return _saved(LlavaForConditionalGeneration, config, folder, seed, noise=0.3)


def qwen2_vl(folder: Path, seed: int = 0) -> Path:
    """Sees a picture in its own shape, 28 pixels a token."""
    marks = ["<|image_pad|>", "<|video_pad|>", "<|vision_start|>", "<|vision_end|>"]
    tokenizer = _letters(*marks)
    ids = dict(
        zip(("image", "video", "vision_start", "vision_end"), tokenizer.convert_tokens_to_ids(marks), strict=True)
    )
    config = Qwen2VLConfig(
        text_config={
            **_text(tokenizer),
            "rope_parameters": {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [2, 1, 1]},
        },
        vision_config={"depth": 1, "embed_dim": 16, "hidden_size": 16, "num_heads": 2, "mlp_ratio": 2},
        **{f"{name}_token_id": index for name, index in ids.items()},
    )  # fmt: skip
    size = {"shortest_edge": 28 * 28, "longest_edge": 4 * 28 * 28}
    chat = CHAT.replace("<image>", "<|vision_start|><|image_pad|><|vision_end|>")
    Qwen2VLProcessor(
        Qwen2VLImageProcessor(size=size), tokenizer, Qwen2VLVideoProcessor(size=size), chat_template=chat
    ).save_pretrained(folder)
    return _saved(Qwen2VLForConditionalGeneration, config, folder, seed, noise=0.3)


_MARKS = ("<pad>", "<s>", "</s>", "<unk>")


def _letters(*marks: str) -> Any:
    """A tokenizer that reads and writes letter by letter, beside its marks."""
    tokens = [*_MARKS, *marks, *string.printable[:95]]
    letters = Tokenizer(WordLevel({token: index for index, token in enumerate(tokens)}, unk_token="<unk>"))
    letters.pre_tokenizer = Split("", "isolated")
    letters.decoder = Fuse()
    pad, begin, end, unknown = _MARKS
    return PreTrainedTokenizerFast(
        tokenizer_object=letters, pad_token=pad, bos_token=begin, eos_token=end, unk_token=unknown,
        additional_special_tokens=list(marks),
    )  # fmt: skip


def _text(tokenizer: Any) -> dict[str, Any]:
    return {
        "vocab_size": len(tokenizer), "hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1,
        "num_attention_heads": 2, "num_key_value_heads": 2, "max_position_embeddings": 1024, "pad_token_id": 0,
        "bos_token_id": 1, "eos_token_id": 2,
    }  # fmt: skip


def _saved(model_class: Any, config: Any, folder: Path, seed: int, noise: float = 0.05) -> Path:
    torch.manual_seed(seed)
    model = model_class(config).eval()
    with torch.no_grad():  # a network's first weights are too small for its inputs to matter
        for parameter in model.parameters():
            parameter.add_(noise * torch.randn_like(parameter))
        if hasattr(model, "lm_head"):
            model.lm_head.weight[:8] = 0  # answers hold letters, not the marks that come first
    model.save_pretrained(folder)
    return folder
