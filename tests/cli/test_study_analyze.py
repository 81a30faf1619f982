"""`vivid-bench study analyze` and the commands that its analysis feeds, as a user types them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from clips import Command
from made_analysis import STUDY, made_analysis
from made_runs import made_split, write_run
from made_study import METHODS, made_key

from vivid_bench.study.answers import write_answers
from vivid_bench.study.saved import read_analysis
from vivid_bench.study.simulate import Truth, simulate
from vivid_bench.study.types import AnswersPayload, StudyKey

ANT, BEE, CAT = METHODS


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """A study's folder with the key of 12 raters and nothing else."""
    key = made_key(raters=12, per_rater=15, samples=10, questions=("visual-quality", "overall"))
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "key.json").write_text(key.model_dump_json())
    return tmp_path / "study"


@pytest.fixture
def answers(study: Path) -> Path:
    """Answers of all raters; cat is the best by far, ant the worst, and r003 clicks always at the same place."""
    key = StudyKey.model_validate_json((study / "key.json").read_text())
    truth = Truth({ANT: -2.0, BEE: 0.0, CAT: 2.0}, cheaters={"r003": "same"})
    path = study.parent / "answers.json"
    write_answers(path, AnswersPayload(study=key.study, raters=simulate(key, truth, np.random.default_rng(0))))
    return path


def test_from_answers_to_a_report(vivid_bench: Command, study: Path, answers: Path) -> None:
    torn = answers.with_name("torn.json")
    torn.write_text(answers.read_text()[:-200])
    done = vivid_bench("study", "analyze", study, answers, torn)
    assert "Simulated: answers behind these figures were made by vivid-bench study simulate" in done.stderr
    assert f"problem: {torn}: " in done.stderr
    assert "excluded: r003 (" in done.stderr
    assert "User study (simulated)" in done.stdout
    assert f"delete, suite made, overall: {CAT} leads with " in done.stdout
    assert "11 of 12 raters count, " in done.stdout
    paths = [study / "report" / name for name in ("analysis.json", "report.md", "report.html", "report.tex", "figures")]
    assert done.stdout.splitlines()[-5:] == list(map(str, paths))
    assert all(path.stat().st_size > 500 for path in (*paths[:4], paths[4] / "pairs-delete-made.svg"))
    analysis = read_analysis(study / "report" / "analysis.json")
    (overall,) = (r for r in analysis.results if r.question == "overall" and r.mask_kind is None)
    assert [method.method for method in overall.methods] == [CAT, BEE, ANT]
    assert (analysis.raters_planned, analysis.raters_answered, analysis.raters_used) == (12, 12, 11)
    assert (study / "report" / "report.md").read_text().count("r003") >= 1


def test_without_answers_it_says_what_is_missing(vivid_bench: Command, study: Path, tmp_path: Path) -> None:
    done = vivid_bench("study", "analyze", study, expect=2)
    assert f"{study}: expected answers that `study serve` collected, found none" in done.stderr
    done = vivid_bench("study", "analyze", tmp_path / "nowhere", expect=2)
    assert "expected a readable file, found No such file" in done.stderr
    done = vivid_bench("study", "analyze", study, tmp_path / "none.json", expect=2)
    assert "none.json: expected an answers file, found no file" in done.stderr
    assert not (study / "report").exists()


@pytest.fixture
def records(tmp_path: Path) -> Path:
    """Finished runs of delete, two of which took part in the study that `analysis.json` is of."""
    split = made_split(6)
    psnr = [30.0, 31.0, 32.5, 33.0, 35.0, 36.0]
    runs = [write_run(tmp_path / "records", split, name, {"edit_psnr": psnr}) for name in ("high", "low", "new")]
    keys = [run.path.name for run in runs[:2]]
    analysis = made_analysis(("high", "low", "gone"), (*keys, "f" * 12))
    (tmp_path / "analysis.json").write_text(analysis.model_dump_json())
    return tmp_path / "records"


def test_the_leaderboard_takes_the_analysis(vivid_bench: Command, records: Path, tmp_path: Path) -> None:
    arguments = ("leaderboard", "--records", records, "--study", tmp_path / "analysis.json")
    text = vivid_bench(*arguments).stdout
    assert "human, overall" in text
    assert "(simulated), wins % ↑" in text
    assert "70.0 [65.0, 75.0]" in text
    assert f"user study {STUDY}" in text
    (table,) = json.loads(vivid_bench(*arguments, "--json").stdout)
    assert {row["method"]: row["human"] for row in table["rows"]} == {"high": 0.7, "low": 0.5, "new": None}
    (tmp_path / "analysis.json").write_text(made_analysis().model_dump_json())
    done = vivid_bench(*arguments)
    assert "no run of these tables took part in this user study" in done.stderr
    assert "human" not in done.stdout
    done = vivid_bench("leaderboard", "--records", records, "--study", records / "none.json", expect=2)
    assert "none.json: expected a readable file" in done.stderr


def test_the_papers_table_takes_the_analysis(vivid_bench: Command, tmp_path: Path) -> None:
    path = tmp_path / "analysis.json"
    path.write_text(made_analysis().model_dump_json())
    table = json.loads(vivid_bench("tables", "user-study", "--study", path, "--format", "json").stdout)
    measured = [row for row in table["rows"] if row.get("origin") == "measured"]
    assert len(measured) == 6
    assert {(row["study"], row["simulated"], row["raters"]) for row in measured} == {(STUDY, True, 9)}
    path.write_text(path.read_text().replace('"value":0.7', '"value":NaN', 1))
    assert "NaN" in path.read_text()
    done = vivid_bench("tables", "user-study", "--study", path, expect=2)
    assert "value: Input should be a finite number" in done.stderr
    path.write_text("{}")
    done = vivid_bench("tables", "user-study", "--study", path, expect=2)
    assert "expected a study's analysis" in done.stderr
