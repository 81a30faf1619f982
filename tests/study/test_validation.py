"""The kept simulation (benchmarks/study.py) says what the documents promise of user studies."""

from __future__ import annotations

import json
from pathlib import Path

from vivid_bench.study.simulate import CHEATS
from vivid_bench.study.types import DESIGNS

FIGURES = json.loads((Path(__file__).parents[2] / "docs" / "study" / "validation.json").read_text())


def test_methods_one_detectable_difference_apart_come_out_in_order() -> None:
    rows = FIGURES["order"]
    assert {row["design"] for row in rows} == set(DESIGNS)
    assert all(row["studies"] >= 200 and row["effects"] == 0.5 for row in rows)
    assert all(row["recovered"] >= 0.95 for row in rows)


def test_neighbours_are_told_apart_with_the_planned_power() -> None:
    # Planned at 80 %; 200 studies of one pair each have a standard error of 2.8 %.
    assert all(row["neighbours_told_apart"] >= 0.75 for row in FIGURES["order"])
    only_a_pair = [row for row in FIGURES["order"] if row["methods"] == 2 and row["clips"] == 1]
    assert all(row["neighbours_told_apart"] <= 0.88 for row in only_a_pair)


def test_95_percent_intervals_cover_at_least_93_percent() -> None:
    rows = FIGURES["coverage"]
    assert {row["design"] for row in rows} == set(DESIGNS)
    assert min(min(row["raters"], row["samples"]) for row in rows) == 8
    assert {row["clips"] for row in rows} == {1, 4}
    for row in rows:
        figures = ("scores", "differences") + (() if row["design"] == "rating" else ("win_rates",))
        assert row["studies"] >= 1000
        assert all(0.93 <= row[name] <= 0.99 for name in figures)


def test_cheaters_are_found_and_honest_raters_kept() -> None:
    rows = FIGURES["exclusions"]
    assert {row["design"] for row in rows} == set(DESIGNS)
    assert {row["questions"] for row in rows} == {1, 2, 5}
    assert all(row[kind] >= 0.90 for row in rows for kind in CHEATS)
    assert all(row["honest"] <= 0.05 for row in rows)


def test_random_designs_are_balanced() -> None:
    (row,) = FIGURES["balance"]
    assert row["designs"] >= 1000
    assert max(row["counts"], row["samples"], row["sides"]) <= 1
    assert row["seen_twice"] == 0
