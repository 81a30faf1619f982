from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivid_bench.escaping import csv_cell, latex, markdown, one_line


def test_markdown_shows_markup_as_it_was_typed() -> None:
    assert markdown("*a* [b](c) <d> | e") == r"\*a\* \[b\](c) &lt;d&gt; \| e"


def test_latex_shows_commands_as_they_were_typed() -> None:
    assert latex(r"\input{a} 50 % & $b$_c^d") == (r"\textbackslash{}input\{a\} 50 \% \& \$b\$\_c\textasciicircum{}d")
    assert latex("[2em] ↑") == r"{[}2em{]} $\uparrow$"


@pytest.mark.parametrize("start", ["=", "+", "-", "@"])
def test_text_that_a_spreadsheet_would_run_is_quoted(start: str) -> None:
    assert csv_cell(f"{start}HYPERLINK(1)") == f"'{start}HYPERLINK(1)"


def test_numbers_and_nothing_stay_what_they_are_in_csv() -> None:
    assert (csv_cell(-1.5), csv_cell(None), csv_cell(["a"])) == (-1.5, None, '["a"]')


@given(st.text())
def test_one_line_is_one_line_and_moves_no_cursor(text: str) -> None:
    shown = one_line(text)
    assert len(shown) == len(text)
    assert len(shown.splitlines()) <= 1
    assert "\x1b" not in shown


def test_half_a_character_can_be_written() -> None:
    assert one_line("a\ud800b\udfff").encode() == "a\ufffdb\ufffd".encode()
