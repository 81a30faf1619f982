from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from clips import DataFolder, box_mask

from vivid_bench.errors import InputError, InputReportError, UnknownNameError, VividBenchError
from vivid_bench.files import sha256_path
from vivid_bench.metrics import check_name
from vivid_bench.suites import LoadedSplit, load_splits, parse_composite, parse_tasks, suite_folders
from vivid_bench.types import TASKS, FileRef


def own_suite(data: DataFolder, path: Path) -> Path:
    """Turn a data folder into a suite with a `suite.toml`, as a builder would."""
    (loaded,) = load_splits("folder", ("delete",), data.path)
    shutil.copytree(data.path, path)
    lines = [s.model_dump_json(exclude_none=True) + "\n" for s in loaded.split.samples]
    (path / "delete.jsonl").write_text("".join(lines))
    (path / "suite.toml").write_text(
        'name = "own"\nversion = "3"\ndescription = "mine"\n[tasks.delete]\nsamples = "delete.jsonl"\n'
        f'sha256 = "{sha256_path(path / "delete.jsonl")}"\nmain_metric = "edit_psnr"\n'
    )
    return path


@pytest.mark.parametrize("task", TASKS)
def test_mini_is_pinned_and_complete(task: str) -> None:
    (loaded,) = load_splits("mini", parse_tasks(task))
    split = loaded.split
    assert len(split.samples) >= 24
    assert len({s.source_video for s in split.samples}) == len(split.samples), "each sample from its own scene"
    assert all(s.reference for s in split.samples)
    for name in split.metrics:
        check_name(name)
    assert split.main_metric in split.metrics
    arrays = loaded.read(split.samples[0])
    outside = ~arrays.mask
    assert arrays.reference is not None
    assert np.array_equal(arrays.source[outside], arrays.reference[outside])


def test_mini_delete_is_half_hidden() -> None:
    (loaded,) = load_splits("mini", ("delete",))
    hidden = [s for s in loaded.split.samples if s.hole == "hidden"]
    assert len(hidden) * 2 == len(loaded.split.samples)
    assert all(s.reference == s.source for s in hidden)


def test_folder_suite_reads_what_was_written(data_folder: DataFolder) -> None:
    data_folder.add("a", seed=1)
    (loaded,) = load_splits("folder", ("delete",), data_folder.path)
    assert (loaded.split.suite, loaded.split.main_metric) == ("folder", "edit_psnr")
    arrays = loaded.read(loaded.split.samples[0])
    assert np.array_equal(arrays.mask, box_mask(5, 24, 32))
    assert arrays.reference is not None
    assert np.array_equal(arrays.reference[~arrays.mask], arrays.source[~arrays.mask])


def test_without_references_the_background_ranks(data_folder: DataFolder) -> None:
    data_folder.add("a", with_reference=False)
    (loaded,) = load_splits("folder", ("delete",), data_folder.path)
    assert loaded.split.main_metric == "background_psnr"
    assert loaded.read(loaded.split.samples[0]).reference is None


def test_all_tasks_of_a_folder(data_folder: DataFolder) -> None:
    data_folder.add("a", task="delete")
    data_folder.add("b", task="add", caption="a cat")
    data_folder.add("c", task="delete")
    splits = [loaded.split for loaded in load_splits("folder", TASKS, data_folder.path)]
    assert [(s.task, [x.id for x in s.samples]) for s in splits] == [("add", ["b"]), ("delete", ["a", "c"])]
    limited = load_splits("folder", TASKS, data_folder.path, limit=1)
    assert [len(loaded.split.samples) for loaded in limited] == [1, 1]


def test_all_problems_of_a_folder_are_raised_at_once(data_folder: DataFolder) -> None:
    for name in "ab":
        (data_folder.add(name) / "mask.mkv").unlink()
    with pytest.raises(InputReportError, match="2 problems"):
        load_splits("folder", ("delete",), data_folder.path)


def test_own_suite_by_path(data_folder: DataFolder, tmp_path: Path) -> None:
    data_folder.add("a")
    (loaded,) = load_splits(str(own_suite(data_folder, tmp_path / "own")), TASKS)
    assert (loaded.split.suite, loaded.split.version, len(loaded.split.samples)) == ("own", "3", 1)
    assert loaded.read(loaded.split.samples[0]).source.shape == (5, 24, 32, 3)


def test_keyframes_make_a_split_of_its_own() -> None:
    (plain,), (first,), (both,) = (load_splits("mini", ("add",), keyframes=k) for k in (None, (0,), (0, 8)))
    assert len({x.split.sha256 for x in (plain, first, both)}) == 3
    assert [x.split.keyframes for x in (plain, first, both)] == [None, (0,), (0, 8)]
    assert plain.split.sha256 == "7c3d04b0fe2614895c0f0efe3eafcf79b3edde4b9f1e2c8bdff5cdf32e03e57a", "recorded runs"
    (cut,) = load_splits("mini", ("add",), limit=1, keyframes=(0,))
    assert (cut.split.sha256, len(cut.split.samples)) == (first.split.sha256, 1)


def test_keyframes_that_samples_cannot_give_are_named(data_folder: DataFolder) -> None:
    data_folder.add("a")
    data_folder.add("b", with_reference=False)
    with pytest.raises(InputReportError, match="1 problems") as caught:
        load_splits("folder", ("delete",), data_folder.path, keyframes=(0,))
    assert "expected a reference, whose frames are the keyframes, found none for sample b" in str(caught.value)
    with pytest.raises(InputReportError, match=r"keyframes below 17, the frames of sample add-000, found 20"):
        load_splits("mini", ("add",), limit=1, keyframes=(20,))


def repinned(suite: Path, keyframes: list[list[int] | None]) -> Path:
    """Write keyframes into a suite's list of samples and pin it anew."""
    samples = [json.loads(line) for line in (suite / "delete.jsonl").read_text().splitlines()]
    lines = [json.dumps(s | {"keyframes": k}) + "\n" for s, k in zip(samples, keyframes, strict=True)]
    before = sha256_path(suite / "delete.jsonl")
    (suite / "delete.jsonl").write_text("".join(lines))
    toml = suite / "suite.toml"
    toml.write_text(toml.read_text().replace(before, sha256_path(suite / "delete.jsonl")))
    return suite


def test_a_suite_may_pin_its_keyframes(data_folder: DataFolder, tmp_path: Path) -> None:
    data_folder.add("a")
    data_folder.add("b")
    suite = own_suite(data_folder, tmp_path / "own")
    (plain,) = load_splits(str(suite), ("delete",))
    (pinned,) = load_splits(str(repinned(suite, [[0], [4]])), ("delete",))
    assert pinned.split.keyframes == "by sample"
    assert [s.keyframes for s in pinned.split.samples] == [(0,), (4,)]
    (other,) = load_splits(str(suite), ("delete",), keyframes=(2,))
    assert other.split.keyframes == (2,)
    assert len({x.split.sha256 for x in (plain, pinned, other)}) == 3
    (same,) = load_splits(str(repinned(suite, [[2], [2]])), ("delete",))
    assert (same.split.keyframes, same.split.sha256) == ((2,), other.split.sha256)
    with pytest.raises(InputReportError, match="expected keyframes, as other samples have, found none for sample b"):
        load_splits(str(repinned(suite, [[2], None])), ("delete",))


def test_limit_keeps_the_pin_of_the_whole_split() -> None:
    (whole,), (cut,) = load_splits("mini", ("add",)), load_splits("mini", ("add",), limit=2)
    assert cut.split.sha256 == whole.split.sha256
    assert cut.split.samples == whole.split.samples[:2]


def test_a_changed_list_is_refused(data_folder: DataFolder, tmp_path: Path) -> None:
    data_folder.add("a")
    suite = own_suite(data_folder, tmp_path / "own")
    with (suite / "delete.jsonl").open("a") as file:
        file.write("\n")
    with pytest.raises(InputError, match=r"expected the list pinned in suite\.toml"):
        load_splits(str(suite), ("delete",))


def test_a_changed_clip_is_refused(data_folder: DataFolder, tmp_path: Path) -> None:
    folder = data_folder.add("a")
    (loaded,) = load_splits("folder", ("delete",), data_folder.path)
    shutil.copy(folder / "reference.mkv", folder / "source.mkv")
    with pytest.raises(InputError, match="the file changed after it was pinned"):
        loaded.read(loaded.split.samples[0])
    (folder / "source.mkv").unlink()
    with pytest.raises(InputError, match="expected a file of the suite, found nothing"):
        loaded.read(loaded.split.samples[0])


def test_a_path_that_leaves_the_suite_is_refused(data_folder: DataFolder, tmp_path: Path) -> None:
    data_folder.add("a")
    (loaded,) = load_splits("folder", ("delete",), data_folder.path)
    (tmp_path / "secret").write_text("x")
    sample = loaded.split.samples[0].model_copy(update={"source": FileRef(path="../secret", sha256="0" * 64)})
    with pytest.raises(InputError, match=r"expected a path inside .*, found one outside"):
        loaded.read(sample)


def test_a_broken_sample_line_is_named(data_folder: DataFolder, tmp_path: Path) -> None:
    data_folder.add("a")
    suite = own_suite(data_folder, tmp_path / "own")
    line = json.loads((suite / "delete.jsonl").read_text())
    (suite / "delete.jsonl").write_text(json.dumps(line | {"hole": "half"}) + "\n")
    toml = (suite / "suite.toml").read_text().splitlines()
    toml[5] = f'sha256 = "{sha256_path(suite / "delete.jsonl")}"'
    (suite / "suite.toml").write_text("\n".join(toml))
    with pytest.raises(InputError, match=r"delete\.jsonl:1: expected a sample"):
        load_splits(str(suite), ("delete",))


@pytest.mark.parametrize(
    ("suite", "data", "limit", "words"),
    [
        ("mni", None, None, 'did you mean "mini"'),
        ("folder", None, None, "needs --data DIR"),
        ("mini", Path(), None, "--data goes with --suite folder"),
        ("mini", None, 0, "--limit must be at least 1"),
    ],
)
def test_wrong_arguments(suite: str, data: Path | None, limit: int | None, words: str) -> None:
    with pytest.raises(VividBenchError, match=words):
        load_splits(suite, ("delete",), data, limit)


def test_parsers() -> None:
    assert parse_tasks("all") == TASKS
    assert parse_tasks("add") == ("add",)
    assert parse_composite("hard") == "hard"
    with pytest.raises(UnknownNameError, match='did you mean "delete"'):
        parse_tasks("delte")
    with pytest.raises(UnknownNameError, match='did you mean "feather"'):
        parse_composite("father")


def test_shipped_suites() -> None:
    assert {"mini", "mini-long"} <= set(suite_folders())
    assert isinstance(load_splits("mini", ("delete",))[0], LoadedSplit)
