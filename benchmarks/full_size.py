"""What one edit at full size takes: 49 frames of 480x720 by the 5B configuration. Random weights, speed only.

    python benchmarks/full_size.py [--out FILE.json]

On CUDA one edit goes through the pipeline in bfloat16, with each of PyTorch's attention kernels and with
torch.compile: seconds a step, peak memory, share of the GPU's bf16 peak. Elsewhere the operations and bytes are counted
on meta tensors, and a shrunken configuration goes through the same code on the CPU. Steps are timed between the
scheduler's calls; the median leaves out the first, in which kernels are chosen and compiled.
"""

from __future__ import annotations

import argparse
import json
import time
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
import torch
from rich.console import Console
from torch.nn.attention import SDPBackend, sdpa_kernel

from vivid_bench.types import DELETE_PROMPT
from vivid_bench.vivid.build import build_tokenizer
from vivid_bench.vivid.cost import edit_cost, pipeline_edit_cost
from vivid_bench.vivid.full_size import FullSize, random_pipeline, read_full_size
from vivid_bench.vivid.pipeline import VividPipeline

NAME, FRAMES, HEIGHT, WIDTH, STEPS = "cogvideox-5b", 49, 480, 720, 50
TIMED_STEPS = 5
BACKENDS = (SDPBackend.FLASH_ATTENTION, SDPBackend.CUDNN_ATTENTION, SDPBackend.EFFICIENT_ATTENTION)
BF16_PEAK_TFLOPS = {"H100": 989.4, "H200": 989.4, "A100": 312.0, "L40S": 362.1, "RTX 4090": 165.2}
"""Dense, from the vendor's data sheets, by a part of the device's name (the SXM form of the H100)."""

Row = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, help="write the record as JSON")
    options = parser.parse_args()
    record: Row = {"weights": "random weights, speed only", "counted": counted()}
    if torch.cuda.is_available():
        record["device"], record["measured"] = torch.cuda.get_device_name(), on_gpu()
    else:
        record["device"], record["measured"] = "cpu", [on_cpu()]
    text = json.dumps(record, indent=2)
    Console(markup=False, highlight=False).print(text)
    if options.out:
        options.out.write_text(text + "\n")


def counted() -> Row:
    """Count the full-size edit on meta tensors: nothing is computed."""
    cost = edit_cost(FRAMES, HEIGHT, WIDTH, STEPS)
    pipeline = random_pipeline(read_full_size(NAME), tokenizer(), "meta", torch.bfloat16)
    models = {name: getattr(pipeline, name) for name in ("text_encoder", "vae", "transformer")}
    parameters = {name: sum(p.numel() for p in model.parameters()) for name, model in models.items()}
    config = pipeline.transformer.config
    tokens = config.max_text_seq_length + (1 + (FRAMES - 1) // 4) * (HEIGHT // 16) * (WIDTH // 16)
    return {
        "configuration": NAME,
        "edit": f"{FRAMES}x{HEIGHT}x{WIDTH}, {STEPS} steps, one evaluation a step",
        "pflops": {
            "encode": cost.encode / 1e15,
            "denoise": cost.denoise / 1e15,
            "decode": cost.decode / 1e15,
            "total": cost.total / 1e15,
        },
        "parameters": parameters,
        "bf16_weights_gb": {name: 2 * count / 1e9 for name, count in parameters.items()},
        "tokens": tokens,
        # The widest tensor of a block, of which a few live at once: the feed-forward's inner one.
        "bf16_feed_forward_activation_gb": 2
        * 4
        * tokens
        * config.num_attention_heads
        * config.attention_head_dim
        / 1e9,
    }


def on_gpu() -> list[Row]:
    """Time the full-size edit under each attention back-end, and compiled under the fastest."""
    pipeline = random_pipeline(read_full_size(NAME), tokenizer(), "cuda", torch.bfloat16)
    peak = next((v for part, v in BF16_PEAK_TFLOPS.items() if part in torch.cuda.get_device_name()), None)
    rows: list[Row] = []
    for backend in BACKENDS:
        row: Row = {"attention": backend.name, "compiled": False}
        try:
            # Diffusers' `set_attention_backend` does not reach CogVideoX, whose blocks call PyTorch's attention.
            with sdpa_kernel(backend):
                row |= timed_edit(pipeline, FRAMES, HEIGHT, WIDTH, peak)
        except RuntimeError as error:
            row["not_measured"] = str(error).splitlines()[0]
        rows.append(row)
    fastest = min(BACKENDS, key=lambda b: rows[BACKENDS.index(b)].get("seconds_a_step", float("inf")))
    for block in pipeline.transformer.transformer_blocks:
        block.compile()
    with sdpa_kernel(fastest):
        compiled = timed_edit(pipeline, FRAMES, HEIGHT, WIDTH, peak)
    return [*rows, {"attention": fastest.name, "compiled": True, **compiled}]


def on_cpu() -> Row:
    """Time a shrunken configuration, end to end."""
    full = read_full_size(NAME)
    small = FullSize(
        transformer={**full.transformer, "num_layers": 2, "num_attention_heads": 2, "text_embed_dim": 64},
        vae={**full.vae, "block_out_channels": [8, 8, 16, 16], "norm_num_groups": 4, "layers_per_block": 1},
        scheduler=full.scheduler,
        text_encoder={**full.text_encoder, "d_model": 64, "d_kv": 16, "d_ff": 128, "num_layers": 2, "num_heads": 4},
    )
    return {"configuration": f"{NAME}, shrunken", **timed_edit(random_pipeline(small, tokenizer()), 17, 96, 144, None)}


def timed_edit(pipeline: VividPipeline, frames: int, height: int, width: int, peak_tflops: float | None) -> Row:
    """Edit once with `TIMED_STEPS` steps and one evaluation a step."""
    pipeline.set_progress_bar_config(disable=True)
    video = np.random.default_rng(0).integers(0, 256, (frames, height, width, 3), dtype=np.uint8)
    mask = np.zeros(video.shape[:3], np.bool_)
    mask[:, height // 4 : height // 2, width // 4 : width // 2] = True
    scheduler, moments = pipeline.scheduler, []
    step = scheduler.step

    def timed_step(*arguments: Any, **options: Any) -> Any:
        moments.append(now())
        return step(*arguments, **options)

    scheduler.step = timed_step
    cuda = torch.cuda.is_available()
    if cuda:
        torch.cuda.reset_peak_memory_stats()
    started = now()
    try:
        made = pipeline(video, mask, DELETE_PROMPT, num_inference_steps=TIMED_STEPS, guidance_scale=1.0).frames
    finally:
        del scheduler.step
    seconds = now() - started
    assert made.shape == video.shape
    a_step = median(later - earlier for earlier, later in pairwise(moments))
    flops = pipeline_edit_cost(pipeline, frames, height, width, 1).denoise
    row = {
        "edit": f"{frames}x{height}x{width}, {TIMED_STEPS} steps",
        "seconds": seconds,
        "seconds_a_step": a_step,
        "tflops_a_second": flops / a_step / 1e12,
    }
    if cuda:
        row["peak_memory_gb"] = torch.cuda.max_memory_allocated() / 1e9
    if peak_tflops:
        row["share_of_bf16_peak"] = flops / a_step / (peak_tflops * 1e12)
    return row


def now() -> float:
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()


def tokenizer() -> Any:
    """Make one of a few words: random weights read nothing anyway."""
    return build_tokenizer([DELETE_PROMPT], 300)


if __name__ == "__main__":
    main()
