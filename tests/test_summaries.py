from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from clips import DataFolder

from vivid_bench.generate import generate, new_run
from vivid_bench.leaderboard.load import load_row
from vivid_bench.methods import find_method
from vivid_bench.scoring import ScoringJob, score_jobs, summarise
from vivid_bench.stats import mean_interval, mean_intervals
from vivid_bench.suites import load_splits
from vivid_bench.summaries import intervals_of_means
from vivid_bench.types import Score

VIDEOS = [f"video-{i // 2}" for i in range(12)]
VALUES = np.random.default_rng(0).normal(20, 3, (12, 2))


def test_intervals_are_those_of_the_statistics() -> None:
    assert intervals_of_means(VALUES, VIDEOS) == mean_intervals(VALUES, VIDEOS)
    assert intervals_of_means(np.zeros((2, 1)), ["a", "b"]) == [None]


def test_a_run_that_lacks_a_clip_is_drawn_as_the_others_are() -> None:
    gap = VALUES[:, :1].copy()
    gap[:4] = np.nan
    (alone,) = intervals_of_means(gap, VIDEOS)
    beside = intervals_of_means(np.concatenate([VALUES, gap], axis=1), VIDEOS)[2]
    assert alone is not None
    assert beside is not None
    assert (alone.low, alone.high) == pytest.approx((beside.low, beside.high), rel=1e-9)


def test_summaries_of_scores_have_intervals_where_source_videos_are_known() -> None:
    scores = [Score(sample_id=str(i), metric="m", value=float(v), status="ok") for i, v in enumerate(VALUES[:, 0])]
    videos = {str(i): video for i, video in enumerate(VIDEOS)}
    summary = summarise(scores, ["m", "n"], videos)["m"]
    expected = mean_interval(VALUES[:, 0], VIDEOS)
    assert expected is not None
    assert (summary.ci_low, summary.ci_high) == pytest.approx((expected.low, expected.high))
    assert summary.mean == pytest.approx(VALUES[:, 0].mean())
    assert summarise(scores, ["m"])["m"].ci_low is None
    assert summarise(scores, ["m", "n"], videos)["n"].ci_low is None


def test_scoring_records_source_videos_and_intervals(
    data_folder: DataFolder, adapter: Callable[[str, str], str], tmp_path: Path
) -> None:
    for index, name in enumerate("abcdef"):
        data_folder.add(name, seed=index, source_video=f"scene {index % 5}")
    (loaded,) = load_splits("folder", ("delete",), data_folder.path)
    loaded = replace(loaded, split=loaded.split.model_copy(update={"metrics": ("edit_psnr",)}))
    known = find_method(adapter("Copy", "return request.frames"))
    folder, record = new_run(tmp_path, known, loaded, "none", 0, "cpu")
    record = generate(folder, record, known, loaded, lambda _: None)
    assert record.source_videos == record.clusters == tuple(f"scene {i % 5}" for i in range(6))
    without = record.model_copy(update={"source_videos": ()})
    assert without.clusters == without.samples
    job = ScoringJob(folder, without, folder.path)
    score_jobs([job], loaded, lambda _: None)
    assert job.record.source_videos == record.source_videos, "of a record from before there were any"
    summary = job.record.summaries["edit_psnr"]
    assert summary.mean is not None
    assert summary.ci_low is not None
    assert summary.ci_high is not None
    assert summary.ci_low < summary.mean < summary.ci_high
    row = load_row(folder)
    assert row is not None
    assert row.summaries["edit_psnr"].ci_low == pytest.approx(summary.ci_low)
