from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from vivid_bench.errors import MethodError
from vivid_bench.scenes import render_sample
from vivid_bench.types import DELETE_PROMPT, EditRequest
from vivid_bench.vivid.adapter import CHECKPOINT, Vivid
from vivid_bench.vivid.sources import fill_frames


@pytest.fixture(scope="module")
def vivid() -> Vivid:
    return Vivid(steps=1)


def request(frames: int = 5, height: int = 48, width: int = 56, seed: int = 0) -> EditRequest:
    rng = np.random.default_rng(0)
    video = np.repeat(rng.integers(0, 256, (1, height, width, 3), dtype=np.uint8), frames, axis=0)
    mask = np.zeros((frames, height, width), np.bool_)
    mask[:, 12:30, 20:36] = True
    return EditRequest("sample", "delete", video, mask, DELETE_PROMPT, 8.0, seed)


def test_shipped_checkpoint_edits(vivid: Vivid) -> None:
    asked = request()
    edited = vivid.edit(asked)
    assert edited.shape == asked.frames.shape
    assert edited.dtype == np.uint8
    assert np.array_equal(edited, vivid.edit(asked))


def test_another_seed_is_another_edit(vivid: Vivid) -> None:
    assert not np.array_equal(vivid.edit(request(seed=0)), vivid.edit(request(seed=1)))


def test_large_and_long_clips_keep_the_source_outside_the_mask(vivid: Vivid) -> None:
    asked = request(frames=20, height=130, width=180)
    edited = vivid.edit(asked)
    assert edited.shape == asked.frames.shape
    assert np.array_equal(edited[~asked.mask], asked.frames[~asked.mask])
    assert not np.array_equal(edited[asked.mask], asked.frames[asked.mask])


def test_shipped_checkpoint_is_trained(vivid: Vivid) -> None:
    """It beats its own input, the smoothly filled hole, where the caption says what is there."""
    for seed in (0, 1, 2):
        s = render_sample("modify", seed, fold="validation")
        edited = vivid.edit(EditRequest("s", "modify", s.source, s.mask, s.prompt, 8.0, 0))
        made, filled = (
            float(np.square(x[s.mask].astype(float) - s.reference[s.mask]).mean())
            for x in (edited, fill_frames(s.source, s.mask))
        )
        assert made < filled
        assert np.array_equal(edited[~s.mask], s.source[~s.mask])


def test_shipped_checkpoint_is_small_and_recorded() -> None:
    size = sum(file.stat().st_size for file in CHECKPOINT.rglob("*.safetensors"))
    assert size <= 40e6
    record = json.loads((CHECKPOINT / "training.json").read_text())
    assert record["steps"] > 0
    assert record["seconds"] > 0
    assert record["loss_curve"]


def test_loads_from_another_folder_without_a_warning(tmp_path: Path) -> None:
    code = f"from vivid_bench.vivid.pipeline import VividPipeline\nVividPipeline.from_pretrained({str(CHECKPOINT)!r})"
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert "warn" not in done.stderr.lower()


def test_a_missing_checkpoint_is_named(tmp_path: Path) -> None:
    with pytest.raises(MethodError, match="nowhere holds no VIVID pipeline"):
        Vivid(checkpoint=str(tmp_path / "nowhere"))
