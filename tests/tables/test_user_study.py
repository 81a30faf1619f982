"""The table of the user study, measured here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from made_analysis import STUDY, made_analysis

from vivid_bench.tables.blocks import Block
from vivid_bench.tables.formats import as_latex, as_markdown
from vivid_bench.tables.published import load_published
from vivid_bench.tables.user_study import user_study


def test_measured_rows_stand_above_the_gaps() -> None:
    table = user_study(load_published(), made_analysis(simulated=False))
    own, gaps = table.blocks
    assert own.title == f"measured here: delete, suite made, user study {STUDY}"
    assert own.columns == ("question", "method", "wins % ↑", "judgements", "raters")
    assert own.rows[0] == ("visual quality", "high", "70.0 [65.0, 75.0]", "120", "9")
    assert [row[:2] for row in own.rows[3:]] == [("overall", "high"), ("overall", "low"), ("overall", "poor")]
    assert gaps.rows == (("add", "–", "–"), ("modify", "–", "–"), ("delete", "above", "–"))
    assert table.notes[0] == "measured: – for add, modify: the study has no figures of this task"
    assert table.notes[1].startswith("published: –: ")


def test_figures_are_plain_values_with_their_study() -> None:
    figures = user_study(load_published(), made_analysis()).figures
    best = figures[0]
    assert (best["origin"], best["study"], best["simulated"], best["question"]) == (
        "measured", STUDY, True, "visual-quality",
    )  # fmt: skip
    assert best["name"] == "high"
    assert [best["value"], best["ci_low"], best["ci_high"]] == pytest.approx([0.7, 0.65, 0.75])
    assert (best["judgements"], best["raters"], best["samples"]) == (120, 9, 8)
    missing = {figure["name"]: figure["measured_missing"] for figure in figures if "measured_missing" in figure}
    assert missing == dict.fromkeys(("add", "modify"), "the study has no figures of this task")


def test_ratings_are_means() -> None:
    own = user_study(load_published(), made_analysis(design="rating", simulated=False)).blocks[0]
    assert own.columns[2] == "rating 1–5 ↑"
    assert own.rows[0][2] == "4.00 [3.75, 4.25]"


def test_simulated_is_in_title_column_and_notes() -> None:
    table = user_study(load_published(), made_analysis())
    own = table.blocks[0]
    assert own.title.startswith("measured here, simulated: ")
    assert own.columns[2] == "wins % (simulated) ↑"
    assert own.notes[1].startswith("simulated: no person was asked")
    assert as_markdown([table]).count("simulated") == as_latex([table]).count("simulated") == 3


def test_published_rows_are_in_a_block_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "paper.json"
    study = {"columns": ["preferred"], "rows": {"VIVID": [0.625]}}
    path.write_text(
        json.dumps({"vivid_paper_tables": {"source": "the paper", "status": "in part", "user_study": study}})
    )
    table = user_study(load_published(path), made_analysis())
    assert table.blocks[-1] == Block("published by the paper", ("method", "preferred"), (("VIVID", "0.625"),))
    assert [figure["value"] for figure in table.figures if figure.get("origin") == "published"] == [
        pytest.approx(0.625)
    ]
