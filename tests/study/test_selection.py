"""Which runs may stand in one study."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from made_study import METHODS, write_runs

from vivid_bench.errors import InputError, InputReportError, VividBenchError
from vivid_bench.records import RunFolder, find_runs, run_key
from vivid_bench.study.selection import Selection, select
from vivid_bench.types import EditedClip


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("written")
    write_runs(folder)
    return folder


@pytest.fixture
def folder(written: Path, tmp_path: Path) -> Path:
    """Finished runs of three methods, a copy that a test may change."""
    shutil.copytree(written, tmp_path, dirs_exist_ok=True)
    return tmp_path


def runs_in(folder: Path) -> list[RunFolder]:
    return find_runs(folder / "records")


def choose(folder: Path, *paths: Path) -> Selection:
    return select(paths or [folder / "records"], folder / "data")


def fail_edit(run: RunFolder, sample_id: str) -> None:
    """Make a finished run one whose edit of a sample failed."""
    run.add_edit(EditedClip(sample_id=sample_id, status="failed", error="made to fail", frames=5))
    record = run.record()
    assert record
    run.finish_edits(record.samples)
    run.write_record(record.model_copy(update={"n_failed": 1, "n_edited": record.n_edited - 1}))


def test_all_methods_and_samples_take_part_in_the_order_of_their_names(folder: Path) -> None:
    selection = choose(folder)
    (task,) = selection.tasks
    assert [run.row.record.method.name for run in task.runs] == sorted(METHODS)
    assert [sample.id for sample in task.samples] == [f"hidden-name-{i}" for i in range(4)]
    assert selection.left_out == ()
    frames = task.runs[0].read_edit(task.samples[0])
    assert (frames == task.loaded.read(task.samples[0]).source ^ 16).all()


def test_a_run_named_twice_takes_part_once(folder: Path) -> None:
    run, *_ = runs_in(folder)
    assert len(choose(folder, folder / "records", run.path).tasks[0].runs) == 3


def test_controls_are_left_out_and_said(folder: Path) -> None:
    write_runs(folder, ("my-control",), kind="control")
    selection = choose(folder)
    assert len(selection.tasks[0].runs) == 3
    assert selection.left_out == ("controls never take part: my-control",)


def test_an_unfinished_run_is_left_out_and_said(folder: Path) -> None:
    *_, last = runs_in(folder)
    record = last.record()
    assert record
    last.write_record(record.model_copy(update={"status": "generated"}))
    selection = choose(folder)
    assert len(selection.tasks[0].runs) == 2
    assert selection.left_out == (f"{last.path}: not finished",)


def test_samples_without_an_edit_are_left_out_and_said(folder: Path) -> None:
    runs = runs_in(folder)
    fail_edit(runs[1], "hidden-name-2")
    selection = choose(folder)
    assert [sample.id for sample in selection.tasks[0].samples] == [f"hidden-name-{i}" for i in (0, 1, 3)]
    assert selection.left_out == ("folder, modify, hidden-name-2: no edit by secret-bee",)


def test_one_method_is_nothing_to_compare(tmp_path: Path) -> None:
    write_runs(tmp_path, ("lonely",))
    with pytest.raises(VividBenchError, match=r"needs 2 methods on one task\n  - folder, modify: only one method, lon"):
        choose(tmp_path)


def test_no_sample_with_all_edits_is_nothing_to_compare(tmp_path: Path) -> None:
    first, second = write_runs(tmp_path, METHODS[:2], samples=2)
    fail_edit(first, "hidden-name-0")
    fail_edit(second, "hidden-name-1")
    with pytest.raises(VividBenchError, match="no sample of which every method has an edit"):
        choose(tmp_path)


def test_two_runs_of_a_method_are_refused_with_both_keys(folder: Path) -> None:
    first, *_ = runs_in(folder)
    record = first.record()
    assert record
    other = record.model_copy(update={"seed": 7, "run_id": "0" * 32})
    key = run_key(other.method, other.composite, 7, other.split_sha256, other.samples)
    twin = RunFolder(first.path.parent / key)
    shutil.copytree(first.path, twin.path)
    twin.write_record(other.model_copy(update={"run_key": key}))
    with pytest.raises(VividBenchError, match="two runs of secret-ant") as raised:
        choose(folder)
    assert f"{record.run_key} (composite none, seed 0)" in str(raised.value)
    assert f"{key} (composite none, seed 7)" in str(raised.value)


def test_another_composite_cannot_be_compared(folder: Path) -> None:
    first, *_ = runs_in(folder)
    record = first.record()
    assert record
    key = run_key(record.method, "hard", 0, record.split_sha256, record.samples)
    first.write_record(record.model_copy(update={"composite": "hard", "run_key": key}))
    with pytest.raises(VividBenchError, match="other composites or keyframes"):
        choose(folder)


def test_a_run_on_other_clips_cannot_be_compared(tmp_path: Path) -> None:
    write_runs(tmp_path, METHODS[:2])
    write_runs(tmp_path / "other", METHODS[2:], samples=3)
    with pytest.raises(InputReportError, match="3 samples, not 4"):
        choose(tmp_path, tmp_path / "records", tmp_path / "other" / "records")


def test_changed_scores_are_refused(folder: Path) -> None:
    first, *_ = runs_in(folder)
    scores = first.path / "scores.jsonl"
    scores.write_text(scores.read_text().replace("21.0", "31.0"))
    with pytest.raises(InputReportError, match="changed after scoring"):
        choose(folder)


def test_edits_that_did_not_travel_with_their_records_are_named(folder: Path) -> None:
    first, *_ = runs_in(folder)
    shutil.rmtree(first.edits_dir)
    with pytest.raises(InputReportError, match=r"hidden-name-0\.mkv: .* make the run again with --overw"):
        choose(folder)


def test_a_path_out_of_the_runs_folder_is_not_read(folder: Path) -> None:
    first, *_ = runs_in(folder)
    lines = first.path / "edits.jsonl"
    lines.write_text(lines.read_text().replace("edits/hidden-name-0", "edits/../../../../../data/hidden-name-0/source"))
    with pytest.raises(InputReportError, match="found no file"):
        choose(folder)


def test_finished_videos_are_found_where_edits_says(tmp_path: Path) -> None:
    write_runs(tmp_path, METHODS[:2])
    (run,) = write_runs(tmp_path, ("theirs",), kind="submission")
    run.edits_dir.rename(tmp_path / "edits")
    with pytest.raises(InputReportError, match="say where its videos lie with --edits theirs=DIR"):
        choose(tmp_path)
    selection = select([tmp_path / "records"], tmp_path / "data", {"theirs": tmp_path})
    assert len(selection.tasks[0].runs) == 3
    with pytest.raises(VividBenchError, match="without a run: nobody"):
        select([tmp_path / "records"], tmp_path / "data", {"nobody": tmp_path})


def test_a_folder_without_runs_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected run folders, found none"):
        select([tmp_path])


def test_the_clips_behind_suite_folder_have_to_be_named(folder: Path) -> None:
    with pytest.raises(VividBenchError, match="pass --data DIR"):
        select([folder / "records"])
