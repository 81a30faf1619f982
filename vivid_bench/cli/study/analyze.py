"""`vivid-bench study analyze`: from answers to preferences with intervals, and a report."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from vivid_bench.study.answers import Collected
    from vivid_bench.study.results import StudyAnalysis
    from vivid_bench.study.types import StudyKey


def analyze(
    study: Annotated[Path, typer.Argument(metavar="DIR", help="The folder that `study build` made.")],
    answers: Annotated[
        list[Path] | None,
        typer.Argument(metavar="[ANSWERS]...", help="Answers files; by default what `study serve` collected."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="Where the report goes.  [default: DIR/report]")
    ] = None,
) -> None:
    """Exclude raters by the study's rules, estimate preferences with 95 % intervals, and write a report.

    It has figures, md, html and LaTeX; its analysis.json feeds `tables user-study --study` and `leaderboard --study`.
    """
    collected, key = _collect(study, answers or [])
    from vivid_bench.cli.console import out as console
    from vivid_bench.study.analyze import analyse
    from vivid_bench.study.report import write_report

    analysis = analyse(key, collected.raters, collected.problems)
    _print(analysis)
    for path in write_report(analysis, out or study / "report"):
        console.print(str(path), soft_wrap=True)


def _collect(study: Path, answers: list[Path]) -> tuple[Collected, StudyKey]:
    """Return the answers and the study's key, and say what is wrong with the answers."""
    from vivid_bench.cli.console import err
    from vivid_bench.errors import InputError
    from vivid_bench.escaping import one_line
    from vivid_bench.study.answers import read_answers
    from vivid_bench.study.saved import KEY, read_key
    from vivid_bench.study.store import STORE

    key = read_key(study)
    store = None if answers else study / STORE
    if store is not None and not store.is_file():
        fix = "name the answers files that raters sent back"
        raise InputError(study, expected="answers that `study serve` collected", found="none", fix=fix)
    collected = read_answers(key, study / KEY, answers, store)
    for problem in collected.problems:
        err.print(f"problem: {one_line(problem)}", style="yellow")
    return collected, key


def _print(analysis: StudyAnalysis) -> None:
    """Print who was left out, and a table of all questions for each suite and task."""
    from vivid_bench.cli.console import err, wide
    from vivid_bench.study.preference import marked
    from vivid_bench.study.report.build import WARNING
    from vivid_bench.study.report.outcomes import overview_block, places, sentence
    from vivid_bench.tables.blocks import PaperTable
    from vivid_bench.tables.text import as_text

    if analysis.simulated:
        err.print(WARNING, style="yellow")
    for excluded in analysis.excluded:
        err.print(f"excluded: {excluded.rater} ({', '.join(excluded.rules)}): {excluded.reason}", style="yellow")
    found = places(analysis)
    blocks = tuple(overview_block(analysis, place) for place in found)
    counted = f"{analysis.raters_used} of {analysis.raters_answered} raters count, {analysis.judgements} judgements"
    notes = (counted, *(sentence(analysis, place) for place in found))
    table = PaperTable(analysis.study, marked(analysis, "User study"), blocks, (), notes)
    typer.echo(as_text([table], wide().width), nl=False)
