"""The table `user-study`: raters' preferences, ours and the paper's."""

from __future__ import annotations

from vivid_bench.study.preference import SIMULATED, cell, headline, measure, spelled
from vivid_bench.study.results import MethodPreference, QuestionResult, StudyAnalysis
from vivid_bench.tables.blocks import EMPTY, Block, Figure, PaperTable
from vivid_bench.tables.measured import MEASURED
from vivid_bench.tables.printed import published_block, published_figures
from vivid_bench.tables.published import Published
from vivid_bench.types import TASKS

NO_STUDY = "no study was given"
NO_TASK = "the study has no figures of this task"


def user_study(published: Published, analysis: StudyAnalysis | None = None) -> PaperTable:
    """Return an analysed study's preferences, if one is given, and the paper's as published, in blocks of their own."""
    paper = published.vivid_paper_tables
    results = [r for r in analysis.results if r.mask_kind is None and r.methods] if analysis else []
    measured = {result.task for result in results}
    why = NO_STUDY if analysis is None else NO_TASK
    printed = paper.user_study
    missing = f"{paper.source}: {paper.status}"
    rows = tuple((t, "above" if t in measured else EMPTY, EMPTY if printed is None else "below") for t in TASKS)
    blocks = [Block("raters' preferences", ("task", "measured", "published"), rows)]
    figures: list[Figure] = []
    notes = []
    if analysis is not None:
        blocks = [*_measured_blocks(analysis, results), *blocks]
        figures += [_figure(analysis, result, method) for result in results for method in result.methods]
    if without := [task for task in TASKS if task not in measured]:
        which = f" for {', '.join(without)}" if measured else ""
        notes.append(f"measured: {EMPTY}{which}: {why}")
    published_gap: Figure = {"published": None, "published_missing": missing} if printed is None else {}
    figures += [{"name": task, "measured": None, "measured_missing": why, **published_gap} for task in without]
    if printed is None:
        notes.append(f"published: {EMPTY}: {missing}")
    else:
        blocks.append(published_block(printed, paper.source))
        figures += published_figures(printed, paper.source, "all")
    return PaperTable("user-study", "User study", tuple(blocks), tuple(figures), tuple(notes))


def _measured_blocks(analysis: StudyAnalysis, results: list[QuestionResult]) -> list[Block]:
    """Return a block a suite and task: a row a question and method."""
    unit = measure(analysis.design)
    where = f"{MEASURED}, {SIMULATED}" if analysis.simulated else MEASURED
    mark = f" ({SIMULATED})" if analysis.simulated else ""
    columns = ("question", "method", f"{unit.name}{mark} ↑", "judgements", "raters")
    blocks = []
    for suite, task in dict.fromkeys((result.suite, result.task) for result in results):
        rows = tuple(
            (
                spelled(result.question),
                method.method,
                cell(unit, headline(method)),
                str(method.judgements),
                str(result.raters),
            )
            for result in results
            if (result.suite, result.task) == (suite, task)
            for method in result.methods
        )
        title = f"{where}: {task}, suite {suite}, user study {analysis.study}"
        notes = [f"{unit.name}: {unit.meaning} [95 % interval over raters and samples]"]
        notes += ["simulated: no person was asked; `vivid-bench study simulate` made the answers"] if mark else []
        blocks.append(Block(title, columns, rows, tuple(notes), text_columns=2))
    return blocks


def _figure(analysis: StudyAnalysis, result: QuestionResult, method: MethodPreference) -> Figure:
    estimate = headline(method)
    return {
        "origin": "measured",
        "study": analysis.study,
        "simulated": analysis.simulated,
        "suite": result.suite,
        "task": result.task,
        "question": result.question,
        "name": method.method,
        "run_key": method.run_key,
        "metric": measure(analysis.design).meaning,
        "value": estimate.value,
        "ci_low": estimate.low,
        "ci_high": estimate.high,
        "judgements": method.judgements,
        "raters": result.raters,
        "samples": result.samples,
    }
