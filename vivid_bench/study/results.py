"""What an analysis of a study's answers found, as `analysis.json` keeps it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

from vivid_bench.study.types import Design, Question, Rules
from vivid_bench.types import Task


class _OnDisk(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Estimate(_OnDisk):
    """A figure and its 95 % interval, from a bootstrap that resamples raters and samples together.

    Attributes:
        low, high: None where no interval can be given (fewer than 3 raters or 3 samples), `reason` says why.
    """

    value: float
    low: float | None
    high: float | None
    reason: str | None = None


class MethodPreference(_OnDisk):
    """How raters like one method.

    Attributes:
        run_key: of its run.
        judgements: that it took part in (ratings: that it got).
        score: pairwise and ranking: the Bradley-Terry strength, natural log odds, mean over methods 0; rating: the mean
            rating, 1 to 5. Higher is better.
        win_rate: pairwise and ranking: mean over the other methods of the share of judgements won against each, ties
            as half a win, 0 to 1; None for ratings.
        top_rate: ranking: share of rankings that have it first; None otherwise.
        rank: 1 + the number of methods significantly better (Holm-corrected), so shared by those not told apart.
    """

    method: str
    run_key: str
    judgements: int
    score: Estimate
    win_rate: Estimate | None
    top_rate: Estimate | None = None
    rank: int
    tied_with_best: bool


class PairPreference(_OnDisk):
    """Two methods against each other.

    Attributes:
        first, second: methods; the first has the higher score.
        judgements: of the two together on one screen (rating: on the same sample by the same rater).
        wins, ties: of the first over the second; ties as counted.
        difference: of their scores, first - second.
        p, p_corrected: two-sided, that the difference is 0; after Holm's correction over all pairs of the table.
    """

    first: str
    second: str
    judgements: int
    wins: int
    ties: int
    difference: Estimate
    p: float | None
    p_corrected: float | None


class QuestionResult(_OnDisk):
    """One table: the methods of one suite and task under one question, over all its samples or those of a mask kind.

    Attributes:
        mask_kind: None: all samples.
        methods: the highest score first.
        alpha: Krippendorff's alpha over what several raters saw (pairwise: which method won, nominal; rating: the
            rating, ordinal; ranking: each method's place, ordinal); None with `alpha_reason` where it has no value.
        left_out: why the table has no figures (too few judgements, methods that never met); `methods` is empty then.
    """

    suite: str
    task: Task
    mask_kind: str | None
    question: Question
    raters: int
    samples: int
    judgements: int
    methods: tuple[MethodPreference, ...]
    pairs: tuple[PairPreference, ...]
    alpha: float | None
    alpha_reason: str | None = None
    left_out: str | None = None


class MetricAgreement(_OnDisk):
    """How far an automatic metric agrees with raters.

    A unit is a pair of methods on a sample that raters did not split evenly over.

    Attributes:
        agreement: share of units in which the metric prefers the method that raters prefer, equal values as half; 0.5
            is what a coin gives.
        correlation: Spearman's, over units, of the metric's difference (in its direction of better) with the raters'
            preference.
    """

    metric: str
    suite: str
    task: Task
    question: Question
    units: int
    agreement: Estimate | None
    correlation: Estimate | None
    reason: str | None = None


class ExcludedRater(_OnDisk):
    """A rater whose answers are left out, and by which rule."""

    rater: str
    rules: tuple[Literal["failed checks", "too fast", "straight-lining"], ...]
    reason: str


class SelfAgreement(_OnDisk):
    """How often raters answer a repeated item, its places in reverse order, as they did before."""

    question: Question
    repeats: int
    same: int


class StudyAnalysis(_OnDisk):
    """All that an analysis found.

    Attributes:
        simulated: whether any of the answers was made by `study simulate`; every report says so.
        main_question: `overall` if asked, else the first question: what a leaderboard's human column shows.
        problems: what was found wrong with answers files, one sentence each.
        raters_planned, raters_answered, raters_used: how many were to answer, did, and count.
    """

    schema_version: Literal[1] = 1
    study: str
    simulated: bool
    design: Design
    ties: bool
    questions: tuple[Question, ...]
    main_question: Question
    raters_planned: int
    raters_answered: int
    raters_used: int
    judgements: int
    rules: Rules
    problems: tuple[str, ...]
    excluded: tuple[ExcludedRater, ...]
    self_agreement: tuple[SelfAgreement, ...]
    results: tuple[QuestionResult, ...]
    metrics: tuple[MetricAgreement, ...]
    resamples: int
    seed: int
