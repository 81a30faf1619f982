"""Methods that take samples as a stream, and what they say of their edits."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from clips import DataFolder

from vivid_bench.errors import InputError, MethodError
from vivid_bench.generate import generate, new_run
from vivid_bench.methods import find_method
from vivid_bench.records import RunFolder
from vivid_bench.suites import LoadedSplit, load_splits
from vivid_bench.types import Composite, RunRecord
from vivid_bench.video import read_video

HEAD = """
import numpy as np
from vivid_bench.errors import MethodError
from vivid_bench.types import Edited

class Stream:
    tasks = ("delete",)

    def __init__(self, device):
        self.asked = []

    def edit(self, request):
        raise AssertionError("edit_many is there")

    def edit_many(self, requests):
        for request in requests:
            self.asked.append(request.sample_id)
            yield self.one(request)

    def one(self, request):
"""


@pytest.fixture
def loaded(data_folder: DataFolder) -> LoadedSplit:
    for index, name in enumerate("abc"):
        data_folder.add(name, seed=index)
    return load_splits("folder", ("delete",), data_folder.path)[0]


@pytest.fixture
def stream(tmp_path: Path, loaded: LoadedSplit) -> Callable[..., tuple[RunFolder, RunRecord]]:
    """Generate by a class whose `one(request)` has the given body."""

    def run(body: str, mode: Composite = "none") -> tuple[RunFolder, RunRecord]:
        path = tmp_path / "stream.py"
        path.write_text(HEAD + f"        {body}\n")
        known = find_method(f"{path}:Stream")
        folder, record = new_run(tmp_path / "out", known, loaded, mode, 0, "cpu")
        with folder.lock():
            return folder, generate(folder, record, known, loaded, lambda _: None)

    return run


Run = Callable[..., tuple[RunFolder, RunRecord]]


def test_a_stream_of_plain_frames(stream: Run, loaded: LoadedSplit) -> None:
    folder, record = stream("return 255 - request.frames")
    assert (record.n_edited, record.n_failed) == (3, 0)
    for sample in loaded.split.samples:
        edited = read_video(folder.edits_dir / f"{sample.id}.mkv").frames
        assert np.array_equal(edited, 255 - loaded.read(sample).source)
    clip = folder.edits()["b"]
    assert clip.seconds is not None
    assert clip.peak_memory_bytes is None
    assert "notes" not in json.loads((folder.path / "edits.jsonl").read_text().splitlines()[0])


def test_what_an_edit_says_of_itself_is_stored(stream: Run) -> None:
    folder, _ = stream("return Edited(request.frames, ('50 -> 53 frames',), seconds=7.5, peak_memory_bytes=2**30)")
    clip = folder.edits()["c"]
    assert (clip.notes, clip.seconds, clip.peak_memory_bytes) == (("50 -> 53 frames",), 7.5, 2**30)


def test_the_source_is_pasted_back_in_a_stream_too(stream: Run, loaded: LoadedSplit) -> None:
    folder, _ = stream("return np.zeros_like(request.frames)", "hard")
    sample = loaded.split.samples[1]
    arrays = loaded.read(sample)
    edited = read_video(folder.edits_dir / "b.mkv").frames
    assert np.array_equal(edited, np.where(arrays.mask[..., None], 0, arrays.source))


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        ("MethodError('no luck')", "MethodError: no luck"),
        ("request.frames[1:]", "MethodError: expected frames of shape (5, 24, 32, 3)"),
        ("Edited(None)", "MethodError: expected an array from edit(), found NoneType"),
    ],
)
def test_one_that_fails_costs_its_own_clip(stream: Run, made: str, reason: str) -> None:
    folder, record = stream(f"return {made} if request.sample_id == 'b' else request.frames")
    assert (record.n_edited, record.n_failed) == (2, 1)
    assert str(folder.edits()["b"].error).startswith(reason)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("raise ValueError('oh')", "method stream: edit_many broke off: ValueError: oh"),
        ("raise SystemExit", "method stream: edit_many broke off: SystemExit"),
        ("raise MethodError('cannot start')", "cannot start"),
    ],
)
def test_a_stream_that_breaks_ends_the_run_and_keeps_what_it_made(
    stream: Run, tmp_path: Path, body: str, words: str
) -> None:
    broken, asked = tmp_path / "broken", tmp_path / "asked"
    broken.touch()
    note = f"import os\n        with open({str(asked)!r}, 'a') as file: file.write(request.sample_id)"
    whole = f"{note}\n        if request.sample_id == 'b' and os.path.exists({str(broken)!r}): {body}"
    whole += "\n        return request.frames"
    with pytest.raises(MethodError, match=words):
        stream(whole)
    broken.unlink()
    folder, record = stream(whole)
    assert record.n_edited == 3
    assert list(folder.edits()) == ["a", "b", "c"]
    assert asked.read_text() == "abbc"


def test_too_few_edits(stream: Run, tmp_path: Path) -> None:
    early = "return request.frames\n\n    def edit_many(self, requests):\n        yield next(iter(requests)).frames"
    with pytest.raises(MethodError, match="edit_many gave too few edits"):
        stream(early)


def test_a_clip_that_cannot_be_read_is_said_as_it_is(stream: Run, loaded: LoadedSplit) -> None:
    (loaded.root / "b" / "source.mkv").write_bytes(b"no video")
    with pytest.raises(InputError, match=r"b.source\.mkv"):
        stream("return request.frames")


def test_notes_of_a_plain_method_are_stored(
    loaded: LoadedSplit, adapter: Callable[[str, str], str], tmp_path: Path
) -> None:
    body = "from vivid_bench.types import Edited\n        return Edited(request.frames, ('as it was',))"
    known = find_method(adapter("Notes", body))
    folder, record = new_run(tmp_path / "out", known, loaded, "none", 0, "cpu")
    generate(folder, record, known, loaded, lambda _: None)
    assert folder.edits()["a"].notes == ("as it was",)
    assert folder.edits()["a"].seconds
