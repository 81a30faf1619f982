from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from clips import DataFolder

from vivid_bench.cli.console import ConsoleReporter
from vivid_bench.compat.protocols import Figure, protocol_path, score_protocol
from vivid_bench.errors import InputError, RecordError
from vivid_bench.records import RunFolder
from vivid_bench.run import RunOptions, choose_methods, run_methods
from vivid_bench.suites import LoadedSplit, load_splits


@pytest.fixture
def loaded(data_folder: DataFolder) -> LoadedSplit:
    for seed, name in enumerate(("one", "two")):
        data_folder.add(name, seed=seed, task="delete", hole="hidden")
    (loaded,) = load_splits("folder", ("delete",), data_folder.path)
    split = loaded.split.model_copy(update={"metrics": ("background_psnr",), "main_metric": "background_psnr"})
    return replace(loaded, split=split)


@pytest.fixture
def folder(loaded: LoadedSplit, tmp_path: Path) -> RunFolder:
    methods = choose_methods("telea", ("delete",), controls=False)
    (folder,) = run_methods(methods, [loaded], RunOptions(tmp_path / "runs"), ConsoleReporter()).folders
    return folder


def flicker(folder: RunFolder, loaded: LoadedSplit, *, overwrite: bool = False) -> Figure:
    return score_protocol(folder, loaded, "vbench", folder.path, "cpu", lambda _: None, overwrite=overwrite)[0]


def change_line(path: Path, **values: object) -> None:
    """Change the first line of a protocol's file."""
    first, *rest = path.read_text().splitlines()
    path.write_text("\n".join([json.dumps(json.loads(first) | values), *rest]) + "\n")


def test_figures_are_kept_beside_the_record(folder: RunFolder, loaded: LoadedSplit) -> None:
    before = {name: (folder.path / name).read_bytes() for name in ("run.json", "scores.jsonl")}
    figure = flicker(folder, loaded)
    assert (figure.info.name, figure.summary.n_scored) == ("vbench/temporal_flickering", 2)
    lines = [json.loads(line) for line in protocol_path(folder, "vbench").read_text().splitlines()]
    assert [line["sample_id"] for line in lines] == ["one"] * 3 + ["two"] * 3
    assert before == {name: (folder.path / name).read_bytes() for name in before}


def test_what_is_there_is_not_computed_again(folder: RunFolder, loaded: LoadedSplit) -> None:
    true = flicker(folder, loaded).scores[0].value
    path = protocol_path(folder, "vbench")
    change_line(path, value=0.125)
    assert flicker(folder, loaded).scores[0].value == 0.125
    assert flicker(folder, loaded, overwrite=True).scores[0].value == true


@pytest.mark.parametrize("other", [{"edit_sha256": "0" * 64}, {"version": "0"}])
def test_figures_of_another_edit_or_version_are_made_again(
    folder: RunFolder, loaded: LoadedSplit, other: dict[str, str]
) -> None:
    true = flicker(folder, loaded).scores[0].value
    change_line(protocol_path(folder, "vbench"), value=0.125, **other)
    assert flicker(folder, loaded).scores[0].value == true


def test_a_broken_file_is_named(folder: RunFolder, loaded: LoadedSplit) -> None:
    path = protocol_path(folder, "vbench")
    path.parent.mkdir()
    path.write_text("no json\n")
    with pytest.raises(RecordError, match=r"vbench\.jsonl: no protocol scores"):
        flicker(folder, loaded)
    assert flicker(folder, loaded, overwrite=True).summary.n_scored == 2


def test_an_edit_that_is_gone_or_changed_is_named(folder: RunFolder, loaded: LoadedSplit) -> None:
    edit = next(iter(folder.edits().values()))
    assert edit.video is not None
    path = folder.path / edit.video.path
    path.write_bytes(path.read_bytes() + b"more")
    with pytest.raises(InputError, match="it changed after it was recorded"):
        flicker(folder, loaded)


def test_a_run_of_another_split_is_refused(folder: RunFolder, loaded: LoadedSplit) -> None:
    other = replace(loaded, split=loaded.split.model_copy(update={"sha256": "0" * 64}))
    with pytest.raises(RecordError, match="made on split"):
        flicker(folder, other)


def test_measures_of_other_tasks_are_left_out(folder: RunFolder, loaded: LoadedSplit) -> None:
    other = replace(loaded, split=loaded.split.model_copy(update={"task": "modify"}))
    assert score_protocol(folder, other, "prove", folder.path, "cpu", lambda _: None) == []
