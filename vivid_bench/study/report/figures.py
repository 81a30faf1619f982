"""Pictures of an analysis: methods under each question or mask kind, pairs, metrics. Drawn as a leaderboard's are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from vivid_bench.leaderboard.plots import COLOURS, COLUMN, GREY, MARGIN, PAGE, STYLE
from vivid_bench.leaderboard.words import spelled as metric_name
from vivid_bench.study.preference import Measure, headline, marked, measure, spelled
from vivid_bench.study.results import Estimate, MetricAgreement, QuestionResult, StudyAnalysis

Kind = Literal["preferences", "pairs", "mask-kinds", "metrics"]
SIGNIFICANT = 0.05
_STYLE = {**STYLE, "text.parse_math": False}
"""Names may hold a dollar sign."""

_PANELS = 3
_ROW_INCHES = 0.16
_CELL_INCHES = 0.42


def stem(kind: Kind, suite: str, task: str) -> str:
    """Return what a picture's files are called, plain ASCII whatever the suite's name."""
    return re.sub(r"[^a-z0-9]+", "-", f"{kind}-{task}-{suite}".lower()).strip("-")


def preferences_plot(
    analysis: StudyAnalysis, results: Sequence[QuestionResult], names: Sequence[str], where: str
) -> Figure:
    """Return a panel a question: each method's figure and 95 % interval."""
    titles = [spelled(result.question) for result in results]
    return _panels(analysis, where, results, titles, names)


def kinds_plot(analysis: StudyAnalysis, results: Sequence[QuestionResult], names: Sequence[str], where: str) -> Figure:
    """Return a panel a mask kind: each method's figure and 95 % interval."""
    titles = [f"mask kind {result.mask_kind}" for result in results]
    return _panels(analysis, where, results, titles, names)


def _panels(
    analysis: StudyAnalysis,
    where: str,
    results: Sequence[QuestionResult],
    titles: Sequence[str],
    names: Sequence[str],
) -> Figure:
    unit = measure(analysis.design)
    columns = min(_PANELS, len(results))
    lines = -(-len(results) // columns)
    with matplotlib.rc_context(_STYLE):
        height = lines * (_ROW_INCHES * (len(names) + 1) + 0.5) + 0.5
        figure = Figure((PAGE if columns > 1 else COLUMN, height), layout="constrained")
        figure.suptitle(marked(analysis, f"{where}: {unit.name} and 95 % interval"), fontsize=8)
        axes = figure.subplots(lines, columns, sharex=True, sharey=True, squeeze=False)
        for axis in axes.flat[len(results) :]:
            axis.remove()
        for number, (axis, result, title) in enumerate(zip(axes.flat, results, titles, strict=False)):
            axis.set_title(title)
            _draw_methods(axis, unit, result, names)
            if number + columns >= len(results):  # the lowest of its column
                axis.tick_params(axis="x", labelbottom=True)
                axis.set_xlabel(f"{unit.name} ↑")
        axes[0, 0].set_yticks(range(len(names)), names)
        axes[0, 0].set_ylim(len(names) - 1 + MARGIN, -MARGIN)
    return figure


def _draw_methods(axis: Axes, unit: Measure, result: QuestionResult, names: Sequence[str]) -> None:
    estimates = {method.method: headline(method) for method in result.methods}
    _draw_estimates(axis, [estimates.get(name) for name in names], unit)
    if not result.methods:
        axis.annotate("no figures", (0.5, 0.5), xycoords="axes fraction", ha="center", fontsize=6, color=GREY)


def _draw_estimates(axis: Axes, estimates: Sequence[Estimate | None], unit: Measure) -> None:
    """Draw estimates from the top down: a dot and its interval, hollow where it has none."""
    axis.axvline(unit.middle, color="black", linewidth=0.6, linestyle=(0, (4, 3)))
    for place, estimate in enumerate(estimates):
        if estimate is None:
            continue
        has_interval = estimate.low is not None and estimate.high is not None
        if estimate.low is not None and estimate.high is not None:
            ends = [estimate.low * unit.times, estimate.high * unit.times]
            axis.plot(ends, [place, place], color=COLOURS[0], linewidth=1.4, solid_capstyle="butt")
        face = COLOURS[0] if has_interval else "white"
        axis.plot(estimate.value * unit.times, place, "o", color=COLOURS[0], markerfacecolor=face, markersize=3.5)
    axis.grid(axis="x")
    axis.tick_params(axis="y", length=0)
    axis.spines["left"].set_visible(False)
    axis.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10]))
    axis.margins(x=0.08)


def pairs_plot(analysis: StudyAnalysis, result: QuestionResult, where: str) -> Figure:
    """Return a matrix: how often, in per cent, the row's method was preferred to the column's, ties as half."""
    names = [method.method for method in result.methods]
    shares, is_significant = _shares(result, names)
    side = _CELL_INCHES * len(names)
    with matplotlib.rc_context(_STYLE):
        figure = Figure((side + 1.8, side + 1.2), layout="constrained")
        figure.suptitle(marked(analysis, f"{where}\nrow preferred to column, %"), fontsize=8)
        axis = figure.subplots()
        axis.imshow(100 * shares, cmap="PuOr_r", vmin=0, vmax=100)
        for row, column in zip(*np.nonzero(~np.isnan(shares)), strict=True):
            share = 100 * shares[row, column]
            text = f"{share:.0f}{'*' if is_significant[row, column] else ''}"
            colour = "white" if abs(share - 50) > 35 else "black"
            axis.text(column, row, text, ha="center", va="center", fontsize=6.5, color=colour)
        axis.set_xticks(range(len(names)), names, rotation=40, ha="right", rotation_mode="anchor")
        axis.set_yticks(range(len(names)), names)
        axis.tick_params(length=0)
        axis.spines[:].set_visible(False)
    return figure


def _shares(result: QuestionResult, names: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return shares of wins, NaN where two methods never met, and where the difference is significant: (M, M) each."""
    shares = np.full((len(names), len(names)), np.nan)
    is_significant = np.zeros(shares.shape, bool)
    for pair in result.pairs:
        if not pair.judgements:
            continue
        first, second = names.index(pair.first), names.index(pair.second)
        shares[first, second] = (pair.wins + pair.ties / 2) / pair.judgements
        shares[second, first] = 1 - shares[first, second]
        is_significant[[first, second], [second, first]] = pair.p_corrected is not None and (
            pair.p_corrected <= SIGNIFICANT
        )
    return shares, is_significant


def metrics_plot(analysis: StudyAnalysis, agreements: Sequence[MetricAgreement], unit: Measure, where: str) -> Figure:
    """Return each metric's agreement with raters and its 95 % interval, in the order given."""
    with matplotlib.rc_context(_STYLE):
        figure = Figure((5.2, 0.7 + _ROW_INCHES * len(agreements)), layout="constrained")
        axis = figure.subplots()
        axis.set_title(marked(analysis, f"{where}: metrics and raters"), fontsize=8)
        _draw_estimates(axis, [each.agreement for each in agreements], unit)
        axis.set_xlabel(f"{unit.name} ↑")
        axis.set_yticks(range(len(agreements)), [metric_name(each.metric) for each in agreements])
        axis.set_ylim(len(agreements) - 1 + MARGIN, -MARGIN)
    return figure
