"""The plan: every count in it is that of the packets."""

from __future__ import annotations

from collections import Counter

import pytest
from made_study import made_key

from vivid_bench.study.plan import plan_text
from vivid_bench.study.types import DESIGNS, Design


def table_rows(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if "secret-" in line]


def test_pairs_are_counted_from_the_packets() -> None:
    key = made_key(raters=6, per_rater=9)
    rows = table_rows(plan_text(key, ()))
    assert [row[:2] for row in rows] == [
        ["secret-ant – secret-bee", "18"], ["secret-ant – secret-cat", "18"], ["secret-bee – secret-cat", "18"],
    ]  # fmt: skip
    counts = Counter(
        frozenset(item.shown) for plan in key.raters for item in plan.items if item.kind == "scored"
    )  # fmt: skip
    assert counts == {frozenset(pair): 18 for pair in ((0, 1), (0, 2), (1, 2))}
    assert {tuple(row[2:5]) for row in rows} == {("6", "8", "8")}


def test_clips_of_one_source_video_show_no_more_than_one() -> None:
    key = made_key(raters=12, per_rater=12)
    videos = tuple(
        sample.model_copy(update={"source_video": f"v{index // 2}"}) for index, sample in enumerate(key.samples)
    )
    alone, paired = (table_rows(plan_text(each, ())) for each in (key, key.model_copy(update={"samples": videos})))
    assert {tuple(row[3:5]) for row in paired} == {("8", "4")}
    # 48 judgements by 12 raters: with 3 degrees of freedom instead of 7, nothing is found.
    assert all("% of wins" in row[5] for row in alone)
    assert {row[5] for row in paired} == {"none: too few"}


def test_a_ranking_judges_each_pair() -> None:
    rows = table_rows(plan_text(made_key("ranking", raters=5, per_rater=4), ()))
    assert [row[1] for row in rows] == ["20", "20", "20"]


def test_ratings_are_counted_by_method() -> None:
    rows = table_rows(plan_text(made_key("rating", raters=10, per_rater=6), ()))
    assert [row[:2] for row in rows] == [["secret-ant", "20"], ["secret-bee", "20"], ["secret-cat", "20"]]


@pytest.mark.parametrize("design", DESIGNS)
def test_many_raters_detect_something_and_few_nothing(design: Design) -> None:
    many = table_rows(plan_text(made_key(design, samples=40, raters=60, per_rater=20), ()))
    few = table_rows(plan_text(made_key(design, samples=4, raters=1, per_rater=4), ()))
    assert all("%" in row[5] or "points" in row[5] for row in many)
    assert all(row[5] == "none: too few" for row in few)


def test_the_rule_of_failed_checks_is_that_of_the_design() -> None:
    words = {
        "pairwise": "is preferred, or called equal,",
        "rating": "is rated above 2",
        "ranking": "does not come last",
    }
    for design in DESIGNS:
        text = plan_text(made_key(design), ())
        assert [other for other, own in words.items() if own in text] == [design]


def test_rules_deadline_and_what_is_left_out_are_said() -> None:
    key = made_key(ties=True, deadline="2031-02-03", tasks=("delete", "add"))
    text = plan_text(key, ["mini, delete, odd_id: no edit by <b>"])
    for words in (
        "ties may be called",
        "until 2031-02-03, UTC",
        "fails 2 attention checks or more",
        "more than 50 % of the scored items",
        "at least 95 %",
        "Never send `key.json`",
        "### made, delete: 3 methods, 8 samples",
        "### made, add: 3 methods, 8 samples",
        r"odd\_id: no edit by ",
    ):
        assert words in text


def test_what_was_given_to_methods_or_pasted_over_their_edits_is_said() -> None:
    key = made_key()
    assert "keyframes" not in plan_text(key, ())
    assert "pasted" not in plan_text(key, ())
    runs = tuple(run.model_copy(update={"composite": "hard", "keyframes": (0, 8)}) for run in key.runs)
    text = plan_text(key.model_copy(update={"runs": runs}), ())
    assert "outside the mask of every edit (composite hard)" in text
    assert "were given the reference there (0, 8); raters see these frames" in text
