"""The kept simulation (benchmarks/coverage.py) says what the documents promise."""

from __future__ import annotations

import json
from pathlib import Path

FIGURES = json.loads((Path(__file__).parents[2] / "docs" / "statistics" / "coverage.json").read_text())


def test_intervals_of_24_source_videos_cover() -> None:
    assert FIGURES["simulations"] >= 1000
    held = ("normal", "exponential", "log-normal 0.5")
    rows = [row for row in FIGURES["coverage"] if row["source_videos"] == 24 and row["distribution"] in held]
    assert len(rows) == 6  # each with one clip a video, and with videos of 1 to 4 clips
    assert all(0.93 <= row["studentised"] <= 0.97 for row in rows)
    assert all(row["percentile"] < row["studentised"] for row in rows)


def test_tests_rarely_find_what_is_not_there() -> None:
    designs = {row["methods"]: row["design"] for row in FIGURES["false_positives"]}
    assert designs == {2: "all pairs", 5: "all pairs", 10: "all pairs", 40: "with the best"}
    assert {row["distribution"] for row in FIGURES["false_positives"]} == {"normal", "exponential"}
    assert all(row["any_found"] <= 0.065 for row in FIGURES["false_positives"])
