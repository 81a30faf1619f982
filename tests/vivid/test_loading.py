from __future__ import annotations

from pathlib import Path

import pytest
import torch

from vivid_bench.errors import MethodError
from vivid_bench.vivid.loading import load_pipeline, save_half, stored_dtype
from vivid_bench.vivid.pipeline import VividPipeline


def test_a_mini_is_stored_in_half_and_works_in_float32(tiny: VividPipeline, tmp_path: Path) -> None:
    save_half(tiny, tmp_path / "half")
    assert stored_dtype(tmp_path / "half" / "transformer") == torch.float16
    loaded = load_pipeline(tmp_path / "half")
    assert {loaded.text_encoder.dtype, loaded.vae.dtype, loaded.transformer.dtype} == {torch.float32}
    assert tiny.transformer.dtype == torch.float32


def test_settings_survive(tiny: VividPipeline, tmp_path: Path) -> None:
    other = VividPipeline(**tiny.components, window_frames=9, working_size=(64, 96), default_steps=7)
    save_half(other, tmp_path / "half")
    config = load_pipeline(tmp_path / "half").config
    assert (config.window_frames, tuple(config.working_size), config.default_steps) == (9, (64, 96), 7)
    assert (config.follow_hole, config.default_guidance_scale) == (True, 1.0)


@pytest.mark.parametrize(("stored", "used"), [(torch.bfloat16, torch.bfloat16), (torch.float16, torch.float32)])
def test_a_full_size_model_works_as_it_is_stored(
    full: VividPipeline, tmp_path: Path, stored: torch.dtype, used: torch.dtype
) -> None:
    full.to(stored).save_pretrained(tmp_path / "full")
    loaded = load_pipeline(tmp_path / "full")
    assert {loaded.text_encoder.dtype, loaded.vae.dtype, loaded.transformer.dtype} == {used}


def test_no_pipeline(tmp_path: Path) -> None:
    with pytest.raises(MethodError, match="holds no VIVID pipeline"):
        load_pipeline(tmp_path)
    with pytest.raises(MethodError, match="someone/nothing holds no VIVID pipeline"):
        load_pipeline("someone/nothing")


def test_pickled_weights_are_not_read(tiny: VividPipeline, tmp_path: Path) -> None:
    tiny.save_pretrained(tmp_path / "pickled", safe_serialization=False)
    with pytest.raises(MethodError, match="no weights in"):
        load_pipeline(tmp_path / "pickled")
