"""Files with a good name and bad content: each is a problem in the report, none takes the check down."""

from __future__ import annotations

import json
import os
import resource
from pathlib import Path

import pytest
from submitted import FRAMES, Bench, random_clip, renew_manifest

from vivid_bench.files import sha256_path
from vivid_bench.submission.video_header import header_flaws
from vivid_bench.types import Sample
from vivid_bench.video import write_lossless

NESTED = "[" * 100_000


def test_absurd_frame_size_in_a_header(bench: Bench, tmp_path: Path) -> None:
    run = bench.unpacked(tmp_path / "s")
    video = run / "edits" / "clip-00.mkv"
    # Width and height of one byte each, 32x24, and an element behind them that nobody needs.
    before, after = bytes.fromhex("b08120ba811854b28104"), bytes.fromhex("b0823e80ba823e80ec80")
    content = video.read_bytes()
    assert content.count(before) == 1
    for size, said in (
        (after, "unknown format or over 67,108,864"),
        (after.replace(b"\x3e\x80", b"\x03\xe8"), "1000x1000"),
    ):
        video.write_bytes(content.replace(before, size))
        lines = [json.loads(line) for line in (run / "edits.jsonl").read_text().splitlines()]
        lines[0]["video"]["sha256"] = sha256_path(video)
        (run / "edits.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        renew_manifest(tmp_path / "s")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        (problem,) = bench.check(tmp_path / "s", every=False).problems
        assert "clip-00.mkv" in problem
        assert said in problem
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak < 200_000  # kB; a frame would be 1 GB


def test_edit_that_is_far_too_large(bench: Bench, tmp_path: Path) -> None:
    sample: Sample = bench.split().split.samples[0]
    with (tmp_path / "edit.mkv").open("wb") as file:
        os.truncate(file.fileno(), 2**20 + FRAMES * 24 * 32 * 5 + 1)
    (problem,) = header_flaws(tmp_path / "edit.mkv", sample).problems
    assert "expected at most 1,067,776 bytes for clip-00, found 1,067,777" in str(problem)  # 2**20 + 5*24*32*5


def test_metadata_that_is_no_text(bench: Bench, tmp_path: Path) -> None:
    video = bench.unpacked(tmp_path / "s") / "edits" / "clip-00.mkv"
    content = video.read_bytes()
    assert b"DURATION" in content
    (tmp_path / "edit.mkv").write_bytes(content.replace(b"DURATION", b"\x93URATION"))
    (problem,) = header_flaws(tmp_path / "edit.mkv", bench.split().split.samples[0]).problems
    assert "expected a video, found none that can be read ('utf-8' codec can't decode" in str(problem)


def test_random_pixels_are_not_too_large(bench: Bench, tmp_path: Path) -> None:
    sample = bench.split().split.samples[0].model_copy(update={"frames": 8, "height": 400, "width": 400})
    write_lossless(tmp_path / "edit.mkv", random_clip(8, 400, 400), 24.0)
    flaws = header_flaws(tmp_path / "edit.mkv", sample)
    assert (flaws.problems, flaws.lossy) == ([], set())


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd", "../../../../../method.toml", "edits/../run.json", "run.json", "edits\0",
        "edits/../edits/clip-00.mkv", f"edits/{'x' * 5000}.mkv", "x/" * 5000,
    ],
)  # fmt: skip
def test_edit_whose_path_leads_elsewhere(bench: Bench, tmp_path: Path, path: str) -> None:
    run = bench.unpacked(tmp_path / "s")
    lines = [json.loads(line) for line in (run / "edits.jsonl").read_text().splitlines()]
    lines[0]["video"]["path"] = path
    (run / "edits.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    renew_manifest(tmp_path / "s")
    problems = bench.check(tmp_path / "s", every=False).problems
    assert "expected a file of the run's edits for clip-00" in problems[-1]
    assert len(problems) == 1 + ("\0" in path)  # a control character is a problem of its own
    assert all(problem.isprintable() for problem in problems)


@pytest.mark.parametrize("name", ["manifest.json", "run.json", "edits.jsonl", "scores.jsonl"])
@pytest.mark.parametrize(
    "content",
    [NESTED.encode(), b"", b"\xff\xfe", b"null\n", b'{"a": 1e999}\n', b"9" * 10_000],
    ids=["nested", "empty", "bytes", "null", "key", "number"],
)
def test_json_that_is_none(bench: Bench, tmp_path: Path, name: str, content: bytes) -> None:
    run = bench.unpacked(tmp_path / "s")
    path = tmp_path / "s" / name if name == "manifest.json" else run / name
    path.write_bytes(content)
    if name != "manifest.json":
        renew_manifest(tmp_path / "s")
    report = bench.check(tmp_path / "s", every=False)
    assert report.badge is None
    assert any(name in problem for problem in report.problems)
    assert all(problem.isprintable() for problem in report.problems)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a = " + NESTED[:60_000].encode(), "RecursionError"),
        (b"#" * 70_000, "65,537 bytes"),
        (b"\xff", "UnicodeDecodeError"),
        (b"a = " + b"9" * 5000, "ValueError"),
        (b"name = 3", "name: Input should be a valid string"),
        (b'surprise = "x"', "surprise: Extra inputs are not permitted"),
    ],
    ids=["nested", "huge", "bytes", "number", "type", "key"],
)
def test_method_file_that_is_none(bench: Bench, tmp_path: Path, content: bytes, said: str) -> None:
    bench.unpacked(tmp_path / "s")
    if said.startswith("65"):
        content = content[:65_537]
    (tmp_path / "s" / "method.toml").write_bytes(content)
    renew_manifest(tmp_path / "s")
    report = bench.check(tmp_path / "s", every=False)
    assert any("method.toml" in problem and said in problem for problem in report.problems)
    assert all(problem.isprintable() for problem in report.problems)


def test_markup_and_control_characters_in_a_record(bench: Bench, tmp_path: Path) -> None:
    run = bench.unpacked(tmp_path / "s")
    record = json.loads((run / "run.json").read_text())
    record["environment"]["device_name"] = "[red]\x1b]0;owned\x07<script>"
    (run / "run.json").write_text(json.dumps(record))
    renew_manifest(tmp_path / "s")
    (problem,) = bench.check(tmp_path / "s", every=False).problems
    assert "control characters in environment.device_name" in problem


def test_control_characters_in_the_authors(bench: Bench, tmp_path: Path) -> None:
    bench.unpacked(tmp_path / "s")
    card = tmp_path / "s" / "method.toml"
    card.write_text(card.read_text().replace("The vivid-bench authors", "\\u202Erohtua"))
    renew_manifest(tmp_path / "s")
    (problem,) = bench.check(tmp_path / "s", every=False).problems
    assert "control or formatting characters in submission.authors[0]" in problem


def test_source_videos_that_would_narrow_intervals(bench: Bench, tmp_path: Path) -> None:
    run = bench.unpacked(tmp_path / "s")
    record = json.loads((run / "run.json").read_text())
    record["source_videos"] = record["samples"]
    (run / "run.json").write_text(json.dumps(record))
    renew_manifest(tmp_path / "s")
    (problem,) = bench.check(tmp_path / "s", every=False).problems
    assert "expected the split's 6 source videos, which intervals resample, found others" in problem


def test_what_the_leaderboard_refuses_earns_no_badge(bench: Bench, tmp_path: Path) -> None:
    run = bench.unpacked(tmp_path / "s")
    record = json.loads((run / "run.json").read_text())
    record["summaries"]["edit_psnr"]["ci_low"] = 0.0
    record["summaries"]["unheard_of"] = record["summaries"]["edit_psnr"]
    (run / "run.json").write_text(json.dumps(record))
    renew_manifest(tmp_path / "s")
    (problem,) = bench.check(tmp_path / "s", every=False).problems
    assert problem.endswith("its summaries are not those of scores.jsonl: edit_psnr, unheard_of")


@pytest.mark.parametrize(("keyframes", "given"), [("by sample", None), (None, True)])
def test_keyframes_that_the_split_has_not(bench: Bench, tmp_path: Path, keyframes: str | None, given: bool) -> None:
    run = bench.unpacked(tmp_path / "s")
    record = json.loads((run / "run.json").read_text()) | {"keyframes": keyframes, "keyframes_given": given}
    (run / "run.json").write_text(json.dumps(record))
    renew_manifest(tmp_path / "s")
    problems = bench.check(tmp_path / "s", every=False).problems
    expected = "keyframes None, found by sample" if keyframes else "keyframes given None, found True"
    assert any(f"expected {expected}" in problem for problem in problems)
