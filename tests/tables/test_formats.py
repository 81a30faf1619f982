from __future__ import annotations

import csv
import io
import json

from vivid_bench.tables.blocks import Block, PaperTable
from vivid_bench.tables.formats import as_csv, as_json, as_latex, as_markdown
from vivid_bench.tables.text import as_text

HOSTILE = "<b>|x_1 & 50%$\\\nnext"
TABLE = PaperTable(
    "t",
    "A title",
    (Block("measured here", ("method", "psnr ↑"), ((HOSTILE, "20.00"),), ("a_note",)), Block("none", (), ())),
    ({"name": HOSTILE, "value": 20.0}, {"name": "b", "published": None}),
    ("of 5 %",),
)


def test_markdown_escapes_what_would_be_markup() -> None:
    text = as_markdown([TABLE])
    assert "| &lt;b&gt;\\|x\\_1 &amp; 50%\\$\\\\\ufffdnext | 20.00 |" in text
    assert "| --- | ---: |" in text
    assert "- a\\_note" in text
    assert text.endswith("- of 5 %\n")


def test_latex_escapes_what_would_be_markup() -> None:
    text = as_latex([TABLE])
    assert r"\textless{}b\textgreater{}\textbar{}x\_1 \& 50\%\$\textbackslash{}?next & 20.00 \\" in text
    assert r"psnr $\uparrow$" in text
    assert r"\begin{tabular}{lr}" in text
    assert r"\caption{A title -- measured here}" in text
    assert text.count(r"\begin{table}") == 1  # the empty block has no table
    # A bracket at the start of a row would be the optional argument of the row's end before it.
    rows = Block("b", ("method", "psnr"), (("[9cm] a", "1 [0, 2]"),))
    assert r"{[}9cm{]} a & 1 {[}0, 2{]} \\" in as_latex([PaperTable("t", "T", (rows,), ())])


def test_csv_is_one_figure_a_line() -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv([TABLE]))))
    assert rows == [
        {"table": "t", "name": HOSTILE.replace("\n", "\ufffd"), "value": "20.0", "published": ""},
        {"table": "t", "name": "b", "value": "", "published": ""},
    ]


def test_json_of_one_table_and_of_several() -> None:
    one = json.loads(as_json([TABLE], alone=True))
    assert one["rows"] == list(TABLE.figures)
    assert json.loads(as_json([TABLE], alone=False)) == [one]


def test_names_move_no_terminals_cursor() -> None:
    block = Block("a\x1b[2J", ("b\r", "c"), (("d\u202e", "e\n"),), ("f\x07",))
    text = as_text([PaperTable("t\x1b", "T", (block,), (), ("g\x9b",))], width=40)
    assert not set(text) & set("\x1b\r\u202e\x07\x9b")
    assert "e\ufffd" in text


def test_columns_that_do_not_fit_go_below() -> None:
    block = Block("wide", ("method", "one", "two"), (("a", "1" * 20, "2" * 20),))
    text = as_text([PaperTable("t", "T", (block,), ())], width=40)
    assert [line.split() for line in text.splitlines()[3:]] == [
        ["method", "one"], ["a", "1" * 20], [], ["method", "two"], ["a", "2" * 20],
    ]  # fmt: skip
    assert "1" * 20 + "  " + "2" * 20 in as_text([PaperTable("t", "T", (block,), ())], width=60)


def test_a_column_wider_than_the_terminal_stands_alone() -> None:
    block = Block("wide", ("method", "one", "two"), (("a", "1" * 90, "2"),))
    text = as_text([PaperTable("t", "T", (block,), ())], width=40)
    assert "two" in text
