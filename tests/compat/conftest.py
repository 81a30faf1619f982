from __future__ import annotations

from pathlib import Path

import pytest
from compat_clips import PROMPT, GoldenClip, golden_clip, save_squeeze, save_tiny_clip, save_tiny_dino

from vivid_bench.metrics.sample_clip import EditClip, SampleClip
from vivid_bench.types import FileRef, Sample


@pytest.fixture
def golden() -> GoldenClip:
    return golden_clip()


@pytest.fixture
def edit(golden: GoldenClip) -> EditClip:
    """The golden clip as metrics get it."""
    file = FileRef(path="clip.mkv", sha256="0" * 64)
    frames, height, width = golden.mask.shape
    sample = Sample(
        id="clip", task="modify", source=file, mask=file, prompt=PROMPT, frames=frames, height=height, width=width,
        fps=24, hole="hidden", source_video="scene",
    )  # fmt: skip
    return EditClip(SampleClip(sample, golden.source, golden.mask, None), golden.edited)


@pytest.fixture(scope="session")
def network_files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("networks")
    save_tiny_clip(folder / "clip")
    save_tiny_dino(folder / "dino")
    save_squeeze(folder / "squeeze.pth")
    return folder


@pytest.fixture
def tiny_networks(network_files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tiny networks with random weights in place of those that presets ask for."""
    monkeypatch.setattr("vivid_bench.metrics.clip_model.locate", lambda _: network_files / "clip")
    monkeypatch.setattr("vivid_bench.metrics.lpips.locate", lambda _: network_files / "squeeze.pth")
    monkeypatch.setattr("vivid_bench.compat.vbench.locate", lambda _: network_files / "dino")
