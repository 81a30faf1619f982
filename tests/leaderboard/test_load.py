from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from made_runs import made_split, write_run

from vivid_bench.errors import RecordError
from vivid_bench.leaderboard.load import load_row, load_rows
from vivid_bench.leaderboard.table import build_tables, label
from vivid_bench.leaderboard.words import legend
from vivid_bench.records import RunFolder, find_runs

SPLIT = made_split(5)
VALUES = {"edit_psnr": [20.0, 21.0, 23.0, 26.0, 30.0], "edit_ssim": [0.5, 0.6, 0.7, 0.8, None]}

Change = Callable[[dict[str, object]], object]


@pytest.fixture
def folder(tmp_path: Path) -> RunFolder:
    return write_run(tmp_path / "runs", SPLIT, "one", VALUES)


def rewrite(folder: RunFolder, change: Change) -> None:
    path = folder.path / "run.json"
    record = json.loads(path.read_text())
    change(record)
    path.write_text(json.dumps(record))


def test_a_run_becomes_a_row(folder: RunFolder) -> None:
    row = load_row(folder)
    assert row is not None
    assert row.runs == (folder,)
    assert row.values["edit_psnr"].tolist() == VALUES["edit_psnr"]
    main = row.summaries["edit_psnr"]
    assert main.mean == (20 + 21 + 23 + 26 + 30) / 5
    assert main.ci_low is not None
    assert main.ci_high is not None
    assert main.ci_low < main.mean < main.ci_high
    assert (row.summaries["edit_ssim"].n_scored, row.summaries["edit_ssim"].n_expected) == (4, 5)
    assert not row.is_complete
    assert row.seconds_per_frame == pytest.approx(0.5 / 5)
    assert row.peak_memory_bytes is None


def test_a_control_cannot_pass_for_a_method(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "runs", SPLIT, "copy-source", VALUES, kind="method")
    with pytest.raises(RecordError, match="copy-source is a control, not a method"):
        load_row(folder)


def test_an_accepted_submission_shows_its_badge(folder: RunFolder) -> None:
    facts = {"authors": ["A"], "training_data": "none", "hardware": "a CPU", "seconds_per_clip": 1.0}
    method = {"name": "one", "kind": "method", "version": "1", "tasks": ["delete"], "adapter": "one.py:One"}
    method |= {"licence": "MIT", "submission": facts}
    submission = {"badge": "re-scored", "checked_at": "2026-01-01T00:00:00+00:00", "package_version": "1", "seed": 0}
    submission |= {"manifest_sha256": "0" * 64, "checked": ["delete-0"], "lossy": [], "method": method}
    submission["scores_sha256"] = folder.scores_sha256()
    (folder.path / "submission.json").write_text(json.dumps(submission))
    row = load_row(folder)
    assert row is not None
    assert row.badge == "re-scored"
    (table,) = build_tables([row])
    assert label(table, row) == "one (re-scored)"
    assert any(note.startswith("re-scored: the submitted edits were scored again") for note in legend([table]))
    submission["scores_sha256"] = "0" * 64  # scored again, or changed, after the check
    (folder.path / "submission.json").write_text(json.dumps(submission))
    with pytest.raises(RecordError, match=r"submission\.json: its badge is of other scores than these"):
        load_row(folder)
    (folder.path / "submission.json").write_text("{}")
    with pytest.raises(RecordError, match=r"submission\.json: no submission of schema version 1"):
        load_row(folder)


def test_an_unfinished_run_is_passed_over(folder: RunFolder, tmp_path: Path) -> None:
    rewrite(folder, lambda record: record.update(status="generated"))
    assert load_row(folder) is None
    assert load_row(RunFolder(tmp_path)) is None


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda r: r.pop("samples"), r"no record of schema version 1.*samples"),
        (lambda r: r.update(score=1), r"no record of schema version 1.*score"),
        (lambda r: r.update(schema_version=2), r"no record of schema version 1"),
        (lambda r: r.update(seed=5), "its run key is not that of"),
        (lambda r: r.update(keyframes=[0]), "its run key is not that of"),
        (lambda r: r.update(keyframes_given=True), "its run key is not that of"),
        (lambda r: r["samples"].reverse(), "its run key is not that of"),
        (lambda r: r.update(main_metric="edit_psnrs"), 'unknown metric "edit_psnrs"'),
        (lambda r: r["metrics"].update(nonsense="1"), 'unknown metric "nonsense"'),
        (lambda r: r.update(main_metric="edit_l1"), "its main metric edit_l1 is not among its metrics"),
        (lambda r: r["summaries"]["edit_psnr"].update(mean=24.1), r"not those of scores\.jsonl: edit_psnr"),
        (lambda r: r["summaries"]["edit_ssim"].update(n_scored=5), r"not those of scores\.jsonl: edit_ssim"),
        (lambda r: r["summaries"]["edit_psnr"].update(n_exact=1), r"not those of scores\.jsonl: edit_psnr"),
        (lambda r: r["summaries"]["edit_psnr"].update(ci_low=23.9), r"not those of scores\.jsonl: edit_psnr"),
        (lambda r: r["summaries"].pop("edit_psnr"), r"not those of scores\.jsonl: edit_psnr"),
        (lambda r: r["source_videos"].pop(), "4 source videos for 5 samples"),
    ],
)
def test_a_changed_record_is_refused_with_its_file(folder: RunFolder, change: Change, words: str) -> None:
    rewrite(folder, change)
    with pytest.raises(RecordError, match=f"(?s)run.json: .*{words}"):
        load_row(folder)


def test_changed_scores_are_refused(folder: RunFolder) -> None:
    path = folder.path / "scores.jsonl"
    path.write_text(path.read_text().replace("21.0", "29.0"))
    with pytest.raises(RecordError, match=r"scores\.jsonl: changed after scoring"):
        load_row(folder)
    path.unlink()
    for sha256 in ("0" * 64, None):
        rewrite(folder, lambda record, sha256=sha256: record.update(scores_sha256=sha256))
        with pytest.raises(RecordError, match=r"scores\.jsonl: changed after scoring"):
            load_row(folder)


def test_scores_with_a_right_hash_are_still_checked(folder: RunFolder) -> None:
    path = folder.path / "scores.jsonl"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(lines[1:]))
    rewrite(folder, lambda record: record.update(scores_sha256=folder.scores_sha256()))
    with pytest.raises(RecordError, match=r"scores\.jsonl: 1 scores are missing, e\.g\. edit_psnr of delete-0"):
        load_row(folder)


def test_records_from_before_intervals_are_read(folder: RunFolder) -> None:
    def forget(record: dict[str, object]) -> None:
        del record["source_videos"]
        for summary in record["summaries"].values():  # type: ignore[attr-defined]
            summary.update(ci_low=None, ci_high=None)

    before = load_row(folder)
    rewrite(folder, forget)
    row = load_row(folder)
    assert row is not None
    assert before is not None
    assert row.record.clusters == row.record.samples
    assert row.summaries["edit_psnr"].ci_low == before.summaries["edit_psnr"].ci_low, "each clip is its own video"


def test_a_broken_line_of_edits_is_named(folder: RunFolder) -> None:
    (folder.path / "edits.jsonl").write_text('{"sample_id": "delete-0", "seconds": "fast"}\n')
    with pytest.raises(RecordError, match=r"edits\.jsonl:1: no EditedClip"):
        load_row(folder)
    (folder.path / "edits.jsonl").write_bytes(b'{"sample_id": "\xff"}\n')
    with pytest.raises(RecordError, match=r"edits\.jsonl: .*utf-8"):
        load_row(folder)
    (folder.path / "edits.jsonl").unlink()
    row = load_row(folder)
    assert row is not None
    assert row.seconds_per_frame is None


def test_edits_and_the_record_must_agree(folder: RunFolder) -> None:
    path = folder.path / "edits.jsonl"
    text = path.read_text()
    for changed in (text + text.splitlines()[0] + "\n", text.split("\n", 1)[1], text.replace('"ok"', '"failed"', 1)):
        path.write_text(changed)
        with pytest.raises(RecordError, match=r"edits\.jsonl: its edits, [01] of them failed, are not those"):
            load_row(folder)
    path.write_text(text.replace('"seconds": ', '"seconds": -', 1))
    with pytest.raises(RecordError, match=r"edits\.jsonl: seconds below 0"):
        load_row(folder)
    path.write_text(text)
    rewrite(folder, lambda record: record.update(n_failed=-1))
    with pytest.raises(RecordError, match=r"edits\.jsonl: its edits, 0 of them failed"):
        load_row(folder)


def test_a_file_that_must_not_be_read_is_said(folder: RunFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path, **_: object) -> str:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "read_text", refuse)  # the tests may run as root, who may read everything
    with pytest.raises(RecordError, match=r"run\.json: no permission to read it"):
        load_row(folder)


def test_a_run_met_twice_counts_once_and_others_stand(folder: RunFolder, tmp_path: Path) -> None:
    write_run(tmp_path / "runs", SPLIT, "two", VALUES)
    broken = write_run(tmp_path / "runs", SPLIT, "three", VALUES)
    (broken.path / "run.json").write_text("{")
    shutil.copytree(folder.path, tmp_path / "runs" / "z" / "copy of one")
    loaded = load_rows(find_runs(tmp_path / "runs"))
    assert [row.record.method.name for row in loaded.rows] == ["one", "two"]
    messages = sorted(map(str, loaded.refused))
    assert "three" in messages[0]
    assert "no record of schema version 1" in messages[0]
    assert "copy of one/run.json: the same run as" in messages[1]
    assert messages[1].endswith(f"{folder.path / 'run.json'}; remove one of them")
