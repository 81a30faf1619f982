"""Small keys and answers made by hand, for tests of the analysis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations

import numpy as np

from vivid_bench.study.judgements import Judgements
from vivid_bench.study.types import (
    Answer,
    Design,
    Item,
    ItemKind,
    Question,
    RaterAnswers,
    RaterPlan,
    Rules,
    StudyKey,
    StudyRun,
    StudySample,
    Value,
)
from vivid_bench.types import Task

PACKET = "0" * 64


def item(number: int, sample: int, *shown: int | None, kind: ItemKind = "scored", repeats: int | None = None) -> Item:
    return Item(
        id=f"i{number:03}", kind=kind, sample=sample, shown=shown, repeats=None if repeats is None else f"i{repeats:03}"
    )


def run(method: str, task: Task = "delete", **scores: tuple[float | None, ...]) -> StudyRun:
    return StudyRun(
        suite="made", task=task, method=method, version="1", run_key=f"{task}-{method}", composite="none", scores=scores
    )


def sample(number: int, task: Task = "delete", *, video: str | None = None, kind: str | None = None) -> StudySample:
    return StudySample(
        id=f"s{number}", suite="made", task=task, prompt="p", source_video=video or f"v{number}", mask_kind=kind
    )


def key(
    design: Design,
    runs: Sequence[StudyRun],
    samples: Sequence[StudySample],
    items: Mapping[str, Sequence[Item]],
    *,
    ties: bool = False,
    questions: tuple[Question, ...] = ("overall",),
) -> StudyKey:
    """A study whose rules exclude nobody for always giving the same answer."""
    return StudyKey(
        study="0" * 16,
        design=design,
        ties=ties,
        questions=questions,
        seed=0,
        deadline=None,
        samples=tuple(samples),
        clip_seconds=(1.0,) * len(samples),
        runs=tuple(runs),
        raters=tuple(RaterPlan(rater=rater, packet=PACKET, items=tuple(own)) for rater, own in items.items()),
        rules=Rules(same_answer_min=10**6),
    )


def answers(
    rater: str,
    values: Mapping[int, Value | Mapping[Question, Value]],
    *,
    seconds: float = 5.0,
    simulated: bool = False,
) -> RaterAnswers:
    """A rater's answers to items by number; a bare value answers the question `overall`."""
    return RaterAnswers(
        rater=rater,
        packet=PACKET,
        finished=True,
        simulated=simulated,
        answers=tuple(
            Answer(
                item=f"i{number:03}",
                values=dict(value) if isinstance(value, Mapping) else {"overall": value},
                seconds=seconds,
                at="2026-01-01T00:00:00Z",
            )
            for number, value in values.items()
        ),
    )


def judgements(n_raters: int, n_samples: int, outcomes: Mapping[tuple[int, int], float]) -> Judgements:
    """Every rater judges every pair of methods on every sample, always with the same outcome."""
    n_methods = 1 + max(max(pair) for pair in outcomes)
    rows = np.array(
        [
            (rater, sample, *pair)
            for rater in range(n_raters)
            for sample in range(n_samples)
            for pair in combinations(range(n_methods), 2)
            if pair in outcomes
        ]
    )
    raters, samples, first, second = rows.T
    results = np.array([outcomes[pair] for pair in zip(first.tolist(), second.tolist(), strict=True)])
    return Judgements(tuple(range(n_methods)), raters, samples, samples, first, second, results)
