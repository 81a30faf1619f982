"""Checking: what is in order earns a badge; each way to be wrong is found and named."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from submitted import FRAMES, HEIGHT, METRICS, N_SAMPLES, WIDTH, Bench, edit_scores, random_clip, renew_manifest

from vivid_bench.errors import InputError
from vivid_bench.files import sha256_path
from vivid_bench.metrics import metric_info
from vivid_bench.submission.check import CheckReport
from vivid_bench.submission.runs import Suites
from vivid_bench.video import write_lossless, write_preview


def replace_edit(run: Path, sample_id: str, file: Path, codec: str) -> None:
    """Put another video in an edit's place and make edits.jsonl agree."""
    lines = [json.loads(line) for line in (run / "edits.jsonl").read_text().splitlines()]
    (line,) = (line for line in lines if line["sample_id"] == sample_id)
    (run / line["video"]["path"]).unlink()
    shutil.copyfile(file, run / "edits" / f"{sample_id}{file.suffix}")
    line["video"] = {"path": f"edits/{sample_id}{file.suffix}", "sha256": sha256_path(file)}
    line["codec"] = codec
    (run / "edits.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))


def only_problem(report: CheckReport) -> str:
    assert report.badge is None
    (problem,) = report.problems
    return problem


def test_archive_in_order_is_re_scored(bench: Bench) -> None:
    report = bench.check(bench.archive)
    assert report.problems == []
    assert report.warnings in ([], ["delete, run " + report.runs[0].record.run_key + _DIRTY])
    assert report.badge == "re-scored"
    ((run_key, checked),) = report.checked.items()
    assert run_key == report.runs[0].record.run_key
    assert len(checked) == N_SAMPLES


_DIRTY = ": made with uncommitted changes to vivid-bench"


def test_folder_is_checked_as_the_archive_is(bench: Bench, tmp_path: Path) -> None:
    bench.unpacked(tmp_path / "s")
    assert bench.check(tmp_path / "s").badge == "re-scored"


def test_a_tenth_but_at_least_two_clips(bench: Bench) -> None:
    report = bench.check(bench.archive, every=False)
    ((_, checked),) = report.checked.items()
    assert len(checked) == 2  # a tenth of 12 is 2, rounded up
    assert list(bench.check(bench.archive, every=False).checked.values()) == [checked]
    others = {tuple(next(iter(bench.check(bench.archive, every=False, seed=s).checked.values()))) for s in range(2, 6)}
    assert others != {tuple(checked)}


def test_corrupted_byte_in_a_video(bench: Bench, tmp_path: Path) -> None:
    content = bytearray(bench.archive.read_bytes())
    start = content.index(b"\x1aE\xdf\xa3")  # Matroska
    content[start + 2000] ^= 1
    damaged = tmp_path / "damaged.zip"
    damaged.write_bytes(content)
    problems = bench.check(damaged).problems
    assert "damage (Bad CRC-32 for file" in problems[0]
    assert any("clip-00.mkv: expected" in p and "found nothing" in p for p in problems)


def test_corrupted_byte_under_an_old_manifest(bench: Bench, tmp_path: Path) -> None:
    run = bench.unpacked(tmp_path / "s")
    video = run / "edits" / "clip-03.mkv"
    content = bytearray(video.read_bytes())
    content[2000] ^= 1
    video.write_bytes(content)
    problems = bench.check(tmp_path / "s").problems
    assert any("clip-03.mkv" in p and "(manifest)" in p for p in problems)
    assert any("clip-03.mkv" in p and "(edits.jsonl)" in p for p in problems)


def test_missing_sample(bench: Bench, tmp_path: Path) -> None:
    run = bench.unpacked(tmp_path / "s")
    (run / "edits" / "clip-05.mkv").unlink()
    renew_manifest(tmp_path / "s")
    problem = only_problem(bench.check(tmp_path / "s"))
    assert "expected a file of the run's edits for clip-05" in problem


def test_missing_line_and_score(bench: Bench, tmp_path: Path) -> None:
    run = bench.unpacked(tmp_path / "s")
    for name in ("edits.jsonl", "scores.jsonl"):
        lines = (run / name).read_text().splitlines(keepends=True)
        (run / name).write_text("".join(line for line in lines if '"clip-07"' not in line))
    renew_manifest(tmp_path / "s")
    problems = bench.check(tmp_path / "s").problems
    assert any("expected an edit of clip-07, found none" in p for p in problems)
    assert any("expected 12 edits and 0 failed clips (run.json), found 11 and 0" in p for p in problems)
    assert any("expected the scores that run.json names, found others" in p for p in problems)
    assert sum("of clip-07, found none" in p and "scores.jsonl" in p for p in problems) == len(METRICS)


def test_edited_score_is_found_by_re_scoring_alone(bench: Bench, tmp_path: Path) -> None:
    run = bench.unpacked(tmp_path / "s")

    def better(line: dict[str, object]) -> None:
        if line["metric"] == "edit_psnr" and line["sample_id"] == "clip-04":
            line["value"] += 1.0  # type: ignore[operator]

    edit_scores(run, better)
    renew_manifest(tmp_path / "s")
    problem = only_problem(bench.check(tmp_path / "s"))
    assert "edit_psnr of clip-04 is said to be" in problem
    assert "tolerance pixels (0.0001 of the figure, or 1e-06)" in problem


def test_edited_mean_is_found_without_re_scoring(bench: Bench, tmp_path: Path) -> None:
    run = bench.unpacked(tmp_path / "s")
    record = json.loads((run / "run.json").read_text())
    record["summaries"]["edit_psnr"]["mean"] += 1
    (run / "run.json").write_text(json.dumps(record))
    renew_manifest(tmp_path / "s")
    assert "expected the mean edit_psnr of its scores" in only_problem(bench.check(tmp_path / "s"))


def test_another_split_version(bench: Bench, tmp_path: Path) -> None:
    other = tmp_path / "suite"
    shutil.copytree(bench.suite, other)
    lines = (other / "delete.jsonl").read_text().replace('"prompt":""', '"prompt":"Remove it."')
    (other / "delete.jsonl").write_text(lines)
    suite = (other / "suite.toml").read_text().replace('version = "1"', 'version = "2"')
    old = sha256_path(bench.suite / "delete.jsonl")
    (other / "suite.toml").write_text(suite.replace(old, sha256_path(other / "delete.jsonl")))
    problems = bench.check(bench.archive, suites=Suites(str(other))).problems
    assert any("expected split version 2, found 1" in p for p in problems)
    assert any("another version or other clips" in p for p in problems)


def test_another_metric_version(bench: Bench, tmp_path: Path) -> None:
    run = bench.unpacked(tmp_path / "s")
    record = json.loads((run / "run.json").read_text())
    record["metrics"]["edit_psnr"] = "0"
    (run / "run.json").write_text(json.dumps(record))
    renew_manifest(tmp_path / "s")
    problems = bench.check(tmp_path / "s").problems
    assert any("expected edit_psnr of version 1, found 0" in p for p in problems)
    assert any("expected the protocols of its runs, found others" in p for p in problems)


@pytest.mark.parametrize(
    ("shape", "expected", "found"),
    [
        ((FRAMES - 1, HEIGHT, WIDTH), f"{FRAMES} frames", f"{FRAMES - 1}"),
        ((FRAMES + 1, HEIGHT, WIDTH), f"{FRAMES} frames", f"{FRAMES + 1}"),
        ((FRAMES, HEIGHT, WIDTH + 2), f"{WIDTH}x{HEIGHT}", f"{WIDTH + 2}x{HEIGHT}"),
    ],
)
def test_wrong_shape(bench: Bench, tmp_path: Path, shape: tuple[int, int, int], expected: str, found: str) -> None:
    run = bench.unpacked(tmp_path / "s")
    write_lossless(tmp_path / "other.mkv", random_clip(*shape), 24.0)
    replace_edit(run, "clip-02", tmp_path / "other.mkv", "ffv1")
    renew_manifest(tmp_path / "s")
    problem = only_problem(bench.check(tmp_path / "s"))
    assert "clip-02.mkv: expected " + expected in problem
    assert f"found {found};" in problem


def test_lossy_codec_is_said(bench: Bench, tmp_path: Path) -> None:
    run = bench.unpacked(tmp_path / "s")
    write_preview(tmp_path / "other.mp4", random_clip(), 24.0)
    replace_edit(run, "clip-02", tmp_path / "other.mp4", "h264")
    renew_manifest(tmp_path / "s")
    report = bench.check(tmp_path / "s")
    assert any("edits that are not lossless: h264 yuv420p" in w for w in report.warnings)
    assert all("clip-02 is said to be" in p for p in report.problems)  # and those are other pixels


def test_partial_run_is_refused(bench: Bench, tmp_path: Path) -> None:
    run = bench.unpacked(tmp_path / "s")
    record = json.loads((run / "run.json").read_text())
    for key in ("samples", "source_videos"):
        record[key] = record[key][:2]
    (run / "run.json").write_text(json.dumps(record))
    renew_manifest(tmp_path / "s")
    problems = bench.check(tmp_path / "s").problems
    assert any("expected all 12 samples of the split, in its order, found 2, without clip-02" in p for p in problems)


def test_declared_task_without_a_run(bench: Bench, tmp_path: Path) -> None:
    bench.unpacked(tmp_path / "s")
    card = tmp_path / "s" / "method.toml"
    card.write_text(card.read_text().replace('["delete"]', '["delete", "add"]'))
    renew_manifest(tmp_path / "s")
    assert "expected a finished run of the whole split for add, found none" in only_problem(bench.check(tmp_path / "s"))


def test_every_problem_at_once(bench: Bench, tmp_path: Path) -> None:
    run = bench.unpacked(tmp_path / "s")
    (run / "edits" / "clip-05.mkv").unlink()
    (tmp_path / "s" / "setup.py").write_text("raise SystemExit('executed')")
    write_lossless(tmp_path / "other.mkv", random_clip(frames=3), 24.0)
    replace_edit(run, "clip-02", tmp_path / "other.mkv", "ffv1")
    (tmp_path / "s" / "method.toml").write_text((tmp_path / "s" / "method.toml").read_text().replace('"1"', '"2"'))
    problems = bench.check(tmp_path / "s").problems
    for part in ("setup.py", "clip-05", "expected 5 frames (as clip-02), found 3", "expected version 2 (method.toml)"):
        assert any(part in p for p in problems), part


def test_a_name_that_ships_is_refused(bench: Bench, tmp_path: Path) -> None:
    bench.unpacked(tmp_path / "s")
    (run,) = (tmp_path / "s").glob("records/*/*/*/*")
    record = json.loads((run / "run.json").read_text())
    record["method"]["name"] = "telea"
    (run / "run.json").write_text(json.dumps(record))
    run.parent.rename(run.parent.with_name("telea"))
    renew_manifest(tmp_path / "s")
    problems = bench.check(tmp_path / "s").problems
    assert any("expected a name of its own, found telea, a method that ships" in p for p in problems)
    assert any("expected the run key" in p for p in problems)


def test_record_in_another_folder(bench: Bench, tmp_path: Path) -> None:
    run = bench.unpacked(tmp_path / "s")
    run.rename(run.with_name("0" * 12))
    renew_manifest(tmp_path / "s")
    problems = bench.check(tmp_path / "s").problems
    assert any("as its run.json says, found another" in p for p in problems)


def test_unknown_suite(bench: Bench) -> None:
    problems = bench.check(bench.archive, suites=Suites()).problems
    assert any('unknown suite "tiny"' in p for p in problems)


def test_cuts_off_nothing_it_cannot_read(bench: Bench, tmp_path: Path) -> None:
    content = bench.archive.read_bytes()
    truncated, text = tmp_path / "truncated.zip", tmp_path / "text.zip"
    truncated.write_bytes(content[: len(content) // 2])
    text.write_text("no archive")
    for path in (truncated, text):
        with pytest.raises(
            InputError, match="expected a zip archive as `submit pack` writes it, found a truncated one"
        ):
            bench.check(path)
    with pytest.raises(InputError, match="found nothing"):
        bench.check(tmp_path / "absent.zip")


def test_re_run(bench: Bench, tmp_path: Path) -> None:
    adapter = f"{bench.method / 'method.py'}:BlurFill"
    assert bench.check(bench.archive, rerun=adapter, every=False).badge == "re-run"
    shutil.copytree(bench.method, tmp_path / "other")
    code = tmp_path / "other" / "method.py"
    code.write_text(code.read_text().replace("1e-3", "1e-2"))
    problem = only_problem(bench.check(bench.archive, rerun=f"{code}:BlurFill", every=False))
    assert "--rerun blur-fill differs in code_sha256" in problem


def test_decoder_that_raises_costs_one_clip(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    def raises(*arguments: object) -> None:
        raise ValueError("no such \x1b[31mpixels")

    monkeypatch.setattr("vivid_bench.submission.rescore.score_edit", raises)
    problems = bench.check(bench.archive, every=False).problems
    assert len(problems) == 2
    assert all(r"cannot be scored: ValueError: no such \x1b[31mpixels" in problem for problem in problems)


def test_nothing_of_a_submission_is_executed(bench: Bench, tmp_path: Path) -> None:
    bench.unpacked(tmp_path / "s")
    witness = tmp_path / "witness"
    (tmp_path / "s" / "method.py").write_text(f"open({str(witness)!r}, 'w')")
    assert "method.py" in bench.check(tmp_path / "s").problems[0]
    assert not witness.exists()


def test_without_the_weights_of_what_ranks_no_figure_that_counts_was_re_scored(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = metric_info("edit_psnr").model_copy(update={"needs_weights": "alex"})
    monkeypatch.setattr("vivid_bench.submission.check.metric_info", lambda _: info)
    monkeypatch.setattr("vivid_bench.submission.check.why_missing", lambda _: "missing")
    report = bench.check(bench.archive, every=False)
    assert (report.badge, report.problems) == ("self-reported", [])
