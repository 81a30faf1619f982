from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from programs import inverted, request, write_card

from vivid_bench.errors import MethodError
from vivid_bench.methods import find_method
from vivid_bench.types import Edited, EditRequest

PROGRAM = """
import argparse, os, sys, time
from pathlib import Path
import cv2, numpy as np
parser = argparse.ArgumentParser()
for flag in ("--video", "--mask", "--out", "--prompt", "--seed"):
    parser.add_argument(flag, required=True)
a = parser.parse_args()
def frames(path):
    path = Path(path)
    if path.is_dir():
        return np.stack([cv2.imread(str(p)) for p in sorted(path.iterdir())])
    video, found = cv2.VideoCapture(str(path)), []
    while (read := video.read())[0]:
        found.append(read[1])
    return np.stack(found)
clip, mask = frames(a.video), frames(a.mask)
assert set(np.unique(mask)) == {0, 255} and a.prompt == "Remove {x}; it's \\"here\\"" and a.seed == "7"
edited = np.where(mask > 0, 255 - clip, clip)
"""
WRITE = """
folder = Path(a.out) / "results" / (Path(a.video).stem + "-17") / "frames"
folder.mkdir(parents=True)
for i, frame in enumerate(edited):
    cv2.imwrite(str(folder / f"{i:04d}.png"), frame)
"""
FLAGS = ["--video", "{source}", "--mask", "{mask}", "--out", "{out}", "--prompt", "{prompt}", "--seed", "{seed}"]


def run(folder: Path, requests: list[EditRequest], body: str = WRITE, **facts: object) -> list[Edited | MethodError]:
    (folder / "program.py").write_text(PROGRAM + body)
    words = [sys.executable, "{here}/program.py", *FLAGS]
    usual = {"run": words, "per": "sample", "output": "results/source-*/frames"}
    method = find_method(str(write_card(folder, usual | facts))).load("cpu", folder / "run")
    return list(method.edit_many(requests))  # type: ignore[attr-defined]


def ask(sample_id: str, seed: int = 0) -> EditRequest:
    asked = request(sample_id, height=25, width=33, seed=seed)
    return EditRequest(sample_id, "delete", asked.frames, asked.mask, 'Remove {x}; it\'s "here"', 24.0, 7)


@pytest.mark.parametrize(("source", "mask"), [("frames", "frames"), ("mp4", "mp4"), ("mkv", "frames")])
def test_a_process_a_sample_gets_lossless_clips(tmp_path: Path, source: str, mask: str) -> None:
    asked = [ask("a"), ask("b", 1)]
    for one, edited in zip(asked, run(tmp_path, asked, source=source, mask=mask), strict=True):
        assert isinstance(edited, Edited), edited
        assert np.array_equal(edited.frames, inverted(one))
        assert edited.seconds
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["method.log"]


def test_its_output_may_be_named_from_out(tmp_path: Path) -> None:
    (edited,) = run(tmp_path, [ask("a")], output="{out}/results/*/frames")
    assert isinstance(edited, Edited)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("print('no luck'); sys.exit(3)", "the program ended with exit code 3; its log ends: no luck"),
        ("print('all well')", "expected its edit at {out}/results/source-*/frames, found nothing; its log ends: all"),
        (f"{WRITE}\n{WRITE.replace('-17', '-18')}", "found frames, frames"),
        (f"edited = edited[1:]\n{WRITE}", "found uint8 of (4, 25, 33, 3)"),
        (f"edited = edited[:, :, 1:]\n{WRITE}", "found uint8 of (5, 25, 32, 3)"),
        ("while True: print('busy'); time.sleep(0.1)", "not finished within 0.1 minutes, so it was stopped"),
    ],
)
def test_what_fails_costs_its_own_clip(tmp_path: Path, body: str, reason: str) -> None:
    first = f"if clip[0, 0, 0, 0] != {int(ask('a').frames[0, 0, 0, 2])}:\n"
    indented = "".join(f"    {line}\n" for line in body.splitlines())
    minutes = 0.1 if "sleep" in body else 10
    asked = [ask("a"), ask("b", 1)]
    made = run(tmp_path, asked, f"{first}{indented}else:\n" + "".join(f"    {x}\n" for x in WRITE.splitlines()),
               clip_minutes=minutes)  # fmt: skip
    assert isinstance(made[0], Edited), made[0]
    assert reason in str(made[1])


def test_a_clip_that_is_too_long_fails_without_a_process(tmp_path: Path) -> None:
    made = run(tmp_path, [ask("a"), ask("b")], max_frames=4)
    assert all("5 frames and the method takes at most 4" in str(one) for one in made)
    assert not (tmp_path / "run" / "method.log").exists()
