from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from accelerate.state import AcceleratorState
from diffusers import (
    AutoencoderKLCogVideoX,
    CogVideoXDDIMScheduler,
    CogVideoXDPMScheduler,
    CogVideoXPipeline,
    CogVideoXTransformer3DModel,
)
from transformers import T5Config, T5EncoderModel, T5Tokenizer

from vivid_bench.types import Frames, Mask
from vivid_bench.vivid.build import ModelConfig, build_pipeline
from vivid_bench.vivid.convert import convert
from vivid_bench.vivid.loading import load_pipeline
from vivid_bench.vivid.pipeline import VividPipeline

TINY = ModelConfig(
    width=32, heads=2, layers=1, time_embedding=16, text_width=16, text_heads=2, text_layers=1, vocabulary=300
)


@pytest.fixture(autouse=True, scope="module")
def _fresh_accelerator() -> None:
    """Accelerate remembers a process's first precision; each test file is a process's worth of training."""
    AcceleratorState._reset_state(reset_partial_state=True)


@pytest.fixture(scope="session")
def tiny_model() -> ModelConfig:
    return TINY


@pytest.fixture(scope="session")
def tiny() -> VividPipeline:
    """A pipeline with small random weights, those included that start at zero."""
    pipeline = build_pipeline(TINY, ["a red circle", "a blue square"], seed=1)
    for layer in (pipeline.transformer.proj_out, pipeline.transformer.patch_embed.proj):
        torch.nn.init.normal_(layer.weight, std=0.1, generator=torch.Generator().manual_seed(0))
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@pytest.fixture
def clip() -> tuple[Frames, Mask]:
    """Nine 24x32 frames of noise with a hole that moves to the right."""
    video = np.random.default_rng(0).integers(0, 256, (9, 24, 32, 3), dtype=np.uint8)
    mask = np.zeros((9, 24, 32), np.bool_)
    for t in range(9):
        mask[t, 8:16, 6 + t : 16 + t] = True
    return video, mask


@pytest.fixture(scope="session")
def run_pipeline() -> Callable[..., Frames]:
    """Call a pipeline with a seed and return uint8 frames."""

    def run(pipeline: VividPipeline, video: Frames, mask: Mask, seed: int = 0, **options: object) -> Frames:
        settings = {"prompt": "a red circle", "num_inference_steps": 2, **options}
        frames = pipeline(video, mask, generator=torch.Generator().manual_seed(seed), **settings).frames
        return np.rint(frames * 255).astype(np.uint8)

    return run


def tiny_base(style: str) -> CogVideoXPipeline:
    """A CogVideoX text-to-video pipeline with small random weights, wired as the 2B or as the 5B checkpoint is."""
    rotary = style == "5b"
    letters = "▁abcdefghijklmnopqrstuvwxyz."
    vocabulary = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *((letter, -3.0) for letter in letters)]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        transformer = CogVideoXTransformer3DModel(
            num_attention_heads=2,
            attention_head_dim=16,
            in_channels=4,
            out_channels=4,
            time_embed_dim=8,
            text_embed_dim=32,
            num_layers=2,
            sample_height=4,
            sample_width=6,
            sample_frames=9,
            use_rotary_positional_embeddings=rotary,
        )
        vae = AutoencoderKLCogVideoX(
            down_block_types=("CogVideoXDownBlock3D",) * 4,
            up_block_types=("CogVideoXUpBlock3D",) * 4,
            block_out_channels=(8, 8, 8, 8),
            latent_channels=4,
            layers_per_block=1,
            norm_num_groups=2,
            sample_height=32,
            sample_width=48,
            scaling_factor=0.7 if rotary else 1.15258426,
        )
        text_encoder = T5EncoderModel(
            T5Config(vocab_size=160, d_model=32, d_kv=8, d_ff=64, num_layers=2, num_heads=4)
        ).eval()
    scheduler = CogVideoXDPMScheduler if rotary else CogVideoXDDIMScheduler
    return CogVideoXPipeline(
        tokenizer=T5Tokenizer(vocab=vocabulary),
        text_encoder=text_encoder,
        vae=vae,
        transformer=transformer,
        scheduler=scheduler(
            prediction_type="v_prediction",
            timestep_spacing="trailing",
            rescale_betas_zero_snr=True,
            clip_sample=False,
            snr_shift_scale=1.0 if rotary else 3.0,
        ),
    )


@pytest.fixture(scope="session")
def base_folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Saved `tiny_base` pipelines by style, 2b and 5b."""
    folders = {style: tmp_path_factory.mktemp("base") / style for style in ("2b", "5b")}
    for style, folder in folders.items():
        tiny_base(style).save_pretrained(folder)
    return folders


@pytest.fixture(scope="session")
def full_folders(base_folders: dict[str, Path]) -> dict[str, Path]:
    """VIVIDs made from `base_folders`, by style."""
    made = {style: folder.with_name(f"vivid-{style}") for style, folder in base_folders.items()}
    for style, folder in made.items():
        convert(base_folders[style], folder)
    return made


@pytest.fixture(params=["2b", "5b"])
def full(request: pytest.FixtureRequest, full_folders: dict[str, Path]) -> VividPipeline:
    """A small VIVID made from each base, freshly loaded, its new channels opened so that the condition counts."""
    pipeline = load_pipeline(full_folders[request.param])
    weight = pipeline.transformer.patch_embed.proj.weight
    torch.nn.init.normal_(weight.data[:, 4:], std=0.3, generator=torch.Generator().manual_seed(0))
    return pipeline
