from __future__ import annotations

from pathlib import Path

import cv2
import pytest
from clips import DataFolder, moving_clip

from vivid_bench.edits import match_edits, read_all_edits, submission_ref
from vivid_bench.errors import InputError, InputReportError
from vivid_bench.suites import LoadedSplit, load_splits
from vivid_bench.video import write_lossless, write_preview


@pytest.fixture
def splits(data_folder: DataFolder) -> list[LoadedSplit]:
    for name in ("clip-a", "clip-b", "clip-c"):
        data_folder.add(name)
    return load_splits("folder", ("delete",), data_folder.path)


def test_all_three_layouts(splits: list[LoadedSplit], tmp_path: Path) -> None:
    edits = tmp_path / "edits"
    write_lossless(edits / "clip-a.mkv", moving_clip(), 24.0)
    write_preview(edits / "clip-b" / "edited.mp4", moving_clip(), 24.0)
    (edits / "clip-c").mkdir()
    for i, frame in enumerate(moving_clip()):
        cv2.imwrite(str(edits / "clip-c" / f"{i}.png"), frame[..., ::-1])
    report = match_edits(edits, splits)
    assert report.problems == []
    assert {i: (c.video.path, c.codec) for i, c in report.clips.items() if c.video} == {
        "clip-a": ("clip-a.mkv", "ffv1"),
        "clip-b": ("clip-b/edited.mp4", "h264"),
        "clip-c": ("clip-c", "png"),
    }


def test_every_problem_is_in_one_report(splits: list[LoadedSplit], tmp_path: Path) -> None:
    edits = tmp_path / "edits"
    write_lossless(edits / "clip-a.mkv", moving_clip(4), 24.0)
    write_lossless(edits / "clip_b.mkv", moving_clip(), 24.0)
    write_lossless(edits / "clip-c.mkv", moving_clip(5, 24, 30), 24.0)
    with pytest.raises(InputReportError) as caught:
        read_all_edits(edits, splits)
    text = str(caught.value)
    assert "3 problems" in text
    assert "expected 5 frames (as sample clip-a), found 4" in text
    assert 'found nothing of that name, but "clip_b"; add or rename it' in text
    assert "expected 32x24 (sample clip-c's size), found 30x24" in text


def test_extra_videos_are_a_warning_unless_limited(splits: list[LoadedSplit], tmp_path: Path) -> None:
    edits = tmp_path / "edits"
    for name in ("clip-a", "clip-b", "clip-c", "other"):
        write_lossless(edits / f"{name}.mkv", moving_clip(), 24.0)
    (warning,) = read_all_edits(edits, splits).warnings
    assert warning.endswith("no sample of this split, so left out: other")
    assert read_all_edits(edits, splits, limited=True).warnings == []


def test_no_folder(splits: list[LoadedSplit], tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected a folder of edits, found nothing"):
        match_edits(tmp_path / "none", splits)


def test_a_folder_without_permission_is_a_problem_of_its_own(
    splits: list[LoadedSplit], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edits = tmp_path / "edits"
    for name in ("clip-a", "clip-b", "clip-c"):
        write_lossless(edits / f"{name}.mkv", moving_clip(), 24.0)
    is_file = Path.is_file

    # As the kernel answers anybody but root.
    def refuse(path: Path) -> bool:
        if path.stem == "clip-b":
            raise PermissionError(13, "Permission denied")
        return is_file(path)

    monkeypatch.setattr(Path, "is_file", refuse)
    report = match_edits(edits, splits)
    assert list(report.clips) == ["clip-a", "clip-c"]
    assert "expected a readable edit, found no permission" in str(report.problems[0])


def test_an_empty_sample_folder_is_a_missing_edit(splits: list[LoadedSplit], tmp_path: Path) -> None:
    edits = tmp_path / "edits"
    for name in ("clip-a", "clip-b", "clip-c"):
        (edits / name).mkdir(parents=True)
    assert len(match_edits(edits, splits).problems) == 3


def test_the_reference_follows_the_content(splits: list[LoadedSplit], tmp_path: Path) -> None:
    refs = []
    for seed in (0, 0, 1):
        edits = tmp_path / f"edits{len(refs)}"
        for name in ("clip-a", "clip-b", "clip-c"):
            write_lossless(edits / f"{name}.mkv", moving_clip(seed=seed), 24.0)
        refs.append(submission_ref("mine", read_all_edits(edits, splits).clips))
    assert refs[0] == refs[1]
    assert refs[0] != refs[2]
    assert refs[0].kind == "submission"
