"""`vivid-bench tables`, as a user types it."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from clips import Command
from made_runs import made_split, write_run


@pytest.fixture
def records(tmp_path: Path) -> Path:
    for task in ("add", "delete"):
        split = made_split(4, task)  # type: ignore[arg-type]
        write_run(tmp_path / "made", split, "mine", {"edit_psnr": [19.0, 20.0, 21.0, 24.0]})
        write_run(tmp_path / "made", split, "copy-source", {"edit_psnr": [9.0, 10.0, 11.0, 14.0]}, kind="control")
    return tmp_path / "made"


def test_every_table_as_json(vivid_bench: Command, records: Path) -> None:
    tables = json.loads(vivid_bench("tables", "--records", records, "--rounds", "3", "--format", "json").stdout)
    assert [table["table"] for table in tables] == ["kive-cost", "removal", "main", "user-study"]
    kive, removal, main, study = (table["rows"] for table in tables)
    cost = {row["name"]: row for row in kive}
    assert cost["video edit"]["measured_pflops"] == pytest.approx(17.1, abs=0.1)
    assert cost["video edit"]["published_pflops"] == 17.1
    assert cost["keyframe edit"]["published_pflops"] == 1.5
    assert cost["KIVE session, 3 rounds"]["published_pflops"] is None
    assert {row["name"] for row in removal if row["origin"] == "measured"} == {"mine", "copy-source"}
    assert {row["published"] for row in main} == {None}
    assert {row["measured"] for row in study} == {None}


def test_tables_on_a_terminal(vivid_bench: Command, records: Path) -> None:
    text = vivid_bench("tables", "removal", "--records", records).stdout
    for words in ("(removal)", "measured here: delete, suite made, 4 clips", "copy-source (control)", "published by"):
        assert words in text


def test_without_records_the_published_rows_remain(vivid_bench: Command, tmp_path: Path) -> None:
    text = vivid_bench("tables", "removal").stdout
    assert "no finished run of delete among the records" in text
    assert "DiffuEraser" in text
    done = vivid_bench("tables", "removal", "--records", tmp_path / "nowhere", expect=2)
    assert "expected run records, found none" in done.stderr


def test_formats_and_files(vivid_bench: Command, records: Path, tmp_path: Path) -> None:
    vivid_bench("tables", "main", "--records", records, "--format", "csv", "--out", tmp_path / "out" / "main.csv")
    with (tmp_path / "out" / "main.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {(row["task"], row["name"], row["value"]) for row in rows} == {
        ("add", "mine", "21.0"),
        ("delete", "mine", "21.0"),
    }
    assert float(rows[0]["ci_low"]) < 21.0 < float(rows[0]["ci_high"])
    assert "| mine | edit psnr ↑ | 21.00 \\[" in vivid_bench(
        "tables", "main", "--records", records, "--format", "md"
    ).stdout  # fmt: skip
    assert r"\toprule" in vivid_bench("tables", "removal", "--records", records, "--format", "latex").stdout


def test_the_papers_figures_from_a_users_file(vivid_bench: Command, records: Path, tmp_path: Path) -> None:
    figures = {"columns": ["edit_psnr"], "rows": {"mine": [30.5]}}
    mine = {"vivid_paper_tables": {"source": "copied", "status": "in part", "tasks": {"add": figures}}}
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(mine))
    arguments = ("tables", "main", "--records", records, "--published", path)
    rows = json.loads(vivid_bench(*arguments, "--format", "json").stdout)["rows"]
    assert [row.get("published") for row in rows if row["task"] == "add"] == [30.5, None]
    assert [row["origin"] for row in rows if row["task"] == "add"] == ["measured", "published"]
    path.write_text(json.dumps({"vivid_paper_table": {}}))
    done = vivid_bench(*arguments, expect=2)
    assert f"{path}: vivid_paper_table: expected no such key" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("kive",), 'unknown table "kive": did you mean "kive-cost"?'),
        (("main", "--format", "htm"), 'unknown format "htm"'),
        (("kive-cost", "--rounds", "0"), "--rounds"),
        (("main", "--published", "none.json"), "none.json: expected a readable file"),
    ],
)
def test_words_that_mean_nothing(vivid_bench: Command, arguments: tuple[str, ...], words: str) -> None:
    assert words in vivid_bench("tables", *arguments, expect=2).stderr


def test_a_changed_record_is_left_out_and_said(vivid_bench: Command, records: Path) -> None:
    scores = next(records.glob("made/delete/mine/*/scores.jsonl"))
    scores.write_text(scores.read_text().replace("19.0", "29.0"))
    done = vivid_bench("tables", "removal", "--records", records, expect=1)
    assert "left out" in done.stderr
    assert "changed after scoring" in done.stderr
    assert "copy-source (control)" in done.stdout
