"""Who answered, who was left out and why, and how raters agree with themselves."""

from __future__ import annotations

from vivid_bench.study.preference import marked, spelled
from vivid_bench.study.report.document import Section
from vivid_bench.study.results import StudyAnalysis
from vivid_bench.study.types import Rules
from vivid_bench.tables.blocks import Block


def people_section(analysis: StudyAnalysis) -> Section:
    """Return who was asked, who answered, who counts, and what was wrong with the rest."""
    a = analysis
    paragraphs = [
        f"Raters planned: {a.raters_planned}; answered: {a.raters_answered}; excluded by the rules below: "
        f"{len(a.excluded)}; counted: {a.raters_used}, with {a.judgements} judgements.",
        f"Rules, set before anyone had answered: {rules_in_words(a.rules)}",
    ]
    if not a.problems:
        paragraphs.append("Nothing was found wrong with the answers.")
    blocks = [*_excluded(a), *_problems(a), *_self_agreement(a)]
    return Section(marked(a, "Who answered"), 2, tuple(paragraphs), tuple(blocks))


def rules_in_words(rules: Rules) -> str:
    """Return the exclusion rules in one sentence."""
    return (
        f"a rater is excluded who failed {rules.failed_checks} attention checks or more (a check shows a broken clip, "
        "and is failed where at least half of its questions were answered in that clip's favour); who answered more "
        f"than {100 * rules.too_fast_share:g} % of the scored items in less time than the clip takes to play once; or "
        f"who gave one and the same answer, other than a tie, in at least {100 * rules.same_answer_share:g} % of the "
        f"answers to {rules.same_answer_min} scored items or more."
    )


def _excluded(analysis: StudyAnalysis) -> list[Block]:
    notes = tuple(f"{each.rater} ({', '.join(each.rules)}): {each.reason}" for each in analysis.excluded)
    return [Block(marked(analysis, "Excluded raters"), (), (), notes)] if notes else []


def _problems(analysis: StudyAnalysis) -> list[Block]:
    if not analysis.problems:
        return []
    return [Block(marked(analysis, "What was found wrong with the answers"), (), (), analysis.problems)]


def _self_agreement(analysis: StudyAnalysis) -> list[Block]:
    rows = tuple(
        (spelled(each.question), str(each.same), str(each.repeats), f"{100 * each.same / each.repeats:.0f} %")
        for each in analysis.self_agreement
        if each.repeats
    )
    if not rows:
        return []
    same = "in the very same order" if analysis.design == "ranking" else "answered as before"
    again = "" if analysis.design == "rating" else ", their places in reverse order"
    note = f"repeats: scored items shown again later{again}; same: {same}"
    columns = ("question", "same", "repeats", "share")
    return [Block(marked(analysis, "How raters agree with themselves"), columns, rows, (note,))]
