"""Studies to simulate: their numbers, and keys of clips that do not exist."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import comb
from random import Random

from vivid_bench.study.design import Group, make_design
from vivid_bench.study.simulate import Truth
from vivid_bench.study.types import QUESTIONS, Design, RaterPlan, StudyKey, StudyRun, StudySample


@dataclass(frozen=True)
class Plan:
    """A study to simulate.

    Attributes:
        effects: standard deviation of raters' tastes, and of samples' effects, log odds.
        clips: samples of each source video, which share its effect.
    """

    design: Design
    methods: int
    samples: int
    raters: int
    per_rater: int
    ties: bool = False
    questions: int = 1
    effects: float = 0.5
    clips: int = 1

    @property
    def group(self) -> Group:
        """All samples and runs."""
        return Group(tuple(range(self.samples)), tuple(range(self.methods)))

    @property
    def videos(self) -> int:
        """How many source videos the samples come from."""
        return self.samples // self.clips

    @property
    def judgements(self) -> int:
        """How many each comparison gets: of a pair, or ratings of a method."""
        comparisons = {"pairwise": comb(self.methods, 2), "rating": self.methods, "ranking": 1}[self.design]
        return self.raters * self.per_rater // comparisons

    def truth(self, strengths: Sequence[float]) -> Truth:
        """Return raters of this plan."""
        named = {f"m{i}": float(value) for i, value in enumerate(strengths)}
        return Truth(named, rater_sd=self.effects, sample_sd=self.effects)


@cache
def made_key(plan: Plan, seed: int) -> StudyKey:
    """Return the key of a study by a plan, of clips that do not exist."""
    packets = make_design(plan.design, [plan.group], plan.raters, plan.per_rater, Random(seed))
    return StudyKey(
        study="0" * 16, design=plan.design, ties=plan.ties, questions=QUESTIONS[: plan.questions], seed=seed,
        deadline=None, clip_seconds=(4.0,) * plan.samples,
        samples=tuple(
            StudySample(id=f"s{i}", suite="made", task="delete", prompt="p", source_video=f"v{i // plan.clips}")
            for i in range(plan.samples)
        ),
        runs=tuple(
            StudyRun(suite="made", task="delete", method=f"m{i}", version="1", run_key=f"k{i}", composite="none")
            for i in range(plan.methods)
        ),
        raters=tuple(
            RaterPlan(rater=f"r{i:03}", packet="0" * 64, items=items) for i, items in enumerate(packets, 1)
        ),
    )  # fmt: skip
