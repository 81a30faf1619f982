"""Raters whose answers do not count, by the rules that the key set before anyone had answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Literal

from vivid_bench.errors import VividBenchError
from vivid_bench.study.results import ExcludedRater
from vivid_bench.study.types import Answer, Design, Item, RaterAnswers, Rules, StudyKey, Value

Rule = Literal["failed checks", "too fast", "straight-lining"]
BEST_RATING_OF_BROKEN = 2
"""A broken clip that is rated above this passed for a good one."""


def exclude(key: StudyKey, answers: Sequence[RaterAnswers]) -> tuple[list[RaterAnswers], tuple[ExcludedRater, ...]]:
    """Return the raters who count, in their order, and those who do not, each with every rule that was broken.

    A rule that needs answers which a rater has not given (no attention item, no scored item yet) is not broken.

    Raises:
        VividBenchError: for a rater or an item that the key does not know.
    """
    kept, excluded = [], []
    for rater in answers:
        broken = _broken_rules(key, rater)
        if not broken:
            kept.append(rater)
            continue
        reason = "; ".join(broken.values())
        excluded.append(ExcludedRater(rater=rater.rater, rules=tuple(broken), reason=reason))
    return kept, tuple(excluded)


def is_failed(design: Design, item: Item, answer: Answer) -> bool:
    """Return whether an attention item is failed: at least half of its questions went in favour of the broken clip."""
    in_favour = sum(_favours_broken(design, item.shown.index(None) + 1, value) for value in answer.values.values())
    return 2 * in_favour >= len(answer.values)


def _favours_broken(design: Design, place: int, value: Value) -> bool:
    if design == "rating":
        return isinstance(value, int) and value > BEST_RATING_OF_BROKEN
    if design == "ranking":
        return isinstance(value, tuple) and value[-1] != place
    return value in (place, "tie")


def _broken_rules(key: StudyKey, rater: RaterAnswers) -> dict[Rule, str]:
    """Return the rules that a rater broke, each with what it was broken by, in words and numbers."""
    plan = key.plan(rater.rater)
    if plan is None:
        raise VividBenchError(f"rater {rater.rater} is not in study {key.study}")
    items = {item.id: item for item in plan.items}
    unknown = [answer.item for answer in rater.answers if answer.item not in items]
    if unknown:
        raise VividBenchError(f"rater {rater.rater} of study {key.study} was not shown item {unknown[0]}")
    pairs = [(items[answer.item], answer) for answer in rater.answers]
    scored = [pair for pair in pairs if pair[0].kind == "scored"]
    checks = [pair for pair in pairs if pair[0].kind == "attention"]
    found: dict[Rule, str | None] = {
        "failed checks": _failed_checks(key.design, key.rules, checks),
        "too fast": _too_fast(key.rules, key.clip_seconds, scored),
        "straight-lining": _straight_lining(key.rules, [answer for _, answer in scored]),
    }
    return {rule: reason for rule, reason in found.items() if reason}


def _failed_checks(design: Design, rules: Rules, checks: Sequence[tuple[Item, Answer]]) -> str | None:
    failed = sum(is_failed(design, item, answer) for item, answer in checks)
    if failed < rules.failed_checks:
        return None
    return f"failed {failed} of {len(checks)} attention checks, {rules.failed_checks} exclude"


def _too_fast(rules: Rules, clip_seconds: Sequence[float], scored: Sequence[tuple[Item, Answer]]) -> str | None:
    fast = sum(answer.seconds < clip_seconds[item.sample] for item, answer in scored)
    if fast <= rules.too_fast_share * len(scored):
        return None
    return (
        f"answered {fast} of {len(scored)} scored items in less time than the clip takes to play, "
        f"more than {100 * rules.too_fast_share:g} % exclude"
    )


def _straight_lining(rules: Rules, scored: Sequence[Answer]) -> str | None:
    values = [value for answer in scored for value in answer.values.values()]
    # A tie is no place: honest raters call nothing else where edits are alike, and who always does fails the checks.
    times = Counter(value for value in values if value != "tie")
    if len(scored) < rules.same_answer_min or not times:
        return None
    # Orders of three clips and of four are not the same, but a rater can hold on to one of each.
    most_common: dict[int, tuple[Value, int]] = {}
    for value, number in times.most_common():
        most_common.setdefault(len(value) if isinstance(value, tuple) else 1, (value, number))
    same = sum(number for _, number in most_common.values())
    if same < rules.same_answer_share * len(values):
        return None
    answers = " and ".join(f'"{_words(value)}"' for value, _ in most_common.values())
    return (
        f"gave the same answer, {answers}, {same} of {len(values)} times to {len(scored)} scored items, "
        f"{100 * rules.same_answer_share:g} % exclude"
    )


def _words(value: Value) -> str:
    return " > ".join(map(str, value)) if isinstance(value, tuple) else str(value)
