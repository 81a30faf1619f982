"""How a study was done and analysed, in words that a paper can use."""

from __future__ import annotations

from vivid_bench.study.metric_agreement import MAX_RESAMPLES
from vivid_bench.study.preference import marked, spelled
from vivid_bench.study.report.document import Section
from vivid_bench.study.results import StudyAnalysis
from vivid_bench.study.types import Design

_SHOWN: dict[Design, str] = {
    "pairwise": "Raters saw two methods' edits of one clip side by side and chose the better one under each question",
    "rating": "Raters saw one method's edit of a clip at a time and rated it from 1 (bad) to 5 (excellent) under each "
    "question",
    "ranking": "Raters saw several methods' edits of one clip side by side and put them in order, the best first, "
    "under each question",
}

_STRENGTHS = (
    "Strengths are those of the Bradley–Terry model, in natural log odds with mean 0, fitted with the package choix; "
    "each pair of n methods is given 1/n of a win each way, so that a method that wins everything keeps a finite "
    "strength."
)

_FIGURES: dict[Design, str] = {
    "pairwise": "A method's share of wins is the mean, over the other methods, of the share of judgements won against "
    f"each, a tie counting as half a win. {_STRENGTHS}",
    "rating": "A method's score is the mean of its ratings.",
    "ranking": "Each ranking counts as all the pairs that it implies. A method's share of wins is the mean, over the "
    f"other methods, of the share of pairs won against each. {_STRENGTHS}",
}


def procedure_section(analysis: StudyAnalysis) -> Section:
    """Return the study's procedure: design, figures, intervals, tests, agreement, metrics."""
    a = analysis
    ties = ", or called it a tie" if a.ties else ""
    questions = ", ".join(map(spelled, a.questions))
    paragraphs = (
        f"{_SHOWN[a.design]}{ties}. Beside the edits stood the source with the outline of the mask, and what was asked "
        f"for. Methods were not named; places and order were random and balanced over raters and methods; all videos "
        f"were encoded alike. Questions: {questions}. Attention checks, repeats and the training item are not counted.",
        f"{_FIGURES[a.design]} Suites and tasks are never pooled.",
        "Intervals are 95 % and hold for other raters and other clips at once. A figure's variance is that of a "
        "bootstrap over raters, plus that of one over source videos, less that of one over single pairs of rater and "
        "video (Cameron, Gelbach and Miller 2011), and no less than either of the first two; each has "
        f"{a.resamples} resamples, with exponential weights (Rubin 1981; Owen and Eckles 2012), from seed {a.seed}. "
        "Ends are by Student's t, its degrees of freedom the smaller number of raters and source videos less 1; those "
        "of shares are Wilson's, at the number of independent judgements with the same standard error (Franco et al. "
        "2019); where all judgements are the same, at the smaller number of raters and source videos.",
        "Two methods' difference is tested against 0 by Student's t with the same standard error, two-sided, with "
        "Holm's correction over the pairs of a table. A method's rank is 1 plus the number of methods significantly "
        "better at 5 %, so that methods that cannot be told apart share a rank.",
        "Agreement between raters is Krippendorff's alpha (package krippendorff) over what several raters saw.",
        "A metric is compared with raters on pairs of methods on a sample: how often it prefers the method that most "
        "raters preferred, and Spearman's correlation of its difference with the raters' preference. Few "
        "raters a clip make a poor majority, which no metric could always agree with: the share compares metrics with "
        "each other and with a coin, and says little beside another study's. Intervals are made in the same way, with "
        f"{min(a.resamples, MAX_RESAMPLES)} resamples.",
    )
    return Section(marked(a, "How this was done"), 2, paragraphs)
