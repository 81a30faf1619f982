"""What an accepted submission leaves among the records."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from submitted import N_SAMPLES, Bench, Quiet, renew_manifest

from vivid_bench.errors import InputError, RecordError
from vivid_bench.methods import find_method
from vivid_bench.records import RunFolder, find_runs
from vivid_bench.run import RunOptions, run_methods
from vivid_bench.submission import accept
from vivid_bench.submission.pack import pack
from vivid_bench.submission.record import read_submission
from vivid_bench.submission.runs import Suites
from vivid_bench.video import VideoData, read_video


def test_accepted_run_lies_among_the_records(bench: Bench, tmp_path: Path) -> None:
    report = bench.check(bench.archive, into=tmp_path / "results", every=False)
    (own,) = find_runs(bench.runs)
    (folder,) = find_runs(tmp_path / "results")
    assert report.accepted == [folder]
    assert folder.path.relative_to(tmp_path / "results") == own.path.relative_to(bench.runs)
    for name in ("run.json", "scores.jsonl", "edits.jsonl", "edits/clip-00.mkv"):
        assert (folder.path / name).read_bytes() == (own.path / name).read_bytes()
    assert len(list(folder.previews_dir.glob("*.mp4"))) == N_SAMPLES
    assert len(read_video(folder.previews_dir / "clip-00.mp4").frames) == 5
    said = read_submission(folder)
    assert said is not None
    assert said.badge == "re-scored"
    assert list(said.checked) == report.checked[folder.path.name]
    assert len(said.checked) == 2
    assert said.method.submission.authors == ("The vivid-bench authors",)
    assert read_submission(own) is None


def test_nothing_is_copied_with_a_problem(bench: Bench, tmp_path: Path) -> None:
    bench.unpacked(tmp_path / "s")
    (tmp_path / "s" / "extra").write_text("")
    assert bench.check(tmp_path / "s", into=tmp_path / "results", every=False).accepted == []
    assert not (tmp_path / "results").exists()


def test_an_edit_that_cannot_be_decoded_leaves_no_run_accepted(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = find_method(f"{bench.method / 'method.py'}:BlurFill")
    run_methods([known], [bench.split()], RunOptions(tmp_path / "runs", seeds=2), Quiet())
    pack([tmp_path / "runs"], bench.method / "method.toml", tmp_path / "two.zip", Suites(str(bench.suite)))
    read: list[Path] = []

    def refuse_the_second_run(path: Path) -> VideoData:
        read.append(path)
        if len(read) > N_SAMPLES:
            raise InputError(path, expected="a video", found="damage", fix="make it again")
        return read_video(path)

    monkeypatch.setattr(accept, "read_video", refuse_the_second_run)
    with pytest.raises(InputError, match="damage"):
        bench.check(tmp_path / "two.zip", into=tmp_path / "results", every=False)
    assert find_runs(tmp_path / "results") == []


def test_run_that_is_there_already(bench: Bench, tmp_path: Path) -> None:
    bench.check(bench.archive, into=tmp_path / "results", every=False)
    (problem,) = bench.check(bench.archive, into=tmp_path / "results", every=False).problems
    assert "expected no such run, found one" in problem


def test_name_that_others_have(bench: Bench, tmp_path: Path) -> None:
    bench.check(bench.archive, into=tmp_path / "results", every=False)
    (run,) = find_runs(tmp_path / "results")
    run.path.rename(run.path.with_name("f" * 12))  # another run of theirs
    bench.unpacked(tmp_path / "s")
    card = tmp_path / "s" / "method.toml"
    card.write_text(card.read_text().replace("The vivid-bench authors", "Somebody Else"))
    renew_manifest(tmp_path / "s")
    (problem,) = bench.check(tmp_path / "s", into=tmp_path / "results", every=False).problems
    assert "expected runs by Somebody Else, found another's" in problem


def test_damaged_submission_record(bench: Bench, tmp_path: Path) -> None:
    (own,) = find_runs(bench.runs)
    shutil.copytree(own.path, tmp_path / "run")
    (tmp_path / "run" / "submission.json").write_text('{"badge": "gold"}')
    with pytest.raises(RecordError, match=r"submission\.json: no submission of schema version 1"):
        read_submission(RunFolder(tmp_path / "run"))
