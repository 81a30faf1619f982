"""Which metric should one trust: how far each agrees with raters."""

from __future__ import annotations

from collections.abc import Sequence

from vivid_bench.leaderboard.words import spelled as metric_name
from vivid_bench.study.preference import Measure, cell, marked, spelled
from vivid_bench.study.report.document import Picture, Section
from vivid_bench.study.report.figures import metrics_plot, stem
from vivid_bench.study.report.outcomes import Place, place_words
from vivid_bench.study.results import MetricAgreement, StudyAnalysis
from vivid_bench.tables.blocks import Block

CHANCE = 0.5
_AGREEMENT = Measure(
    "agreement %", "share of pairs of edits that the metric orders as raters do, equal values as half; 50 is a coin's",
    "{} % of pairs", 100.0, 1, 50.0,
)  # fmt: skip
_CORRELATION = Measure(
    "correlation", "Spearman's, of the metric's difference with how clearly raters preferred", "{}", 1.0, 2, 0.0
)


def trust_section(analysis: StudyAnalysis, place: Place) -> Section | None:
    """Return one place's metrics, the one that agrees best with raters at the top; None where none was compared."""
    own = [each for each in analysis.metrics if (each.suite, each.task) == place]
    main = by_agreement([each for each in own if each.question == analysis.main_question])
    if not main:
        return None
    title = f"{place_words(place)}: which metric should one trust?"
    question = f"{place_words(place)}, {spelled(analysis.main_question)}"
    shown = [each for each in main if each.agreement]
    blocks = [_main_block(analysis, f"{question}: metrics beside raters", main)]
    if len(analysis.questions) > 1:
        blocks.append(_questions_block(analysis, place, main, own))
    pictures = []
    if shown:
        caption = f"{question}: share of pairs that a metric orders as raters do, and 95 % interval; dashed: a coin"
        figure = metrics_plot(analysis, shown, _AGREEMENT, question)
        pictures.append(Picture(stem("metrics", *place), marked(analysis, caption), figure))
    return Section(marked(analysis, title), 3, (_verdict(main),), tuple(blocks), tuple(pictures))


def by_agreement(agreements: Sequence[MetricAgreement]) -> list[MetricAgreement]:
    """Return metrics, the one that agrees most often first, those without a figure last."""
    return sorted(agreements, key=lambda each: -each.agreement.value if each.agreement else 1.0)


def trust_sentence(analysis: StudyAnalysis, place: Place) -> str:
    """Return in one sentence which metric agrees best under the main question; empty where none was compared."""
    own = [m for m in analysis.metrics if (m.suite, m.task, m.question) == (*place, analysis.main_question)]
    if not any(each.agreement for each in own):
        return ""
    above = _above_chance(by_agreement(own))
    if not above:
        return "No metric can be said to agree with raters more often than a coin would."
    return (
        f"Of the metrics that agree with raters more often than a coin would, {metric_name(above[0].metric)} does so "
        f"most often: in {cell(_AGREEMENT, above[0].agreement)} % of {above[0].units} pairs."
    )


def _above_chance(metrics: Sequence[MetricAgreement]) -> list[MetricAgreement]:
    return [m for m in metrics if m.agreement and m.agreement.low is not None and m.agreement.low > CHANCE]


def _verdict(main: Sequence[MetricAgreement]) -> str:
    above = _above_chance(main)
    below = [m for m in main if m.agreement and m.agreement.high is not None and m.agreement.high < CHANCE]
    with_figure = sum(each.agreement is not None for each in main)
    parts = [
        f"{what} more often than a coin would: {len(found)} of {with_figure} metrics{_named(found)}."
        for what, found in (("With raters", above), ("Against raters", below))
    ]
    return f"{' '.join(parts)} Each by its own 95 % interval, without correction for looking at several."


def _named(metrics: Sequence[MetricAgreement]) -> str:
    return f" ({', '.join(metric_name(each.metric) for each in metrics)})" if metrics else ""


def _main_block(analysis: StudyAnalysis, title: str, main: Sequence[MetricAgreement]) -> Block:
    rows = tuple(
        (metric_name(m.metric), cell(_AGREEMENT, m.agreement), cell(_CORRELATION, m.correlation), str(m.units))
        for m in main
        if m.agreement
    )
    columns = ("metric", marked(analysis, _AGREEMENT.name), marked(analysis, _CORRELATION.name), "pairs")
    notes = [f"{unit.name}: {unit.meaning} [95 % interval]" for unit in (_AGREEMENT, _CORRELATION)]
    notes.append("pairs: two methods' edits of one sample that raters did not split evenly over")
    return Block(marked(analysis, title), columns, rows, (*notes, *_missing(main)))


def _missing(main: Sequence[MetricAgreement]) -> list[str]:
    """Return why metrics have no figure or no correlation, those of one reason together."""
    by_reason: dict[tuple[str, str], list[str]] = {}
    for each in main:
        if each.agreement is None or each.correlation is None:
            what = "figure" if each.agreement is None else "correlation"
            by_reason.setdefault((what, each.reason or "not computed"), []).append(metric_name(each.metric))
    return [f"no {what} for {', '.join(names)}: {reason}" for (what, reason), names in by_reason.items()]


def _questions_block(
    analysis: StudyAnalysis, place: Place, main: Sequence[MetricAgreement], own: Sequence[MetricAgreement]
) -> Block:
    found = {(each.metric, each.question): each.agreement for each in own}
    rows = tuple(
        (metric_name(each.metric), *(cell(_AGREEMENT, found.get((each.metric, q))) for q in analysis.questions))
        for each in main
        if any(found.get((each.metric, question)) for question in analysis.questions)
    )
    title = f"{place_words(place)}: {_AGREEMENT.name} of metrics and raters by question"
    return Block(marked(analysis, title), ("metric", *map(spelled, analysis.questions)), rows)
