"""From a study's answers to arrays: who preferred what, unblinded with the key. Only scored items count."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from vivid_bench.study.types import Item, Question, RaterAnswers, StudyKey, Value
from vivid_bench.types import Task

Indices = NDArray[np.intp]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Table:
    """What is analysed together: one suite and task under one question.

    Attributes:
        mask_kind: samples with that mask alone; None: all samples.
    """

    suite: str
    task: Task
    mask_kind: str | None
    question: Question


@dataclass(frozen=True)
class Judgements:
    """N times that a rater preferred one of two methods. A ranking counts as all the pairs that it implies.

    Attributes:
        runs: of the M methods, indices into the key's runs.
        raters: (N,) numbers of the raters.
        samples: (N,) indices into the key's samples.
        videos: (N,) numbers of the samples' source videos.
        first, second: (N,) the two methods, indices into `runs`; first < second.
        outcomes: (N,) 1 where the first was preferred, 0 the second, 0.5 a tie.
    """

    runs: tuple[int, ...]
    raters: Indices
    samples: Indices
    videos: Indices
    first: Indices
    second: Indices
    outcomes: Floats


@dataclass(frozen=True)
class Ratings:
    """N values that raters gave to single methods: ratings, or places in a ranking.

    Attributes:
        runs, raters, samples, videos: as in `Judgements`.
        methods: (N,) indices into `runs`.
        values: (N,) ratings from 1 to 5, or places from 1, the best.
    """

    runs: tuple[int, ...]
    raters: Indices
    samples: Indices
    videos: Indices
    methods: Indices
    values: Floats


@dataclass(frozen=True)
class _Screen:
    """A rater's answer to one question of one scored item; `shown` holds indices into the key's runs."""

    rater: int
    sample: int
    shown: tuple[int, ...]
    value: Value


def tables(key: StudyKey) -> tuple[Table, ...]:
    """Return a study's tables: per suite, task and question all samples, then each mask kind if there are two or more.

    Samples whose mask kind is unknown count in the table of all samples only.
    """
    found = []
    for suite, task in dict.fromkeys((run.suite, run.task) for run in key.runs):
        of_task = [sample for sample in key.samples if (sample.suite, sample.task) == (suite, task)]
        kinds = sorted({sample.mask_kind for sample in of_task if sample.mask_kind is not None})
        for question in key.questions:
            for kind in [None, *(kinds if len(kinds) > 1 else [])]:
                found.append(Table(suite, task, kind, question))
    return tuple(found)


def pair_judgements(key: StudyKey, answers: Sequence[RaterAnswers], table: Table) -> Judgements:
    """Return a table's judgements of pairs, of a pairwise or a ranking study.

    Args:
        answers: of raters of this study, to items of their plans, with values of the design's kind (`read_answers`
            lets no others through).
    """
    rows = []
    runs = _runs(key, table)
    for screen in _screens(key, answers, table):
        for one, other in combinations(range(len(screen.shown)), 2):
            outcome = _outcome(screen.value, one, other)
            first, second = runs.index(screen.shown[one]), runs.index(screen.shown[other])
            if first > second:
                first, second, outcome = second, first, 1 - outcome
            rows.append((screen.rater, screen.sample, first, second, outcome))
    columns = _columns(rows, 5)
    raters, samples, firsts, seconds = (column.astype(np.intp) for column in columns[:4])
    return Judgements(runs, raters, samples, video_numbers(key)[samples], firsts, seconds, columns[4])


def ratings(key: StudyKey, answers: Sequence[RaterAnswers], table: Table) -> Ratings:
    """Return a table's ratings, of a rating study; `answers` as in `pair_judgements`."""
    return _values(key, answers, table, lambda value, place: float(value) if isinstance(value, int) else None)


def places(key: StudyKey, answers: Sequence[RaterAnswers], table: Table) -> Ratings:
    """Return the place, 1 the best, that each ranking of a table gave to each method; `answers` as above."""
    return _values(
        key, answers, table, lambda value, place: 1.0 + value.index(place + 1) if isinstance(value, tuple) else None
    )


def implied_pairs(found: Ratings) -> Judgements:
    """Return the judgements of pairs that follow where one rater rated two methods on the same sample."""
    by_rater_and_sample: dict[tuple[int, int], list[int]] = {}
    for answer, place in enumerate(zip(found.raters.tolist(), found.samples.tolist(), strict=True)):
        by_rater_and_sample.setdefault(place, []).append(answer)
    methods = found.methods
    pairs = [
        (one, other) if methods[one] < methods[other] else (other, one)
        for answers in by_rater_and_sample.values()
        for one, other in combinations(answers, 2)
    ]
    first, second = np.array(pairs, np.intp).reshape(-1, 2).T
    return Judgements(
        found.runs,
        found.raters[first],
        found.samples[first],
        found.videos[first],
        methods[first],
        methods[second],
        (1 + np.sign(found.values[first] - found.values[second])) / 2,
    )


def scored_items(key: StudyKey, answers: RaterAnswers) -> Iterator[tuple[Item, dict[Question, Value]]]:
    """Yield the scored items that a rater answered, with the answers to their questions."""
    plan = key.plan(answers.rater)
    items = {item.id: item for item in plan.items} if plan else {}
    for answer in answers.answers:
        item = items.get(answer.item)
        if item is not None and item.kind == "scored":
            yield item, answer.values


def _runs(key: StudyKey, table: Table) -> tuple[int, ...]:
    return tuple(i for i, run in enumerate(key.runs) if (run.suite, run.task) == (table.suite, table.task))


def video_numbers(key: StudyKey) -> Indices:
    """Return (S,) the number, from 0, of each sample's source video."""
    # Videos of two suites are two, whatever their names.
    numbers: dict[tuple[str, str], int] = {}
    return np.array([numbers.setdefault((s.suite, s.source_video), len(numbers)) for s in key.samples], np.intp)


def _screens(key: StudyKey, answers: Sequence[RaterAnswers], table: Table) -> Iterator[_Screen]:
    for rater, given in enumerate(answers):
        for item, values in scored_items(key, given):
            sample = key.samples[item.sample]
            is_in_table = (sample.suite, sample.task) == (table.suite, table.task)
            if not is_in_table or table.mask_kind not in (None, sample.mask_kind) or table.question not in values:
                continue
            shown = tuple(run for run in item.shown if run is not None)
            yield _Screen(rater, item.sample, shown, values[table.question])


def _outcome(value: Value, one: int, other: int) -> float:
    """Return 1 where the clip at place `one` (from 0) was preferred to that at `other`, 0.5 for a tie, else 0."""
    if value == "tie":
        return 0.5
    if isinstance(value, tuple):
        return float(value.index(one + 1) < value.index(other + 1))
    return float(value == one + 1)


def _values(
    key: StudyKey,
    answers: Sequence[RaterAnswers],
    table: Table,
    read: Callable[[Value, int], float | None],
) -> Ratings:
    rows = []
    runs = _runs(key, table)
    for screen in _screens(key, answers, table):
        for place, run in enumerate(screen.shown):
            value = read(screen.value, place)
            if value is not None:
                rows.append((screen.rater, screen.sample, runs.index(run), value))
    columns = _columns(rows, 4)
    raters, samples, methods = (column.astype(np.intp) for column in columns[:3])
    return Ratings(runs, raters, samples, video_numbers(key)[samples], methods, columns[3])


def _columns(rows: Sequence[tuple[float, ...]], number: int) -> list[Floats]:
    return list(np.array(rows, np.float64).reshape(len(rows), number).T)
