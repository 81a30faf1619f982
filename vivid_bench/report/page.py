"""A report as one HTML page that needs nothing beside it: styles inside, pictures as data URIs, no network."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import matplotlib
from jinja2 import Environment, PackageLoader, StrictUndefined
from matplotlib.figure import Figure

from vivid_bench.leaderboard.plots import COLOURS, GREY, MARGIN, STYLE, axis_label
from vivid_bench.leaderboard.site.clips import find_split
from vivid_bench.leaderboard.table import (
    Row,
    Table,
    direction,
    format_cell,
    format_interval,
    heading,
    label,
    shown_metrics,
)
from vivid_bench.leaderboard.words import facts, spelled, title
from vivid_bench.metrics import metric_info
from vivid_bench.report.groups import clip_facts, group_clips
from vivid_bench.report.standing import MIN_VIDEOS, Standing, standing
from vivid_bench.report.subject import Subject
from vivid_bench.report.worst import WorstClip, worst_clips
from vivid_bench.types import MetricInfo, Summary

SHOWN_FAILURES = 10


@dataclass(frozen=True)
class Line:
    """One group's cells as printed. `mark` is `better` or `worse` than the row's mean over all clips, or empty."""

    group: str
    clips: str
    mean: str
    control: str
    lead: str
    mark: str


@dataclass(frozen=True)
class GroupTable:
    """The groups in one respect."""

    title: str
    meaning: str
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Section:
    """One split: the method's figures beside the controls', its groups, its worst clips.

    Attributes:
        verdicts: the groups that stand out, in words.
        missing: why there are no groups; None where there are.
        plot: the groups' means as a data URI; None without groups.
    """

    anchor: str
    title: str
    facts: tuple[str, ...]
    whole: Line
    columns: tuple[str, ...]
    metrics: tuple[tuple[str, ...], ...]
    main: str
    groups: tuple[GroupTable, ...]
    verdicts: tuple[str, ...]
    missing: str | None
    plot: str | None
    worst: tuple[tuple[str, WorstClip], ...]
    failures: tuple[str, ...]
    n_failures: int


def render(subject: Subject, data: Path | None) -> str:
    """Return the page.

    Args:
        data: the clips of a suite that does not ship; without them there are no groups and no pictures, and the page
            says so.

    Raises:
        InputError: a clip that changed after it was pinned.
    """
    sections = [_section(table, row, data, number) for number, (table, row) in enumerate(subject.rows)]
    environment = Environment(
        loader=PackageLoader("vivid_bench.report"), autoescape=True, undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    record = subject.rows[0][1].record
    return environment.get_template("report.html").render(
        method=record.method, record=record, run_key=subject.run_key, sections=sections, min_videos=MIN_VIDEOS
    )


def _section(table: Table, row: Row, data: Path | None, number: int) -> Section:
    info = metric_info(table.main_metric)
    loaded = find_split(table, data)
    whole = standing(table, row, info)
    own = label(table, row)
    others = [other for other in table.rows if other.is_control and other is not row]
    infos = shown_metrics(table)
    groups: list[GroupTable] = []
    standings: list[tuple[str, str, Standing]] = []
    if not isinstance(loaded, str):
        for grouping in group_clips(clip_facts(loaded)):
            stood = [(name, standing(table, row, info, places)) for name, places in grouping.groups.items()]
            standings += [(grouping.title, name, each) for name, each in stood]
            lines = tuple(_line(name, each, info, each.against(whole.mean, info)) for name, each in stood)
            groups.append(GroupTable(grouping.title, grouping.meaning, lines))
    failures = [f"{s.sample_id}: {s.reason}" for s in row.runs[0].scores()
                if s.metric == info.name and s.status == "failed"]  # fmt: skip
    return Section(
        anchor=f"split-{number}",
        title=title(table),
        facts=facts(table),
        whole=_line(title(table), whole, info, None),
        columns=("metric", own, *(label(table, other) for other in others)),
        metrics=tuple(_metric_cells(each, row, others) for each in infos),
        main=f"{spelled(info.name)} {direction(info)}",
        groups=tuple(groups),
        verdicts=tuple(_verdicts(standings, whole, info)),
        missing=loaded if isinstance(loaded, str) else None,
        plot=_plot(standings, whole, info) if standings and whole.mean is not None else None,
        worst=tuple((_number(info, clip.value), clip) for clip in worst_clips(row, info, loaded)),
        failures=tuple(failures[:SHOWN_FAILURES]),
        n_failures=len(failures),
    )


def _metric_cells(info: MetricInfo, row: Row, others: Sequence[Row]) -> tuple[str, ...]:
    summary = row.summaries[info.name]
    own = f"{format_cell(info, summary)} {format_interval(info, summary)}".rstrip()
    return heading(info), own, *(format_cell(info, other.summaries[info.name]) for other in others)


def _line(group: str, stood: Standing, info: MetricInfo, mark: str | None) -> Line:
    clips = f"{stood.n_scored}" if stood.n_scored == stood.n_clips else f"{stood.n_scored}/{stood.n_clips}"
    few = "" if stood.mean is None or stood.n_videos >= MIN_VIDEOS else " (too few clips for an interval)"
    return Line(
        group=group,
        clips=clips,
        mean=_with_interval(info, stood.mean, stood.interval) + few,
        control="–" if stood.control is None else f"{_number(info, stood.control_mean)} ({stood.control})",
        lead=_with_interval(info, stood.lead, stood.lead_interval),
        mark=mark or "",
    )


def _number(info: MetricInfo, value: float | None) -> str:
    return format_cell(info, Summary(mean=value, n_scored=1, n_expected=int(value is not None)))


def _with_interval(info: MetricInfo, mean: float | None, interval: object) -> str:
    low, high = getattr(interval, "low", None), getattr(interval, "high", None)
    between = format_interval(info, Summary(ci_low=low, ci_high=high, n_scored=1, n_expected=1))
    return f"{_number(info, mean)} {between}".rstrip()


def _verdicts(standings: Sequence[tuple[str, str, Standing]], whole: Standing, info: MetricInfo) -> list[str]:
    found = []
    for kind, words in (("better", "stronger"), ("worse", "weaker")):
        for respect, name, each in standings:
            if each.against(whole.mean, info) == kind:
                found.append(f"{words} – {respect} {name}: {_with_interval(info, each.mean, each.interval)}")
    return found


def _plot(standings: Sequence[tuple[str, str, Standing]], whole: Standing, info: MetricInfo) -> str:
    """Return the groups' means and intervals, and the best control of each, as a PNG data URI."""
    times = info.shown_times
    with matplotlib.rc_context(STYLE):
        figure = Figure((5.2, 0.5 + 0.17 * len(standings)), layout="constrained")
        axis = figure.subplots()
        names, places, place, last = [], [], 0.0, standings[0][0]
        for respect, name, each in standings:
            place += 1.0 if respect == last else 1.7
            last = respect
            names.append(f"{respect}: {name}")
            places.append(place)
            if each.mean is None:
                continue
            if each.interval is not None:
                ends = [each.interval.low * times, each.interval.high * times]
                axis.plot(ends, [place, place], color=COLOURS[0], linewidth=1.4, solid_capstyle="butt")
            axis.plot(each.mean * times, place, "o", color=COLOURS[0], markersize=3.5)
            if each.control_mean is not None:
                axis.plot(each.control_mean * times, place, "x", color=GREY, markersize=3.5)
        if whole.mean is not None:
            axis.axvline(whole.mean * times, color="black", linewidth=0.6, linestyle=(0, (4, 3)))
        axis.set_yticks(places, names)
        axis.set_ylim(places[-1] + MARGIN, places[0] - MARGIN)
        axis.tick_params(axis="y", length=0)
        axis.grid(axis="x")
        axis.set_xlabel(axis_label(info))
        png = io.BytesIO()
        figure.savefig(png, format="png", metadata={"Software": None})
    return f"data:image/png;base64,{base64.b64encode(png.getvalue()).decode()}"
