"""Raters are excluded by the three rules of the key, no others, and each exclusion says what broke the rule."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from vivid_bench.errors import VividBenchError
from vivid_bench.study.exclusions import exclude, is_failed
from vivid_bench.study.results import ExcludedRater
from vivid_bench.study.types import (
    Answer,
    Design,
    Item,
    Question,
    RaterAnswers,
    RaterPlan,
    StudyKey,
    StudyRun,
    StudySample,
    Value,
)

CLIP_SECONDS = 2.0
N_SCORED = 10
N_CHECKS = 7


def study(
    design: Design = "pairwise", questions: tuple[Question, ...] = ("overall",), scored: int = N_SCORED
) -> StudyKey:
    """One rater, scored items i001 and on, then seven attention items whose broken clip is first, second, first, …"""
    shown: dict[Design, tuple[int, ...]] = {"pairwise": (0, 1), "rating": (0,), "ranking": (0, 1, 2)}
    items = [Item(id=f"i{i + 1:03}", kind="scored", sample=0, shown=shown[design]) for i in range(scored)]
    for i in range(N_CHECKS):
        places: list[int | None] = list(shown[design])
        places[i % len(places)] = None
        items.append(Item(id=f"i{scored + i + 1:03}", kind="attention", sample=0, shown=tuple(places)))
    return StudyKey(
        study="0" * 16, design=design, ties=True, questions=questions, seed=0, deadline=None,
        samples=(StudySample(id="a", suite="mini", task="delete", prompt="p", source_video="v"),),
        clip_seconds=(CLIP_SECONDS,),
        runs=tuple(
            StudyRun(suite="mini", task="delete", method=f"m{i}", version="1", run_key=f"k{i}", composite="none")
            for i in range(3)
        ),
        raters=(RaterPlan(rater="r001", packet="0" * 64, items=tuple(items)),),
    )  # fmt: skip


def answered(
    key: StudyKey,
    scored: Sequence[Value],
    checks: Sequence[Value] = (),
    fast: int = 0,
) -> RaterAnswers:
    """The rater's answers, the same to every question; the first `fast` scored items quicker than the clip."""
    items = key.raters[0].items
    n_scored = len(items) - N_CHECKS
    given = [(items[i], value, 1.999 if i < fast else CLIP_SECONDS) for i, value in enumerate(scored)]
    given += [(items[n_scored + i], value, 0.0) for i, value in enumerate(checks)]
    answers = tuple(
        Answer(item=item.id, values=dict.fromkeys(key.questions, value), seconds=seconds, at="2026-01-05T09:00:00Z")
        for item, value, seconds in given
    )
    return RaterAnswers(rater="r001", packet="0" * 64, finished=True, answers=answers)


def only(key: StudyKey, answers: RaterAnswers) -> ExcludedRater | None:
    """The one rater, if excluded."""
    kept, excluded = exclude(key, [answers])
    assert len(kept) + len(excluded) == 1
    return excluded[0] if excluded else None


MIXED: list[Value] = [1, 2] * 5
RIGHT: list[Value] = [2, 1, 2, 1, 2, 1, 2]  # the broken clip is first, second, first, …


def test_an_attentive_rater_counts() -> None:
    key = study()
    answers = answered(key, MIXED, RIGHT)
    assert exclude(key, [answers]) == ([answers], ())


def test_two_failed_checks_exclude_and_one_does_not() -> None:
    key = study()
    assert only(key, answered(key, MIXED, [1, *RIGHT[1:]])) is None
    excluded = only(key, answered(key, MIXED, [1, 2, *RIGHT[2:]]))
    assert excluded is not None
    assert excluded.rules == ("failed checks",)
    assert excluded.reason == "failed 2 of 7 attention checks, 2 exclude"


def test_a_tie_with_the_broken_clip_fails() -> None:
    key = study()
    excluded = only(key, answered(key, MIXED, ["tie", "tie", *RIGHT[2:]]))
    assert excluded is not None
    assert excluded.rules == ("failed checks",)


@pytest.mark.parametrize(
    ("values", "failed"),
    [((1, 2, 2), False), ((1, 1, 2), True), ((1, 2), True), (("tie", 2), True), ((2, 2), False), ((1,), True)],
)
def test_a_check_is_failed_at_half_of_its_questions(values: tuple[Value, ...], failed: bool) -> None:
    questions: tuple[Question, ...] = ("text-alignment", "visual-quality", "overall")
    item = Item(id="i001", kind="attention", sample=0, shown=(None, 1))
    answer = Answer(item="i001", values=dict(zip(questions, values, strict=False)), seconds=1, at="")
    assert is_failed("pairwise", item, answer) is failed


@pytest.mark.parametrize(("value", "failed"), [(1, False), (2, False), (3, True), (5, True)])
def test_a_broken_clip_rated_above_2_fails(value: int, failed: bool) -> None:
    item = Item(id="i001", kind="attention", sample=0, shown=(None,))
    assert is_failed("rating", item, Answer(item="i001", values={"overall": value}, seconds=1, at="")) is failed


@pytest.mark.parametrize(
    ("value", "failed"), [((1, 3, 2), False), ((3, 1, 2), False), ((1, 2, 3), True), ((2, 1, 3), True)]
)
def test_a_broken_clip_that_is_not_ranked_last_fails(value: tuple[int, ...], failed: bool) -> None:
    item = Item(id="i001", kind="attention", sample=0, shown=(0, None, 2))
    assert is_failed("ranking", item, Answer(item="i001", values={"overall": value}, seconds=1, at="")) is failed


def test_more_than_half_of_the_items_too_fast_excludes_and_half_does_not() -> None:
    key = study()
    assert only(key, answered(key, MIXED, RIGHT, fast=5)) is None
    excluded = only(key, answered(key, MIXED, RIGHT, fast=6))
    assert excluded is not None
    assert excluded.rules == ("too fast",)
    assert excluded.reason == (
        "answered 6 of 10 scored items in less time than the clip takes to play, more than 50 % exclude"
    )


def test_the_same_place_all_the_time_excludes() -> None:
    key = study(scored=20)
    assert only(key, answered(key, [1] * 18 + [2] * 2, RIGHT)) is None  # 90 %
    excluded = only(key, answered(key, [1] * 19 + [2], RIGHT))  # 95 %
    assert excluded is not None
    assert excluded.rules == ("straight-lining",)
    assert excluded.reason == 'gave the same answer, "1", 19 of 20 times to 20 scored items, 95 % exclude'


def test_who_sees_no_difference_between_equal_edits_is_kept() -> None:
    key = study(scored=20)
    assert only(key, answered(key, ["tie"] * 20, RIGHT)) is None
    assert only(key, answered(key, ["tie"] * 2 + [1] * 18, RIGHT)) is None  # 90 % of all answers
    excluded = only(key, answered(key, ["tie"] * 20, ["tie"] * 7))
    assert excluded is not None
    assert excluded.rules == ("failed checks",)


def test_the_same_order_all_the_time_excludes() -> None:
    key = study("ranking")
    checks: list[Value] = [(2, 3, 1), (1, 3, 2), (1, 2, 3)] * 2 + [(2, 3, 1)]
    excluded = only(key, answered(key, [(3, 1, 2)] * 10, checks))
    assert excluded is not None
    assert excluded.rules == ("straight-lining",)
    assert '"3 > 1 > 2", 10 of 10 times' in excluded.reason


def test_orders_of_several_lengths_are_told_apart_from_one_habit() -> None:
    key = study("ranking")
    habit: list[Value] = [(1, 2, 3), (1, 2)] * 5
    excluded = only(key, answered(key, habit))
    assert excluded is not None
    assert excluded.rules == ("straight-lining",)
    assert only(key, answered(key, [(1, 2, 3), (1, 2), (2, 1)] * 3 + [(1, 2, 3)])) is None


def test_few_items_show_no_straight_line_however_many_questions() -> None:
    key = study(questions=("text-alignment", "visual-quality", "overall"))
    assert only(key, answered(key, [1] * 9, RIGHT)) is None  # 27 answers, but to 9 items
    assert only(key, answered(key, [1] * 10, RIGHT)) is not None


def test_every_broken_rule_is_listed() -> None:
    key = study()
    excluded = only(key, answered(key, [1] * 10, [1] * 7, fast=10))
    assert excluded is not None
    assert excluded.rules == ("failed checks", "too fast", "straight-lining")
    assert excluded.reason.count("; ") == 2


def test_the_limits_are_those_of_the_key() -> None:
    key = study()
    strict = key.model_copy(update={"rules": key.rules.model_copy(update={"failed_checks": 1})})
    answers = answered(key, MIXED, [1, *RIGHT[1:]])
    assert only(key, answers) is None
    assert only(strict, answers) is not None


def test_a_rater_who_just_began_is_kept() -> None:
    key = study()
    assert only(key, answered(key, [])) is None
    assert only(key, answered(key, [1])) is None


def test_a_repeat_or_a_check_is_no_scored_item() -> None:
    key = study()
    # Seven checks answered at once, which `answered` gives 0 seconds, do not count as too fast.
    assert only(key, answered(key, MIXED, RIGHT)) is None


def test_a_rater_or_an_item_of_another_study_is_refused() -> None:
    key = study()
    answers = answered(key, MIXED)
    with pytest.raises(VividBenchError, match="rater r777 is not in study"):
        exclude(key, [answers.model_copy(update={"rater": "r777"})])
    stray = answers.answers[0].model_copy(update={"item": "i777"})
    with pytest.raises(VividBenchError, match="was not shown item i777"):
        exclude(key, [answers.model_copy(update={"answers": (stray,)})])
