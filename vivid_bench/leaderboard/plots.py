"""Plots of a table: intervals of every metric, two metrics clip by clip, quality against time.

Drawn without a display and without pyplot's global state. Sizes are for a paper's page (7 inches) and its column (3.5);
colours are Okabe and Ito's, told apart by colour-blind readers, and each method has a marker of its own too. The same
table gives the same SVG bytes with the same matplotlib.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from vivid_bench.errors import UnknownNameError
from vivid_bench.files import atomic_path
from vivid_bench.leaderboard.table import Row, Table, direction, label, shown_metrics
from vivid_bench.leaderboard.words import spelled, title
from vivid_bench.types import MetricInfo

PAGE, COLUMN = 7.0, 3.5
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
GREY = "#8A8A8A"
SECOND_METRICS = ("edit_lpips", "removal_success", "clip_text_region", "edit_ssim", "background_psnr")
"""What the main metric is set against unless asked otherwise: the first of these that a table has."""

STYLE: dict[Any, Any] = {
    "font.family": "DejaVu Sans",  # ships with matplotlib: the same glyphs on every machine
    "font.size": 7,
    "axes.titlesize": 7,
    "axes.labelsize": 7,
    "xtick.labelsize": 6,
    "ytick.labelsize": 6,
    "legend.fontsize": 6,
    "axes.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "lines.linewidth": 1.0,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.5,
    "svg.hashsalt": "vivid-bench",
    "pdf.fonttype": 42,  # journals refuse Type 3 fonts
    "savefig.dpi": 200,
}
"""What every picture is drawn and written with."""

MARGIN = 0.6
"""Of a row, above the first and below the last, so that neither lies on an axis."""

_PANELS = 3
_ROW_INCHES = 0.15


def file_stem(table: Table) -> str:
    """Return what a table's pictures are called, e.g. `mini-delete-keyframes-0`."""
    parts = [table.suite, table.task]
    if table.composite != "none":
        parts.append(table.composite)
    if table.keyframes is not None:
        indices = ("by-sample",) if isinstance(table.keyframes, str) else table.keyframes
        parts += ["keyframes", *map(str, indices)]
    return "-".join(parts)


def save(figure: Figure, path: Path) -> None:
    """Write a figure as SVG, PNG or PDF, by the path's suffix, without a date."""
    with atomic_path(path) as temporary, matplotlib.rc_context(STYLE):
        kind = path.suffix[1:]
        metadata = {
            "svg": {"Date": None, "Creator": None},
            "png": {"Software": None},
            "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
        }[kind]
        figure.savefig(temporary, format=kind, metadata=metadata)


def intervals_plot(table: Table) -> Figure:
    """Return a panel a metric: each row's mean and 95 % interval, methods above, controls below a line."""
    infos = shown_metrics(table)
    columns = min(_PANELS, len(infos))
    lines = -(-len(infos) // columns)
    with matplotlib.rc_context(STYLE):
        height = lines * (_ROW_INCHES * (len(table.rows) + 1) + 0.5) + 0.5
        figure = Figure((PAGE, height), layout="constrained")
        figure.suptitle(f"{title(table)}: mean and 95 % interval, {table.n_samples} clips", fontsize=8)
        axes = figure.subplots(lines, columns, sharey=True, squeeze=False)
        for axis in axes.flat[len(infos) :]:
            axis.remove()
        for axis, info in zip(axes.flat, infos, strict=False):
            _draw_intervals(axis, table, info)
        places = _places(table)
        axes[0, 0].set_yticks(places, [label(table, row) for row in table.rows])
        axes[0, 0].set_ylim(places[-1] + MARGIN, places[0] - MARGIN)
        if any(_is_partial(row, info) for row in table.rows for info in infos):
            figure.supxlabel("hollow: some of the clips could not be scored", fontsize=6)
    return figure


def _places(table: Table) -> list[float]:
    """Return where the rows stand, with a gap between methods and controls."""
    return [index + (0.8 if row.is_control else 0.0) for index, row in enumerate(table.rows)]


def _draw_intervals(axis: Axes, table: Table, info: MetricInfo) -> None:
    places = _places(table)
    dots: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for place, row in zip(places, table.rows, strict=True):
        summary = row.summaries[info.name]
        if summary.mean is None:
            axis.annotate("no figure", (0.5, place), xycoords=("axes fraction", "data"), ha="center", va="center",
                          fontsize=5, color=GREY)  # fmt: skip
            continue
        colour = GREY if row.is_control else COLOURS[0]
        face = "white" if _is_partial(row, info) else colour
        dots.setdefault((colour, face), []).append((summary.mean * info.shown_times, place))
        if summary.ci_low is not None and summary.ci_high is not None:
            ends = [summary.ci_low * info.shown_times, summary.ci_high * info.shown_times]
            axis.plot(ends, [place, place], color=colour, linewidth=1.4, solid_capstyle="butt")
    # A line a look, not a row: an SVG holds each line's marker anew.
    for (colour, face), points in dots.items():
        axis.plot(*zip(*points, strict=True), "o", color=colour, markerfacecolor=face, markersize=3.5)
    controls = [place for place, row in zip(places, table.rows, strict=True) if row.is_control]
    if controls and len(controls) < len(places):
        axis.axhline(controls[0] - 0.9, color="black", linewidth=0.5, linestyle=(0, (4, 3)))
    axis.set_title(axis_label(info))
    axis.grid(axis="x")
    axis.tick_params(axis="y", length=0)
    axis.spines["left"].set_visible(False)
    axis.xaxis.set_major_locator(MaxNLocator(4))
    axis.margins(x=0.08)


def _is_partial(row: Row, info: MetricInfo) -> bool:
    summary = row.summaries[info.name]
    return summary.mean is not None and summary.n_scored < summary.n_expected


def axis_label(info: MetricInfo) -> str:
    """Return a metric's name, unit and direction, e.g. `edit psnr (dB) ↑`."""
    unit = f" ({info.unit})" if info.unit else ""
    return f"{spelled(info.name)}{unit} {direction(info)}"


def find_metric(table: Table, name: str) -> MetricInfo:
    """Return a table's metric by its name; raises `UnknownNameError`."""
    for info in table.metrics:
        if info.name == name:
            return info
    raise UnknownNameError("metric", name, [info.name for info in table.metrics])


def second_metric(table: Table) -> MetricInfo | None:
    """Return what the main metric is set against by default; None where it is the only one."""
    others = [info for info in shown_metrics(table) if info.name != table.main_metric]
    for wanted in SECOND_METRICS:
        for info in others:
            if info.name.partition("@")[0] == wanted:
                return info
    return others[0] if others else None


def scatter_plot(table: Table, x: MetricInfo, y: MetricInfo) -> Figure | None:
    """Return a point a clip and row, where both metrics have a figure; None where no clip has."""
    with matplotlib.rc_context(STYLE):
        figure = Figure((COLUMN, 3.6), layout="constrained")
        axis = figure.subplots()
        drawn = False
        for row, name, style in _series(table):
            points = np.stack([row.values[x.name] * x.shown_times, row.values[y.name] * y.shown_times])
            points = points[:, ~np.isnan(points).any(axis=0)]
            if points.size:
                drawn = True
                axis.plot(*points, linestyle="none", label=name, alpha=0.75, markersize=3.2, **style)
        axis.set(xlabel=axis_label(x), ylabel=axis_label(y))
        axis.grid()
        axis.set_title(f"{title(table)}: a point a clip")
        _legend(figure, axis)
    return figure if drawn else None


def cost_plot(table: Table) -> Figure | None:
    """Return the main metric's mean and interval against seconds a frame; None where no row has both."""
    try:
        info = find_metric(table, table.main_metric)
    except UnknownNameError:  # it applies to no clip
        return None
    with matplotlib.rc_context(STYLE):
        figure = Figure((COLUMN, 3.2), layout="constrained")
        axis = figure.subplots()
        drawn = False
        for row, name, style in _series(table):
            if row.main is None or row.main.mean is None or not row.seconds_per_frame:
                continue
            drawn = True
            mean = row.main.mean * info.shown_times
            if row.main.ci_low is not None and row.main.ci_high is not None:
                ends = np.array([row.main.ci_low, row.main.ci_high]) * info.shown_times
                axis.plot([row.seconds_per_frame] * 2, ends, color=style["color"], linewidth=0.8, alpha=0.6)
            axis.plot(row.seconds_per_frame, mean, linestyle="none", label=name, markersize=4.5, **style)
        axis.set_xscale("log")
        axis.set(xlabel="seconds a frame (log scale) ↓", ylabel=axis_label(info))
        axis.grid()
        axis.set_title(f"{title(table)}: mean and 95 % interval")
        _legend(figure, axis)
    return figure if drawn else None


def _series(table: Table) -> Iterator[tuple[Row, str, dict[str, Any]]]:
    """Yield rows with their legend's text and style: controls in grey below, the best methods each in its own."""
    methods = [row for row in table.rows if not row.is_control]
    for row in table.rows:
        if row.is_control:
            yield row, "controls", {"color": GREY, "marker": "x"}
    for row in reversed(methods[len(COLOURS) :]):
        yield row, "other methods", {"color": GREY, "marker": "."}
    own = list(zip(methods, COLOURS, MARKERS, strict=False))
    for row, colour, marker in reversed(own):
        yield row, label(table, row), {"color": colour, "marker": marker, "markeredgewidth": 0}


def _legend(figure: Figure, axis: Axes) -> None:
    handles, names = axis.get_legend_handles_labels()
    first = dict(reversed(list(zip(names, handles, strict=True))))
    figure.legend(first.values(), first.keys(), loc="outside lower center", ncols=3, frameon=False)
