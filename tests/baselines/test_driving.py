from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from clips import box_mask, moving_clip

from vivid_bench.baselines.driving import Clip, read_clip, serve, to_uint8, write_frames


def request(folder: Path, name: str, seed: int = 3) -> dict[str, object]:
    frames, mask = moving_clip(3), box_mask(3, 24, 32)
    write_frames(folder / name / "source", frames)
    write_frames(folder / name / "mask", np.repeat((mask * np.uint8(255))[..., None], 3, axis=-1))
    return {
        "name": name, "task": "delete", "prompt": "Remove it.", "negative_prompt": None, "seed": seed,
        "source_frames": str(folder / name / "source"), "mask_frames": str(folder / name / "mask"),
    }  # fmt: skip


def test_a_clip_is_read_as_it_was_written(tmp_path: Path) -> None:
    clip = read_clip(request(tmp_path, "one"))
    np.testing.assert_array_equal(clip.frames, moving_clip(3))
    np.testing.assert_array_equal(clip.mask, box_mask(3, 24, 32))
    assert (clip.task, clip.prompt, clip.negative_prompt, clip.seed) == ("delete", "Remove it.", None, 3)


def test_one_failed_request_does_not_stop_the_rest(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    requests = [request(tmp_path, name, seed) for seed, name in enumerate(("one", "two", "three"))]
    (tmp_path / "requests.jsonl").write_text("".join(json.dumps(line) + "\n" for line in requests))

    def edit(clip: Clip) -> object:
        if clip.seed == 1:
            raise RuntimeError("CUDA out\nof memory")
        return 1 - clip.frames / np.float32(255)

    serve(edit, tmp_path, tmp_path / "edits")
    assert capsys.readouterr().out.splitlines() == [
        "vivid-bench: done one", "vivid-bench: failed two RuntimeError: CUDA out of memory", "vivid-bench: done three",
    ]  # fmt: skip
    assert sorted(path.name for path in (tmp_path / "edits").iterdir()) == ["one", "three"]
    assert len(list((tmp_path / "edits" / "one").iterdir())) == 3


def test_floats_are_rounded_and_cut_and_must_be_finite() -> None:
    np.testing.assert_array_equal(to_uint8(np.array([-1, 0, 0.5, 1, 2], np.float32)), [0, 0, 128, 255, 255])
    whole = np.array([7], np.uint8)
    assert to_uint8(whole) is whole
    with pytest.raises(ValueError, match="not finite"):
        to_uint8(np.array([0.5, np.nan]))
