"""The path checker, on whatever hypothesis comes up with."""

from __future__ import annotations

from pathlib import Path, PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vivid_bench.submission.names import MANIFEST, METHOD_FILE, deceptive, folded, max_bytes, name_flaw, shown

RUN = "records/mini/delete/mine/0123456789ab"
PARTS = st.one_of(
    st.sampled_from(
        ["..", ".", "", "edits", "records", "mini", "delete", "C:", "~", "a", RUN, "\0", "\\", "\u202e", "con"]
    ),
    st.text(max_size=8),
)
NAMES = st.one_of(
    st.lists(PARTS, max_size=8).map("/".join),
    st.lists(PARTS, max_size=3).map(lambda parts: "/".join((RUN, "edits", *parts))),
)


@given(NAMES)
def test_a_name_that_passes_stays_below_the_folder(name: str) -> None:
    if name_flaw(name) is not None:
        return
    root = Path("/somewhere/deep")
    inside = (root / name).resolve()
    assert inside.is_relative_to(root)
    assert inside.relative_to(root).as_posix() == name
    assert not PurePosixPath(name).is_absolute()
    assert not PureWindowsPath(name).drive
    assert PureWindowsPath(name).as_posix() == name
    assert name.isprintable()
    assert not set(name) & set('<>:"|?*\\\0')
    assert all(not part.startswith(".") and len(part.encode()) <= 255 for part in name.split("/"))
    assert max_bytes(name)


@given(st.text())
def test_shown_text_is_one_printable_line(text: str) -> None:
    assert shown(text).isprintable()
    assert len(shown(text)) <= 1001 * 10


@given(st.text())
def test_names_that_differ_in_case_alone_are_folded(text: str) -> None:
    assert folded(text) == folded(text.casefold())


@pytest.mark.parametrize(
    "name",
    [MANIFEST, METHOD_FILE, *(f"{RUN}/{n}" for n in ("run.json", "edits.jsonl", "scores.jsonl", "edits/a b-1.mkv"))],
)
def test_names_of_a_submission_pass(name: str) -> None:
    assert name_flaw(name) is None


def test_deceptive_text_is_located() -> None:
    value = {"a": ["fine", "\x1b[31m"], "b": {"c": "tab\tand\nline"}, "d\u202e": 1}
    assert list(deceptive(value)) == ["a[1]", "a key"]
