from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path

import pytest
from made_runs import made_split, read_tables, write_run

from vivid_bench.escaping import one_line
from vivid_bench.leaderboard.formats import comma_separated, json_text, latex, markdown
from vivid_bench.leaderboard.sheet import sheet, two_lines
from vivid_bench.leaderboard.table import Table
from vivid_bench.leaderboard.words import facts, legend, metric_versions, title

HIGH = [30.0, 31.0, 32.5, 33.0, 35.0, 36.0, 34.0, 32.0]
NEAR = [30.1, 30.8, 32.6, 33.1, 34.8, 36.2, 34.2, 31.7]
LOW = [20.0, 21.5, 22.0, 23.0, 25.5, 26.0, 24.0, 22.0]
SSIM = [0.5, 0.6, 0.55, 0.7, 0.72, 0.8, 0.62, 0.63]


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two methods that cannot be told apart, a worse one with two seeds, one with a gap, and a control."""
    records = tmp_path_factory.mktemp("records")
    split = made_split(8)
    for name, values, kind, seed in (
        ("high", HIGH, "method", 0),
        ("near", NEAR, "submission", 0),
        ("low_er", LOW, "baseline", 0),
        ("low_er", [value + 0.1 for value in LOW], "baseline", 1),
        ("gap", [None, *HIGH[1:]], "method", 0),
        ("copy", LOW, "control", 0),
    ):
        metrics = {"edit_ssim": SSIM, "edit_psnr": values, "background_psnr": [100.0] * 8, "edit_mse": SSIM}
        write_run(records, split, name, metrics, kind, seed=seed)
    return records


@pytest.fixture
def table(records: Path) -> Table:
    (table,) = read_tables(records)
    return table


@pytest.fixture
def hostile(table: Table) -> Table:
    """The same, with all that a record may hold as free text set against its readers."""
    changed = {
        "split_version": "1 & 2_\n|x|",
        "weights": {"<script>alert(1)</script>|`a`": None, "\x1b[31m=1+1": "*" * 64, "$x^2$ \\input{/etc/passwd}": "%"},
        "metrics": {**table.record.metrics, "edit_ssim": "=HYPERLINK()"},
    }
    methods = [
        row.record.method.model_copy(update={"version": version})
        for row, version in zip(table.rows, ("=1+1", "@x", "-2", "+3", "a\nb"), strict=True)
    ]
    for row, method in zip(table.rows, methods, strict=True):
        records = [record.model_copy(update={**changed, "method": method}) for record in row.records]
        object.__setattr__(row, "records", tuple(records))
    return table


def test_the_header_says_what_decides_the_figures(table: Table) -> None:
    what, pinned = facts(table)
    assert what == (
        "8 clips from 8 source videos; composite none; ranked by edit psnr ↑; "
        "[95 % intervals]: 4999 resamples of source videos"
    )
    assert pinned == f"split {'1' * 12}, version 1; metric versions: {metric_versions(table)}; weights: none"
    assert title(table) == "delete, suite made"


def test_metric_versions_name_those_that_differ(table: Table) -> None:
    object.__setattr__(table.rows[0], "records", (table.record.model_copy(update={"metrics": {"a": "1", "b": "1"}}),))
    assert metric_versions(table) == "1"
    object.__setattr__(
        table.rows[0], "records", (table.record.model_copy(update={"metrics": {"a": "1", "b": "1", "edit_x@w": "2"}}),)
    )
    assert metric_versions(table) == "1, but 2 for edit x @w"


def test_the_legend_explains_what_is_there_and_nothing_else(table: Table) -> None:
    notes = legend([table], best="bold")
    assert notes[0].startswith("bold: the best, or not told apart from it on the main metric")
    assert any(note.startswith("(n/N)") for note in notes)
    assert any(note.startswith("low_er (2 seeds): mean over 2 seeds, clip by clip; seeds make up ") for note in notes)
    assert not any("keyframe" in note or "weights" in note or "=k" in note for note in notes)
    assert len(notes) == len(set(notes)) == len(legend([table, table], best="bold")) == 3


def test_the_main_metric_comes_first_with_its_interval(table: Table) -> None:
    whole = sheet(table)
    assert whole.names == ("rank", "method", "clips")
    assert whole.figures == ("edit psnr ↑", "edit ssim ↑", "background psnr ↑", "s/frame ↓", "peak MB ↓")
    assert sorted(line.name for line in whole.lines[:2]) == [("1", "high", "8/8"), ("1", "near", "8/8")]
    assert [line.name for line in whole.lines[2:]] == [
        ("3", "low_er (2 seeds)", "8/8"), ("", "gap", "8/8"), ("", "copy", "8/8"),
    ]  # fmt: skip
    assert [line.is_best for line in whole.lines] == [True, True, False, False, False]
    assert [line.is_first_control for line in whole.lines] == [False, False, False, False, True]
    assert re.fullmatch(r"23\.05 \[\d\d\.\d\d, \d\d\.\d\d\]", whole.lines[2].figures[0])
    assert whole.lines[3].figures[0].startswith("33.36 (7/8) [")
    assert whole.lines[0].figures[1:] == ("0.6400", "100.00", "0.100", "–")


def test_one_method_alone_is_not_marked_as_the_best(tmp_path: Path) -> None:
    write_run(tmp_path, made_split(8), "alone", {"edit_psnr": HIGH})
    (table,) = read_tables(tmp_path)
    (line,) = sheet(table).lines
    assert not line.is_best
    assert legend([table]) == []


def test_parts_are_even_and_break_headings_well(table: Table) -> None:
    whole = sheet(table)
    assert list(whole.parts(3)) == [(slice(0, 3), True), (slice(3, 6), False)]
    assert list(whole.parts(99)) == [(slice(0, 5), True)]
    assert two_lines("edit psnr ↑") == ("edit", "psnr ↑")
    assert two_lines("background warp error ↓ ×1000") == ("background warp", "error ↓ ×1000")
    assert two_lines("clip text full @mini-clip ↑ ×100") == ("clip text full", "@mini-clip ↑ ×100")


def test_markdown_is_a_page_that_a_repository_shows(table: Table) -> None:
    text = markdown([table])
    lines = text.splitlines()
    assert lines[0] == "# Leaderboard"
    assert "## delete, suite made" in lines
    figures = ("edit<br>psnr ↑", "edit<br>ssim ↑", "background<br>psnr ↑", "s/frame<br>↓", "peak<br>MB ↓")
    assert f"| {' | '.join(('rank', 'method', 'clips', *figures))} |" in lines
    high = next(line for line in lines if line.startswith("| 1 | high |"))
    assert re.match(r"\| 1 \| high \| 8/8 \| \*\*32\.94 \\\[\d\d\.\d\d, \d\d\.\d\d\\\]\*\* \| 0\.6400 \|", high)
    assert any(line.startswith(r"| 3 | low\_er (2 seeds) | 8/8 | 23.05 ") for line in lines)
    assert "|  | *controls* |  |  |  |  |  |  |" in lines
    assert len({line.count("|") for line in lines if line.startswith("|")}) == 1
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


def test_latex_is_a_booktabs_table(table: Table) -> None:
    text = latex([table])
    for part in (r"\toprule", r"\midrule", r"\bottomrule", r"\begin{tabular}{rlrrrrrr}", r"\emph{controls}"):
        assert part in text
    assert re.search(r"^1 & high & 8/8 & \\textbf\{32\.94 \{\[\}\d\d\.\d\d, \d\d\.\d\d\{\]\}\}", text, re.M)
    assert r"low\_er (2 seeds)" in text
    assert r"\shortstack[r]{edit\\psnr $\uparrow$}" in text
    assert text.isascii()
    rows = [line for line in text.splitlines() if line.endswith(r"\\") and "&" in line]
    assert len({line.count("&") for line in rows}) == 1


def test_csv_is_one_line_a_method_and_metric_unrounded(table: Table) -> None:
    lines = list(csv.DictReader(io.StringIO(comma_separated([table]))))
    assert len(lines) == 5 * 4
    low = next(line for line in lines if line["method"] == "low_er" and line["metric"] == "edit_psnr")
    assert float(low["mean"]) == pytest.approx(sum(LOW) / 8 + 0.05)
    assert (low["rank"], low["tied_with_best"], low["ranked"], low["seeds"]) == ("3", "False", "True", "[0, 1]")
    assert (low["suite"], low["task"], low["split_sha256"], low["main_metric"]) == (
        "made", "delete", "1" * 64, "edit_psnr",
    )  # fmt: skip
    gap = next(line for line in lines if line["method"] == "gap" and line["metric"] == "edit_psnr")
    assert (gap["n_scored"], gap["n_expected"], gap["rank"]) == ("7", "8", "")
    mse = next(line for line in lines if line["metric"] == "edit_mse")
    assert mse["higher_is_better"] == "False"
    assert comma_separated([]) == ""


def test_json_holds_rows_and_comparisons(table: Table) -> None:
    (found,) = json.loads(json_text([table]))
    assert [row["rank"] for row in found["rows"]] == [1, 1, 3, None, None]
    assert found["rows"][2]["seeds"] == [0, 1]
    assert len(found["rows"][2]["run_keys"]) == 2
    assert found["rows"][2]["run_key"] == found["rows"][2]["run_keys"][0]
    assert {(pair["first"], pair["second"]) for pair in found["comparisons"]} >= {("high", "low_er (2 seeds)")}
    pair = next(pair for pair in found["comparisons"] if pair["second"] == "low_er (2 seeds)")
    assert 0 < pair["p"] <= pair["p_corrected"] <= 0.05
    assert json_text([]) == "[]\n"


def test_hostile_text_is_text_in_markdown(hostile: Table) -> None:
    text = markdown([hostile])
    assert "<script>" not in text
    assert r"&lt;script&gt;alert(1)&lt;/script&gt;\|\`a\`" in text
    assert "\x1b" not in text
    assert not re.search(r"(?<!\\)[$`]x", text)
    pipes = {len(re.findall(r"(?<!\\)\|", line)) for line in text.splitlines() if line.startswith("|")}
    assert len(pipes) == 1


def test_hostile_text_is_text_in_latex(hostile: Table) -> None:
    text = latex([hostile])
    assert text.startswith("% split")
    body = text.split("\n", 1)[1]
    assert "input{/etc" not in body.replace(r"\textbackslash{}input\{", "")
    assert "\x1b" not in text
    assert not re.search(r"(?<!\\)[&%#_]", re.sub(r" & ", "", body))


def test_hostile_text_is_text_in_csv(hostile: Table) -> None:
    text = comma_separated([hostile])
    lines = list(csv.DictReader(io.StringIO(text)))
    assert len(lines) == 5 * 4
    assert {line["version"] for line in lines} == {"'=1+1", "'@x", "'-2", "'+3", "a\ufffdb"}
    assert "'=HYPERLINK()" in {line["metric_version"] for line in lines}
    assert text.count("\n") == 1 + 5 * 4
    numbers = ("mean", "ci_low", "ci_high")
    assert not any(str(v).startswith(tuple("=+-@\t\r")) for line in lines for k, v in line.items() if k not in numbers)


def test_hostile_text_is_text_in_json(hostile: Table) -> None:
    (found,) = json.loads(json_text([hostile]))
    assert "<script>alert(1)</script>|`a`" in found["weights"]


@pytest.mark.parametrize("text", ["a\nb", "a\rb", "a\x1b[31mb", "a\x00b", "a\u2028b", "a\u202eb", "a\x9bb"])
def test_one_line_is_one_line(text: str) -> None:
    assert "\ufffd" in one_line(text)
    assert one_line(text).isprintable()
    assert one_line("naïve – 日本") == "naïve – 日本"
