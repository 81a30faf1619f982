from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from made_runs import made_split, write_run

from vivid_bench.errors import InputError, RecordError
from vivid_bench.report.subject import Subject, find_subject

VALUES = {"edit_psnr": [1.0, 2.0, 3.0]}


def write_runs(records: Path) -> Path:
    """Two tasks of `mine` with a control each, and another method; returns the run of delete."""
    write_run(records, made_split(3, "add"), "mine", VALUES)
    split = made_split(3)
    write_run(records, split, "copy-source", VALUES, kind="control")
    write_run(records, split, "other", VALUES)
    return write_run(records, split, "mine", VALUES).path


def names(subject: Subject) -> list[tuple[str, list[str]]]:
    return [(table.task, [row.record.method.name for row in table.rows]) for table, _ in subject.rows]


def test_a_run_stands_beside_its_controls(tmp_path: Path) -> None:
    run = write_runs(tmp_path)
    subject = find_subject(run)
    assert names(subject) == [("delete", ["mine", "copy-source"])]
    assert (subject.method, subject.run_key) == ("mine", run.name)
    assert [row.record.method.name for _, row in subject.rows] == ["mine"]


def test_a_methods_folder_is_all_its_tasks(tmp_path: Path) -> None:
    run = write_runs(tmp_path)
    subject = find_subject(run.parent)
    assert sorted(names(subject)) == [("add", ["mine"]), ("delete", ["mine", "copy-source"])]
    assert subject.run_key is None


def test_a_report_on_a_control_has_the_other_controls(tmp_path: Path) -> None:
    write_runs(tmp_path)
    write_run(tmp_path, made_split(3), "grey-fill", VALUES, kind="control")
    subject = find_subject(tmp_path / "made" / "delete" / "grey-fill")
    assert [row.record.method.name for _, row in subject.rows] == ["grey-fill"]
    assert [(task, sorted(rows)) for task, rows in names(subject)] == [("delete", ["copy-source", "grey-fill"])]


def test_a_run_that_was_moved_away_has_no_controls(tmp_path: Path) -> None:
    run = write_runs(tmp_path / "records")
    shutil.copytree(run, tmp_path / "moved")
    assert names(find_subject(tmp_path / "moved")) == [("delete", ["mine"])]


def test_paths_as_they_are_typed_in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = write_runs(tmp_path)
    both = [("add", ["mine"]), ("delete", ["mine", "copy-source"])]
    for folder, typed in ((run.parent, "."), (run.parents[1], "mine"), (run.parents[1], "../delete/mine")):
        monkeypatch.chdir(folder)
        assert sorted(names(find_subject(Path(typed)))) == both
    for folder, typed in ((run, "."), (run.parent, run.name)):
        monkeypatch.chdir(folder)
        assert names(find_subject(Path(typed))) == both[1:]


def test_a_broken_record_does_not_hide_the_others(tmp_path: Path) -> None:
    run = write_runs(tmp_path)
    second = write_run(tmp_path, made_split(3), "mine", VALUES, seed=1).path
    first = min(run, second)
    (first / "run.json").write_text("{")
    subject = find_subject(run.parent)
    assert sorted(names(subject)) == [("add", ["mine"]), ("delete", ["mine", "copy-source"])]
    assert [str(first) in str(error) for error in subject.refused] == [True]


def test_what_is_no_subject(tmp_path: Path) -> None:
    run = write_runs(tmp_path)
    with pytest.raises(InputError, match="found runs of copy-source, mine, other"):
        find_subject(tmp_path / "made" / "delete")
    with pytest.raises(InputError, match="found none"):
        find_subject(tmp_path / "nowhere")
    (run / "scores.jsonl").write_text("")
    with pytest.raises(RecordError, match="changed after scoring"):
        find_subject(run)
    record = (run / "run.json").read_text()
    (run / "run.json").write_text(record.replace('"complete"', '"generated"'))
    with pytest.raises(RecordError, match="no finished run"):
        find_subject(run)
