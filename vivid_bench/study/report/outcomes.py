"""What raters preferred: the tables of one suite and task."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from vivid_bench.leaderboard.words import count
from vivid_bench.study.preference import (
    EMPTY,
    STRENGTH,
    Measure,
    cell,
    find_result,
    headline,
    interval,
    marked,
    measure,
    number,
    spelled,
)
from vivid_bench.study.report.document import Picture, Section
from vivid_bench.study.report.figures import kinds_plot, pairs_plot, preferences_plot, stem
from vivid_bench.study.results import Estimate, MethodPreference, PairPreference, QuestionResult, StudyAnalysis
from vivid_bench.tables.blocks import Block
from vivid_bench.types import Task

Place = tuple[str, Task]
"""A suite and a task: what is never pooled."""

_FIRST = Measure("first %", "share of the rankings that have it first", "{} % of the rankings", 100.0, 1, 50.0)


def places(analysis: StudyAnalysis) -> list[Place]:
    """Return the suites and tasks of a study, in the order of its tables."""
    return list(dict.fromkeys((result.suite, result.task) for result in analysis.results))


def place_words(place: Place) -> str:
    """Return e.g. `delete, suite mini`."""
    return f"{place[1]}, suite {place[0]}"


def place_sections(analysis: StudyAnalysis, place: Place) -> list[Section]:
    """Return the sections of one suite and task: all questions at a glance, then each question, then mask kinds."""
    whole = _whole(analysis, place)
    kinds = [r for r in analysis.results if (r.suite, r.task) == place and r.mask_kind is not None]
    sections = [_overview(analysis, place, whole)]
    sections += [_question_section(analysis, place, result) for result in whole]
    if kinds:
        sections.append(_kinds_section(analysis, place, whole, kinds))
    return sections


def _whole(analysis: StudyAnalysis, place: Place) -> list[QuestionResult]:
    return [r for r in analysis.results if (r.suite, r.task) == place and r.mask_kind is None]


def methods_order(results: Sequence[QuestionResult], analysis: StudyAnalysis) -> list[str]:
    """Return the methods of one place's tables: as the main question orders them, others behind."""
    first = [result for result in results if result.question == analysis.main_question]
    return list(dict.fromkeys(method.method for result in [*first, *results] for method in result.methods))


def overview_block(analysis: StudyAnalysis, place: Place) -> Block:
    """Return one place's methods under every question, over all its samples."""
    unit = measure(analysis.design)
    whole = _whole(analysis, place)
    names = methods_order(whole, analysis)
    rows = tuple((name, *(_mark(unit, result, _of(result, name)) for result in whole)) for name in names)
    title = marked(analysis, f"{place_words(place)}: {unit.name} by question")
    columns = ("method", *(f"{spelled(result.question)}\N{NO-BREAK SPACE}↑" for result in whole))
    notes = [f"{unit.name}: {unit.meaning} [95 % interval]"] if rows else []
    notes += [*_best_note(whole), *_gaps(whole)]
    return Block(title, columns, rows, tuple(notes))


def _overview(analysis: StudyAnalysis, place: Place, whole: Sequence[QuestionResult]) -> Section:
    unit = measure(analysis.design)
    names = methods_order(whole, analysis)
    pictures = []
    if names:
        caption = f"{place_words(place)}: {unit.name} and 95 % interval by question; dashed: {unit.middle:g}"
        figure = preferences_plot(analysis, whole, names, place_words(place))
        pictures.append(Picture(stem("preferences", *place), marked(analysis, caption), figure))
    return Section(marked(analysis, place_words(place)), 2, (), (overview_block(analysis, place),), tuple(pictures))


def _of(result: QuestionResult, name: str) -> MethodPreference | None:
    return next((method for method in result.methods if method.method == name), None)


def _mark(unit: Measure, result: QuestionResult, method: MethodPreference | None) -> str:
    if method is None:
        return EMPTY
    is_best = method.tied_with_best and _is_tested(result)
    return cell(unit, headline(method)) + ("*" if is_best else "")


def _is_tested(result: QuestionResult) -> bool:
    """Whether any two methods could be tested; with too few raters or samples, none can, and ranks mean nothing."""
    return any(pair.p is not None for pair in result.pairs)


def _best_note(results: Iterable[QuestionResult]) -> list[str]:
    if not any(map(_is_tested, results)):
        return []
    return ["*: the best, or not significantly worse than it (two-sided test at 5 %, Holm's correction)"]


def _gaps(results: Iterable[QuestionResult]) -> list[str]:
    """Return why tables have no figures and why estimates have no interval."""
    results = list(results)
    notes = [f"{_heading(result)}: no figures: {result.left_out}" for result in results if result.left_out]
    estimates = [headline(method) for result in results for method in result.methods]
    return notes + [f"no interval: {reason}" for reason in _reasons(estimates)]


def _reasons(estimates: Iterable[Estimate]) -> list[str]:
    return list(dict.fromkeys(estimate.reason for estimate in estimates if estimate.reason))


def _heading(result: QuestionResult) -> str:
    return spelled(result.question) + (f", mask kind {result.mask_kind}" if result.mask_kind else "")


def _question_section(analysis: StudyAnalysis, place: Place, result: QuestionResult) -> Section:
    title = f"{place_words(place)}: {spelled(result.question)}"
    counts = (count(result.raters, "rater"), count(result.samples, "sample"), count(result.judgements, "judgement"))
    paragraphs = [f"{', '.join(counts)}. {_agreement(result)}"]
    if result.left_out:
        paragraphs.append(f"No figures: {result.left_out}.")
    blocks = [_methods_block(analysis, title, result), _pairs_block(analysis, title, result)]
    pictures = []
    if result.question == analysis.main_question and result.pairs:
        caption = f"{title}: how often the row's method was preferred to the column's, ties as half; *: significant"
        figure = pairs_plot(analysis, result, title)
        pictures.append(Picture(stem("pairs", *place), marked(analysis, caption), figure))
    return Section(
        marked(analysis, title), 3, tuple(paragraphs), tuple(block for block in blocks if block.rows), tuple(pictures)
    )


def _agreement(result: QuestionResult) -> str:
    if result.alpha is None:
        return f"Krippendorff's alpha: {EMPTY}, {result.alpha_reason or 'not computed'}."
    return f"Krippendorff's alpha {result.alpha:.2f} (1: raters agree in all, 0: no more than by chance)."


def _methods_block(analysis: StudyAnalysis, title: str, result: QuestionResult) -> Block:
    unit = measure(analysis.design)
    is_rating, is_ranking = analysis.design == "rating", analysis.design == "ranking"
    columns = ["method", "rank", marked(analysis, f"{unit.name} ↑")]
    columns += [] if is_rating else [marked(analysis, "strength ↑")]
    columns += [marked(analysis, "first % ↑")] if is_ranking else []
    rows = []
    for method in result.methods:
        row = [method.method, str(method.rank) if _is_tested(result) else EMPTY, _mark(unit, result, method)]
        row += [] if is_rating else [cell(STRENGTH, method.score)]
        row += [cell(_FIRST, method.top_rate)] if is_ranking else []
        rows.append((*row, str(method.judgements)))
    shown = [each for m in result.methods for each in (headline(m), m.score, m.top_rate) if each is not None]
    notes = [f"{unit.name}: {unit.meaning} [95 % interval]"]
    notes += [] if is_rating else [f"{STRENGTH.name}: {STRENGTH.meaning}"]
    notes += [f"{_FIRST.name}: {_FIRST.meaning}"] if is_ranking else []
    notes += [*_best_note([result]), *(f"no interval: {why}" for why in _reasons(shown))]
    return Block(marked(analysis, f"{title}: methods"), (*columns, "judgements"), tuple(rows), tuple(notes))


def _pairs_block(analysis: StudyAnalysis, title: str, result: QuestionResult) -> Block:
    is_rating = analysis.design == "rating"
    unit = measure(analysis.design) if is_rating else STRENGTH
    has_ties = any(pair.ties for pair in result.pairs)
    rows = tuple(_pair_row(pair, unit, has_ties) for pair in result.pairs)
    difference = marked(analysis, f"difference of {'mean ratings' if is_rating else 'strengths'}")
    counts = ("judgements", "first won", *(("ties",) if has_ties else ()))
    columns = ("first", "second", *counts, difference, "p", "p corrected")
    notes = (
        "difference: first less second [95 % interval]; p: two-sided, that it is 0; corrected: Holm's, over the pairs "
        "of this table",
        *(f"no interval: {reason}" for reason in _reasons(pair.difference for pair in result.pairs)),
    )
    return Block(marked(analysis, f"{title}: pairs"), columns, rows, notes, text_columns=2)


def _pair_row(pair: PairPreference, unit: Measure, has_ties: bool) -> tuple[str, ...]:
    counts = (str(pair.judgements), str(pair.wins), *((str(pair.ties),) if has_ties else ()))
    return (pair.first, pair.second, *counts, cell(unit, pair.difference), _p(pair.p), _p(pair.p_corrected))


def _p(p: float | None) -> str:
    if p is None:
        return EMPTY
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def _kinds_section(
    analysis: StudyAnalysis, place: Place, whole: Sequence[QuestionResult], kinds: Sequence[QuestionResult]
) -> Section:
    unit = measure(analysis.design)
    names = methods_order(whole, analysis)
    blocks = []
    for question in analysis.questions:
        results = [result for result in kinds if result.question == question]
        rows = tuple((name, *(_mark(unit, result, _of(result, name)) for result in results)) for name in names)
        columns = ("method", *(f"{result.mask_kind} ({result.judgements})" for result in results))
        title = f"{place_words(place)}: {spelled(question)}, {unit.name} by mask kind (judgements)"
        notes = (*_best_note(results), *_gaps(results))
        if results:
            blocks.append(Block(marked(analysis, title), columns, rows, notes))
    pictures = []
    main = [result for result in kinds if result.question == analysis.main_question]
    if any(result.methods for result in main):
        heading = f"{place_words(place)}: {spelled(analysis.main_question)}"
        caption = f"{heading}, {unit.name} and 95 % interval by mask kind"
        figure = kinds_plot(analysis, main, names, heading)
        pictures.append(Picture(stem("mask-kinds", *place), marked(analysis, caption), figure))
    return Section(marked(analysis, f"{place_words(place)}: by mask kind"), 3, (), tuple(blocks), tuple(pictures))


def sentence(analysis: StudyAnalysis, place: Place) -> str:
    """Return in one sentence what raters preferred under the main question."""
    where = f"{place_words(place)}, {spelled(analysis.main_question)}"
    result = find_result(analysis, *place, analysis.main_question)
    if result is None or not result.methods:
        return f"{where}: no figures{f': {result.left_out}' if result and result.left_out else ''}."
    unit = measure(analysis.design)
    best, *others = result.methods
    lead = headline(best)
    told = f"{best.method} leads with {unit.phrase.format(number(unit, lead.value))} {interval(unit, lead)}".rstrip()
    if not _is_tested(result):
        return f"{where}: {told}; it cannot be tested whether it differs from others."
    tied = [method.method for method in others if method.tied_with_best]
    worse = [method.method for method in others if not method.tied_with_best]
    parts = []
    if tied:
        parts.append(f"{_listed(tied)} cannot be told apart from it")
    if worse:
        parts.append(f"{_listed(worse)} {'is' if len(worse) == 1 else 'are'} significantly worse")
    return f"{where}: {told}" + (f"; {', '.join(parts)}." if parts else ".")


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
