"""A full-size VIVID out of a CogVideoX text-to-video checkpoint (Yang et al., arXiv 2408.06072).

Only the transformer's first layer changes: it gets input channels for the masked video and the mask. Their weights are
zero, so that the new model's first step is the base model's, whatever the condition; training then opens them. All
other components are copied as they are.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import torch
from diffusers import CogVideoXTransformer3DModel
from torch import nn
from transformers import T5Tokenizer

from vivid_bench.errors import InputError
from vivid_bench.vivid.base import COMPONENTS, FETCH, read_json
from vivid_bench.vivid.full_size import pipeline_settings
from vivid_bench.vivid.latents import condition_channels
from vivid_bench.vivid.loading import quiet, stored_dtype


def convert(folder: Path, out: Path) -> CogVideoXTransformer3DModel:
    """Write a `VividPipeline` made from the base in `folder` to `out` and return its transformer.

    At no time is more than the transformer in memory, in the precision in which it is stored.

    Args:
        folder: as `base.find_base` returns it.
        out: a new folder.

    Raises:
        InputError: when weights do not fit their configuration, or `out` is taken.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise InputError(out, expected="a new folder", found="something there", fix="choose another --out")
    # Written beside and renamed, so that a folder that exists is whole.
    partial = out.with_name(out.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)
    transformer = _load_transformer(folder)
    vae = read_json(folder / "vae" / "config.json")
    enlarge(transformer, condition_channels(vae["latent_channels"], vae["temporal_compression_ratio"]))
    with quiet():
        transformer.save_pretrained(partial / "transformer")
    # Saved anew, it needs no sentencepiece any more.
    _load_tokenizer(folder).save_pretrained(partial / "tokenizer")
    for name in ("text_encoder", "vae", "scheduler"):
        shutil.copytree(folder / name, partial / name, ignore=_other_files)
    for licence in folder.glob("LICENSE*"):
        shutil.copy(licence, partial)
    settings = pipeline_settings(transformer.config, 2 ** (len(vae["block_out_channels"]) - 1))
    index = {k: v for k, v in read_json(folder / "model_index.json").items() if k in COMPONENTS}
    text = json.dumps({"_class_name": "VividPipeline", **index, **settings}, indent=2)
    (partial / "model_index.json").write_text(text + "\n")
    if out.exists():
        out.rmdir()
    partial.rename(out)
    return transformer


def enlarge(transformer: CogVideoXTransformer3DModel, channels: int) -> None:
    """Give a transformer further input channels, in place, after those it has; their weights are zero."""
    old = transformer.patch_embed.proj
    new = nn.Conv2d(
        old.in_channels + channels,
        old.out_channels,
        old.kernel_size,
        old.stride,
        bias=old.bias is not None,
        device=old.weight.device,
        dtype=old.weight.dtype,
    )
    with torch.no_grad():
        new.weight.zero_()
        new.weight[:, : old.in_channels] = old.weight
        if new.bias is not None:
            new.bias.copy_(old.bias)
    transformer.patch_embed.proj = new
    transformer.register_to_config(in_channels=new.in_channels)


def _load_transformer(folder: Path) -> CogVideoXTransformer3DModel:
    with quiet():
        transformer, info = CogVideoXTransformer3DModel.from_pretrained(
            folder / "transformer",
            dtype=stored_dtype(folder / "transformer"),
            use_safetensors=True,
            low_cpu_mem_usage=True,
            local_files_only=True,
            output_loading_info=True,
        )
    if info["missing_keys"] or info["unexpected_keys"]:
        found = f"{len(info['missing_keys'])} weights missing, {len(info['unexpected_keys'])} foreign"
        raise InputError(folder / "transformer", expected="the weights of its config.json", found=found, fix=FETCH)
    return transformer


def _load_tokenizer(folder: Path) -> T5Tokenizer:
    try:
        return T5Tokenizer.from_pretrained(folder / "tokenizer", local_files_only=True)
    except (ImportError, ValueError, OSError) as error:
        raise InputError(
            folder / "tokenizer",
            expected="a T5 tokenizer",
            found=str(error).splitlines()[0],
            fix="if it is a spiece.model, pip install sentencepiece; else fetch the whole checkpoint",
        ) from error


def _other_files(_: str, names: list[str]) -> list[str]:
    """Return the names that are neither configuration nor safe weights."""
    return [name for name in names if Path(name).suffix not in (".json", ".safetensors")]
