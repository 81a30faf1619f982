"""How far raters agree: with each other (Krippendorff's alpha), and with themselves on items shown twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import krippendorff
import numpy as np

from vivid_bench.study.judgements import Floats, Indices, Judgements, Ratings
from vivid_bench.study.results import SelfAgreement
from vivid_bench.study.types import Item, Question, RaterAnswers, StudyKey, Value

OUTCOMES = (0.0, 0.5, 1.0)


def pair_alpha(judgements: Judgements) -> tuple[float | None, str | None]:
    """Return Krippendorff's alpha, at most 1, of which of two methods won (nominal), or None and why.

    A unit is a pair of methods on a sample. Each is taken both ways round, so that it does not matter which method is
    called the first, and raters who toss coins have an alpha of 0 however many methods there are.
    """
    both_ways = np.concatenate([judgements.outcomes, 1 - judgements.outcomes])
    ordered = np.stack([judgements.samples, judgements.first, judgements.second], axis=1)
    turned = np.stack([judgements.samples, judgements.second, judgements.first], axis=1)
    units = np.unique(np.concatenate([ordered, turned]), axis=0, return_inverse=True)[1]
    return _alpha(units, both_ways, OUTCOMES, "nominal")


def value_alpha(ratings: Ratings) -> tuple[float | None, str | None]:
    """Return Krippendorff's alpha of ratings or places (ordinal), or None and why; a unit is a method on a sample."""
    pairs = np.stack([ratings.samples, ratings.methods], axis=1)
    units = np.unique(pairs, axis=0, return_inverse=True)[1]
    return _alpha(units, ratings.values, np.unique(ratings.values).tolist(), "ordinal")


def self_agreement(key: StudyKey, answers: Sequence[RaterAnswers]) -> tuple[SelfAgreement, ...]:
    """Count, for each question, the repeated items that raters answered twice, and as before but for the places."""
    found: dict[Question, list[bool]] = {question: [] for question in key.questions}
    for given in answers:
        plan = key.plan(given.rater)
        items = {item.id: item for item in plan.items} if plan else {}
        values = {answer.item: answer.values for answer in given.answers}
        for item in items.values():
            if item.repeats is None or item.id not in values or item.repeats not in values:
                continue
            for question in values[item.id].keys() & values[item.repeats].keys():
                before = _preferred(items[item.repeats], values[item.repeats][question])
                found[question].append(_preferred(item, values[item.id][question]) == before)
    return tuple(SelfAgreement(question=q, repeats=len(same), same=sum(same)) for q, same in found.items())


def _preferred(item: Item, value: Value) -> object:
    """Return an answer in terms of runs, not places, where it names places."""
    if isinstance(value, tuple):
        return tuple(item.shown[place - 1] for place in value)
    if value == "tie" or len(item.shown) == 1:
        return value
    return (item.shown[value - 1],)


def _alpha(
    units: Indices, values: Floats, domain: Sequence[float], level: Literal["nominal", "ordinal"]
) -> tuple[float | None, str | None]:
    counts = np.zeros((units.max(initial=-1) + 1, len(domain)))
    np.add.at(counts, (units, np.searchsorted(domain, values)), 1)
    if not (counts.sum(axis=1) > 1).any():
        return None, "nothing was judged by two raters"
    counts = counts[counts.sum(axis=1) > 1]
    if np.count_nonzero(counts.any(axis=0)) == 1:
        return None, "all answers are the same"
    return float(krippendorff.alpha(value_counts=counts, value_domain=domain, level_of_measurement=level)), None
