"""`vivid-bench study build`: blinded packets from finished runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from vivid_bench.cli import options as opt

if TYPE_CHECKING:
    from datetime import date

    from vivid_bench.study.types import Design, Question

ALL_QUESTIONS = "text-alignment,visual-quality,temporal-consistency,background-preservation,overall"


def build(
    runs: Annotated[
        list[Path], typer.Option("--runs", metavar="RUN…", help="Run folders, or folders of them; may be repeated.")
    ],
    raters: Annotated[int, typer.Option("--raters", min=1, max=999_999, help="How many people answer.")],
    per_rater: Annotated[int, typer.Option("--per-rater", min=1, help="Scored items a rater; checks come on top.")],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", help="A new folder for the study.")],
    more_runs: Annotated[list[Path] | None, typer.Argument(metavar="RUN", hidden=True)] = None,
    design: Annotated[
        str, typer.Option("--design", metavar="pairwise|rating|ranking", help="What a rater sees on one screen.")
    ] = "pairwise",
    questions: Annotated[
        str, typer.Option("--questions", metavar="NAME[,NAME…]", help="What is asked of every item.")
    ] = ALL_QUESTIONS,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Of all that is drawn at random.")] = 0,
    ties: Annotated[bool, typer.Option("--ties", help="Pairwise: let raters call a pair equally good.")] = False,
    deadline: Annotated[
        str | None, typer.Option("--deadline", metavar="YYYY-MM-DD", help="The last day that answers count, UTC.")
    ] = None,
    consent: Annotated[
        Path | None,
        typer.Option("--consent", metavar="FILE", help="Your own consent text, as your ethics board words it."),
    ] = None,
    data: opt.Data = None,
    edits: Annotated[
        list[str] | None,
        typer.Option("--edits", metavar="METHOD=DIR", help="Where a method's videos lie that `score --edits` scored."),
    ] = None,
) -> None:
    """Make a blinded study of finished runs: a folder for each rater, the plan, and the key that stays with you.

    Methods are compared that ran on the same samples; controls never take part.
    """
    from vivid_bench.cli.console import ConsoleReporter
    from vivid_bench.cli.console import out as console
    from vivid_bench.study.build import StudyOptions, build_study
    from vivid_bench.study.selection import select
    from vivid_bench.study.texts import CONSENT

    options = StudyOptions(
        _design(design), _questions(questions), raters, per_rater, seed, ties, _deadline(deadline),
        _consent(consent) if consent else CONSENT,
    )  # fmt: skip
    reporter = ConsoleReporter()
    selection = select([*runs, *(more_runs or ())], data, _folders(edits or []))
    for reason in selection.left_out:
        reporter.say(f"left out: {reason}")
    key = build_study(selection, options, out, reporter)
    for task in selection.tasks:
        names = ", ".join(run.row.record.method.name for run in task.runs)
        console.print(f"{task.name}: {names} on {len(task.samples)} samples", soft_wrap=True)
    console.print(
        f"{out}: study {key.study}, {raters} packets of {len(key.raters[0].items)} items; what they can show is in "
        f"{out / 'plan.md'}. Keep key.json and plan.md to yourself.",
        soft_wrap=True,
    )


def _design(text: str) -> Design:
    from vivid_bench.errors import UnknownNameError
    from vivid_bench.study.types import DESIGNS

    for design in DESIGNS:
        if text == design:
            return design
    raise UnknownNameError("design", text, DESIGNS)


def _questions(text: str) -> tuple[Question, ...]:
    from vivid_bench.errors import UnknownNameError, VividBenchError
    from vivid_bench.study.types import QUESTIONS

    chosen: list[Question] = []
    for name in text.split(","):
        question = next((question for question in QUESTIONS if question == name.strip()), None)
        if question is None:
            raise UnknownNameError("question", name.strip(), QUESTIONS)
        if question in chosen:
            raise VividBenchError(f"--questions names {question} twice")
        chosen.append(question)
    return tuple(chosen)


def _deadline(text: str | None) -> date | None:
    from datetime import UTC, date, datetime

    from vivid_bench.errors import VividBenchError

    if text is None:
        return None
    try:
        deadline = date.fromisoformat(text)
    except ValueError as error:
        raise VividBenchError(f"--deadline {text}: expected a day as YYYY-MM-DD") from error
    if deadline < datetime.now(UTC).date():
        raise VividBenchError(f"--deadline {text} is past: no answer would count")
    return deadline


def _consent(path: Path) -> str:
    from vivid_bench.errors import InputError

    fix = "write the text that raters agree to, a blank line between paragraphs"
    try:
        text = path.read_text(encoding="utf-8-sig").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(path, expected="a text file in UTF-8", found=str(error), fix=fix) from error
    if not text:
        raise InputError(path, expected="a text", found="an empty file", fix=fix)
    return text


def _folders(texts: list[str]) -> dict[str, Path]:
    from vivid_bench.errors import VividBenchError

    folders = {}
    for text in texts:
        method, equals, folder = text.partition("=")
        if not (method and equals and folder) or method in folders:
            raise VividBenchError(f"--edits {text}: expected METHOD=DIR, each method once")
        folders[method] = Path(folder)
    return folders
