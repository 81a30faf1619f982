"""The page that shows whoever runs a served study how far its raters are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from jinja2 import Environment, PackageLoader, StrictUndefined

from vivid_bench.study.answer_checks import needed_items
from vivid_bench.study.types import RaterAnswers, StudyKey


@dataclass(frozen=True)
class RaterProgress:
    """How far one rater is.

    Attributes:
        answered, of: items, the training item left out.
        last: when the last answer came, ISO 8601 in UTC; None before the first.
        seconds: median time on an item; None before the first answer.
    """

    rater: str
    answered: int
    of: int
    last: str | None
    seconds: float | None
    finished: bool


def measure_progress(key: StudyKey, raters: Sequence[RaterAnswers]) -> list[RaterProgress]:
    """Return how far each rater is, in the order given."""
    rows = []
    for rater in raters:
        plan = key.plan(rater.rater)
        needed = needed_items(plan) if plan else set()
        answers = [answer for answer in rater.answers if answer.item in needed]
        last = max((answer.at for answer in answers), default=None)
        seconds = median(answer.seconds for answer in answers) if answers else None
        rows.append(RaterProgress(rater.rater, len(answers), len(needed), last, seconds, rater.finished))
    return rows


def render_progress(key: StudyKey, raters: Sequence[RaterAnswers]) -> str:
    """Return the page's HTML."""
    templates = Environment(
        loader=PackageLoader("vivid_bench.study"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    rows = measure_progress(key, raters)
    return templates.get_template("admin.html").render(
        key=key,
        rows=rows,
        started=sum(row.answered > 0 for row in rows),
        finished=sum(row.finished for row in rows),
        answered=sum(row.answered for row in rows),
        of=sum(row.of for row in rows),
    )
