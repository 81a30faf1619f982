from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import pytest
from clips import Command
from made_runs import made_split, write_run

RESULTS = Path(__file__).parents[2] / "results"
HIGH = [30.0, 31.0, 32.5, 33.0, 35.0, 36.0]


@pytest.fixture
def records(tmp_path: Path) -> Path:
    records = tmp_path / "records"
    for task in ("delete", "add"):
        split = made_split(6, task)  # type: ignore[arg-type]
        for name, values in (("high", HIGH), ("low", [value - 9 for value in HIGH])):
            write_run(records, split, name, {"edit_psnr": values, "edit_ssim": [0.5] * 6})
        write_run(records, split, "copy", {"edit_psnr": HIGH, "edit_ssim": [0.5] * 6}, "control")
    return records


def test_the_table_ranks_and_says_what_decides_the_figures(vivid_bench: Command, records: Path) -> None:
    text = vivid_bench("leaderboard", "--records", records, "--task", "delete").stdout
    lines = text.splitlines()
    assert lines[0] == "delete, suite made: 6 clips, composite none, ranked by edit_psnr"
    assert lines[1].startswith("6 clips from 6 source videos; ")
    assert lines[2].startswith("split 111111111111, version 1; metric versions: ")
    names = [line.split()[0:2] for line in lines[4:8]]
    assert names == [["1", "high"], ["2", "low"], ["controls"], ["copy", "6/6"]]
    assert "32.92 [" in lines[4]
    assert "] *" in lines[4]
    assert "*: the best, or not told apart from it" in text
    assert "add" not in text


def test_a_narrow_terminal_loses_no_figure(vivid_bench: Command, records: Path) -> None:
    text = vivid_bench("leaderboard", "--records", records, columns="60").stdout
    assert "…" not in text
    assert text.count("32.92") == 4


@pytest.mark.parametrize("format_", ["table", "csv"])
def test_out_writes_what_is_printed(vivid_bench: Command, records: Path, tmp_path: Path, format_: str) -> None:
    arguments = ("leaderboard", "--records", records, "--format", format_)
    printed = vivid_bench(*arguments, columns="140").stdout
    out = tmp_path / "new folder" / "board"
    assert vivid_bench(*arguments, "--out", out).stdout == ""
    assert out.read_text() == printed
    assert "high" in printed
    assert list(out.parent.iterdir()) == [out]


def test_html_is_a_folder(vivid_bench: Command, records: Path, tmp_path: Path) -> None:
    done = vivid_bench("leaderboard", "--records", records, "--format", "html", "--out", tmp_path / "site")
    assert "site/index.html: " in done.stderr
    assert "high" in (tmp_path / "site" / "index.html").read_text()


def test_json_is_short_for_its_format_and_suites_and_tasks_are_chosen(vivid_bench: Command, records: Path) -> None:
    tables = json.loads(vivid_bench("leaderboard", "--records", records, "--json").stdout)
    assert [table["task"] for table in tables] == ["add", "delete"]
    (table,) = json.loads(vivid_bench("leaderboard", "--records", records, "--json", "--task", "add").stdout)
    assert [row["method"] for row in table["rows"]] == ["high", "low", "copy"]
    assert r"\begin{table*}" in vivid_bench("leaderboard", "--records", records, "--format", "latex").stdout
    none = vivid_bench("leaderboard", "--records", records, "--suite", "mini")
    assert "no finished run among these" in none.stderr


def test_wrong_words_are_one_message(vivid_bench: Command, records: Path) -> None:
    for arguments, words in (
        (("--format", "xlsx"), 'unknown format "xlsx": known: csv, html, json, latex, md, table'),
        (("--format", "html"), "--format html writes a folder: say which with --out DIR"),
        (("--data", "x"), "--data goes with --format html"),
        (("--task", "remove"), 'unknown task "remove"'),
        (("--records", "none"), "expected run records, found none"),
    ):
        done = vivid_bench("leaderboard", "--records", records, *arguments, expect=2)
        assert words in done.stderr
        assert "Traceback" not in done.stderr


def test_what_cannot_be_believed_is_left_out_and_not_published(
    vivid_bench: Command, records: Path, tmp_path: Path
) -> None:
    (scores,) = (records / "made/delete/high").glob("*/scores.jsonl")
    scores.write_text(scores.read_text().replace("30.0", "39.0"))
    shutil.copytree(records / "made/add/low", records / "made/add/low-again")
    done = vivid_bench("leaderboard", "--records", records, "--format", "csv", expect=1)
    assert f"left out: {scores}: changed after scoring" in done.stderr
    assert "the same run as" in done.stderr
    found = {(line["task"], line["method"]) for line in csv.DictReader(io.StringIO(done.stdout))}
    assert found == {(task, name) for task in ("add", "delete") for name in ("high", "low", "copy")} - {
        ("delete", "high")
    }
    done = vivid_bench("leaderboard", "--records", records, "--out", tmp_path / "board.txt", expect=1)
    assert "board.txt was not written: mend or remove those records first" in done.stderr
    assert not (tmp_path / "board.txt").exists()


def test_what_must_not_be_compared_gets_a_table_of_its_own_and_is_not_published(
    vivid_bench: Command, records: Path, tmp_path: Path
) -> None:
    split = made_split(6).model_copy(update={"sha256": "2" * 64})
    folder = write_run(records, split, "other", {"edit_psnr": HIGH, "edit_ssim": [0.5] * 6})
    arguments = ("leaderboard", "--records", records, "--task", "delete")
    done = vivid_bench(*arguments, "--json")
    assert len(json.loads(done.stdout)) == 2
    assert f"not comparable: {folder.path / 'run.json'}: cannot stand beside " in done.stderr
    assert "(the table of 3 rows): split sha256 222222222222, not 111111111111" in done.stderr
    vivid_bench(*arguments, "--format", "md", "--out", tmp_path / "board.md", expect=1)
    assert not (tmp_path / "board.md").exists()
    vivid_bench("leaderboard", "--records", records, "--task", "add", "--out", tmp_path / "board.md")


def test_an_out_that_cannot_be_written_is_one_message(vivid_bench: Command, records: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = vivid_bench("leaderboard", "--records", records, "--out", tmp_path / "file" / "board", expect=2)
    assert "expected a folder, found a file in its place" in done.stderr


def test_the_committed_leaderboard_is_that_of_the_committed_results(vivid_bench: Command) -> None:
    made = vivid_bench("leaderboard", "--records", RESULTS, "--format", "md").stdout
    assert (RESULTS / "LEADERBOARD.md").read_text() == made, "stale: `make leaderboard` writes it again"
