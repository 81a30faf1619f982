"""A study's analysis made by hand, for tests of what shows it. Its figures agree with each other in nothing."""

from __future__ import annotations

from collections.abc import Sequence

from vivid_bench.study.results import (
    Estimate,
    ExcludedRater,
    MethodPreference,
    MetricAgreement,
    PairPreference,
    QuestionResult,
    SelfAgreement,
    StudyAnalysis,
)
from vivid_bench.study.types import Design, Question, Rules
from vivid_bench.types import Task

STUDY = "0123456789abcdef"
QUESTIONS: tuple[Question, ...] = ("visual-quality", "overall")


def made_analysis(
    names: Sequence[str] = ("high", "low", "poor"),
    run_keys: Sequence[str] = ("a" * 12, "b" * 12, "c" * 12),
    *,
    design: Design = "pairwise",
    simulated: bool = True,
    suite: str = "made",
) -> StudyAnalysis:
    """Three methods of delete, of which the first two share a rank, under two questions and two mask kinds.

    Task add has no figures.
    """
    results = [
        _result(names, run_keys, design, suite, question, kind)
        for question in QUESTIONS
        for kind in (None, "box", "blob")
    ]
    results.append(_empty(suite, "add", "overall"))
    return StudyAnalysis(
        study=STUDY,
        simulated=simulated,
        design=design,
        ties=design == "pairwise",
        questions=QUESTIONS,
        main_question="overall",
        raters_planned=12,
        raters_answered=10,
        raters_used=9,
        judgements=540,
        rules=Rules(),
        problems=("r011.json: changed or damaged since it was saved; the file is left out",),
        excluded=(ExcludedRater(rater="r007", rules=("too fast",), reason="answered 20 of 30 scored items too fast"),),
        self_agreement=(SelfAgreement(question="overall", repeats=20, same=17),),
        results=tuple(results),
        metrics=_metrics(suite),
        resamples=2000,
        seed=0,
    )


def _result(
    names: Sequence[str], run_keys: Sequence[str], design: Design, suite: str, question: Question, kind: str | None
) -> QuestionResult:
    methods = []
    for place, (name, run_key) in enumerate(zip(names, run_keys, strict=True)):
        strength = Estimate(value=0.8 - 0.8 * place, low=0.5 - 0.8 * place, high=1.1 - 0.8 * place)
        rating = Estimate(value=4.0 - place, low=3.75 - place, high=4.25 - place)
        share = (0.7, 0.5, 0.3)[place]
        wins = Estimate(value=share, low=share - 0.05, high=share + 0.05)
        methods.append(
            MethodPreference(
                method=name,
                run_key=run_key,
                judgements=120,
                score=rating if design == "rating" else strength,
                win_rate=None if design == "rating" else wins,
                top_rate=Estimate(value=0.5, low=None, high=None, reason="only 2 raters")
                if design == "ranking"
                else None,
                rank=1 if place < 2 else 3,
                tied_with_best=place < 2,
            )
        )
    pairs = [
        PairPreference(
            first=names[one],
            second=names[other],
            judgements=60,
            wins=30 + 10 * other,
            ties=6 if design == "pairwise" else 0,
            difference=Estimate(value=0.8 * (other - one), low=0.1, high=1.5),
            p=0.0001 * 10 ** (2 - other),
            p_corrected=0.0003 if other == 2 else 0.21,
        )
        for one, other in ((0, 1), (0, 2), (1, 2))
    ]
    return QuestionResult(
        suite=suite,
        task="delete",
        mask_kind=kind,
        question=question,
        raters=9,
        samples=8,
        judgements=180,
        methods=tuple(methods),
        pairs=tuple(pairs),
        alpha=0.345,
    )


def _empty(suite: str, task: Task, question: Question) -> QuestionResult:
    return QuestionResult(
        suite=suite, task=task, mask_kind=None, question=question, raters=1, samples=1, judgements=1, methods=(),
        pairs=(), alpha=None, alpha_reason="no sample was seen by two raters", left_out="two methods never met",
    )  # fmt: skip


def _metrics(suite: str) -> tuple[MetricAgreement, ...]:
    found = []
    for question in QUESTIONS:
        for metric, value in (("edit_psnr", 0.6), ("edit_lpips@alex", 0.8), ("background_ssim", 0.3)):
            agreement = Estimate(value=value, low=value - 0.15, high=value + 0.15)
            correlation = Estimate(value=2 * value - 1, low=2 * value - 1.2, high=2 * value - 0.8)
            found.append(
                MetricAgreement(metric=metric, suite=suite, task="delete", question=question, units=50,
                                agreement=agreement, correlation=correlation)
            )  # fmt: skip
        found.append(
            MetricAgreement(metric="rc_s", suite=suite, task="delete", question=question, units=0, agreement=None,
                            correlation=None, reason="it has no figure on these samples")
        )  # fmt: skip
    return tuple(found)
