from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clips import DataFolder

from vivid_bench import edit_maker
from vivid_bench.edit_maker import check_edit, make_request
from vivid_bench.errors import InputError, MethodError, RecordError
from vivid_bench.generate import generate, new_run
from vivid_bench.methods import find_method
from vivid_bench.records import RunFolder
from vivid_bench.suites import LoadedSplit, load_splits
from vivid_bench.types import EditedClip, RunRecord, Sample
from vivid_bench.video import read_video

Adapter = Callable[[str, str], str]


@pytest.fixture
def loaded(data_folder: DataFolder) -> LoadedSplit:
    for index, name in enumerate("abc"):
        data_folder.add(name, seed=index)
    return load_splits("folder", ("delete",), data_folder.path)[0]


def make(target: str, loaded: LoadedSplit, out: Path, seen: list[str] | None = None) -> tuple[RunFolder, RunRecord]:
    known = find_method(target)
    folder, record = new_run(out, known, loaded, "none", 0, "cpu")
    with folder.lock():
        return folder, generate(folder, record, known, loaded, (seen if seen is not None else []).append)


def test_a_hidden_hole_is_grey_and_the_reference_stays_out(data_folder: DataFolder) -> None:
    data_folder.add("a", task="modify", caption="a cat", hole="hidden")
    (loaded,) = load_splits("folder", ("modify",), data_folder.path)
    sample = loaded.split.samples[0]
    arrays = loaded.read(sample)
    request = make_request(sample, arrays, seed=7)
    assert (request.frames[arrays.mask] == 128).all()
    assert np.array_equal(request.frames[~arrays.mask], arrays.source[~arrays.mask])
    assert (request.seed, request.prompt, dict(request.keyframes)) == (7, "a cat", {})


def test_keyframes_are_the_references_frames(loaded: LoadedSplit) -> None:
    sample = loaded.split.samples[0].model_copy(update={"keyframes": (0, 3)})
    arrays = loaded.read(sample)
    request = make_request(sample, arrays, seed=0, keyframes=True)
    assert arrays.reference is not None
    assert sorted(request.keyframes) == [0, 3]
    assert np.array_equal(request.keyframes[3], arrays.reference[3])
    assert make_request(sample, arrays, seed=0).keyframes == {}


def test_a_keyframe_shows_what_a_hidden_hole_hides(data_folder: DataFolder) -> None:
    data_folder.add("a", hole="hidden", reference="source.mkv", task="delete")
    (loaded,) = load_splits("folder", ("delete",), data_folder.path, keyframes=(1,))
    arrays = loaded.read(loaded.split.samples[0])
    request = make_request(loaded.split.samples[0], arrays, seed=0, keyframes=True)
    assert (request.frames[arrays.mask] == 128).all()
    assert np.array_equal(request.keyframes[1], arrays.source[1])


@pytest.mark.parametrize("takes", [True, False])
def test_the_record_says_whether_a_method_got_the_keyframes(
    data_folder: DataFolder, adapter: Adapter, tmp_path: Path, takes: bool
) -> None:
    data_folder.add("a")
    see = f"keyframes = {takes}\n\n    def edit(self, request):\n        "
    target = adapter(
        "See", f"pass\n\n    {see}assert bool(request.keyframes) is {takes}\n        return request.frames"
    )
    (plain,) = load_splits("folder", ("delete",), data_folder.path)
    (loaded,) = load_splits("folder", ("delete",), data_folder.path, keyframes=(0,))
    _, record = make(target, loaded, tmp_path / "out")
    assert (record.keyframes, record.keyframes_given, record.n_failed) == ((0,), takes, 0)
    _, without = new_run(tmp_path / "out", find_method(target), plain, "none", 0, "cpu")
    assert (without.keyframes, without.keyframes_given) == (None, None)
    assert without.run_key != record.run_key


def test_what_a_method_does_to_its_request_stays_there(loaded: LoadedSplit, adapter: Adapter, tmp_path: Path) -> None:
    spoil = "request.frames[...] = 7\n        request.mask[...] = False\n        return request.frames"
    known = find_method(adapter("Spoil", spoil))
    folder, record = new_run(tmp_path / "out", known, loaded, "hard", 0, "cpu")
    generate(folder, record, known, loaded, lambda _: None)
    arrays = loaded.read(loaded.split.samples[0])
    edited = read_video(folder.edits_dir / "a.mkv").frames
    assert np.array_equal(edited[~arrays.mask], arrays.source[~arrays.mask])
    assert (edited[arrays.mask] == 7).all()


def test_foreign_code_cannot_leave_or_chatter(
    loaded: LoadedSplit,
    adapter: Adapter,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    wander = "import os; print('hello'); os.chdir('/')\n        if request.sample_id == 'b':"
    target = adapter("Wander", f"{wander}\n            raise SystemExit(0)\n        return request.frames")
    folder, record = make(target, loaded, Path("out"))
    assert Path.cwd() == tmp_path
    assert (record.n_edited, record.n_failed) == (2, 1)
    assert folder.edits()["b"].error == "SystemExit: 0"
    captured = capfd.readouterr()
    assert "hello" not in captured.out
    assert "hello" in captured.err


def test_overwriting_keeps_what_is_there_until_the_method_loads(
    loaded: LoadedSplit, adapter: Adapter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = find_method(adapter("Copy", "return request.frames"))
    folder, record = new_run(tmp_path / "out", known, loaded, "none", 0, "cpu")
    generate(folder, record, known, loaded, lambda _: None)

    def broken(*_: object) -> None:
        raise MethodError("no GPU")

    monkeypatch.setattr(type(known), "load", broken)
    with pytest.raises(MethodError, match="no GPU"):
        generate(folder, record, known, loaded, lambda _: None, overwrite=True)
    assert set(folder.edits()) == {"a", "b", "c"}
    monkeypatch.undo()
    generate(folder, record, known, loaded, lambda _: None, overwrite=True)
    assert set(folder.edits()) == {"a", "b", "c"}


def test_edits_are_stored_lossless_with_a_preview(loaded: LoadedSplit, adapter: Adapter, tmp_path: Path) -> None:
    folder, record = make(adapter("Invert", "return 255 - request.frames"), loaded, tmp_path / "out")
    assert (record.status, record.n_edited, record.n_failed) == ("generated", 3, 0)
    clip = folder.edits()["b"]
    assert clip.video is not None
    edited = read_video(folder.path / clip.video.path).frames
    assert np.array_equal(edited, 255 - loaded.read(loaded.split.samples[1]).source)
    assert (folder.previews_dir / "b.mp4").is_file()
    assert clip.seconds is not None
    assert clip.seconds > 0


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("raise ValueError('no idea')", "ValueError: no idea"),
        ("return None", "MethodError: expected an array from edit(), found NoneType"),
        ("return request.frames / 255", "MethodError: expected uint8 frames in 0..255 from edit(), found float64"),
        ("return request.frames[1:]", "MethodError: expected frames of shape (5, 24, 32, 3) from edit(), found (4, "),
    ],
)
def test_a_method_that_fails_on_one_clip_fails_that_clip(
    loaded: LoadedSplit, adapter: Adapter, tmp_path: Path, body: str, reason: str
) -> None:
    target = adapter("Flaky", f"if request.sample_id == 'b':\n            {body}\n        return request.frames")
    folder, record = make(target, loaded, tmp_path / "out")
    assert (record.n_edited, record.n_failed) == (2, 1)
    clips = folder.edits()
    assert clips["b"].status == "failed"
    assert clips["b"].video is None
    assert str(clips["b"].error).startswith(reason)
    assert clips["c"].status == "ok"


def test_finished_clips_are_not_made_again(loaded: LoadedSplit, adapter: Adapter, tmp_path: Path) -> None:
    write = "with open(__file__ + '.log', 'a') as log:\n            log.write(request.sample_id)"
    target = adapter("Log", f"{write}\n        return request.frames")
    folder, _ = make(target, loaded, tmp_path / "out")
    log = Path(target.rpartition(":")[0] + ".log")
    assert log.read_text() == "abc"
    make(target, loaded, tmp_path / "out")
    assert log.read_text() == "abc"
    (folder.edits_dir / "b.mkv").unlink()
    make(target, loaded, tmp_path / "out")
    assert log.read_text() == "abcb"


def test_another_device_may_not_go_on_with_a_run(loaded: LoadedSplit, adapter: Adapter, tmp_path: Path) -> None:
    target = adapter("Copy", "return request.frames")
    folder, record = make(target, loaded, tmp_path)
    environment = record.environment.model_copy(update={"device": "cuda"})
    folder.write_record(record.model_copy(update={"environment": environment}))
    (folder.edits_dir / "b.mkv").unlink()
    with pytest.raises(RecordError, match="begun on cuda, asked to go on on cpu"):
        make(target, loaded, tmp_path)


def test_without_any_edit_the_run_begins_anew(loaded: LoadedSplit, adapter: Adapter, tmp_path: Path) -> None:
    target = adapter("Copy", "return request.frames")
    folder, record = make(target, loaded, tmp_path)
    folder.write_record(record.model_copy(update={"code_commit": "of another day"}))
    assert make(target, loaded, tmp_path)[1].code_commit == "of another day"
    shutil.rmtree(folder.edits_dir)
    assert make(target, loaded, tmp_path)[1].code_commit == record.code_commit


def test_a_task_that_the_method_does_not_do(data_folder: DataFolder, adapter: Adapter, tmp_path: Path) -> None:
    data_folder.add("a", task="add", caption="x")
    (loaded,) = load_splits("folder", ("add",), data_folder.path)
    with pytest.raises(MethodError, match="method copy does delete, not add"):
        new_run(tmp_path, find_method(adapter("Copy", "return request.frames")), loaded, "none", 0, "cpu")


def test_a_full_disk_stops_the_run_and_loses_one_clip(
    loaded: LoadedSplit, adapter: Adapter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = adapter("Copy", "return request.frames")
    write = edit_maker.write_lossless

    def full_at_b(path: Path, frames: np.ndarray, fps: float) -> None:
        if path.stem == "b":
            raise InputError(path, expected="room on the disk", found="a full disk", fix="free some space")
        write(path, frames, fps)

    monkeypatch.setattr(edit_maker, "write_lossless", full_at_b)
    with pytest.raises(InputError, match="a full disk"):
        make(target, loaded, tmp_path / "out")
    monkeypatch.undo()
    seen: list[str] = []
    folder, record = make(target, loaded, tmp_path / "out", seen)
    assert record.n_edited == 3
    assert list(folder.edits()) == ["a", "b", "c"]


def test_check_edit_accepts_what_fits() -> None:
    frames = np.zeros((2, 4, 4, 3), np.uint8)
    check_edit(frames.copy(), frames.shape)


def test_a_method_may_use_its_array_again(loaded: LoadedSplit, adapter: Adapter, tmp_path: Path) -> None:
    again = "self.frames = getattr(self, 'frames', request.frames)\n        self.frames[...] = ord(request.sample_id)"
    folder, _ = make(adapter("Again", f"{again}\n        return self.frames"), loaded, tmp_path / "out")
    for name in "abc":
        assert (read_video(folder.edits_dir / f"{name}.mkv").frames == ord(name)).all()


def test_an_edit_is_written_while_the_next_is_made(
    loaded: LoadedSplit, adapter: Adapter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = tmp_path / "begun"
    begun.mkdir()
    begin = f"open({str(begun)!r} + '/' + request.sample_id, 'w').close()"
    target = adapter("Begin", f"{begin}\n        return request.frames")
    store, waited = edit_maker.store_edit, []

    def store_later(folder: RunFolder, sample: Sample, *rest: Any) -> EditedClip:
        after = chr(ord(sample.id) + 1)
        deadline = time.monotonic() + 60
        while after in "bc" and not (begun / after).exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        waited.append(after not in "bc" or (begun / after).exists())
        return store(folder, sample, *rest)

    monkeypatch.setattr(edit_maker, "store_edit", store_later)
    seen: list[str] = []
    make(target, loaded, tmp_path / "out", seen)
    assert waited == [True, True, True]
    assert seen == ["a", "b", "c"]
