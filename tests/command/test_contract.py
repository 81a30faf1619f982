from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from programs import request

from vivid_bench.command.contract import (
    Progress,
    edit_of_batch,
    parse_progress,
    read_edit,
    request_text,
    safe_name,
    write_clip,
    write_request,
)
from vivid_bench.errors import MethodError
from vivid_bench.method_card import CommandFacts
from vivid_bench.video import read_video


@pytest.mark.parametrize(
    ("line", "progress"),
    [
        ("vivid-bench: ready\n", Progress("ready")),
        ("vivid-bench: done 00001-bear\n", Progress("done", "00001-bear")),
        ("vivid-bench: failed 00001-bear out of memory\r\n", Progress("failed", "00001-bear", "out of memory")),
        ("vivid-bench: failed 00001-bear", Progress("failed", "00001-bear")),
        ("\r 50%|##   | 5/10 vivid-bench: done 3", Progress("done", "3")),
        ("vivid-bench: done", None),
        ("vivid-bench: readying", None),
        ("loading weights", None),
    ],
)
def test_progress_lines(line: str, progress: Progress | None) -> None:
    assert parse_progress(line) == progress


def test_names_are_safe_and_unique() -> None:
    assert safe_name(3, "a black/swan*.é") == "00003-a_black_swan_"
    assert len(safe_name(0, "x" * 200)) < 70


def test_a_request_is_lossless_as_video_and_frames(tmp_path: Path) -> None:
    asked = request("a swan", height=25, width=33)
    facts = CommandFacts(run=("x", "{requests}", "{edits}"), per="batch", source="frames", mask="frames")
    line = json.loads(request_text(write_request(tmp_path, "00000-a", asked, facts)))
    assert (line["contract"], line["id"], line["name"], line["sample"]) == (1, "00000-a", "00000-a", "a swan")
    assert (line["frames"], line["height"], line["width"], line["fps"], line["seed"]) == (5, 25, 33, 24.0, 7)
    assert (line["task"], line["prompt"], line["negative_prompt"]) == ("delete", "Remove it.", None)
    for key in ("source", "source_frames"):
        assert np.array_equal(read_video(Path(line[key])).frames, asked.frames)
    for key in ("mask", "mask_frames"):
        assert np.array_equal(read_video(Path(line[key]), grey=True).frames, asked.mask * np.uint8(255))
    assert line["source"] == str(tmp_path / "00000-a" / "source.mkv")
    assert line["source_frames"] == str(tmp_path / "00000-a" / "source")


def test_videos_come_only_with_frames_when_asked(tmp_path: Path) -> None:
    facts = CommandFacts(run=("x", "{requests}", "{edits}"), per="batch")
    assert "source_frames" not in write_request(tmp_path, "a", request("a"), facts)


def test_an_mp4_mask_is_black_and_white_in_opencv(tmp_path: Path) -> None:
    asked = request("a", height=25, width=33)
    path = write_clip(tmp_path, "mask", asked.mask.astype(np.uint8) * np.uint8(255), 23.976, "mp4")
    video, found = cv2.VideoCapture(str(path)), []
    while (read := video.read())[0]:
        found.append(read[1])
    assert np.array_equal(np.stack(found), np.repeat((asked.mask * np.uint8(255))[..., None], 3, axis=-1))
    assert video.get(cv2.CAP_PROP_FPS) == pytest.approx(23.976, abs=0.01)


def test_an_edit_is_one_video_or_folder(tmp_path: Path) -> None:
    with pytest.raises(MethodError, match="found nothing"):
        edit_of_batch(tmp_path, "a")
    write_clip(tmp_path, "a", request("a").frames, 24.0, "mp4")
    assert np.array_equal(read_edit(edit_of_batch(tmp_path, "a")), request("a").frames)
    write_clip(tmp_path, "a", request("a").frames, 24.0, "frames")
    with pytest.raises(MethodError, match=r"expected one edit a, found a, a\.mp4"):
        edit_of_batch(tmp_path, "a")
