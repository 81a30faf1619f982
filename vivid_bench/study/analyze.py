"""From a study's answers to what they say: the analysis that reports, tables and leaderboards show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vivid_bench.study.agreement import pair_alpha, self_agreement, value_alpha
from vivid_bench.study.exclusions import exclude
from vivid_bench.study.judgements import (
    Floats,
    Judgements,
    Ratings,
    Table,
    implied_pairs,
    pair_judgements,
    places,
    ratings,
    scored_items,
    tables,
)
from vivid_bench.study.metric_agreement import metric_agreements
from vivid_bench.study.resampling import RESAMPLES, as_estimate
from vivid_bench.study.results import (
    Estimate,
    MethodPreference,
    MetricAgreement,
    PairPreference,
    QuestionResult,
    StudyAnalysis,
)
from vivid_bench.study.strengths import (
    Figures,
    Strengths,
    all_meet,
    estimate,
    estimate_ratings,
    estimate_top_rates,
    win_matrix,
)
from vivid_bench.study.types import Question, RaterAnswers, StudyKey

NO_JUDGEMENTS = "no judgements"


@dataclass(frozen=True)
class _Found:
    """What raters said in a table.

    Attributes:
        answers: one for each screen answered.
        judged: the same as judgements of pairs, or as ratings.
        counted: judgements of pairs by the same rater on the same sample; of a rating study, implied ones.
        places: of a ranking study.
    """

    answers: int
    judged: Judgements | Ratings
    counted: Judgements
    places: Ratings | None
    alpha: float | None
    alpha_reason: str | None


def analyse(
    key: StudyKey,
    answers: Sequence[RaterAnswers],
    problems: Sequence[str],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> StudyAnalysis:
    """Return all that a study's answers say; the same input gives the same figures.

    Args:
        answers: as `read_answers` returns them: of raters of this study, values of the design's kind.
        problems: what was found wrong with answers files.
        resamples: of the bootstrap, at least 2.

    Raises:
        VividBenchError: for a rater or an item that the key does not know.
    """
    kept, excluded = exclude(key, answers)
    results: list[QuestionResult] = []
    metrics: list[MetricAgreement] = []
    for number, table in enumerate(tables(key)):
        found = _find(key, kept, table)
        # A generator of its own for each, so that no table's figures depend on what was analysed before.
        rng = np.random.default_rng([seed, number])
        results.append(_result(key, table, found, resamples, rng))
        if table.mask_kind is None:
            metrics += metric_agreements(key, table, found.judged, resamples, rng)
    return StudyAnalysis(
        study=key.study,
        simulated=any(given.simulated for given in answers),
        design=key.design,
        ties=key.ties,
        questions=key.questions,
        main_question=_main_question(key),
        raters_planned=len(key.raters),
        raters_answered=sum(bool(given.answers) for given in answers),
        raters_used=sum(bool(given.answers) for given in kept),
        judgements=sum(len(values) for given in kept for _, values in scored_items(key, given)),
        rules=key.rules,
        problems=tuple(problems),
        excluded=excluded,
        self_agreement=self_agreement(key, kept),
        results=tuple(results),
        metrics=tuple(metrics),
        resamples=resamples,
        seed=seed,
    )


def _main_question(key: StudyKey) -> Question:
    return "overall" if "overall" in key.questions else key.questions[0]


def _find(key: StudyKey, answers: Sequence[RaterAnswers], table: Table) -> _Found:
    if key.design == "rating":
        rated = ratings(key, answers, table)
        return _Found(len(rated.values), rated, implied_pairs(rated), None, *value_alpha(rated))
    pairs = pair_judgements(key, answers, table)
    if key.design == "pairwise":
        return _Found(len(pairs.outcomes), pairs, pairs, None, *pair_alpha(pairs))
    ranked = places(key, answers, table)
    return _Found(int((ranked.values == 1).sum()), pairs, pairs, ranked, *value_alpha(ranked))


def _result(key: StudyKey, table: Table, found: _Found, resamples: int, rng: np.random.Generator) -> QuestionResult:
    left_out = _why_left_out(key, found)
    methods: tuple[MethodPreference, ...] = ()
    pairs: tuple[PairPreference, ...] = ()
    if left_out is None:
        judged = found.judged
        strengths = (
            estimate(judged, resamples, rng)
            if isinstance(judged, Judgements)
            else estimate_ratings(judged, resamples, rng)
        )
        top = estimate_top_rates(found.places, resamples, rng) if found.places else None
        order = np.argsort(-strengths.scores.values, kind="stable").tolist()
        methods = tuple(_method(key, found, strengths, top, method) for method in order)
        pairs = tuple(
            _pair(key, found, strengths, one, other) for i, one in enumerate(order) for other in order[i + 1 :]
        )
    return QuestionResult(
        suite=table.suite,
        task=table.task,
        mask_kind=table.mask_kind,
        question=table.question,
        raters=len(np.unique(found.judged.raters)),
        samples=len(np.unique(found.judged.samples)),
        judgements=found.answers,
        methods=methods,
        pairs=pairs,
        alpha=found.alpha,
        alpha_reason=found.alpha_reason,
        left_out=left_out,
    )


def _why_left_out(key: StudyKey, found: _Found) -> str | None:
    if not found.answers:
        return NO_JUDGEMENTS
    names = [key.runs[run].method for run in found.judged.runs]
    if isinstance(found.judged, Ratings):
        unrated = [name for i, name in enumerate(names) if i not in found.judged.methods]
        return f"no ratings of {', '.join(unrated)}" if unrated else None
    if all_meet(win_matrix(found.judged)):
        return None
    return f"the judgements do not compare {', '.join(names)} all with each other, not even through others"


def _method(key: StudyKey, found: _Found, strengths: Strengths, top: Figures | None, method: int) -> MethodPreference:
    judged = found.judged
    run = key.runs[judged.runs[method]]
    if isinstance(judged, Ratings):
        took_part = judged.methods == method
    elif found.places:
        took_part = found.places.methods == method
    else:
        took_part = (judged.first == method) | (judged.second == method)
    return MethodPreference(
        method=run.method,
        run_key=run.run_key,
        judgements=int(took_part.sum()),
        score=_estimate(found, strengths.scores, method),
        win_rate=_estimate(found, strengths.win_rates, method) if strengths.win_rates else None,
        top_rate=_estimate(found, top, method) if top else None,
        rank=int(strengths.ranks[method]),
        tied_with_best=bool(strengths.tied_with_best[method]),
    )


def _pair(key: StudyKey, found: _Found, strengths: Strengths, one: int, other: int) -> PairPreference:
    counted = found.counted
    of_pair = (counted.first == min(one, other)) & (counted.second == max(one, other))
    outcomes = counted.outcomes[of_pair]
    return PairPreference(
        first=key.runs[counted.runs[one]].method,
        second=key.runs[counted.runs[other]].method,
        judgements=len(outcomes),
        wins=int((outcomes == (1.0 if one < other else 0.0)).sum()),
        ties=int((outcomes == 0.5).sum()),
        difference=_estimate(found, strengths.differences, (one, other)),
        p=_known(strengths.p, one, other),
        p_corrected=_known(strengths.p_corrected, one, other),
    )


def _estimate(found: _Found, figures: Figures, place: int | tuple[int, int]) -> Estimate:
    value, low, high = (float(figure[place]) for figure in (figures.values, figures.low, figures.high))
    return as_estimate(value, low, high, found.judged.raters, found.judged.videos)


def _known(p: Floats, one: int, other: int) -> float | None:
    return None if np.isnan(p[one, other]) else float(p[one, other])
