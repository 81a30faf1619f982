from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from clips import DataFolder

from vivid_bench.errors import InputError, RecordError, RunLockedError
from vivid_bench.leaderboard.load import load_row
from vivid_bench.records import RunFolder, find_runs, new_record, run_key
from vivid_bench.suites import load_splits
from vivid_bench.types import EditedClip, MethodRef, RunRecord, Score, Split

METHOD = MethodRef(name="m", kind="method", version="1", parameters={"steps": 4})


@pytest.fixture
def split(data_folder: DataFolder) -> Split:
    for name in "ab":
        data_folder.add(name)
    return load_splits("folder", ("delete",), data_folder.path)[0].split


@pytest.fixture
def record(split: Split) -> RunRecord:
    return new_record(METHOD, split, "none", 0, "cpu")


def score(sample_id: str, value: float | None = 1.5) -> Score:
    if value is None:
        return Score(sample_id=sample_id, metric="edit_psnr", status="failed", reason="it broke")
    return Score(sample_id=sample_id, metric="edit_psnr", value=value, status="ok")


def test_the_run_key_follows_all_that_decides_the_figures() -> None:
    def key(**changed: object) -> str:
        method = METHOD.model_copy(update={k: v for k, v in changed.items() if k in MethodRef.model_fields})
        given = {"composite": "none", "seed": 0, "split_sha256": "0" * 64, "samples": ["a", "b"]}
        return run_key(method, **(given | {k: v for k, v in changed.items() if k in given}))  # type: ignore[arg-type]

    base = key()
    assert len(base) == 12
    assert int(base, 16) >= 0
    assert key(kind="baseline") == base
    others = [
        key(version="2"), key(parameters={"steps": 5}), key(weights_sha256="0" * 64), key(code_sha256="0" * 64),
        key(composite="hard"), key(seed=1), key(samples=["a"]), key(split_sha256="1" * 64),
    ]  # fmt: skip
    assert len({base, *others}) == 9


def test_keyframes_are_part_of_the_run_key_and_runs_without_keep_theirs() -> None:
    def key(*keyframes: object) -> str:
        return run_key(METHOD, "none", 0, "0" * 64, ["a"], *keyframes)  # type: ignore[arg-type]

    assert key() == key(None, None) == "f0284d4b0316", "as before there was a keyframe track"
    others = [key((0,), True), key((0,), False), key((0,), None), key((1,), True), key("by sample", True)]
    assert len({key(), *others}) == 6


def test_recorded_runs_still_load_and_have_the_key_of_what_made_them() -> None:
    folders = find_runs(Path(__file__).parents[1] / "results" / "mini")
    assert folders
    for folder in folders:
        assert load_row(folder) is not None


def test_a_record_with_keyframes_survives_the_disk(tmp_path: Path, record: RunRecord) -> None:
    for keyframes in ((0, 8), "by sample", None):
        RunFolder(tmp_path).write_record(record.model_copy(update={"keyframes": keyframes}))
        kept = RunFolder(tmp_path).record()
        assert kept is not None
        assert kept.keyframes == keyframes


def test_scores_of_a_replaced_edit_are_forgotten(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    for sample_id in "ab":
        folder.add_scores(sample_id, [score(sample_id)])
    folder.add_edit(EditedClip(sample_id="a", status="failed", error="x"))
    assert set(folder.partial_scores()) == {"b"}


def test_odd_characters_do_not_break_lines(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    reason = "line\u2028paragraph\u2029next\x85end"
    folder.add_scores("a", [Score(sample_id="a", metric="m", status="failed", reason=reason)])
    folder.finish_scores(["a"])
    assert folder.scores()[0].reason == reason


def test_leftovers_of_killed_processes_are_removed(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    leftover = folder.edits_dir / ".a.mkv.123.tmp"
    leftover.parent.mkdir()
    leftover.write_bytes(b"half")
    with folder.lock():
        assert not leftover.exists()


def test_a_waiting_lock_and_a_file_in_the_folders_place(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    assert not folder.is_locked()
    with folder.lock():
        assert folder.is_locked()
    with folder.lock(wait=True):
        pass
    (tmp_path / "file").touch()
    with (
        pytest.raises(InputError, match="expected a folder, found a file in its place"),
        RunFolder(tmp_path / "file" / "run").lock(),
    ):
        pass


def test_a_record_survives_the_disk(tmp_path: Path, record: RunRecord) -> None:
    folder = RunFolder.of(tmp_path, record)
    assert folder.path == tmp_path / "folder" / "delete" / "m" / record.run_key
    assert folder.record() is None
    folder.write_record(record)
    assert folder.record() == record
    assert find_runs(tmp_path) == [folder]


def test_runs_are_found_in_the_order_of_their_paths(tmp_path: Path) -> None:
    for name in ("b/2", "b/1", "a", "b/1/edits"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "run.json").touch()
    assert [folder.path.relative_to(tmp_path).as_posix() for folder in find_runs(tmp_path)] == ["a", "b/1", "b/2"]
    assert find_runs(tmp_path / "none") == []


def test_a_folder_that_must_not_be_read_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: Path) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(os, "scandir", refuse)  # the tests may run as root, who may read everything
    with pytest.raises(InputError, match="expected a readable folder, found no permission"):
        find_runs(tmp_path)


def test_a_new_record_says_where_it_was_made(record: RunRecord) -> None:
    assert record.status == "generating"
    assert record.samples == ("a", "b")
    assert len(record.source_videos) == 2
    assert record.environment.device == "cpu"
    assert record.environment.versions["torch"]
    assert "libavcodec" in record.environment.decoder


@pytest.mark.parametrize("content", ["{", "{}", '{"schema_version": 2}'])
def test_an_unreadable_record_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "run.json").write_text(content)
    with pytest.raises(RecordError, match="no record of schema version 1"):
        RunFolder(tmp_path).record()


def test_an_extra_key_is_refused(tmp_path: Path, record: RunRecord) -> None:
    (tmp_path / "run.json").write_text(json.dumps(record.model_dump(mode="json") | {"score": 1}))
    with pytest.raises(RecordError, match="score"):
        RunFolder(tmp_path).record()


def test_lines_are_assembled_in_the_split_order(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    for sample_id in "ba":
        folder.add_edit(EditedClip(sample_id=sample_id, status="failed", error="x"))
        folder.add_scores(sample_id, [score(sample_id)])
    assert set(folder.partial_scores()) == {"a", "b"}
    folder.finish_edits(["a", "b"])
    assert [s.sample_id for s in folder.finish_scores(["a", "b"])] == ["a", "b"]
    folder.drop_parts()
    assert not (tmp_path / "parts").exists()
    assert list(folder.edits()) == ["a", "b"]
    assert folder.scores() == [score("a"), score("b")]


def test_a_missing_value_is_null_in_the_file(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.add_scores("a", [score("a", None)])
    folder.finish_scores(["a"])
    assert json.loads((tmp_path / "scores.jsonl").read_text()) == {
        "sample_id": "a", "metric": "edit_psnr", "value": None, "status": "failed", "reason": "it broke",
    }  # fmt: skip


def test_a_broken_line_is_named(tmp_path: Path) -> None:
    (tmp_path / "scores.jsonl").write_text('{"sample_id": "a"}\n')
    with pytest.raises(RecordError, match=r"scores\.jsonl:1: no Score"):
        RunFolder(tmp_path).scores()


def test_a_temporary_file_of_a_killed_process_is_no_part(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    folder.add_scores("a", [score("a")])
    (tmp_path / "parts" / "scores" / ".b.jsonl.123.tmp").write_text('{"half')
    assert set(folder.partial_scores()) == {"a"}


def test_clear_and_drop(tmp_path: Path, record: RunRecord) -> None:
    folder = RunFolder(tmp_path / "run")
    folder.write_record(record)
    folder.add_scores("a", [score("a")])
    folder.drop_parts()
    assert folder.partial_scores() == {}
    folder.clear()
    assert list(folder.path.iterdir()) == []


def test_only_one_process_at_a_time(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    code = (
        "import sys; from pathlib import Path; from vivid_bench.records import RunFolder\n"
        "with RunFolder(Path(sys.argv[1])).lock(): pass"
    )
    with folder.lock():
        done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True)
        assert "another vivid-bench is at work in this run" in done.stderr
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_the_lock_error_is_ours(tmp_path: Path) -> None:
    with RunFolder(tmp_path).lock(), pytest.raises(RunLockedError), RunFolder(tmp_path).lock():
        pass
