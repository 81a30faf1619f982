"""What an analysis' figures are called and how they are printed, wherever they stand: report, tables, leaderboard."""

from __future__ import annotations

from dataclasses import dataclass

from vivid_bench.study.results import Estimate, MethodPreference, QuestionResult, StudyAnalysis
from vivid_bench.study.types import Design, Question

EMPTY = "–"
SIMULATED = "simulated"


@dataclass(frozen=True)
class Measure:
    """The figure by which a design's methods are told in one number.

    Attributes:
        name: as a column is headed, without its direction.
        meaning: what it is, as a note says it.
        phrase: a sentence's words for a value of it, `{}`.
        times: factor that it is printed with.
        digits: behind the point.
        middle: as printed, where nothing is preferred; of ratings, the middle of the scale.
    """

    name: str
    meaning: str
    phrase: str
    times: float
    digits: int
    middle: float


_WINS = Measure(
    "wins %", "share of comparisons won, the mean over the other methods, a tie as half", "{} % of comparisons won",
    100.0, 1, 50.0,
)  # fmt: skip
_RATING = Measure("rating 1–5", "mean rating from 1, the worst, to 5, the best", "a mean rating of {}", 1.0, 2, 3.0)
STRENGTH = Measure(
    "strength", "Bradley–Terry's, in natural log odds, the mean over methods 0", "a strength of {}", 1.0, 2, 0.0
)


def measure(design: Design) -> Measure:
    """Return a design's measure: win rate, or mean rating."""
    return _RATING if design == "rating" else _WINS


def headline(method: MethodPreference) -> Estimate:
    """Return a method's figure of its design's `measure`."""
    return method.score if method.win_rate is None else method.win_rate


def number(measure: Measure, value: float) -> str:
    """Return a figure as printed."""
    return f"{value * measure.times:.{measure.digits}f}"


def interval(measure: Measure, estimate: Estimate) -> str:
    """Return an estimate's interval as printed, e.g. `[55.0, 69.1]`; nothing where there is none."""
    if estimate.low is None or estimate.high is None:
        return ""
    return f"[{number(measure, estimate.low)}, {number(measure, estimate.high)}]"


def cell(measure: Measure, estimate: Estimate | None) -> str:
    """Return an estimate with its interval as printed, e.g. `62.1 [55.0, 69.1]`; `–` for none."""
    if estimate is None:
        return EMPTY
    return f"{number(measure, estimate.value)} {interval(measure, estimate)}".rstrip()


def spelled(question: Question) -> str:
    """Return a question's name as headings spell it, e.g. `text alignment`."""
    return question.replace("-", " ")


def find_result(analysis: StudyAnalysis, suite: str, task: str, question: Question) -> QuestionResult | None:
    """Return the table of a suite, task and question over all its samples; None where the study has none."""
    for result in analysis.results:
        if (result.suite, result.task, result.question, result.mask_kind) == (suite, task, question, None):
            return result
    return None


def marked(analysis: StudyAnalysis, text: str) -> str:
    """Return text that says in its own words when the answers behind it were simulated."""
    return f"{text} ({SIMULATED})" if analysis.simulated else text
