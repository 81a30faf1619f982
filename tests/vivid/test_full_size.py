"""The pipeline around a real (small, untrained) CogVideoX: its VAE, the mask beside its latents, its positions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest
import torch
from diffusers import CogVideoXPipeline, CogVideoXTransformer3DModel, DiffusionPipeline
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from vivid_bench.errors import UnknownNameError
from vivid_bench.types import Frames, Mask
from vivid_bench.vivid.condition import rotary_embedding
from vivid_bench.vivid.full_size import FULL_SIZES, random_pipeline, read_full_size
from vivid_bench.vivid.latents import condition_channels
from vivid_bench.vivid.loading import load_pipeline
from vivid_bench.vivid.pipeline import VividPipeline

Run = Callable[..., Frames]
Clip = tuple[Frames, Mask]


def noise_clip(frames: int, height: int, width: int, seed: int = 0) -> Clip:
    video = np.random.default_rng(seed).integers(0, 256, (frames, height, width, 3), dtype=np.uint8)
    mask = np.zeros((frames, height, width), np.bool_)
    mask[:, height // 4 : height // 2, width // 4 : width // 2] = True
    return video, mask


Pipeline = TypeVar("Pipeline", bound=DiffusionPipeline)


def in_fresh_memory(pipeline: Pipeline, dtype: torch.dtype) -> Pipeline:
    """Copy all weights: where a file's weights lie in memory decides the order of sums."""
    for name in ("text_encoder", "vae", "transformer"):
        for parameter in getattr(pipeline, name).parameters():
            parameter.data = parameter.data.to(dtype, copy=True)
    return pipeline


def first_step(pipeline: VividPipeline, clip: Clip, monkeypatch: pytest.MonkeyPatch, **options: Any) -> Tensor:
    """Return the latents after the first of two denoising steps."""
    seen: list[Tensor] = []
    step = VividPipeline._step

    def recorded(*arguments: Any) -> Any:
        result = step(*arguments)
        seen.append(result[0])
        return result

    monkeypatch.setattr(VividPipeline, "_step", recorded)
    pipeline(*clip, "a red circle", num_inference_steps=2, generator=torch.Generator().manual_seed(0), **options)
    return seen[0]


def base_first_step(base: CogVideoXPipeline, clip: Clip, **options: Any) -> Tensor:
    seen: list[Tensor] = []

    def record(_: Any, __: int, ___: Tensor, values: dict[str, Tensor]) -> dict[str, Tensor]:
        seen.append(values["latents"])
        return values

    frames, height, width = clip[1].shape
    base.set_progress_bar_config(disable=True)
    base(
        "a red circle",
        num_frames=frames,
        height=height,
        width=width,
        num_inference_steps=2,
        generator=torch.Generator().manual_seed(0),
        callback_on_step_end=record,
        output_type="latent",
        **options,
    )
    return seen[0]


@pytest.mark.parametrize("guidance", [{"guidance_scale": 1.0}, {"guidance_scale": 6.0, "negative_prompt": "a dog"}])
@pytest.mark.parametrize(
    ("size", "dtype"), [((9, 32, 48), torch.float32), ((9, 48, 16), torch.float32), ((1, 32, 48), torch.bfloat16)]
)
@pytest.mark.parametrize("style", ["2b", "5b"])
def test_the_first_step_is_the_base_models(
    base_folders: dict[str, Path],
    full_folders: dict[str, Path],
    monkeypatch: pytest.MonkeyPatch,
    style: str,
    size: tuple[int, int, int],
    guidance: dict[str, Any],
    dtype: torch.dtype,
) -> None:
    base = in_fresh_memory(CogVideoXPipeline.from_pretrained(base_folders[style]), dtype)
    pipeline = in_fresh_memory(load_pipeline(full_folders[style]), dtype)
    clip, other = noise_clip(*size), noise_clip(*size, seed=1)
    expected = base_first_step(base, clip, **guidance)
    # Whatever the condition is, its weights are zero.
    assert torch.equal(first_step(pipeline, clip, monkeypatch, **guidance), expected)
    assert torch.equal(first_step(pipeline, other, monkeypatch, **guidance), expected)


@pytest.mark.parametrize("size", [(480, 720), (256, 256), (720, 480), (64, 320)])
def test_positions_are_the_bases(base_folders: dict[str, Path], size: tuple[int, int]) -> None:
    base = CogVideoXPipeline.from_pretrained(base_folders["5b"])
    base.transformer.register_to_config(sample_height=60, sample_width=90)
    theirs = base._prepare_rotary_positional_embeddings(*size, num_frames=5, device=torch.device("cpu"))
    ours = rotary_embedding(16, 5, size[0] // 16, size[1] // 16, trained_grid=(30, 45))
    assert all(torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


def test_captions_are_encoded_as_the_base_does(base_folders: dict[str, Path], full_folders: dict[str, Path]) -> None:
    base, pipeline = CogVideoXPipeline.from_pretrained(base_folders["5b"]), load_pipeline(full_folders["5b"])
    prompt, negative = base.encode_prompt("a red circle", "a dog", device="cpu")
    assert torch.equal(pipeline.encode_captions(["a dog", "a red circle"]), torch.cat([negative, prompt]))
    assert bool(prompt[0, -1].any())  # positions after the end count


def test_settings_are_the_bases(full_folders: dict[str, Path]) -> None:
    config = load_pipeline(full_folders["5b"]).config
    assert (config.window_frames, tuple(config.working_size), config.follow_hole) == (9, (32, 48), False)
    assert (config.default_steps, config.default_guidance_scale) == (50, 6.0)


def test_condition_reaches_the_output(full: VividPipeline, run_pipeline: Run) -> None:
    video, mask = noise_clip(9, 32, 32)
    made = run_pipeline(full, video, mask)
    hidden, seen = (np.where(where, 255 - video, video) for where in (mask[..., None], ~mask[..., None]))
    assert np.array_equal(run_pipeline(full, hidden, mask), made)
    assert not np.array_equal(run_pipeline(full, seen, mask), made)
    with_keys = run_pipeline(full, video, mask, keyframes={0: hidden[0], 5: hidden[5]})
    assert not np.array_equal(with_keys, made)


@pytest.mark.parametrize(
    ("frames", "height", "width"), [(1, 19, 35), (2, 16, 17), (5, 9, 16), (10, 16, 16), (100, 8, 8)]
)
def test_any_length_and_size(full: VividPipeline, run_pipeline: Run, frames: int, height: int, width: int) -> None:
    video, mask = noise_clip(frames, height, width)
    made = run_pipeline(full, video, mask, num_inference_steps=1, guidance_scale=1.0, composite="hard")
    assert made.shape == video.shape
    assert np.array_equal(made[~mask], video[~mask])


def test_two_kinds_of_guidance_differ(full: VividPipeline, run_pipeline: Run) -> None:
    clip = noise_clip(1, 32, 32)
    made = [
        run_pipeline(full, *clip, guidance_scale=scale, negative_prompt=negative)
        for scale, negative in ((1.0, None), (50.0, None), (50.0, "a red circle"))
    ]
    assert not np.array_equal(made[0], made[1])
    # Led away from the prompt itself, nothing is led.
    assert int(np.abs(made[0].astype(int) - made[2]).max()) <= 1


def test_save_and_load_round_trip(full: VividPipeline, run_pipeline: Run, tmp_path: Path) -> None:
    clip = noise_clip(1, 32, 32)
    full.save_pretrained(tmp_path / "saved", max_shard_size="40KB")
    assert len(list((tmp_path / "saved" / "transformer").glob("*.safetensors"))) > 1
    loaded = load_pipeline(tmp_path / "saved")
    assert loaded.settings == full.settings
    assert np.array_equal(run_pipeline(loaded, *clip), run_pipeline(full, *clip))


def test_generator_may_be_absent_and_steps_left_to_the_model(full: VividPipeline) -> None:
    full.register_to_config(default_steps=1)
    assert full(*noise_clip(1, 16, 16), "x").frames.shape == (1, 16, 16, 3)
    assert full.scheduler.num_inference_steps == 1


def test_bfloat16_is_near_float32(full: VividPipeline, run_pipeline: Run) -> None:
    clip = noise_clip(5, 16, 16)
    exact = run_pipeline(full, *clip, guidance_scale=1.0)
    full.to(torch.bfloat16)
    assert np.abs(exact.astype(int) - run_pipeline(full, *clip, guidance_scale=1.0)).mean() < 3


def test_vae_slicing_and_tiling_and_attention_kernels(full: VividPipeline, run_pipeline: Run) -> None:
    clip = noise_clip(1, 64, 96)
    whole = run_pipeline(full, *clip, guidance_scale=1.0)
    full.vae.enable_slicing()
    with sdpa_kernel(SDPBackend.MATH):
        plain = run_pipeline(full, *clip, guidance_scale=1.0)
    assert np.abs(plain.astype(int) - whole).max() <= 1
    full.vae.enable_tiling(tile_sample_min_height=48, tile_sample_min_width=80)
    tiled = run_pipeline(full, *clip, guidance_scale=1.0)
    assert tiled.shape == whole.shape
    assert np.abs(tiled.astype(int) - whole).mean() < 12


def test_model_offload(full: VividPipeline, run_pipeline: Run) -> None:
    clip = noise_clip(5, 16, 16)
    expected = run_pipeline(full, *clip)
    full.enable_model_cpu_offload(device="cpu")
    assert np.array_equal(run_pipeline(full, *clip), expected)


def test_hooks_are_freed_at_the_end(full: VividPipeline, run_pipeline: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    freed: list[VividPipeline] = []
    monkeypatch.setattr(VividPipeline, "maybe_free_model_hooks", lambda self: freed.append(self))
    run_pipeline(full, *noise_clip(1, 16, 16))
    assert freed == [full]


def test_push_to_hub(full: VividPipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    uploaded: list[str] = []
    hub = "diffusers.utils.hub_utils"
    monkeypatch.setattr(f"{hub}.create_repo", lambda repo_id, **_: type("Repo", (), {"repo_id": repo_id}))
    monkeypatch.setattr(f"{hub}.load_or_create_model_card", lambda *_, **__: None)
    monkeypatch.setattr(f"{hub}.populate_model_card", lambda *_, **__: type("Card", (), {"save": lambda *_: None})())
    monkeypatch.setattr(
        VividPipeline,
        "_upload_folder",
        lambda _, folder, repo_id, **__: uploaded.extend([repo_id, *sorted(p.name for p in Path(folder).iterdir())]),
    )
    full.push_to_hub("someone/vivid")
    parts = ["model_index.json", "scheduler", "text_encoder", "tokenizer", "transformer", "vae"]
    assert uploaded == ["someone/vivid", *parts]


@pytest.mark.parametrize(("name", "billions"), [("cogvideox-2b", 1.69), ("cogvideox-5b", 5.57)])
def test_configurations(tiny: VividPipeline, name: str, billions: float) -> None:
    size = read_full_size(name)
    added = condition_channels(size.vae["latent_channels"], size.vae["temporal_compression_ratio"])
    assert size.transformer["in_channels"] == size.transformer["out_channels"] + added == 36
    pipeline = random_pipeline(size, tiny.tokenizer, "meta", torch.bfloat16)
    assert pipeline.transformer.num_parameters() / 1e9 == pytest.approx(billions, abs=0.005)
    assert pipeline.transformer.dtype == torch.bfloat16
    assert (pipeline.config.window_frames, tuple(pipeline.config.working_size)) == (49, (480, 720))
    assert isinstance(pipeline.transformer, CogVideoXTransformer3DModel)


def test_unknown_configuration() -> None:
    with pytest.raises(UnknownNameError, match="cogvideox-5b"):
        read_full_size("cogvideox-7b")
    assert FULL_SIZES == ("cogvideox-2b", "cogvideox-5b")
