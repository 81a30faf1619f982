from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from clips import DataFolder, moving_clip
from made_runs import read_tables, write_run

from vivid_bench.files import sha256_path
from vivid_bench.leaderboard.table import Row
from vivid_bench.metrics import metric_info
from vivid_bench.records import RunFolder
from vivid_bench.report.worst import worst_clips
from vivid_bench.suites import LoadedSplit, load_splits
from vivid_bench.types import FileRef, Frames
from vivid_bench.video import write_lossless, write_preview

PSNR = metric_info("edit_psnr")


@pytest.fixture
def loaded(data_folder: DataFolder) -> LoadedSplit:
    for number in range(7):
        data_folder.add(f"clip-{number}", seed=number)
    return load_splits("folder", ("delete",), data_folder.path)[0]


def row_of(records: Path, loaded: LoadedSplit, psnr: Sequence[float | None]) -> Row:
    write_run(records, loaded.split, "mine", {"edit_psnr": psnr})
    (table,) = read_tables(records)
    return table.rows[0]


def keep_edit(run: RunFolder, sample_id: str, frames: Frames) -> None:
    """Store an edit as a run stores it."""
    path = run.edits_dir / f"{sample_id}.mkv"
    write_lossless(path, frames, 24.0)
    ref = FileRef(path=f"edits/{sample_id}.mkv", sha256=sha256_path(path))
    edits = run.edits()
    run.add_edit(edits[sample_id].model_copy(update={"video": ref}))
    run.finish_edits(list(edits))


def decoded(uri: str) -> Frames:
    png = base64.b64decode(uri.removeprefix("data:image/png;base64,"))
    return np.asarray(cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)[..., ::-1])


def test_the_five_worst_come_first(tmp_path: Path, loaded: LoadedSplit) -> None:
    row = row_of(tmp_path / "runs", loaded, [30.0, 10.0, None, 20.0, 12.0, 25.0, 11.0])
    worst = worst_clips(row, PSNR, loaded)
    assert [(clip.sample_id, clip.value) for clip in worst] == [
        ("clip-1", 10.0), ("clip-6", 11.0), ("clip-4", 12.0), ("clip-3", 20.0), ("clip-5", 25.0),
    ]  # fmt: skip
    assert all("expected the edit or its preview, found neither" in str(clip.missing) for clip in worst)
    assert all(list(clip.pictures) == ["source and mask", "reference"] for clip in worst)
    lowest_first = worst_clips(row, metric_info("edit_mse").model_copy(update={"name": "edit_psnr"}), loaded)
    assert [clip.value for clip in lowest_first] == [30.0, 25.0, 20.0, 12.0, 11.0]


def test_the_edits_pixels_at_the_worst_frame(tmp_path: Path, loaded: LoadedSplit) -> None:
    row = row_of(tmp_path / "runs", loaded, [10.0] * 7)
    sample = loaded.split.samples[0]
    arrays = loaded.read(sample)
    assert arrays.reference is not None
    edit = arrays.reference.copy()
    edit[2, 0, 0] = np.where(edit[2, 0, 0] < 128, edit[2, 0, 0] + 100, edit[2, 0, 0] - 100)
    keep_edit(row.runs[0], sample.id, edit)
    scores = row.runs[0].path / "scores.jsonl"
    scores.write_text(scores.read_text().replace('"status"', '"per_frame": [9, 8, 7, null, 8], "status"', 1))
    clip = worst_clips(row, PSNR, loaded)[0]
    assert clip.frame == "frame 3 of 5, the worst in edit psnr"
    assert list(clip.pictures) == ["source and mask", "edit", "reference", "edit – reference, absolute"]
    np.testing.assert_array_equal(decoded(clip.pictures["edit"]), edit[2])
    difference = np.zeros_like(edit[2])
    difference[0, 0] = 100
    np.testing.assert_array_equal(decoded(clip.pictures["edit – reference, absolute"]), difference)
    assert clip.missing is None


def test_previews_stand_in_for_edits(tmp_path: Path, loaded: LoadedSplit) -> None:
    row = row_of(tmp_path / "runs", loaded, [10.0, *[20.0] * 6])
    write_preview(row.runs[0].previews_dir / "clip-0.mp4", moving_clip(), 24.0)
    clip = worst_clips(row, PSNR, loaded)[0]
    assert "edit (preview, lossy)" in clip.pictures
    assert clip.frame == "frame 3 of 5, where the mask is largest"


def test_an_edit_that_is_not_the_one_scored_is_not_shown(tmp_path: Path, loaded: LoadedSplit) -> None:
    row = row_of(tmp_path / "runs", loaded, [10.0, 11.0, *[20.0] * 5])
    keep_edit(row.runs[0], "clip-0", moving_clip())
    write_lossless(row.runs[0].edits_dir / "clip-0.mkv", moving_clip(seed=9), 24.0)
    write_preview(row.runs[0].previews_dir / "clip-1.mp4", moving_clip(frames=4), 24.0)
    changed, short, *_ = worst_clips(row, PSNR, loaded)
    assert "it changed after it was scored" in str(changed.missing)
    assert "expected 5 frames (as sample clip-1), found 4" in str(short.missing)
    assert "edit" not in changed.pictures


def test_without_the_clips_the_reason_stands_there(tmp_path: Path, loaded: LoadedSplit) -> None:
    row = row_of(tmp_path / "runs", loaded, [10.0] * 7)
    clips = worst_clips(row, PSNR, "no clips here")
    assert {(clip.missing, len(clip.pictures)) for clip in clips} == {("no clips here", 0)}
