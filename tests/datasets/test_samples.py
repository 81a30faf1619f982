from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from frame_folders import label_map, write_frames, write_masks

from vivid_bench.datasets import samples
from vivid_bench.datasets.samples import read_candidates, sample_of
from vivid_bench.datasets.types import Candidate, Report
from vivid_bench.errors import InputError


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    write_frames(tmp_path / "images", range(3))
    write_masks(tmp_path / "masks", range(3), label_map((1, 4)))
    return tmp_path


def candidate(name: str, source: str = "images") -> Candidate:
    return Candidate(name, "delete", source, "masks", "", labels=())


def test_files_that_samples_share_are_hashed_once(clip: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []
    real = samples.content_sha256
    monkeypatch.setattr(samples, "content_sha256", lambda root, path: hashed.append(path) or real(root, path))
    report = Report()
    read_candidates(clip, (candidate(name) for name in "abc"), report)
    assert (len(report.samples), hashed) == (3, ["images", "masks"])


def test_an_id_that_cannot_be_a_file_name(clip: Path) -> None:
    report = Report()
    read_candidates(clip, [candidate("x" * 201), candidate("b\udcff"), candidate("ok")], report)
    assert [sample.id for sample in report.samples] == ["ok"]
    assert [str(problem).split(", found ")[1][:3] for problem in report.problems] == ["id:", "id:"]


def test_a_link_out_of_the_data_folder_is_said_before_a_run(clip: Path) -> None:
    (clip / "data").mkdir()
    (clip / "data/images").symlink_to(clip / "images")
    (clip / "masks").rename(clip / "data/masks")
    with pytest.raises(InputError, match=r"data/images: expected a path inside .*data, found one outside"):
        sample_of(clip / "data", candidate("a"), Report())


@pytest.mark.parametrize("field", ["prompt", "negative_prompt"])
@pytest.mark.parametrize("control", ["\x00", "\x1b", "\x7f"])
def test_a_prompt_with_a_control_character(clip: Path, field: str, control: str) -> None:
    report = Report()
    texts = {"prompt": "a\tdog\nruns", field: f"a dog{control} runs"}
    read_candidates(clip, [replace(candidate("a"), **texts), candidate("b")], report)
    assert [sample.id for sample in report.samples] == ["b"]
    (problem,) = report.problems
    name = field.replace("_", " ")
    assert f"{clip}/images: expected a {name} without control characters, found {control!a} in " in str(problem)
    assert "correct the caption of a" in str(problem)


def test_a_prompt_may_have_several_lines(clip: Path) -> None:
    assert sample_of(clip, replace(candidate("a"), prompt="a\tdog\r\nruns"), Report()).prompt == "a\tdog\r\nruns"
