from __future__ import annotations

import json
from pathlib import Path

import pytest

from vivid_bench.errors import InputError, InputReportError
from vivid_bench.tables.published import load_published

PAPER = {"source": "the paper", "status": "add alone was copied", "tasks": {"add": {"columns": ["x"], "rows": {}}}}


def write(folder: Path, content: object) -> Path:
    path = folder / "mine.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return path


def test_the_shipped_figures() -> None:
    published = load_published()
    assert published.kive_cost_pflops.video_edit == 17.1
    assert published.davis_removal.value("ProPainter", "psnr") == 35.33
    assert published.davis_removal.value("ProPainter", "lpips") is None
    assert published.prove_m_removal.value("nobody", "psnr") is None
    assert published.vivid_paper_tables.tasks == {}
    assert (published.vivid_paper_tables.status or "").startswith("not transcribed")


def test_a_users_key_replaces_the_shipped_one_whole(tmp_path: Path) -> None:
    mine = {"source": "me", "columns": ["psnr"], "rows": {"A": [20], "B": [None]}}
    published = load_published(write(tmp_path, {"davis_removal": mine, "vivid_paper_tables": PAPER}))
    assert published.davis_removal.rows == {"A": (20.0,), "B": (None,)}
    assert published.vivid_paper_tables.tasks["add"].columns == ("x",)
    assert published.prove_m_removal == load_published().prove_m_removal


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("{", "expected JSON"),
        ("[]", "expected a JSON object, found list"),
        ("[" * 100_000, "expected JSON"),
        (f'{{"note": 1{"0" * 5000}}}', "expected JSON"),
        ('{"note": "a", "note": "b"}', "found the key 'note' twice"),
        ({"davis": {}}, "davis: expected no such key, found {}"),
        ({"kive_cost_pflops": {"source": "me"}}, "kive_cost_pflops.video_edit: expected this key, found nothing"),
        (
            {"davis_removal": {"source": "me", "columns": ["a", "b"], "rows": {"X": [1]}}},
            "davis_removal: expected 2 figures for 'X', one a column, not 1, found {",
        ),
        (
            {"davis_removal": {"source": "me", "columns": ["a", "a"], "rows": {}}},
            "davis_removal: expected each column once",
        ),
        (
            {"davis_removal": {"source": "me", "columns": ["a"], "rows": {}, "higher_is_better": []}},
            "higher_is_better with 1 entries, one a column, not 0",
        ),
        (
            {"davis_removal": {"source": "me", "columns": ["a"], "rows": {"X": ["12"]}}},
            'davis_removal.rows.X.0: expected a valid number, found "12"',
        ),
        (
            '{"davis_removal": {"source": "me", "columns": ["a"], "rows": {"X": [NaN]}}}',
            "davis_removal.rows.X.0: expected a finite number, found NaN",
        ),
        ({"davis_removal": {"source": "", "columns": ["a"], "rows": {}}}, "davis_removal.source: expected"),
        ({"davis_removal": {"source": "\x1b[2J", "columns": ["a"], "rows": {}}}, "davis_removal.source: expected"),
        (
            {"vivid_paper_tables": {"source": "me"}},
            "vivid_paper_tables: expected a status that says why figures of a task or of the user study are missing",
        ),
    ],
)
def test_unusable_files_name_file_and_key(tmp_path: Path, given: object, words: str) -> None:
    path = write(tmp_path, given)
    with pytest.raises(InputError) as caught:
        load_published(path)
    assert words in str(caught.value)
    assert str(path) in str(caught.value)


def test_several_faults_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputReportError, match=r"(?s)5 problems.*video_edit.*kive_two_rounds.*davis: "):
        load_published(write(tmp_path, {"davis": 1, "kive_cost_pflops": {"source": "me"}}))


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected a readable file"):
        load_published(tmp_path / "none.json")
    with pytest.raises(InputError, match="expected a readable file"):
        load_published(tmp_path)
