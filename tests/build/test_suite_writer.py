from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from clips import box_mask, moving_clip

from vivid_bench.build.samples import source_path, write_sample
from vivid_bench.build.settings import BuildSettings
from vivid_bench.build.suite_writer import place, write_suite
from vivid_bench.build.types import Clip
from vivid_bench.suites import load_splits
from vivid_bench.types import DELETE_PROMPT, Sample
from vivid_bench.video import write_lossless

SETTINGS = BuildSettings(name="parks", licence='CC "BY" 4.0', seed=3)


def written(out: Path) -> list[Sample]:
    clip = Clip("park-c0000", "park.mp4", moving_clip(), 24.0, 2)
    write_lossless(out / source_path(clip.id), clip.frames, clip.fps)
    mask = box_mask(*clip.frames.shape[:3])
    prompts = {"add": "a dog", "delete": DELETE_PROMPT}
    return [
        write_sample(out, clip, f"{clip.id}-{task}-0", task, mask, prompts[task], "original", SETTINGS)
        for task in ("add", "delete")
    ]


def test_the_suite_can_be_used(tmp_path: Path) -> None:
    samples = written(tmp_path)
    write_suite(tmp_path, SETTINGS, samples)
    loaded = load_splits(str(tmp_path), ("add", "modify", "delete"))
    assert [(split.split.suite, split.split.task) for split in loaded] == [("parks", "add"), ("parks", "delete")]
    arrays = loaded[0].read(loaded[0].split.samples[0])
    assert arrays.reference is arrays.source
    assert np.array_equal(arrays.source, moving_clip())
    assert (samples[0].hole, samples[0].source_video, samples[0].licence) == ("hidden", "park.mp4", 'CC "BY" 4.0')


def test_what_no_sample_uses_is_removed_and_so_are_lists_without_samples(tmp_path: Path) -> None:
    samples = written(tmp_path)
    (tmp_path / "clips" / "old").mkdir()
    (tmp_path / "clips" / "old" / "source.mkv").write_text("old")
    (tmp_path / "modify.jsonl").write_text("old")
    write_suite(tmp_path, SETTINGS, samples)
    assert sorted(p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()) == [
        "add.jsonl", "clips/park-c0000/park-c0000-add-0.mkv", "clips/park-c0000/park-c0000-delete-0.mkv",
        "clips/park-c0000/source.mkv", "delete.jsonl", "suite.toml",
    ]  # fmt: skip
    assert not (tmp_path / "clips" / "old").exists()


def test_without_samples_there_is_no_suite(tmp_path: Path) -> None:
    write_suite(tmp_path, SETTINGS, written(tmp_path))
    write_suite(tmp_path, SETTINGS, [])
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_file_system_without_links_gets_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_text("content")

    def refuse(*_: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    place(tmp_path / "a", tmp_path / "b" / "c")
    assert (tmp_path / "b" / "c").read_text() == "content"
    assert not (tmp_path / "b" / "c").samefile(tmp_path / "a")
