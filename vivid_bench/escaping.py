"""Names, captions and notes are data: what each text format would read as markup is escaped here."""

from __future__ import annotations

import html
import json
import re

_LATEX = {
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}", "↑": r"$\uparrow$", "↓": r"$\downarrow$", "×": r"$\times$", "–": "--",
    # After a row's end, a bracket would be how much to skip.
    "\N{NO-BREAK SPACE}": "~", "\ufffd": "?", "[": "{[}", "]": "{]}", **{c: f"\\{c}" for c in "&%$#_{}"},
}  # fmt: skip


def one_line(text: str) -> str:
    """Return text without what moves a terminal's cursor, ends a line or is no character: those become `\ufffd`."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]", "\ufffd", text)


def markdown(text: str) -> str:
    """Escape what Markdown, or HTML inside it, would read as markup."""
    return re.sub(r"([\\`*_{}\[\]<>|~#$])", r"\\\1", html.escape(one_line(text), quote=False))


def latex(text: str) -> str:
    """Escape what LaTeX would read as a command, and spell the arrows and dashes that we print."""
    return "".join(_LATEX.get(character, character) for character in one_line(text))


def csv_cell(value: object) -> object:
    """Text that a spreadsheet would run as a formula gets a quote in front, as OWASP advises; numbers are numbers."""
    if isinstance(value, (list, tuple, dict)):
        value = json.dumps(value, ensure_ascii=False)
    if isinstance(value, str):
        value = one_line(value)
        return f"'{value}" if value.startswith(("=", "+", "-", "@")) else value
    return value
