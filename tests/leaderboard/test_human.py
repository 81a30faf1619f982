"""Raters' preferences beside a leaderboard's metrics."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from made_analysis import STUDY, made_analysis
from made_runs import made_split, read_tables, write_run

from vivid_bench.leaderboard.formats import comma_separated, json_text, latex, markdown
from vivid_bench.leaderboard.human import with_human
from vivid_bench.leaderboard.sheet import sheet
from vivid_bench.leaderboard.site import write_site
from vivid_bench.leaderboard.table import Table
from vivid_bench.leaderboard.words import legend
from vivid_bench.study.results import StudyAnalysis
from vivid_bench.study.types import Design

PSNR = [30.0, 31.0, 32.5, 33.0, 35.0, 36.0]
NAME = "human, overall (simulated)"


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two methods of delete, the second with two seeds, and a control; and a method of add."""
    records = tmp_path_factory.mktemp("records")
    split = made_split(6)
    for name, drop, kind, seed in (
        ("high", 0.0, "method", 0),
        ("low", 9.0, "method", 0),
        ("low", 9.1, "method", 1),
        ("copy", 12.0, "control", 0),
    ):
        values = {"edit_psnr": [value - drop for value in PSNR], "edit_ssim": [0.5] * 6}
        write_run(records, split, name, values, kind, seed=seed)
    write_run(records, made_split(6, "add"), "high", {"edit_psnr": PSNR, "edit_ssim": [0.5] * 6})
    return records


def analysis_of(tables: list[Table], design: Design = "pairwise", *, simulated: bool = True) -> StudyAnalysis:
    """A study in which low, its second seed, was liked best, high second, and a method that is no row last."""
    delete = next(table for table in tables if table.task == "delete")
    keys = {(row.record.method.name, record.seed): record.run_key for row in delete.rows for record in row.records}
    run_keys = (keys["low", 1], keys["high", 0], "f" * 12)
    return made_analysis(("low", "high", "gone"), run_keys, design=design, simulated=simulated)


@pytest.fixture
def tables(records: Path) -> list[Table]:
    tables = read_tables(records)
    return with_human(tables, analysis_of(tables))


@pytest.fixture
def delete(tables: list[Table]) -> Table:
    return next(table for table in tables if table.task == "delete")


def test_the_column_stands_behind_the_main_metric_and_ranks_nothing(delete: Table, records: Path) -> None:
    whole = sheet(delete)
    assert whole.figures[:3] == ("edit psnr ↑", f"{NAME}, wins % ↑", "edit ssim ↑")
    lines = {line.name[1]: line.figures[1] for line in whole.lines}
    assert lines == {"high": "50.0 [45.0, 55.0]", "low (2 seeds)": "70.0 [65.0, 75.0]", "copy": "–"}
    plain = next(table for table in read_tables(records) if table.task == "delete")
    assert [(row.record.run_key, row.rank) for row in delete.rows] == [
        (row.record.run_key, row.rank) for row in plain.rows
    ]


def test_a_table_that_raters_did_not_see_has_no_column(tables: list[Table]) -> None:
    add = next(table for table in tables if table.task == "add")
    assert add.human is None
    assert not any("human" in figure for figure in sheet(add).figures)
    assert not any("human" in note for note in legend([add]))


def test_ratings_are_shown_as_such_and_people_as_people(records: Path) -> None:
    tables = read_tables(records)
    (delete,) = (t for t in with_human(tables, analysis_of(tables, "rating", simulated=False)) if t.task == "delete")
    whole = sheet(delete)
    assert whole.figures[1] == "human, overall, rating 1–5 ↑"
    assert whole.lines[0].figures[1] == "3.00 [2.75, 3.25]"
    assert not any("simulated" in note for note in legend([delete]))


def test_the_notes_name_the_study_its_size_and_what_is_missing(delete: Table) -> None:
    notes = legend([delete])
    assert any(note.startswith(f"{NAME}: share of comparisons won") and STUDY in note for note in notes)
    assert "delete, suite made: 9 raters, 8 samples, 180 judgements in the user study" in notes
    assert "simulated: these answers were made by `vivid-bench study simulate`; no person was asked" in notes
    assert f"{NAME} –: raters did not see the edits of that run" in notes
    assert "low (2 seeds): raters saw the edits of seed 1 alone" in notes


def test_text_formats_have_the_column(tables: list[Table]) -> None:
    text = markdown(tables)
    assert "| 1 | high | 6/6 | **32.92 " in text
    assert "| 50.0 \\[45.0, 55.0\\] | 0.5000 |" in text
    assert "human, overall" in text
    tex = latex(tables)
    assert "50.0 {[}45.0, 55.0{]} & 0.5000" in tex
    rows = [line for line in tex.splitlines() if line.endswith(r"\\") and "&" in line]
    assert len({line.count("&") for line in rows}) == 2  # one table has a column more


def test_csv_and_json_have_it_unrounded_with_its_study(tables: list[Table]) -> None:
    lines = list(csv.DictReader(io.StringIO(comma_separated(tables))))
    by_row = {(line["task"], line["method"]): line for line in lines}
    high = by_row["delete", "high"]
    assert (high["human_study"], high["human_simulated"], high["human_judgements"]) == (STUDY, "True", "120")
    assert [float(high[name]) for name in ("human", "human_ci_low", "human_ci_high")] == pytest.approx(
        [0.5, 0.45, 0.55]
    )
    assert by_row["delete", "copy"]["human"] == ""
    assert by_row["add", "high"]["human_study"] == ""
    add, delete = sorted(json.loads(json_text(tables)), key=lambda table: str(table["task"]))
    assert (delete["human_question"], delete["human_raters"], delete["human_samples"]) == ("overall", 9, 8)
    assert {row["method"]: row["human"] for row in delete["rows"]} == {
        "high": pytest.approx(0.5), "low": pytest.approx(0.7), "copy": None,
    }  # fmt: skip
    assert "human_study" not in add
    assert "human" not in add["rows"][0]


def test_without_a_study_nothing_changes(records: Path) -> None:
    tables = read_tables(records)
    assert "human" not in markdown(tables) + latex(tables) + comma_separated(tables) + json_text(tables)


def test_the_site_has_the_column(tables: list[Table], tmp_path: Path) -> None:
    report = write_site(tables, tmp_path / "site")
    page = report.index.read_text(encoding="utf-8")
    assert page.count('<th scope="col" class="human"') == 1
    assert (
        '<td class="human" data-sort="0.5"><span class="value all-only">50.0</span>'
        '<span class="interval all-only">[45.0, 55.0]</span></td>'
    ) in page
    assert '<td class="human" data-sort=""><span class="value all-only">–</span></td>' in page
    assert "no person was asked" in page
