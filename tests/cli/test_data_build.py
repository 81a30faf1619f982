from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from vivid_bench.cli.main import app
from vivid_bench.scenes import render_sample
from vivid_bench.video import write_lossless


@pytest.fixture
def videos(tmp_path: Path) -> Path:
    folder = tmp_path / "my videos"
    for seed in (1, 2):
        scene = render_sample("add", seed, fold="validation", mask_kind="original", frames=9, height=96, width=128)
        place = folder / f"scene {seed}"
        write_lossless(place / "source.mkv", scene.reference, 8.0)
        assert scene.entity_mask is not None
        write_lossless(place / "mask.mkv", scene.entity_mask.astype(np.uint8) * np.uint8(255), 8.0)
        (place / "caption.txt").write_text(scene.prompt)
    return folder


def command(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    return subprocess.run(
        [sys.executable, "-m", "vivid_bench", *words], cwd=folder, env=environment, capture_output=True, text=True,
        check=False, timeout=300,
    )  # fmt: skip


def test_from_raw_video_to_scored_rows(videos: Path, tmp_path: Path) -> None:
    size = ("--frames", "9", "--side", "96")
    built = command(
        tmp_path, "data", "build", "--videos", str(videos), "--out", "own", "--task", "all", *size, "--json"
    )
    assert built.returncode == 0, built.stderr
    report = json.loads(built.stdout)
    assert report["samples"] >= 5
    assert report["timing"]["clips"]["frames"] == 18
    assert (tmp_path / "own" / "card" / "README.md").is_file()
    methods = ("--method", "telea,copy-source", "--task", "delete", "--suite", "own")
    scored = command(tmp_path, "run", *methods, "--out", "runs", "--json")
    assert scored.returncode == 0, scored.stderr
    (table,) = json.loads(scored.stdout)
    means = {row["method"]: row["summaries"]["edit_psnr"]["mean"] for row in table["rows"]}
    assert means["telea"] > means["copy-source"]


def test_a_stage_at_a_time(videos: Path, tmp_path: Path) -> None:
    arguments = ["data", "build", "--videos", str(videos), "--out", str(tmp_path / "own"), "--frames", "9"]
    stopped = CliRunner().invoke(app, [*arguments, "--side", "96", "--until", "tracks"])
    assert stopped.exit_code == 0, stopped.output
    assert "stopped as asked" in stopped.output
    assert not (tmp_path / "own" / "suite.toml").exists()


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["--entities", "yolo"], "--entities: Input should be 'motion' or 'grounding-dino'"),
        (["--until", "the end"], 'unknown stage "the end"'),
        (["--name", "my suite"], "--name: letters, digits, `.`, `_` and `-` alone, found 'my suite'"),
        (["--name", "davis"], "--name: a suite called davis is there already"),
        (["--entities", "grounding-dino"], "needs to know what to look for"),
        (["--motion", "raft", "--raft", "/no/such"], "/no/such: expected a file of RAFT's weights, found no file"),
        (["--propagation", "sam2", "--tracker", "/no/such"], "/no/such"),
    ],
)
def test_options_that_cannot_be_met(videos: Path, tmp_path: Path, words: list[str], text: str) -> None:
    done = command(tmp_path, "data", "build", "--videos", str(videos), "--out", "own", *words)
    assert done.returncode == 2
    assert text in done.stderr
    assert not (tmp_path / "own").exists()
