"""A tiny random CLIP, as open_clip and as transformers have it, with the same weights."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import open_clip
import torch
from open_clip.tokenizer import SimpleTokenizer
from safetensors.torch import save_file
from torch import Tensor
from transformers import CLIPConfig, CLIPImageProcessor, CLIPModel, CLIPProcessor, CLIPTokenizer

WIDTH, LAYERS, SIDE, PATCH, CONTEXT = 32, 2, 32, 8, 16

MODEL_CFG = {
    "embed_dim": WIDTH,
    "quick_gelu": True,
    "vision_cfg": {"image_size": SIDE, "layers": LAYERS, "width": WIDTH, "head_width": 16, "patch_size": PATCH},
    "text_cfg": {"context_length": CONTEXT, "vocab_size": 49408, "width": WIDTH, "heads": 2, "layers": LAYERS},
}


@dataclass(frozen=True)
class TinyClip:
    """One random CLIP: `name` for our metrics, `folder` for transformers."""

    name: str
    model: CLIPModel
    folder: Path


def write_transformers_clip(folder: Path, seed: int = 0) -> CLIPModel:
    """Save a random CLIP and its processor as transformers does, tokenizer included."""
    torch.manual_seed(seed)
    tower = {
        "hidden_size": WIDTH,
        "intermediate_size": 4 * WIDTH,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": 2,
    }
    config = CLIPConfig(
        text_config={**tower, "max_position_embeddings": CONTEXT, "vocab_size": 49408, "eos_token_id": 49407},
        vision_config={**tower, "image_size": SIDE, "patch_size": PATCH},
        projection_dim=WIDTH,
    )
    model = CLIPModel(config).eval()
    # The default start is so small that all texts look alike.
    for parameter in model.parameters():
        parameter.data += 0.2 * torch.randn(parameter.shape)
    model.save_pretrained(folder)
    tokenizer = SimpleTokenizer()
    names = {"<start_of_text>": "<|startoftext|>", "<end_of_text>": "<|endoftext|>"}
    vocabulary = {names.get(token, token): number for token, number in tokenizer.encoder.items()}
    merges = [pair for pair, _ in sorted(tokenizer.bpe_ranks.items(), key=lambda item: item[1])]
    CLIPProcessor(
        CLIPImageProcessor(size={"shortest_edge": SIDE}, crop_size={"height": SIDE, "width": SIDE}),
        CLIPTokenizer(vocab=vocabulary, merges=merges, model_max_length=CONTEXT),
    ).save_pretrained(folder)
    return model


def write_open_clip(folder: Path, model: CLIPModel) -> Path:
    """Save the same weights as open_clip's `push_to_hub` does."""
    folder.mkdir(parents=True)
    config = {
        "model_cfg": MODEL_CFG,
        "preprocess_cfg": {"mean": open_clip.OPENAI_DATASET_MEAN, "std": open_clip.OPENAI_DATASET_STD},
    }
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    weights = {name: value.clone().contiguous() for name, value in open_clip_names(model.state_dict()).items()}
    save_file(weights, folder / "open_clip_model.safetensors")
    return folder


def open_clip_names(state: dict[str, Tensor]) -> dict[str, Tensor]:
    vision, text = "vision_model.", "text_model."
    named = {
        "visual.class_embedding": state[f"{vision}embeddings.class_embedding"],
        "visual.conv1.weight": state[f"{vision}embeddings.patch_embedding.weight"],
        "visual.positional_embedding": state[f"{vision}embeddings.position_embedding.weight"],
        "visual.proj": state["visual_projection.weight"].T,
        "token_embedding.weight": state[f"{text}embeddings.token_embedding.weight"],
        "positional_embedding": state[f"{text}embeddings.position_embedding.weight"],
        "text_projection": state["text_projection.weight"].T,
        "logit_scale": state["logit_scale"],
    }
    for part in ("weight", "bias"):
        named[f"visual.ln_pre.{part}"] = state[f"{vision}pre_layrnorm.{part}"]
        named[f"visual.ln_post.{part}"] = state[f"{vision}post_layernorm.{part}"]
        named[f"ln_final.{part}"] = state[f"{text}final_layer_norm.{part}"]
        for layer in range(LAYERS):
            for ours, theirs in (
                (f"visual.transformer.resblocks.{layer}", vision),
                (f"transformer.resblocks.{layer}", text),
            ):
                block = f"{theirs}encoder.layers.{layer}"
                for name, other in (
                    ("ln_1", "layer_norm1"),
                    ("ln_2", "layer_norm2"),
                    ("mlp.c_fc", "mlp.fc1"),
                    ("mlp.c_proj", "mlp.fc2"),
                    ("attn.out_proj", "self_attn.out_proj"),
                ):
                    named[f"{ours}.{name}.{part}"] = state[f"{block}.{other}.{part}"]
                named[f"{ours}.attn.in_proj_{part}"] = torch.cat(
                    [state[f"{block}.self_attn.{x}_proj.{part}"] for x in "qkv"]
                )
    return named
