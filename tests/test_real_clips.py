"""Real clips, where they are at hand: what the real VIVID model made, and two samples of VIVID-10M."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vivid_bench.datasets.folder import read_folder
from vivid_bench.edits import read_all_edits
from vivid_bench.masks import binarise
from vivid_bench.metrics.psnr import BackgroundPsnr
from vivid_bench.metrics.sample_clip import EditClip, SampleClip
from vivid_bench.suites import load_splits
from vivid_bench.types import TASKS
from vivid_bench.video import read_video


def test_the_background_of_real_vivid_edits(real_clips: Path) -> None:
    data = real_clips / "vivid-edits"
    splits = load_splits("folder", TASKS, data)
    clips = read_all_edits(data, splits).clips
    assert len(clips) == 7
    for loaded in splits:
        for sample in loaded.split.samples:
            edit = clips[sample.id]
            assert edit.video is not None
            arrays = loaded.read(sample)
            sample_clip = SampleClip(sample, arrays.source, arrays.mask, arrays.reference)
            score = BackgroundPsnr()(EditClip(sample_clip, read_video(data / edit.video.path).frames))
            # VIVID pastes nothing back, so its VAE's round trip shows.
            assert score.value is not None, sample.id
            assert 27 < score.value < 34, sample.id


def test_samples_of_vivid10m_are_their_own_reference(real_clips: Path) -> None:
    report = read_folder(real_clips / "vivid10m-samples", None)
    assert report.problems == []
    assert [(s.height, s.width, s.frames, s.hole) for s in report.samples] == [(480, 854, 49, "hidden")] * 2
    assert all(s.reference == s.source for s in report.samples)


@pytest.mark.parametrize("folder", ["vivid-edits", "vivid10m-samples"])
def test_stated_counts_are_true(real_clips: Path, folder: str) -> None:
    for clip in json.loads((real_clips / folder / "clips.json").read_text()):
        mask, _ = binarise(read_video(real_clips / folder / clip["id"] / "mask.mp4", grey=True).frames)
        empty = sum(not frame.any() for frame in mask)
        assert (len(mask), empty) == (clip["frames"], clip["empty_mask_frames"])
        assert mask.mean() == pytest.approx(clip["mask_area"], abs=1e-3)
