"""`vivid-bench study simulate`: answers that say they are simulated, the truth printed, errors that say the fix."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest
from made_study import made_key
from typer.testing import CliRunner, Result

from vivid_bench.cli.study import study as commands
from vivid_bench.cli.study.simulate import simulate
from vivid_bench.errors import VividBenchError
from vivid_bench.study.answers import read_answers
from vivid_bench.study.saved import read_key
from vivid_bench.study.simulate import RATER_SD, SAMPLE_SD, SLIPS
from vivid_bench.study.types import Design

METHODS = ("copy", "fill", "flow")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_study(tmp_path / "study", "pairwise")


def write_study(folder: Path, design: Design) -> Path:
    """A study of three methods by six raters, the key alone."""
    key = made_key(design, METHODS, 8, 6, 6, deadline="2026-01-31")
    folder.mkdir()
    (folder / "key.json").write_text(key.model_dump_json())
    return folder


def simulated(folder: Path, *options: str) -> Result:
    out = folder.parent / "answers.json"
    return CliRunner().invoke(commands, ["simulate", str(folder), "--out", str(out), *options], catch_exceptions=False)


def refused(folder: Path, *options: str) -> str:
    with pytest.raises(VividBenchError) as error:
        simulated(folder, *options)
    assert not (folder.parent / "answers.json").exists()
    return str(error.value)


@pytest.mark.parametrize("design", ["pairwise", "rating", "ranking"])
def test_the_answers_are_read_back_without_a_problem(tmp_path: Path, design: Design) -> None:
    folder = write_study(tmp_path / "study", design)
    result = simulated(folder, "--seed", "3", "--cheaters", "2")
    assert result.exit_code == 0
    collected = read_answers(read_key(folder), folder / "key.json", [tmp_path / "answers.json"])
    assert collected.problems == ()
    assert len(collected.raters) == 6
    assert all(rater.simulated for rater in collected.raters)
    assert "simulated answers of 6 raters" in result.output


def test_the_truth_is_printed_best_first(folder: Path) -> None:
    # Without effects and slips, fill wins expit(1) = 73.1 % over flow and expit(2) = 88.1 % over copy: 80.6 %.
    strengths = [word for text in ("fill=1", "flow=0", "copy=-1") for word in ("--strength", text)]
    result = simulated(folder, *strengths, "--rater-sd", "0", "--sample-sd", "0", "--slips", "0")
    rows = [line.split() for line in result.output.splitlines()[2:5]]
    assert rows[0] == ["fill", "made", "delete", "+1.00", "80.6"]
    assert [row[0] for row in rows] == ["fill", "flow", "copy"]
    assert "cheaters: none" in result.output


def test_the_same_seed_gives_the_same_file(folder: Path) -> None:
    out = folder.parent / "answers.json"
    simulated(folder, "--seed", "1")
    first = out.read_bytes()
    simulated(folder, "--seed", "1")
    assert out.read_bytes() == first
    simulated(folder, "--seed", "2")
    assert out.read_bytes() != first


def test_strengths_of_other_methods_stay_evenly_spaced(folder: Path) -> None:
    result = simulated(folder, "--strength", "fill=3")
    shown = {line.split()[0]: line.split()[3] for line in result.output.splitlines()[2:5]}
    assert shown["fill"] == "+3.00"
    assert {shown["copy"], shown["flow"]} < {"+0.50", "+0.00", "-0.50"}


def test_wrong_options_are_refused_with_a_fix(folder: Path) -> None:
    assert 'did you mean "fill"' in refused(folder, "--strength", "fil=1")
    for text in ("fill", "fill=", "fill=much", "fill=nan", "fill=inf", "fill=11", "=1"):
        assert "expected METHOD=VALUE, a number from -10 to 10" in refused(folder, "--strength", text)
    assert "expected 0 to 6 cheaters, got 7" in refused(folder, "--cheaters", "7")


def test_a_folder_without_a_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "key.json" in refused(tmp_path / "empty")


def test_the_defaults_are_what_plans_assume() -> None:
    defaults = {name: parameter.default for name, parameter in inspect.signature(simulate).parameters.items()}
    assert (defaults["rater_sd"], defaults["sample_sd"], defaults["slips"]) == (RATER_SD, SAMPLE_SD, SLIPS)
